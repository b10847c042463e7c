"""Many Programs as one, over the inputs that they share.

Every member keeps its parameters under a prefix, so that its weights and the state of its optimiser
go in and out alone. The output is the stack of the members' outputs, (members, batch, K). Members
with samples of their own, such as folds, read rows of inputs that are stacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...ops.primitives.batch import stacked, unstacked
from ...ops.types import ShapeError
from .program import INPUT, Input, InvalidProgram, ParameterSpec, Program, Scope, Value, typed


def member_name(member: str, parameter: str) -> str:
    """What a member's parameter is called in the joined Program."""
    return f"{member}.{parameter}"


def join(members: Mapping[str, Program], *, apart: bool = False) -> Program:
    """One Program that computes what every member does, over the same samples or `apart`.

    Raises InvalidProgram where two members read different inputs by one name, or their outputs
    differ in type.
    """
    joint = _Join(len(members), apart)
    for place, (name, program) in enumerate(members.items()):
        joint.add(place, name, program)
    return joint.program()


class _Join:
    def __init__(self, count: int, apart: bool) -> None:
        self.count, self.apart = count, apart
        self.inputs: dict[str, Input] = {}
        self.parameters: list[ParameterSpec] = []
        self.values: list[Value] = []
        self.known: dict[Value, int] = {}
        self.outputs: list[int] = []

    def add(self, place: int, name: str, program: Program) -> None:
        for item in program.inputs:
            if item.kind == "keys":
                item = replace(item, type=stacked(unstacked(item.type), self.count))
            elif self.apart:
                item = replace(item, type=stacked(item.type, self.count))
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
        if type == value.type or self.inputs[value.name].kind == "keys":
            return self.known[new]
        row = typed(self.values, "row", [self.known[new]], {"index": place}, (name, *scope))
        self.values.append(row)
        return len(self.values) - 1

    def program(self) -> Program:
        try:
            output = typed(self.values, "stack", self.outputs, {}, ())
        except ShapeError as error:
            raise InvalidProgram(f"members cannot be joined: {error}") from None
        values = (*self.values, output)
        inputs = tuple(self.inputs.values())
        return Program(inputs, tuple(self.parameters), values, len(values) - 1)
