"""Many Programs as one, over the inputs that they share.

Every member keeps its parameters under a prefix, so that its weights and the state of its optimiser
go in and out alone. The output is the stack of the members' outputs, (members, batch, K), or their
mean. Members with samples of their own, such as folds, read rows of inputs that are stacks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...ops.primitives.batch import stacked, unstacked
from ...ops.types import ShapeError
from ..network.network import Head
from .program import INPUT, Input, InvalidProgram, ParameterSpec, Program, Scope, Value, typed


def member_name(member: str, parameter: str) -> str:
    """What a member's parameter is called in the joined Program."""
    return f"{member}.{parameter}"


def member_of(name: str) -> str:
    """The member whose parameter is called so in the joined Program."""
    return name.partition(".")[0]


def join(members: Mapping[str, Program], samples: Sequence[int] | None = None) -> Program:
    """One Program that computes what every member does, over the same samples.

    With `samples`, inputs are stacks of samples, and those numbers say which of them each member
    reads. Raises InvalidProgram where two members read different inputs by one name, or their
    outputs differ in type.
    """
    return _joined(members, samples).program("stack", {})


def join_mean(members: Mapping[str, Program], shares: Sequence[float], head: Head) -> Program:
    """One Program that gives the mean of what its members do, each with its share of it.

    That of several heads is the mean of each. Raises InvalidProgram as `join` does.
    """
    joint = _joined(members, None)
    if len(head.parts) > 1:
        return joint.means([part.kind for part in head.parts], (*shares,))
    kind = head.parts[0].kind if head.parts else head.kind
    return joint.program("average", {"kind": kind, "shares": (*shares,)})


def _joined(members: Mapping[str, Program], samples: Sequence[int] | None) -> _Join:
    joint = _Join(len(members), samples)
    for place, (name, program) in enumerate(members.items()):
        joint.add(place, name, program)
    return joint


class _Join:
    def __init__(self, count: int, samples: Sequence[int] | None) -> None:
        self.count, self.samples = count, samples
        self.inputs: dict[str, Input] = {}
        self.parameters: list[ParameterSpec] = []
        self.values: list[Value] = []
        self.known: dict[Value, int] = {}
        self.outputs: list[int] = []

    def add(self, place: int, name: str, program: Program) -> None:
        for item in program.inputs:
            if item.kind == "keys":
                item = replace(item, type=stacked(unstacked(item.type), self.count))
            elif self.samples is not None:
                item = replace(item, type=stacked(item.type, 1 + max(self.samples)))
            if self.inputs.setdefault(item.name, item) != item:
                raise InvalidProgram(f"`{item.name}` is one input of `{name}`, another of others")
        for spec in program.parameters:
            self.parameters.append(replace(spec, name=member_name(name, spec.name)))
        moved: list[int] = []
        for value in program.values:
            moved.append(self._value(place, name, value, moved))
        self.outputs.append(moved[program.output])

    def _value(self, place: int, name: str, value: Value, moved: list[int]) -> int:
        arguments = tuple(moved[a] for a in value.arguments)
        attributes, type = value.attributes, value.type
        scope: Scope = (name, *value.scope)
        match value.primitive:
            case "input":
                type, scope = self.inputs[value.name].type, value.scope
            case "parameter":
                attributes = (("name", member_name(name, value.name)),)
            case "draws":
                of = tuple((place, one) for _, one in dict(attributes)["of"])
                attributes = tuple(sorted((dict(attributes) | {"of": of}).items()))
            case _:
                pass
        new = Value(value.primitive, arguments, attributes, type, scope)
        if value.primitive != INPUT:
            self.values.append(new)
            return len(self.values) - 1
        if new not in self.known:
            self.known[new] = len(self.values)
            self.values.append(new)
        if self.samples is None or self.inputs[value.name].kind == "keys":
            return self.known[new]
        return self._row(self.known[new], self.samples[place], scope)

    def _row(self, stack: int, index: int, scope: Scope) -> int:
        """The samples of a member, one value for all that read them."""
        row = typed(self.values, "row", [stack], {"index": index}, scope)
        if row not in self.known:
            self.known[row] = len(self.values)
            self.values.append(row)
        return self.known[row]

    def means(self, kinds: Sequence[str], shares: tuple[float, ...]) -> Program:
        """The Program of the means of each head, which the members' outputs hold side by side."""
        every = [self.values[output].arguments for output in self.outputs]
        means: list[int] = []
        for kind, *outputs in zip(kinds, *every, strict=True):
            self.outputs = list[int](outputs)
            self._output("average", {"kind": kind, "shares": shares})
            means.append(len(self.values) - 1)
        self.outputs = means
        return self.program("concat", {})

    def _output(self, primitive: str, attributes: Mapping[str, Any]) -> None:
        """Adds a primitive over the outputs of the members."""
        try:
            self.values.append(typed(self.values, primitive, self.outputs, attributes, ()))
        except ShapeError as error:
            raise InvalidProgram(f"members cannot be joined: {error}") from None

    def program(self, primitive: str, attributes: Mapping[str, Any]) -> Program:
        """The Program whose output is a primitive over those of the members."""
        self._output(primitive, attributes)
        inputs, values = tuple(self.inputs.values()), tuple(self.values)
        return Program(inputs, tuple(self.parameters), values, len(values) - 1)
