"""The resolved network: every name bound, every family expanded, every hole with its candidates.

NOTE: this is the Spec after name resolution, still a tree and still without shapes. The Graph is
built from it, and checking and counting read it, so that they need not load networkx.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Literal

from ...ops.types import Axis, TensorType, inner
from ..diagnostics.source import Span
from ..language.nodes import Budget, Definition, HeadKind, Operation
from ..language.spec import Spec
from ..language.variants import GlobalHole, Picks, global_holes
from .vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Application:
    """A definition with its parameters set: one candidate of a Step, or a role in its place.

    `scope` names the parameters that it owns below those of its place.
    """

    definition: Definition
    home: Vocabulary
    parameters: tuple[tuple[str, int | float], ...]
    scope: str
    written: Operation | None = None
    span: Span | None = field(default=None, compare=False, repr=False)

    @property
    def operation(self) -> Operation:
        """The operation as the text says it, or by its name where there is no text."""
        return self.written or Operation(self.definition.name)

    @property
    def label(self) -> str:
        """The operation as a diagram shows it."""
        if self.written is None:
            return self.definition.name
        chosen = ", ".join(f"{key} = {value}" for key, value in self.written.parameters)
        return self.written.name + (f" ({chosen})" if chosen else "")


@dataclass(frozen=True, slots=True)
class NetworkFeature:
    """A feature with its axes, None while they are to be read off the backbone."""

    name: str
    axes: tuple[Axis, ...] | None
    modality: str
    optional: bool
    adapt: Application
    span: Span | None = field(default=None, compare=False, repr=False)

    @property
    def channels(self) -> int:
        """The channels that the feature has, `c` in the equation of its adapter."""
        return channels_of(self.axes)

    @property
    def has_lengths(self) -> bool:
        """Whether samples may differ in length."""
        return has_lengths(self.axes)


def channels_of(axes: Sequence[Axis] | None) -> int:
    """The size of the axis `c`."""
    return next(axis.size or 1 for axis in axes or () if axis.name == "c")


def has_lengths(axes: Sequence[Axis] | None) -> bool:
    """Whether samples may differ in length: `t *`."""
    return Axis("t", None) in (axes or ())


COMBINE = "combine"
NOTHING = ""
"""What fills a slot that is left empty; no name is."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place that takes a value: one name where it is fixed, the candidates where it is open.

    It is an input of a Cell or Step, or a place of the output. One that is `optional`, of the
    output alone, may stay empty.
    """

    candidates: tuple[str, ...]
    open: bool
    span: Span | None = field(default=None, compare=False, repr=False)
    optional: bool = False


def fewest(outputs: Sequence[Slot]) -> int:
    """How many places of the output are filled at least."""
    return max(1, sum(not slot.optional for slot in outputs))


@dataclass(frozen=True, slots=True)
class NetworkStep:
    name: str
    operations: tuple[Application, ...]
    open: bool
    slots: tuple[Slot, ...]
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class NetworkCell:
    """A Cell: `inputs` are the names that its slots have inside it."""

    name: str
    inputs: tuple[str, ...]
    slots: tuple[Slot, ...]
    steps: tuple[NetworkStep, ...]
    returned: tuple[str, ...]
    merge: Application
    span: Span | None = field(default=None, compare=False, repr=False)

    @property
    def holes(self) -> tuple[Slot | NetworkStep, ...]:
        """The open slots, and the Steps whose operation is open, in the order of the text."""
        every: list[Slot | NetworkStep] = [*self.slots]
        for step in self.steps:
            every += [step, *step.slots]
        return tuple(part for part in every if part.open)


SEVERAL: Literal["several"] = "several"
EVIDENTIAL = "evidential"
HEAD_LOSSES: Mapping[str, tuple[HeadKind, ...]] = {
    "cross_entropy": ("classes", "labels"),
    "focal": ("classes", "labels"),
    "squared": ("values",),
    "absolute": ("values",),
    "huber": ("values",),
    EVIDENTIAL: ("classes",),
}
"""The losses there are, and what they are of; the usual one of a kind of head stands first."""


@dataclass(frozen=True, slots=True)
class Head:
    """What is predicted: `count` classes, labels or values, or those of several heads.

    Several heads are one head to whatever carries outputs: its `count` outputs are those of its
    `parts`, side by side. A part has a `name`, the `weight` of its loss in the sum, and its `loss`
    by name where it is not that of its kind.
    """

    count: int
    kind: HeadKind | Literal["several"]
    names: tuple[str, ...] | None
    name: str | None = None
    weight: float = 1.0
    loss: str | None = None
    parts: tuple[Head, ...] = ()

    @property
    def columns(self) -> tuple[tuple[Head, slice], ...]:
        """The heads, each with the columns of the outputs that are its own."""
        ends = accumulate(part.count for part in self.parts)
        pairs = zip(self.parts, ends, strict=True)
        return tuple((part, slice(end - part.count, end)) for part, end in pairs)

    @property
    def label_columns(self) -> tuple[tuple[Head, slice], ...]:
        """The heads, each with the columns of labels that are its own: one where it has classes."""
        widths = [1 if part.kind == "classes" else part.count for part in self.parts]
        ends = list(accumulate(widths))
        return tuple(
            (part, slice(end - width, end))
            for part, width, end in zip(self.parts, widths, ends, strict=True)
        )


def joined(heads: Sequence[Head]) -> Head:
    """Several heads as one."""
    return Head(sum(head.count for head in heads), SEVERAL, None, parts=tuple(heads))


@dataclass(frozen=True, slots=True)
class NetworkHead:
    """One of several heads: what it reads, and how that becomes what it predicts.

    It reads the output where `reads` is empty, else these features and Cells, which `combine` joins
    first; or, where it `decides`, heads before it, of whose logits its role makes its own.
    """

    name: str
    head: Head
    reads: tuple[str, ...]
    combine: Application | None
    role: Application
    decides: bool
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class NetworkModality:
    """A modality, which samples may lack where it is optional."""

    name: str
    optional: bool


@dataclass(frozen=True)
class Architecture:
    """What a network is built of: its features, its Cells, what joins them, and its head.

    Where heads have names, `heads` are these, and `head` all of them as one.

    A Graph says the same by nodes and edges.
    """

    name: str
    numbers: Mapping[str, int | float]
    modalities: tuple[NetworkModality, ...]
    features: tuple[NetworkFeature, ...]
    cells: tuple[NetworkCell, ...]
    outputs: tuple[Slot, ...]
    combine: Application
    head_role: Application
    head: Head
    heads: tuple[NetworkHead, ...]

    @property
    def channels(self) -> int:
        """C, the inner number of channels."""
        return int(self.numbers["C"])

    @property
    def length(self) -> int:
        """L, the inner length."""
        return int(self.numbers["L"])

    @property
    def inner(self) -> TensorType:
        """`(batch, L, C)`: what Cells and Steps take and give."""
        return inner(self.length, self.channels)

    @cached_property
    def sequence(self) -> tuple[str, ...]:
        """The paper's S: the features of all modalities in order, then the Cells."""
        return (*(f.name for f in self.features), *(c.name for c in self.cells))

    @cached_property
    def feature_by_name(self) -> Mapping[str, NetworkFeature]:
        return {f.name: f for f in self.features}

    @cached_property
    def cell_by_name(self) -> Mapping[str, NetworkCell]:
        return {c.name: c for c in self.cells}

    @cached_property
    def step_by_place(self) -> Mapping[tuple[str, ...], NetworkStep]:
        """Steps by the names of their Cell and their own."""
        return {(c.name, s.name): s for c in self.cells for s in c.steps}

    @cached_property
    def fixed_inputs(self) -> frozenset[frozenset[str]]:
        """The sets of inputs of the Cells that have no open input."""
        fixed = (c.slots for c in self.cells if not any(slot.open for slot in c.slots))
        return frozenset(frozenset(s.candidates[0] for s in slots) for slots in fixed)

    @cached_property
    def output_candidates(self) -> tuple[str, ...]:
        """What the output takes, or may take where it has holes, each once."""
        return tuple(dict.fromkeys(c for slot in self.outputs for c in slot.candidates))

    @cached_property
    def read_by_heads(self) -> tuple[str, ...]:
        """The features and Cells that heads read besides the output, each once."""
        reads = (name for head in self.heads if not head.decides for name in head.reads)
        return tuple(dict.fromkeys(reads))

    @property
    def reads_output(self) -> bool:
        """Whether a head reads what the outputs are combined to."""
        return not self.heads or any(not head.reads for head in self.heads)

    @property
    def has_holes(self) -> bool:
        return any(s.open for s in self.outputs) or any(cell.holes for cell in self.cells)


@dataclass(frozen=True)
class Network(Architecture):
    """A whole specification with its names resolved: what is built, and by which rules.

    `spec` has no global holes; it is the first variant of the `space` where that has some.
    """

    spec: Spec
    space: Spec
    vocabulary: Vocabulary
    rule: str
    budgets: tuple[Budget, ...]
    variants: Callable[[Picks], Network] | None = field(default=None, compare=False, repr=False)

    def variant(self, picks: Picks) -> Network:
        """The network of a variant of the space, this one where it has no other.

        Raises DiagnosticError where the variant is no valid specification.
        """
        return self if self.variants is None else self.variants(picks)

    @cached_property
    def global_holes(self) -> tuple[GlobalHole, ...]:
        return global_holes(self.space)

    @property
    def has_holes(self) -> bool:
        return super().has_holes or bool(self.global_holes)

    def combine_of(self, count: int) -> Application:
        """What combines so many outputs, where holes leave some of them out."""
        found = self.vocabulary.find_role(COMBINE, count, None)
        if found is None:
            raise AssertionError(f"no role combines {count} outputs")
        definition, home = found
        return Application(definition, home, definition.parameters, COMBINE, span=definition.span)
