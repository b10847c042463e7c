"""Spec to Network: binds names, expands families, gives every hole its candidates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..diagnostics.diagnostic import Note, Report, did_you_mean, one_of
from ..diagnostics.source import Span, span_of
from ..language.nodes import BUDGETS, Budget, Cell, Modality, RuleRequirement
from ..language.spec import Spec
from ..network.names import labels_name, lengths_name, presence_name
from ..network.network import (
    COMBINE,
    Application,
    Network,
    NetworkCell,
    NetworkFeature,
    NetworkHead,
    NetworkModality,
    Slot,
    joined,
)
from ..network.rules import DEFAULT_RULE, RULES
from ..network.vocabulary import library_names, vocabulary_of
from .axes import axes_of, is_misplaced
from .cells import CellResolver
from .heads import HeadResolver
from .numbers import numbers_of
from .operations import OperationResolver
from .outputs import output_counts, resolve_outputs
from .scope import Scope, Sizes
from .variants import of_variants

RESERVED = {
    "output": "what its Cells are combined in",
    "head": "what predicts",
    "logits": "what it predicts",
    "labels": "what it learns from",
    "split": "the parts of its data",
    "groups": "which samples belong together",
}


def resolve(spec: Spec) -> Network:
    """The network of a Spec; raises DiagnosticError with every name that does not resolve."""
    return required(spec, try_resolve)


def required(spec: Spec, read: Callable[[Spec, Report], Network | None]) -> Network:
    """The network that is read from a Spec; raises DiagnosticError with every error reported."""
    report = Report()
    network = read(spec, report)
    report.raise_errors()
    if network is None:
        raise AssertionError("a specification without errors does not resolve")
    return network


def try_resolve(spec: Spec, report: Report) -> Network | None:
    """The network of the first variant, or None where the report has errors that leave none."""
    return of_variants(spec, report, resolve_variant)


def resolve_variant(spec: Spec, report: Report) -> Network | None:
    """The network of a specification without global holes."""
    before = len(report.errors)
    network = _Resolver(spec, report).network()
    return network if len(report.errors) == before else None


class _Resolver:
    def __init__(self, spec: Spec, report: Report) -> None:
        self.spec, self.report = spec, report
        self.numbers = numbers_of(spec.network, report)
        self._check_libraries()
        self.vocabulary = vocabulary_of(spec)
        self.operations = OperationResolver(self.vocabulary, spec, self.numbers, report)
        self.sizes = Sizes(self.numbers, report)
        self.declared: dict[str, Span | None] = {}

    def network(self) -> Network | None:
        spec = self.spec
        if spec.network is None:
            self.report.add(
                "E007",
                "there is no `network` statement",
                self._start(),
                help="begin with `network NAME(C = 128, L = 8)`",
            )
        self._require_modalities()
        features = [f for m in spec.modalities for f in self._modality(m)]
        families = [(cell, self.sizes.family(cell)) for cell in spec.cells]
        cells = self._cells([str(f.name) for m in spec.modalities for f in m.features], families)
        outputs = self._outputs({str(cell.name): names for cell, names in families})
        combine = self._combine(outputs)
        head_role = self.operations.role("head", 1, None)
        resolver = HeadResolver(self.spec, self.operations, self.sizes, self.report)
        heads = self._heads(resolver, [*(f.name for f in features), *(c.name for c in cells)])
        head = joined([h.head for h in heads]) if heads else resolver.only(self._start())
        rule, budgets = self._requirements()
        if spec.network is None or combine is None or head_role is None or head is None:
            return None
        return Network(
            spec=spec,
            space=spec,
            vocabulary=self.vocabulary,
            name=str(spec.network.name),
            numbers=self.numbers,
            modalities=tuple(NetworkModality(m.name, m.optional) for m in spec.modalities),
            features=tuple(features),
            cells=tuple(cells),
            outputs=outputs,
            combine=combine,
            head_role=head_role,
            head=head,
            heads=tuple(heads),
            rule=rule,
            budgets=budgets,
        )

    def _start(self) -> Span | None:
        """Where the specification begins, the place of what is missing in it."""
        spec = self.spec
        spans = [use.span for use in spec.uses]
        spans += [definition.span for definition in spec.definitions]
        spans += [modality.span for modality in spec.modalities]
        spans += [cell.span for cell in spec.cells]
        spans += [node.span for node in (spec.network, *spec.predictions) if node is not None]
        places = [span for span in spans if span is not None]
        return min(places, key=lambda span: span.start, default=None)

    # Libraries

    def _check_libraries(self) -> None:
        names = library_names()
        seen: set[str] = set()
        for use in self.spec.uses:
            if use.library not in names:
                remedy = did_you_mean(use.library, names) or f"libraries are {one_of(names)}"
                message = f"unknown library `{use.library}`"
                self.report.add("E204", message, use.span, help=remedy)
            elif use.library in seen:
                message = f"`use {use.library}` stands twice"
                self.report.add("E202", message, use.span, help="keep one of them")
            seen.add(use.library)

    # Features

    def _declare(self, name: str, span: Span | None) -> None:
        if name in RESERVED:
            message = f"`{name}` is the network's own name for {RESERVED[name]}"
            self.report.add("E211", message, span, help="choose another name")
        if name in self.declared:
            notes = [Note(f"`{name}` is first declared here", self.declared[name])]
            message = f"`{name}` is declared twice"
            self.report.add("E202", message, span, help="rename one of them", notes=notes)
        self.declared.setdefault(name, span)

    def _require_modalities(self) -> None:
        seen: dict[str, Span | None] = {}
        for modality in self.spec.modalities:
            if modality.name in seen:
                notes = [Note("the first stands here", seen[modality.name])]
                message = f"the modality `{modality.name}` is declared twice"
                self.report.add(
                    "E202", message, modality.span, help="rename one of them", notes=notes
                )
            seen.setdefault(modality.name, modality.span)
            if not modality.features:
                message = f"the modality `{modality.name}` declares no feature"
                self.report.add("E007", message, modality.span, help="declare one or remove it")
        if not seen:
            remedy = "declare `modality NAME { FEATURE[c 512] }`"
            self.report.add(
                "E007", "there is no modality, so there is nothing to fuse", help=remedy
            )

    def _modality(self, modality: Modality) -> Iterable[NetworkFeature]:
        adapt = self.operations.role("adapt", 1, modality.name)
        if modality.optional:
            self._declare(presence_name(modality.name), modality.span)
        for feature in modality.features:
            if not is_misplaced(feature):
                self._declare(feature.name, feature.span)
            if feature.axes and any(a.name == "t" and a.size == "*" for a in feature.axes):
                self._declare(lengths_name(feature.name), feature.span)
            axes = axes_of(feature, modality, self.sizes, self.report)
            if adapt is not None:
                name, owner = str(feature.name), str(modality.name)
                yield NetworkFeature(name, axes, owner, modality.optional, adapt, feature.span)

    # Cells and outputs

    def _cells(
        self, features: Sequence[str], families: Sequence[tuple[Cell, list[str]]]
    ) -> list[NetworkCell]:
        for cell, names in families:
            for name in names:
                self._declare(name, cell.span)
        later = {name for _, names in families for name in names}
        sequence = Scope(features, later)
        resolver = CellResolver(self.operations, self.sizes, self.report)
        return [c for cell, names in families for c in resolver.family(cell, names, sequence)]

    def _outputs(self, families: Mapping[str, Sequence[str]]) -> tuple[Slot, ...]:
        cells = [name for names in families.values() for name in names]
        if self.spec.outputs is not None:
            features = [str(f.name) for m in self.spec.modalities for f in m.features]
            return resolve_outputs(self.spec.outputs, features, families, self.report)
        if not self.spec.cells:
            message = "there is no Cell and no `output`, so nothing is predicted from"
            remedy = "add a Cell, or `output FEATURE, FEATURE` for late fusion"
            self.report.add("E007", message, self._start(), help=remedy)
        return tuple(Slot((name,), open=False) for name in cells)

    def _combine(self, outputs: Sequence[Slot]) -> Application | None:
        """What combines the outputs, of which there may be fewer where some are optional."""
        if not outputs:
            return None
        counts = output_counts(outputs)
        roles = [self.operations.role(COMBINE, count, None) for count in counts]
        return None if None in roles else roles[-1]

    # The heads and the requirements

    def _heads(self, resolver: HeadResolver, sequence: Sequence[str]) -> list[NetworkHead]:
        """The heads that have names, which features and Cells then cannot have."""
        for predict in self.spec.heads:
            self._declare(str(predict.name), span_of(predict.name) or predict.span)
            self._declare(labels_name(str(predict.name)), predict.span)
        return resolver.named(sequence)

    def _requirements(self) -> tuple[str, tuple[Budget, ...]]:
        rules: list[str] = []
        budgets: list[Budget] = []
        for requirement in self.spec.requirements:
            if isinstance(requirement, RuleRequirement):
                self._require_known(requirement.rule, tuple(RULES), "rule", requirement.span)
                if rules:
                    message = f"`{requirement.rule}` stands beside `{rules[0]}`"
                    remedy = "a specification has one rule for filling holes"
                    self.report.add("E007", message, requirement.span, help=remedy)
                rules.append(requirement.rule)
                continue
            self._require_known(requirement.quantity, BUDGETS, "budget", requirement.span)
            if requirement.limit <= 0:
                message = f"a budget of {requirement.limit} admits nothing"
                self.report.add("E306", message, requirement.span, help="write a limit above 0")
            if requirement.on is not None and requirement.quantity != "latency":
                message = f"`{requirement.quantity}` is the same on every machine"
                remedy = f"leave out `on {requirement.on}`"
                self.report.add("E306", message, requirement.span, help=remedy)
            budgets.append(requirement)
        return rules[0] if rules else DEFAULT_RULE, tuple(budgets)

    def _require_known(self, name: str, known: Sequence[str], what: str, span: Span | None) -> None:
        if name not in known:
            remedy = did_you_mean(name, known) or f"known are {one_of(known)}"
            self.report.add("E208", f"unknown {what} `{name}`", span, help=remedy)
