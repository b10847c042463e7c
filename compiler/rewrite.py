"""What passes are written with: a new list of values, and where the old ones have gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .program import Program, Scope, Value, rebuild, typed


class Rewrite:
    """Builds the values of a rewritten program in the order of the old one."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.values: list[Value] = []
        self._moved: dict[int, int] = {}

    def __getitem__(self, old: int) -> int:
        """Where the value that stood at `old` is now."""
        return self._moved[old]

    def keep(self, old: int, value: Value) -> int:
        """Takes over a value whose arguments have been moved already."""
        self.values.append(value)
        return self.alias(old, len(self.values) - 1)

    def alias(self, old: int, new: int) -> int:
        """Lets readers of `old` read the new value `new` instead."""
        self._moved[old] = new
        return new

    def add(
        self, primitive: str, arguments: Sequence[int], attributes: dict[str, Any], scope: Scope
    ) -> int:
        """A new value over new values, with its type inferred."""
        self.values.append(typed(self.values, primitive, arguments, attributes, scope))
        return len(self.values) - 1

    def moved(self, value: Value) -> Value:
        """The value with its arguments where they are now."""
        arguments = tuple(self._moved[a] for a in value.arguments)
        return Value(value.primitive, arguments, value.attributes, value.type, value.scope)

    def program(self) -> Program:
        return rebuild(self._program, self.values, self._moved[self._program.output])
