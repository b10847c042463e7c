"""What a Spec is made of: frozen dataclasses, each knowing the span it came from.

`span` is where a node is named, `extent` the whole of it; names, counts and parameters have a span
of their own. Each is None in a Spec that no text was read for.

NOTE: a Spec says what was written, neither more nor less: names are not resolved, families such
as `Cell[2]` are not expanded, and what was left out is None. Spans take no part in equality, so
two Specs are equal when they say the same thing, whichever spelling they came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self, TypeAlias, TypeVar

from ..diagnostics.source import Span, span_field, span_of
from .expression import Body, Named
from .limits import LONGEST_NAME

T = TypeVar("T")
Size: TypeAlias = int | str
"""A number, or the name of one of the network's numbers."""
Value: TypeAlias = int | float | str
HeadKind = Literal["classes", "labels", "values"]
HEAD_KINDS: tuple[HeadKind, ...] = ("classes", "labels", "values")
HEAD_SETTINGS = ("weight", "loss")
"""What may be set of a head that has a name."""
BUDGETS = ("parameters", "macs", "latency")
AXES: Mapping[str, str] = {"c": "channels", "t": "time or tokens", "h": "height", "w": "width"}
"""What the axes of a feature are called, and what they mean."""

STATEMENTS = "fuse network use modality pool cell output require predict op role".split()
"""The keywords that a statement begins with."""
KEYWORDS = frozenset([*STATEMENTS, *"optional from at return classes labels values for on".split()])


def name_problem(name: str) -> str | None:
    """Why a text cannot be a name, or None; identifiers and anything printable can."""
    if not name:
        return "a name is empty"
    if len(name) > LONGEST_NAME:
        return f"a name is longer than {LONGEST_NAME} characters"
    if name in ("?", "_", "*"):
        return f"`{name}` cannot be a name"
    if "`" in name or not all(c.isprintable() for c in name):
        return "a name has a backtick or a character that cannot be printed"
    return None


@dataclass(frozen=True, slots=True)
class Hole:
    """`?`, or `{A | B}` with the candidates that it is restricted to."""

    candidates: tuple[Reference | Operation, ...] | None = None
    span: Span | None = span_field()


@dataclass(frozen=True, slots=True)
class NumberHole:
    """`{64 | 128}`: a number of which a search takes one of the candidates."""

    candidates: tuple[int | float, ...]
    span: Span | None = span_field()


@dataclass(frozen=True, slots=True)
class Reference(Named):
    """The name of a feature, a Cell, a Step or an input of a Cell."""


class Setting(tuple[str, Value | NumberHole]):  # noqa: SLOT001  (a tuple has no room for slots)
    """`NAME = VALUE`: a pair that knows where it stands."""

    span: Span | None

    def __new__(cls, pair: tuple[str, Value | NumberHole], span: Span | None = None) -> Self:
        setting = super().__new__(cls, pair)
        setting.span = span
        return setting


@dataclass(frozen=True, slots=True)
class Operation(Named):
    """An operation by name, as `MHA` or `fusion.MHA`, with parameters set by name."""

    parameters: tuple[tuple[str, Value], ...] = ()
    extent: Span | None = span_field()


Slot: TypeAlias = Reference | Hole


def first(number: T | NumberHole) -> T | int | float:
    """A number, of an open one the first candidate."""
    return number.candidates[0] if isinstance(number, NumberHole) else number


def largest(number: int | float | NumberHole) -> int | float:
    """A number, of an open one the largest candidate."""
    return max(number.candidates) if isinstance(number, NumberHole) else number


@dataclass(frozen=True, slots=True)
class Family(Named):
    """`NAME[*]` in the output: every Cell of a family."""


@dataclass(frozen=True, slots=True)
class Others:
    """`*` in the output: every feature and Cell that no other place of it names."""

    span: Span | None = span_field()


@dataclass(frozen=True, slots=True)
class Possibly:
    """`A?` in the output: what the network may combine or leave out, each by itself."""

    item: Slot | Family | Others
    span: Span | None = span_field()


Output: TypeAlias = Slot | Family | Others | Possibly
"""A place of the output."""


def references_of(place: Output) -> tuple[Reference, ...]:
    """The names that stand in a slot: one, or the candidates of a restricted hole."""
    item = item_of(place)
    candidates = (item.candidates or ()) if isinstance(item, Hole) else (item,)
    return tuple(c for c in candidates if isinstance(c, Reference))


def item_of(place: Output) -> Slot | Family | Others:
    """What stands in a place of the output, whether it may be left out or not."""
    return place.item if isinstance(place, Possibly) else place


def operations_of(operation: Operation | Hole) -> tuple[Operation, ...]:
    """The operations that stand in their slot: one, or the candidates of a restricted hole."""
    candidates = (operation,) if isinstance(operation, Operation) else operation.candidates or ()
    return tuple(c for c in candidates if isinstance(c, Operation))


@dataclass(frozen=True, slots=True)
class NetworkHeader(Named):
    """`network NAME(C = …, L = …)`."""

    numbers: tuple[tuple[str, int | float | NumberHole], ...] = ()

    @property
    def values(self) -> dict[str, int | float]:
        """The numbers by name; of one that is open the first candidate."""
        return {key: first(value) for key, value in self.numbers}


@dataclass(frozen=True, slots=True)
class Use:
    library: str

    @property
    def span(self) -> Span | None:
        return span_of(self.library)


@dataclass(frozen=True, slots=True)
class Definition(Named):
    """`op NAME(…) = …` or, with `role`, `role NAME(…) [for MODALITY] = …`."""

    inputs: tuple[str, ...]
    body: Body
    rest: bool = False
    parameters: tuple[tuple[str, int | float], ...] = ()
    role: bool = False
    modality: str | None = None
    extent: Span | None = span_field()

    def takes(self, count: int) -> bool:
        """Whether it can be applied to `count` inputs."""
        return count >= len(self.inputs) if self.rest else count == len(self.inputs)


@dataclass(frozen=True, slots=True)
class FeatureAxis:
    """An axis of a feature; `size` is "*" where it is known only at run time."""

    name: str
    size: Size
    span: Span | None = span_field()


@dataclass(frozen=True, slots=True)
class Feature(Named):
    """A feature of a modality; `axes` is None where they are to be read off the backbone."""

    axes: tuple[FeatureAxis, ...] | None = None
    at: str | None = None
    extent: Span | None = span_field()


@dataclass(frozen=True, slots=True)
class Modality(Named):
    features: tuple[Feature, ...]
    backbone: str | None = None
    optional: bool = False
    extent: Span | None = span_field()


@dataclass(frozen=True, slots=True)
class Step(Named):
    """`NAME[n] = OP(slots)`; `count` is None where it is one Step of that very name."""

    operation: Operation | Hole
    slots: tuple[Slot, ...]
    count: Value | NumberHole | None = None
    extent: Span | None = span_field()


@dataclass(frozen=True, slots=True)
class CellInput:
    """An input of a Cell, named where the specification names it."""

    slot: Slot
    name: str | None = None

    @property
    def span(self) -> Span | None:
        return span_of(self.name) or self.slot.span


@dataclass(frozen=True, slots=True)
class Cell(Named):
    """`cell NAME[n](slots) { steps; return … }`."""

    inputs: tuple[CellInput, ...]
    steps: tuple[Step, ...]
    count: Value | NumberHole | None = None
    returned: tuple[Reference, ...] | None = None
    extent: Span | None = span_field()


@dataclass(frozen=True, slots=True)
class RuleRequirement:
    """`require RULE`: a rule for filling holes, by name."""

    rule: str

    @property
    def span(self) -> Span | None:
        return span_of(self.rule)


@dataclass(frozen=True, slots=True)
class Budget:
    """`require parameters < 1M`; latency is in milliseconds, `on` the profile of that name."""

    quantity: str
    limit: int | float
    inclusive: bool = False
    on: str | None = None
    span: Span | None = span_field()

    @property
    def sign(self) -> str:
        return "<=" if self.inclusive else "<"

    def met(self, value: float) -> bool:
        """Whether a value is within the limit."""
        return value <= self.limit if self.inclusive else value < self.limit


@dataclass(frozen=True, slots=True)
class Predict:
    """`predict NAME(A, B, weight = W, loss = NAME) N classes { names }`; one head needs no name.

    It reads the output where nothing is said, else features and Cells, or heads before it.
    """

    count: Size
    kind: HeadKind
    names: tuple[str, ...] | None = None
    name: str | None = None
    reads: tuple[Reference, ...] = ()
    weight: Value | None = None
    loss: str | None = None
    span: Span | None = span_field()
