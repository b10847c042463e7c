"""Edits of a Spec in Python: statements that are added or replaced, and holes that are filled.

Every piece is a text of the language, read by its parser, so that what is wrong with one is said as
of a file, with the piece as the source that is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any, cast

from .diagnostics.diagnostic import did_you_mean, fail, one_of
from .graph.build import Graph, graph_of
from .graph.read import name_of, slots_of
from .graph.write import specification
from .language.expression import Named
from .language.nodes import (
    Cell,
    Definition,
    Hole,
    NumberHole,
    Operation,
    Predict,
    Reference,
    operations_of,
)
from .language.override import override, parse_numbers
from .language.printer import operation as written
from .language.spec import Spec
from .network.names import place_of
from .resolve.resolve import resolve
from .syntax.parse import parse

_REPLACING = ("network", "version", "pool", "outputs", "predict")
"""What a specification says once."""


def with_statements(spec: Spec, text: str, expected: str, named: str) -> Spec:
    """The specification with the statements of a text, which are all of the kind `expected`.

    What a specification says once takes the place of what was said, and so does what has the same
    name; the rest is added. Raises DiagnosticError where the text cannot be read or says more.
    """
    said = parse(text, f"<{named}>")
    part: Any = getattr(said, expected)
    if not part or said != replace(Spec(), **{expected: part}):
        message = f"what `{named}` is given says more than one thing, or another"
        raise fail("E506", message, help=f"it reads as:\n{str(said).rstrip()}")
    if expected not in _REPLACING:
        part = _merged(getattr(spec, expected), part)
    return replace(spec, **{expected: part})


def with_head(spec: Spec, text: str, named: str) -> Spec:
    """The specification with a head: the only one, or one of several that have names.

    Raises DiagnosticError as `with_statements` does.
    """
    has_name = bool(parse(text, f"<{named}>").heads)
    alone = replace(spec, predict=None) if has_name else replace(spec, heads=())
    return with_statements(alone, text, "heads" if has_name else "predict", named)


def _merged(known: Sequence[Any], added: Sequence[Any]) -> tuple[Any, ...]:
    """What is known with what is added, in its place where it has the same name."""
    new = {_key(one): one for one in added}
    kept = [new.pop(_key(one), one) for one in known]
    return (*kept, *new.values())


def _key(statement: Any) -> object:
    """What a statement is told from others by; operations have several definitions of a name."""
    if isinstance(statement, Definition):
        return statement.name, statement.modality, len(statement.inputs), statement.rest
    if isinstance(statement, Named | Predict):
        return statement.name
    for part in ("library", "quantity"):
        if hasattr(statement, part):
            return getattr(statement, part), getattr(statement, "on", None)
    return type(statement)


def cell_text(head: str, inputs: Iterable[str], steps: Mapping[str, str], returns: str) -> str:
    """A Cell as a text, whose pieces stand in lines of their own.

    Raises DiagnosticError where the Steps have no names.
    """
    if not isinstance(cast("object", steps), Mapping):
        message = f"the Steps of `{head}` have no names"
        raise fail("E506", message, help='give them by name: `steps={"Step_1": "Sum(x, y)"}`')
    lines = [f"  {name} = {call}" for name, call in steps.items()]
    lines += [f"  return {returns}"] if returns else []
    given = ",\n  ".join(inputs)
    return "\n".join([f"cell {head}(", f"  {given}", ") {", *lines, "}"])


# Holes


def fixed(spec: Spec, place: str, value: str | int | float) -> Spec:
    """The specification with one place decided; see `Spec.fix`."""
    header = spec.network
    if header is not None and place in dict(header.numbers):
        return override(spec, parse_numbers([f"{place}={value}"]))
    text = str(value)
    _require_counted(spec, place)
    graph = graph_of(spec)
    nodes = {n: d["kind"] for n, d in graph.nodes(data=True) if d["kind"] in ("input", "step")}
    if place not in nodes:
        known = [*nodes, *(dict(header.numbers) if header is not None else ())]
        remedy = did_you_mean(place, known) or f"there are {one_of(known)}"
        raise fail("E201", f"there is no Step, input of a Cell or number `{place}`", help=remedy)
    if nodes[place] == "input":
        _lead(graph, place, [_one_cell(f"cell c(\n{text}\n) {{}}").inputs[0].slot])
    else:
        _fix_step(graph, place, text)
    found = specification(graph)
    resolve(found)
    return found


def _require_counted(spec: Spec, place: str) -> None:
    """Raises DiagnosticError where it is open how many of a family there are."""
    for cell in spec.cells:
        counts = [cell.count, *(step.count for step in cell.steps)]
        if place.startswith(cell.name) and any(isinstance(c, NumberHole) for c in counts):
            message = f"how many there are of `{cell.name}` or its Steps is open"
            raise fail("E506", message, cell.span, help="write a number first: `cell Cell[2](…)`")


def _one_cell(text: str, steps: int = 0) -> Cell:
    """The one Cell of a text, with so many Steps."""
    spec = parse(text, "<fix>")
    cells = spec.cells
    if len(cells) != 1 or spec != Spec(cells=cells) or len(cells[0].steps) != steps:
        raise fail("E506", "what `fix` is given says more than one thing")
    return cells[0]


def _fix_step(graph: Graph, place: str, text: str) -> None:
    """Gives a Step its operation and, where the text has them, its inputs."""
    called = text if "(" in text else f"{text}()"
    (step,) = _one_cell(f"cell c(?) {{ s =\n{called}\n}}", 1).steps
    node, chosen = graph.nodes[place], operations_of(step.operation)
    if chosen:
        node["operations"] = " | ".join(map(written, chosen))
        node["open"] = not isinstance(step.operation, Operation)
    if step.slots:
        _lead(graph, place, step.slots)


def _lead(graph: Graph, place: str, slots: Sequence[Reference | Hole]) -> None:
    """Leads into a node what is named, and leaves its slots as they are where that is `?`."""
    there = slots_of(graph, place)
    if len(slots) != len(there):
        message = f"`{place}` has {len(there)} inputs, and {len(slots)} are given"
        raise fail("E301", message, help=f"write {len(there)} of them")
    sources = {name_of(graph, n): n for n in _sources(graph, place)}
    for number, slot in enumerate(slots):
        named = (slot,) if isinstance(slot, Reference) else slot.candidates
        if named is None:
            continue
        unknown = [n for n in named if n.name not in sources]
        if unknown:
            known = [*sources]
            remedy = did_you_mean(unknown[0].name, known) or f"there are {one_of(known)}"
            message = f"`{place}` cannot take `{unknown[0].name}`"
            raise fail("E201", message, unknown[0].span, help=remedy)
        edges = [e for e in graph.in_edges(place, keys=True) if e[2][0] == number]
        graph.remove_edges_from(edges)
        is_open = isinstance(slot, Hole)
        for position, one in enumerate(named):
            candidate = position if is_open else None
            key = (number, candidate)
            graph.add_edge(sources[one.name], place, key=key, slot=number, candidate=candidate)


def _sources(graph: Graph, place: str) -> list[str]:
    """The nodes that may be led into a Step or an input: of its Cell, or features and Cells."""
    before = list(takewhile(lambda node: node != place, graph))
    if graph.nodes[place]["kind"] == "step":
        before = [n for n in before if place_of(n)[0] == place_of(place)[0]]
        return [n for n in before if graph.nodes[n]["kind"] in ("input", "step")]
    return [n for n in before if graph.nodes[n]["kind"] in ("adapter", "cell")]
