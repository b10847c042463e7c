"""What stands behind a name or a hole, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import singledispatch

from ..compiler.diagnostics.diagnostic import DiagnosticError, one_of
from ..compiler.diagnostics.source import Span
from ..compiler.language.nodes import (
    Cell,
    Definition,
    Feature,
    Hole,
    Modality,
    NetworkHeader,
    Operation,
    Predict,
    RuleRequirement,
    Step,
    item_of,
    operations_of,
)
from ..compiler.language.printer import (
    definition_text,
    family,
    number,
    operation,
    predict_line,
    slot,
)
from ..compiler.language.spec import Spec
from ..compiler.language.variants import global_holes
from ..compiler.lowering.apply import apply
from ..compiler.measure.sizes import count_macs, count_parameters
from ..compiler.network.names import input_name
from ..compiler.network.network import Application, Network
from ..compiler.network.rules import RULES
from ..compiler.network.vocabulary import library
from ..compiler.program.program import Builder, Input
from ..compiler.resolve.numbers import OWN_NUMBERS
from ..compiler.targets.latex import definition_latex
from .documents import Document, Examined
from .symbols import Occurrence, Symbol, Symbols

MOST_SHOWN = 8
"""How many members of a family are described one by one."""


def hover(found: Examined, offset: int) -> tuple[str, Span] | None:
    """Markdown about what stands at an offset, and the span that it is about."""
    document = found.document
    occurrence = document.symbols.at(offset)
    if occurrence is not None:
        return _symbol(found, occurrence), occurrence.span
    for hole, cell, step in _holes(document.spec):
        if hole.span is not None and hole.span.start <= offset <= hole.span.end:
            return _hole(found, hole, cell, step), hole.span
    for chosen in global_holes(document.spec):
        if chosen.span is not None and chosen.span.start <= offset <= chosen.span.end:
            return _listed(f"`{chosen.place}`", list(chosen.candidates)), chosen.span
    for requirement in document.spec.requirements:
        span = requirement.span
        if isinstance(requirement, RuleRequirement) and span and span.start <= offset <= span.end:
            rule = RULES.get(requirement.rule)
            return (f"rule `{requirement.rule}`: {rule.summary}", span) if rule else None
    return None


def _symbol(found: Examined, occurrence: Occurrence) -> str:
    symbol = occurrence.symbol
    match symbol.kind:
        case "operation":
            return describe_operation(found, symbol, occurrence.node)
        case "role":
            node = occurrence.node
            return _equation(node) if isinstance(node, Definition) else f"role `{symbol.name}`"
        case "library":
            return f"library `{symbol.name}`: {one_of(list(library(symbol.name).operations), 40)}"
        case "number":
            return _number(found.document.spec, symbol.name)
        case "parameter":
            return _parameter(found.document.symbols, symbol)
        case "variable":
            return f"`{symbol.name}` of this equation"
        case _:
            return _declared(found.document, occurrence)


def _number(spec: Spec, name: str) -> str:
    header = spec.network
    value = dict(header.numbers)[name] if header else None
    own = OWN_NUMBERS.get(name)
    meaning = f", the {own.meaning}" if own else ""
    shape = ": Cells and Steps take and give `(batch, L, C)`" if own and own.required else ""
    shown = "" if value is None else f" = {number(value)}"
    return f"`{name}{shown}`{meaning}{shape}"


def _parameter(symbols: Symbols, symbol: Symbol) -> str:
    owner = Symbol(str(symbol.scope), "operation", library=symbol.library)
    values = {
        value
        for d in symbols.definitions(owner)
        for key, value in d.parameters
        if key == symbol.name
    }
    shown = " or ".join(f"`{v}`" for v in sorted(values))
    return f"`{symbol.name}`, a parameter of `{owner.name}`" + (f": {shown}" if shown else "")


# Operations


def describe_operation(found: Examined, symbol: Symbol, node: object) -> str:
    """The equations of an operation with what they cost in this network."""
    if isinstance(node, Definition):
        chosen: tuple[Definition, ...] = (node,)
    else:
        chosen = found.document.symbols.definitions(symbol)
    parameters = dict(node.parameters) if isinstance(node, Operation) else {}
    network = found.examination.network
    home = f"from the library `{symbol.library}`" if symbol.library else "of this specification"
    parts = [part for d in chosen for part in (_equation(d), _cost(network, symbol, d, parameters))]
    return "\n\n".join([*(p for p in parts if p), home])


def _equation(definition: Definition) -> str:
    return f"```fuse\n{definition_text(definition)}\n```\n\n$$ {definition_latex(definition)} $$"


def _cost(
    network: Network | None, symbol: Symbol, d: Definition, given: dict[str, int | float | str]
) -> str:
    """Parameters and multiply-adds of one application; nothing where the network has errors."""
    if network is None:
        return ""
    home = network.vocabulary if symbol.library is None else library(symbol.library)
    values = {
        key: network.numbers.get(v, 0) if isinstance(v, str) else v for key, v in given.items()
    }
    settings = tuple((key, values.get(key, default)) for key, default in d.parameters)
    count = max(1, len(d.inputs))
    measured = _measure(network, Application(d, home, settings, d.name), count)
    if measured is None:
        return ""
    parameters, macs = measured
    inputs = f"{count} input{'s' if count > 1 else ''} of {network.inner}"
    return f"{parameters:,} parameters and {macs:,} multiply-adds for {inputs}"


def _measure(network: Network, application: Application, count: int) -> tuple[int, int] | None:
    builder = Builder()
    ids = [builder.input(Input(str(i), network.inner)) for i in range(count)]
    try:
        result = apply(application, ids, builder, (), network.numbers)
    except DiagnosticError:
        return None
    program = builder.program(result)
    return count_parameters(program), count_macs(program)


# Declarations


def _declared(document: Document, occurrence: Occurrence) -> str:
    symbol = occurrence.symbol
    places = document.symbols.of(symbol)
    node = next((o.node for o in places if o.declares), None)
    if symbol.kind == "input":
        cell = document.spec.cells[int(symbol.scope or 0)]
        return _input(cell, symbol.name)
    return describe(node, document.spec)


@singledispatch
def describe(node: object, spec: Spec) -> str:
    """A declaration in a few words."""
    return "not declared"


@describe.register
def _(node: NetworkHeader, spec: Spec) -> str:
    numbers = ", ".join(f"{key} = {value}" for key, value in node.numbers)
    return f"network `{node.name}`: {numbers}"


@describe.register
def _(node: Modality, spec: Spec) -> str:
    optional = "optional modality" if node.optional else "modality"
    return f"{optional} `{node.name}`: {one_of([f.name for f in node.features])}"


@describe.register
def _(node: Feature, spec: Spec) -> str:
    home = next((m.name for m in spec.modalities if node in m.features), "")
    if node.axes is None:
        return f"feature `{node.name}` of `{home}`: its shape is to be read off the backbone"
    numbers = spec.network.values if spec.network else {}
    sizes = [numbers.get(a.size, a.size) if isinstance(a.size, str) else a.size for a in node.axes]
    axes = ", ".join(f"{a.name} {a.size}" for a in node.axes)
    shape = ", ".join(["batch", *map(str, sizes)])
    return f"feature `{node.name}[{axes}]` of `{home}`: `({shape})`"


@describe.register
def _(node: Cell, spec: Spec) -> str:
    inputs = ", ".join(slot(i.slot) for i in node.inputs)
    steps = one_of([family(s) for s in node.steps])
    return f"Cell `{node.name}({inputs})` of the Steps {steps}"


@describe.register
def _(node: Step, spec: Spec) -> str:
    function = operation(node.operation) if isinstance(node.operation, Operation) else "?"
    if isinstance(node.operation, Hole) and node.operation.candidates is not None:
        shown = map(operation, operations_of(node.operation))
        function = "{" + " | ".join(shown) + "}"
    return f"Step `{node.name} = {function}({', '.join(slot(s) for s in node.slots)})`"


@describe.register
def _(node: Predict, spec: Spec) -> str:
    reads = one_of([r.name for r in node.reads]) or "the output"
    return f"head `{node.name}` of {reads}: `{predict_line(node)}`"


def _input(cell: Cell, name: str) -> str:
    for index, item in enumerate(cell.inputs):
        if (item.name or input_name(index)) == name:
            return f"input {index + 1} of `{cell.name}`: `{slot(item.slot)}`"
    return f"an input of `{cell.name}`"


# Holes


def _holes(spec: Spec) -> Iterator[tuple[Hole, Cell | None, Step | None]]:
    for place in spec.outputs or ():
        item = item_of(place)
        if isinstance(item, Hole):
            yield item, None, None
    for cell in spec.cells:
        yield from ((i.slot, cell, None) for i in cell.inputs if isinstance(i.slot, Hole))
        for step in cell.steps:
            if isinstance(step.operation, Hole):
                yield step.operation, cell, step
            yield from ((s, cell, step) for s in step.slots if isinstance(s, Hole))


def _hole(found: Examined, hole: Hole, cell: Cell | None, step: Step | None) -> str:
    network = found.examination.network
    shown = list(dict.fromkeys(_resolved(network, hole, cell, step))) if network else []
    if shown:
        more = len(shown) - MOST_SHOWN
        rest = [f"and {more} more"] if more > 0 else []
        return "\n\n".join([*shown[:MOST_SHOWN], *rest])
    return _unresolved(found.document.spec, hole, step)


def _resolved(network: Network, hole: Hole, cell: Cell | None, step: Step | None) -> Iterator[str]:
    """The candidates of a hole in each member of the families that it stands in."""
    if cell is None:
        yield from _slots("the output", network.outputs, hole)
        return
    for member in network.cells:
        if member.span is not cell.span:
            continue
        if step is None:
            yield from _slots(f"`{member.name}`", member.slots, hole)
            continue
        for inner in (s for s in member.steps if s.span is step.span):
            place = f"`{inner.name}`" if cell.count is None else f"`{member.name}`, `{inner.name}`"
            if step.operation is hole:
                yield _listed(place, [a.label for a in inner.operations])
            else:
                yield from _slots(place, inner.slots, hole)


def _slots(place: str, slots: Iterable[object], hole: Hole) -> Iterator[str]:
    for item in slots:
        if getattr(item, "span", None) is hole.span:
            yield _listed(place, list(getattr(item, "candidates", ())))


def _listed(place: str, candidates: list[str]) -> str:
    count = len(candidates)
    plural = "candidate" if count == 1 else "candidates"
    return f"hole of {place}: {count} {plural}, {one_of(candidates)}"


def _unresolved(spec: Spec, hole: Hole, step: Step | None) -> str:
    """What the text alone says of a hole, where the specification has errors."""
    if hole.candidates is not None:
        return _listed("this place", [c.name for c in hole.candidates])
    if step is not None and step.operation is hole:
        return _listed("this place", [operation(o) for o in spec.pool or ()])
    sources = "an earlier Step or an input of the Cell" if step else "a feature or an earlier Cell"
    return f"hole: {sources}"
