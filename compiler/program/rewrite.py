"""What passes are written with: a new list of values, and where the old ones have gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
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

    def is_moved(self, old: int) -> bool:
        """Whether the value that stood at `old` is there already."""
        return old in self._moved

    def needed(self, old: int) -> int:
        """Where an old value is now; if it is not there yet, it is kept with what it reads."""
        waiting = [old]
        while waiting:
            index = waiting[-1]
            value = self._program.values[index]
            missing = [a for a in value.arguments if a not in self._moved]
            if index not in self._moved and not missing:
                self.keep(index, self.moved(value))
            if not missing:
                waiting.pop()
            waiting += missing
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
        arguments = tuple([self._moved[a] for a in value.arguments])
        if arguments == value.arguments:
            return value
        return Value(value.primitive, arguments, value.attributes, value.type, value.scope)

    def program(self) -> Program:
        """The rewritten program, without the values that its output does not depend on."""
        output = self._moved[self._program.output]
        wanted = [False] * len(self.values)
        wanted[output] = True
        for index in range(len(self.values) - 1, -1, -1):
            if wanted[index]:
                for argument in self.values[index].arguments:
                    wanted[argument] = True
        if all(wanted):
            return rebuild(self._program, self.values, output)
        places = list(accumulate(wanted, initial=0))
        kept: list[Value] = []
        for value, is_wanted in zip(self.values, wanted, strict=True):
            arguments = tuple([places[a] for a in value.arguments])
            if is_wanted and arguments == value.arguments:
                kept.append(value)
            elif is_wanted:
                attributes, type, scope = value.attributes, value.type, value.scope
                kept.append(Value(value.primitive, arguments, attributes, type, scope))
        return rebuild(self._program, kept, places[output])


Rule = Callable[[Rewrite, int, Value], int | None]
"""From a value, which stood at an index and has been moved, the new value that replaces it."""


def rewritten(program: Program, rule: Rule) -> Program:
    """The program with the values that a rule replaces; where it gives None, a value is kept."""
    rewrite = Rewrite(program)
    for index, value in enumerate(program.values):
        moved = rewrite.moved(value)
        new = rule(rewrite, index, moved)
        if new is None:
            rewrite.keep(index, moved)
        else:
            rewrite.alias(index, new)
    return rewrite.program()
