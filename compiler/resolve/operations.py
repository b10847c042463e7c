"""Which definition an operation or a role means at its place, and with which parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from ...ops.primitive import primitives
from ..diagnostics.diagnostic import Edit, Note, Report, did_you_mean, one_of
from ..diagnostics.source import Span, span_of
from ..language import expression as x
from ..language.nodes import Definition, Hole, Operation, operations_of
from ..language.printer import signature
from ..language.spec import Spec
from ..network.foreign import in_step
from ..network.network import Application
from ..network.vocabulary import (
    DEFAULT_LIBRARY,
    ROLES,
    AmbiguousName,
    Vocabulary,
    library,
    library_names,
    select,
)
from .scope import known_instead, suggestion

_RESERVED_PARAMETERS = ("op", "any")


class OperationResolver:
    """Binds operations and roles in the vocabulary of one specification."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        spec: Spec,
        numbers: Mapping[str, int | float],
        report: Report,
    ) -> None:
        self.vocabulary, self.numbers, self.report = vocabulary, numbers, report
        self.spec, self.pool = spec, spec.pool
        self._bound: dict[tuple[Operation, int], Application | None] = {}
        self._in_pool: dict[int, tuple[Application, ...]] = {}
        _check_definitions(spec, report)
        self._is_known = {id(o): self._find(o) is not None for o in spec.pool or ()}

    def candidates(
        self, operation: Operation | Hole, count: int, span: Span | None
    ) -> tuple[Application, ...]:
        """What an operation slot over `count` inputs may become; empty after a diagnostic."""
        if isinstance(operation, Operation):
            bound = self._bind(operation, count)
            return (bound,) if bound else ()
        if operation.candidates is not None:
            bound_all = [self._bind(c, count) for c in operations_of(operation)]
            if None in bound_all:
                return ()
            fitting = tuple(b for b in bound_all if b is not None)
        elif self.pool is None:
            remedy = "add one: `pool Sum, Attention, LinearGLU, ConcatFC`"
            message = "the hole stands for an operation, but there is no `pool`"
            self.report.add("E402", message, operation.span, help=remedy)
            return ()
        else:
            if count not in self._in_pool:
                self._in_pool[count] = self._fitting(self.pool, count)
            fitting = self._in_pool[count]
            if not fitting and all(self._is_known.values()):
                message = f"no operation of the pool takes {_inputs(count)}"
                self.report.add("E402", message, span, help="add one that does to the pool")
        return fitting if self._distinct(fitting, operation.span) else ()

    def _fitting(self, pool: Iterable[Operation], count: int) -> tuple[Application, ...]:
        """The operations of the pool that take so many inputs."""
        entries = ((o, self.vocabulary.find(o.name)) for o in pool if self._is_known[id(o)])
        takes = [o for o, entry in entries if entry and select(entry[0], count)]
        return tuple(b for b in (self._bind(o, count) for o in takes) if b is not None)

    def role(
        self, role: str, count: int, modality: str | None, span: Span | None = None
    ) -> Application | None:
        """The definition of a role for `count` inputs."""
        entry = self.vocabulary.find_role(role, count, modality)
        if entry is None:
            message = f"no role `{role}` takes {_inputs(count)}"
            remedy = f"define one: `role {role}(x, *s) = …`"
            self.report.add("E204", message, span, help=remedy)
            return None
        definition, home = entry
        return Application(definition, home, definition.parameters, role, span=definition.span)

    def _distinct(self, candidates: Iterable[Application], span: Span | None) -> bool:
        seen: set[str] = set()
        for candidate in candidates:
            if candidate.scope in seen:
                message = f"the candidate `{candidate.label}` stands twice in one hole"
                self.report.add("E213", message, span, help="keep one of them")
                return False
            seen.add(candidate.scope)
        return True

    def _find(self, operation: Operation) -> tuple[tuple[Definition, ...], Vocabulary] | None:
        try:
            entry = self.vocabulary.find(operation.name)
        except AmbiguousName as error:
            spellings = [f"{home}.{operation.name}" for home in error.libraries]
            message = f"`{operation.name}` stands in several libraries"
            remedy = f"write {' or '.join(f'`{s}`' for s in spellings)}"
            self.report.add("E209", message, operation.span, help=remedy)
            return None
        if entry is None:
            message = f"unknown operation `{operation.name}`"
            elsewhere = [n for n in library_names() if operation.name in library(n).operations]
            if elsewhere:
                remedy, fix = self._use(operation.name, elsewhere[0])
            else:
                remedy, fix = self._remedy(operation.name), []
            self.report.add("E203", message, operation.span, help=remedy, fix=fix)
        return entry

    def _use(self, name: str, home: str) -> tuple[str, list[Edit]]:
        """The remedy of taking a library, and its edit in a `.fuse` text."""
        added = [home] if self.spec.uses else [DEFAULT_LIBRARY, home]
        statements = " and ".join(f"`use {n}`" for n in added)
        remedy = f"`{name}` is in the library `{home}`: add {statements}"
        after = self.spec.uses[-1].span if self.spec.uses else None
        names = {n for v in self.vocabulary.libraries for n in v.operations}
        clashing = names & set(library(home).operations)
        if clashing:
            shared = min(clashing)
            remedy += f", and write `{shared}`, which is in both, as `{home}.{shared}`, say"
        if clashing or after is None or after.pointer is not None:
            return remedy, []
        place = Span(after.source, after.end, after.end)
        return remedy, [Edit(place, f"\nuse {home}")]

    def _remedy(self, name: str) -> str:
        names = self.vocabulary.names()
        plain = [n for n in names if "." not in n]
        own = in_step(name) or suggestion(name, names, self.report)
        return own or f"operations are {one_of(plain)}"

    def _bind(self, operation: Operation, count: int) -> Application | None:
        key = (operation, count)
        if key not in self._bound:
            self._bound[key] = self._apply(operation, count)
        return self._bound[key]

    def _apply(self, operation: Operation, count: int) -> Application | None:
        entry = self._find(operation)
        if entry is None:
            return None
        definitions, home = entry
        definition = select(definitions, count)
        if definition is None:
            arities = " or ".join(_arity(d) for d in definitions)
            message = f"`{operation.name}` takes {arities}, not {count}"
            notes = [Note(f"it is defined as `{signature(d)}`") for d in definitions[:3]]
            remedy = f"give it {arities}, or take another operation"
            self.report.add("E301", message, operation.span, help=remedy, notes=notes)
            return None
        parameters = self._parameters(operation, definition)
        if parameters is None:
            return None
        settings = [(key, parameters[key]) for key, _ in operation.parameters]
        order = [key for key, _ in definition.parameters]
        settings.sort(key=lambda pair: order.index(pair[0]))
        scope = "_".join([operation.name.replace(".", "_"), *(f"{k}_{v}" for k, v in settings)])
        return Application(
            definition,
            home,
            tuple(parameters.items()),
            scope.replace(".", "_"),
            operation,
            operation.span,
        )

    def _parameters(
        self, operation: Operation, definition: Definition
    ) -> dict[str, int | float] | None:
        values = dict(definition.parameters)
        seen: set[str] = set()
        for setting in operation.parameters:
            (key, value), span = setting, span_of(setting) or operation.span
            if key not in values or key in seen:
                keys = [k for k, _ in definition.parameters]
                remedy = suggestion(key, keys, self.report) or (
                    f"its parameters are {one_of(keys)}" if keys else "it has no parameters"
                )
                what = "is given twice to" if key in seen else "is no parameter of"
                message = f"`{key}` {what} `{operation.name}`"
                self.report.add("E206", message, span, help=remedy)
                return None
            seen.add(key)
            if isinstance(value, str) and value not in self.numbers:
                remedy = (
                    suggestion(value, self.numbers, self.report) or "state it in the `network` line"
                )
                self.report.add("E207", f"unknown number `{value}`", span, help=remedy)
                return None
            values[key] = self.numbers[value] if isinstance(value, str) else value
        return values


def _inputs(count: int) -> str:
    return "1 input" if count == 1 else f"{count} inputs"


def _arity(definition: Definition) -> str:
    count = len(definition.inputs)
    return f"{count} or more inputs" if definition.rest else _inputs(count)


def _check_definitions(spec: Spec, report: Report) -> None:
    """Names of definitions, their inputs and parameters; what equations mean is checked later."""
    modalities = dict.fromkeys(m.name for m in spec.modalities)
    seen: dict[tuple[object, ...], Definition] = {}
    for d in spec.definitions:
        kind = "role" if d.role else "operation"
        key = (d.role, d.name, d.modality, len(d.inputs), d.rest)
        if key in seen:
            notes = [Note("the first stands here", seen[key].span)]
            message = f"the {kind} `{d.name}` is defined twice for {_arity(d)}"
            report.add("E202", message, d.span, help="rename one of them", notes=notes)
        seen.setdefault(key, d)
        if d.role and d.name not in ROLES:
            roles = did_you_mean(d.name, ROLES) or f"roles are {one_of(ROLES)}"
            report.add("E204", f"unknown role `{d.name}`", d.span, help=roles)
        if not d.role and d.name in primitives():
            message = f"`{d.name}` is the name of a primitive"
            report.add("E211", message, d.span, help="choose another name")
        if d.modality is not None and d.modality not in modalities:
            remedy = known_instead(d.modality, list(modalities), report)
            message = f"unknown modality `{d.modality}`"
            report.add("E210", message, span_of(d.modality) or d.span, help=remedy)
        if d.modality is not None and d.name != "adapt":
            message = f"the role `{d.name}` belongs to the whole network, not to one modality"
            report.add("E210", message, span_of(d.modality) or d.span, help="remove `for …`")
        _check_formals(d, report)
        _check_equation(d, report)


def _check_equation(d: Definition, report: Report) -> None:
    """Whether there is a hole in an equation, which only a whole role can be."""
    misplaced = next((e for e in x.walk(d.body) if isinstance(e, x.Hole)), None)
    if misplaced is not None:
        message = f"a hole stands inside the equation of `{d.name}`"
        remedy = "what a role gives can be one hole, as in `role adapt(f) = {A | B}(f)`"
        report.add("E303", message, misplaced.span, help=f"{remedy}; define `op A(f) = …`")


def _check_formals(d: Definition, report: Report) -> None:
    formals = [*d.inputs, *(key for key, _ in d.parameters)]
    if not d.inputs:
        report.add("E301", f"`{d.name}` takes no input", d.span, help=f"write `{d.name}(x, y)`")
    times = Counter(formals)
    for name in formals:
        if times[name] > 1:
            message = f"two inputs or parameters of `{d.name}` are `{name}`"
            report.add("E202", message, d.span, help="rename one of them")
            return
        if name in _RESERVED_PARAMETERS and name not in d.inputs:
            message = f"a parameter cannot be named `{name}`"
            report.add("E211", message, d.span, help="choose another name")
