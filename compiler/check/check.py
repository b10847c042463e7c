"""What can be known of a specification without building it: names, shapes, rules.

Every equation is applied once to each combination of definition and number of inputs that the
network has, on a scratch builder, by the code that lowering uses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...ops.types import CHANNELS, Axis, TensorType
from ..diagnostics.diagnostic import Diagnostic, DiagnosticError, Note, Report, fail
from ..diagnostics.source import Span
from ..language.nodes import Definition
from ..language.spec import Spec
from ..lowering.apply import Effort, apply, placed
from ..lowering.types import Arriving
from ..network.fillings import is_open, unfillable
from ..network.names import OUTPUT
from ..network.network import Application, Head, Network, Slot
from ..network.rules import RULES, completable
from ..program.program import Builder, Input
from ..resolve.outputs import output_counts
from ..resolve.resolve import required, resolve_variant
from ..resolve.variants import of_variants
from ..system.collector import COLLECTOR_OFF
from .lint import lint


def check(spec: Spec) -> list[Diagnostic]:
    """Everything that is wrong with a specification, in the order of its text."""
    report = Report()
    return findings(network_of(spec, report), report)


def findings(network: Network | None, report: Report) -> list[Diagnostic]:
    """The errors, or else the warnings on a network, in the order of the text, each once."""
    if network is not None and not report.errors:
        lint(network, report)
    return report.sorted()


def checked(spec: Spec) -> Network:
    """The network of a specification; raises DiagnosticError if `check` finds an error."""
    return required(spec, network_of)


def settled(spec: Spec) -> Network:
    """The network of a specification without global holes, which is one network or hypernet.

    Raises DiagnosticError where it is several, or `check` finds an error.
    """
    network = checked(spec)
    if network.global_holes:
        hole = network.global_holes[0]
        message = f"`{network.name}` is several networks, since `{hole.place}` is to be chosen"
        raise fail("E403", message, hole.span, help=SETTLE)
    return network


def require_no_holes(network: Network) -> None:
    """Raises DiagnosticError where a network still has holes."""
    if network.has_holes:
        message = f"`{network.name}` has holes, so it is no network to train yet"
        raise fail("E403", message, help="search it first: `fusewright search`")


def network_of(spec: Spec, report: Report) -> Network | None:
    """The network of a specification whose names resolve; reports every error."""
    with COLLECTOR_OFF:
        return of_variants(spec, report, _of_variant)


def _of_variant(spec: Spec, report: Report) -> Network | None:
    network = resolve_variant(spec, report)
    if network is not None:
        _Shapes(network, report).check()
        _check_holes(network, report)
    return network


SETTLE = "set numbers with `--set C=64`, write one operation in a role, or search it"
"""How a specification without global holes comes about."""
MOST_EVALUATED = 200_000
"""How many expressions are evaluated to check all equations of a program."""
NAME_CODES = ("E203", "E206", "E209", "E212")
"""Errors of an equation that hold whatever the shapes of its inputs are."""


@dataclass
class _Shapes:
    """Applies every definition that the network uses and compares what it gives."""

    network: Network
    report: Report
    done: set[tuple[object, ...]] = field(default_factory=set[tuple[object, ...]])
    adapted: dict[tuple[int, TensorType, bool], TensorType] = field(
        default_factory=dict[tuple[int, TensorType, bool], TensorType]
    )
    """What adapters give, of those and of features that need no second look."""
    effort: Effort = field(default_factory=lambda: Effort(MOST_EVALUATED))

    def check(self) -> None:
        network = self.network
        arriving = Arriving(network, self._adapters())
        pools = set[tuple[int, tuple[TensorType, ...]]]()
        for cell in network.cells:
            for step in cell.steps:
                types = arriving.step(cell, step)
                if (pool := (id(step.operations), tuple(types))) in pools:
                    continue  # many Steps share one
                pools.add(pool)
                for application in step.operations:
                    self._apply_once(application, types, application.span or step.span)
            self._apply_once(cell.merge, arriving.merge(cell), cell.span)
        if not arriving.are_inner:
            self._compare(arriving)
        outputs = network.spec.outputs
        place = outputs[0].span if outputs else network.cells[-1].span
        for count in output_counts(network.outputs):
            combine = network.combine_of(count)
            combined = self._apply(combine, arriving.outputs[:count], place, None)
            if combined is None:
                break
            if network.spec.predict is not None:
                span = network.spec.predict.span
                self._head(network.head, network.head_role, [combined], span)
            for head in (head for head in network.heads if not head.reads):
                self._head(head.head, head.role, [combined], head.span)
        self._reading_heads(arriving)
        if not self.report.errors:
            self._check_unused()

    def _reading_heads(self, arriving: Arriving) -> None:
        """Applies what heads are made of that do not read the output."""
        for head in (head for head in self.network.heads if head.reads):
            if head.decides:
                self._head(head.head, head.role, [_logits(head.head)] * len(head.reads), head.span)
            elif head.combine is not None:
                types = [arriving.value(name) for name in head.reads]
                combined = self._apply(head.combine, types, head.span, None)
                if combined is not None:
                    self._head(head.head, head.role, [combined], head.span)

    def _head(
        self, head: Head, role: Application, inputs: Sequence[TensorType], span: Span | None
    ) -> None:
        numbers = {**self.network.numbers, "K": head.count}
        self._apply(role, inputs, span, _logits(head), numbers)

    def _adapters(self) -> dict[str, TensorType]:
        """What the adapters of features give: the inner shape, or one of other channels."""
        given: dict[str, TensorType] = {}
        for feature in self.network.features:
            if feature.axes is None:
                continue
            numbers = {**self.network.numbers, "c": feature.channels}
            type = TensorType(feature.axes)
            key = (id(feature.adapt.definition), type, feature.has_lengths)
            if key not in self.adapted:
                found = self._apply(
                    feature.adapt, [type], feature.span, None, numbers, feature.has_lengths
                )
                inner = self.network.inner
                if found is not None and found.without_channels() != inner.without_channels():
                    self._misshapen(feature.adapt.definition, found, inner, feature.span)
                    found = None
                if found is None:
                    given[feature.name] = inner  # what takes it may be right
                    continue
                self.adapted[key] = found
            given[feature.name] = self.adapted[key]
        return given

    def _compare(self, arriving: Arriving) -> None:
        """Reports holes whose candidates have several shapes, which no mixture could add."""
        for cell in self.network.cells:
            for slot in cell.slots:
                self._require_one_type(slot, {n: arriving.value(n) for n in slot.candidates})
            inputs = arriving.inputs(cell)
            for slot in (slot for step in cell.steps for slot in step.slots):
                inside = {n: inputs.get(n, arriving.inner) for n in slot.candidates}
                self._require_one_type(slot, inside)
        outputs = self.network.outputs
        for slot in outputs:
            self._require_one_type(slot, {n: arriving.value(n) for n in slot.candidates})
        if any(slot.optional for slot in outputs):
            every = self.network.output_candidates
            self._require_one_type(outputs[0], {n: arriving.value(n) for n in every})

    def _require_one_type(self, slot: Slot, types: Mapping[str, TensorType]) -> None:
        first, *others = types
        for other in others:
            if types[other] != types[first]:
                message = f"`{first}` is {types[first]}, and `{other}` is {types[other]}"
                remedy = "what may stand in one place has one shape: give them adapters alike"
                self.report.add("E302", message, slot.span, help=remedy)
                return

    def _check_unused(self) -> None:
        """Names in operations of the specification's own that no Step takes.

        Their shapes depend on who calls them, so nothing is said of these.
        """
        used = {definition for definition, *_ in self.done}
        for d in self.network.spec.definitions:
            if d.role or id(d) in used:
                continue
            inputs = [self.network.inner] * (len(d.inputs) + d.rest)
            alone = Application(d, self.network.vocabulary, d.parameters, d.name)
            shapes = _Shapes(self.network, Report(), effort=self.effort)
            shapes._apply(alone, inputs, d.span, None)
            self.report.diagnostics += [
                e for e in shapes.report.diagnostics if e.code in NAME_CODES
            ]

    def _apply_once(
        self,
        application: Application,
        inputs: Sequence[TensorType],
        span: Span | None,
    ) -> None:
        key = (id(application.definition), application.parameters, tuple(inputs))
        if key not in self.done:
            self.done.add(key)
            self._apply(application, inputs, span, self.network.inner)

    def _apply(
        self,
        application: Application,
        inputs: Sequence[TensorType],
        span: Span | None,
        expected: TensorType | None,
        numbers: Mapping[str, int | float] | None = None,
        has_lengths: bool = False,
    ) -> TensorType | None:
        """The type that an application gives; reports an error, or another type than expected."""
        if self.effort.left < 0:
            return None
        builder = Builder()
        ids = [builder.input(Input(str(i), t)) for i, t in enumerate(inputs)]
        lengths = builder.input(Input("lengths", TensorType(()))) if has_lengths else None
        definition = application.definition
        try:
            sizes = self.network.numbers if numbers is None else numbers
            result = builder.type(apply(application, ids, builder, (), sizes, lengths, self.effort))
        except DiagnosticError as error:
            self.report.diagnostics += placed(error, definition, span).diagnostics
            return None
        if expected is not None and result != expected:
            self._misshapen(definition, result, expected, span)
        return result

    def _misshapen(
        self, definition: Definition, given: TensorType, expected: TensorType, span: Span | None
    ) -> None:
        kind = "role" if definition.role else "operation"
        message = f"the {kind} `{definition.name}` gives {given}, not {expected}"
        remedy = "change its equation so that it ends in this shape"
        own = definition.span and span and definition.span.source is span.source
        place = definition.span if own or span is None else span
        self.report.add("E304", message, place, help=remedy)


def _logits(head: Head) -> TensorType:
    return TensorType((Axis(CHANNELS, head.count),))


def _check_holes(network: Network, report: Report) -> None:
    """Whether every hole can be filled, alone and together under the network's rule."""
    fillable = True
    for cell in network.cells:
        places = [(cell.name, cell.slots, cell.span)]
        places += [(step.name, step.slots, step.span) for step in cell.steps]
        for name, slots, span in places:
            fillable = _check_slots(name, slots, span, report) and fillable
    outputs = network.outputs
    fillable = _check_slots(OUTPUT, outputs, outputs[0].span, report) and fillable
    first = next((c for c in network.cells if is_open(c)), None)
    if first is None or not fillable:
        return
    verdict = completable(network)
    if verdict.possible is None:
        message = f"it could not be decided whether `{network.rule}` can be met"
        report.add("W401", message, first.span, help="a search finds out")
    elif not verdict.possible:
        message = f"`{network.rule}` cannot be met: {verdict.reason}"
        remedy = "use fewer Cells, declare more features, or restrict the holes less"
        notes = [Note(f"`{network.rule}` says: {RULES[network.rule].summary}")]
        report.add("E401", message, first.span, help=remedy, notes=notes)


def _check_slots(name: str, slots: Sequence[Slot], span: Span | None, report: Report) -> bool:
    proof = unfillable(slots)
    if proof is None:
        return True
    count, candidates = proof
    message = (
        f"the open inputs of `{name}` cannot all differ: {count} of them have {candidates} "
        + ("candidate to share" if candidates == 1 else "candidates to share")
    )
    if candidates == 0:
        message = f"an open input of `{name}` has no candidate that no other input has taken"
    report.add("E402", message, span, help="a hole takes what the other inputs have not taken")
    return False
