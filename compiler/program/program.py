"""The Program: the tensor program in SSA form.

A value is a primitive applied to earlier values, with its type and the scope it came from. A
hole has become a mixture over its candidates, whose weights come from architecture parameters;
a program without holes has none. Passes and targets see nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ...ops.primitive import Primitive, primitives
from ...ops.types import TensorType

Attributes = tuple[tuple[str, Any], ...]
Scope = tuple[str, ...]
ParameterKind = Literal["weight", "statistic", "architecture"]
InputKind = Literal["feature", "lengths", "presence", "weights", "keys"]

INPUT, PARAMETER = "input", "parameter"


@dataclass(frozen=True, slots=True)
class Value:
    """A primitive over earlier values, which are given by their positions in the program."""

    primitive: str
    arguments: tuple[int, ...]
    attributes: Attributes
    type: TensorType
    scope: Scope

    @property
    def record(self) -> Primitive | None:
        """The primitive's record; None for an input or a parameter."""
        return primitives().get(self.primitive)

    @property
    def name(self) -> str:
        """The name of the input or parameter that this value reads."""
        return str(dict(self.attributes)["name"])


@dataclass(frozen=True, slots=True)
class Input:
    """An input: a feature, the lengths of its samples, the presence of a modality, or the weights
    of a mixture or the keys of random draws, which no sample has for itself.

    Lengths and presence may be left out when the program runs; a length below zero means the
    whole axis.
    """

    name: str
    type: TensorType
    kind: InputKind = "feature"

    @property
    def required(self) -> bool:
        """Whether the program cannot run without it."""
        return self.kind in ("feature", "weights")

    @property
    def default(self) -> int:
        """What stands for lengths or presence that are left out, for every sample."""
        return -1 if self.kind == "lengths" else 1


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """A parameter: weight, running statistic or architecture parameter.

    `initial` is a number, `uniform` in ±`bound`, or `normal` with standard deviation `bound`. One
    that is the stack of others has their names as its `rows`, whose initial values are its own.
    """

    name: str
    sizes: tuple[int, ...]
    kind: ParameterKind
    initial: float | Literal["uniform", "normal"]
    bound: float = 0.0
    rows: tuple[str, ...] = ()

    @property
    def elements(self) -> int:
        count = 1
        for size in self.sizes:
            count *= size
        return count


@dataclass(frozen=True)
class Program:
    """Inputs, parameters, values in topological order, and the value that is the output."""

    inputs: tuple[Input, ...]
    parameters: tuple[ParameterSpec, ...]
    values: tuple[Value, ...]
    output: int

    def readers(self) -> list[list[int]]:
        """The values that read each value."""
        found: list[list[int]] = [[] for _ in self.values]
        for index, value in enumerate(self.values):
            for argument in value.arguments:
                found[argument].append(index)
        return found


class InvalidProgram(AssertionError):
    """A Program that breaks an invariant; names the value and the pass that ran last."""


def validate(program: Program, after: str) -> Program:
    """The program itself; raises InvalidProgram where an invariant does not hold."""
    inputs = {i.name: i.type for i in program.inputs}
    sizes = {p.name: p.sizes for p in program.parameters}

    def broken(index: int, why: str) -> InvalidProgram:
        value = program.values[index]
        place = ".".join(value.scope)
        return InvalidProgram(f"after {after}: value {index} ({value.primitive}, {place}): {why}")

    for index, value in enumerate(program.values):
        if any(not 0 <= a < index for a in value.arguments):
            raise broken(index, "reads a value that does not come before it")
        if value.primitive == INPUT:
            if inputs.get(value.name) != value.type:
                raise broken(index, f"is not the declared input `{value.name}`")
        elif value.primitive == PARAMETER:
            if sizes.get(value.name) != tuple(a.size for a in value.type.axes):
                raise broken(index, f"is not the declared parameter `{value.name}`")
        else:
            record = primitives()[value.primitive]
            types = [program.values[a].type for a in value.arguments]
            expected = record.type(*types, **dict(value.attributes))
            if expected != value.type:
                raise broken(index, f"is declared {value.type} but computes {expected}")
    if not 0 <= program.output < len(program.values):
        raise InvalidProgram(f"after {after}: the output is no value")
    return program


def typed(
    values: Sequence[Value],
    primitive: str,
    arguments: Sequence[int],
    attributes: Mapping[str, Any],
    scope: Scope,
) -> Value:
    """A primitive over `values`, its type inferred; raises ShapeError where types cannot meet."""
    types = [values[a].type for a in arguments]
    result = primitives()[primitive].type(*types, **attributes)
    return Value(primitive, tuple(arguments), tuple(sorted(attributes.items())), result, scope)


@dataclass
class Builder:
    """Builds a Program value by value, inferring types as it goes."""

    inputs: list[Input] = field(default_factory=list)
    parameters: dict[str, ParameterSpec] = field(default_factory=dict)
    values: list[Value] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    """What equations call the values that they assign to a name."""

    def input(self, item: Input) -> int:
        self.inputs.append(item)
        return self._append(Value(INPUT, (), (("name", item.name),), item.type, (item.name,)))

    def parameter(self, spec: ParameterSpec, type: TensorType, scope: Scope) -> int:
        """A value that reads a new parameter; its name is unused so far."""
        if spec.name in self.parameters:
            raise InvalidProgram(f"the parameter `{spec.name}` is declared twice")
        self.parameters[spec.name] = spec
        return self._append(Value(PARAMETER, (), (("name", spec.name),), type, scope))

    def call(
        self,
        primitive: str,
        arguments: Sequence[int],
        attributes: Mapping[str, Any],
        scope: Scope,
    ) -> int:
        """A primitive over values; raises ShapeError where their types cannot meet."""
        return self._append(typed(self.values, primitive, arguments, attributes, scope))

    def program(self, output: int) -> Program:
        values, parameters = tuple(self.values), tuple(self.parameters.values())
        return Program(tuple(self.inputs), parameters, values, output)

    def type(self, value: int) -> TensorType:
        return self.values[value].type

    def _append(self, value: Value) -> int:
        self.values.append(value)
        return len(self.values) - 1


def rebuild(program: Program, values: Iterable[Value], output: int) -> Program:
    """The program with other values; inputs and parameters stay as they were declared."""
    return Program(program.inputs, program.parameters, tuple(values), output)
