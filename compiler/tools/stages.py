"""The stages of the arrow as text: Network, Graph, and Program before and after its passes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import get_args

from ..check.check import checked
from ..diagnostics.diagnostic import did_you_mean, fail, one_of
from ..graph.build import Graph, build
from ..graph.read import slots_of
from ..language.nodes import Cell, CellInput, Hole, Reference, Step
from ..language.spec import Spec
from ..lowering.lower import lower
from ..network.names import input_name
from ..network.network import NetworkCell, NetworkStep
from ..network.written import written_outputs, written_slot
from ..passes import ORDER, Stage, passes
from ..program.program import Program
from ..program.text import print_program
from ..system.collector import COLLECTOR_OFF

STAGES: tuple[Stage, ...] = get_args(Stage)


def network_text(spec: Spec) -> str:
    """The Network in the language itself: families expanded, candidates and outputs by name.

    Numbers and roles keep their holes; the Cells are those of the first candidates.
    """
    network = checked(spec)
    cells = tuple(map(_cell, network.cells))
    return str(replace(network.space, cells=cells, outputs=written_outputs(network.outputs)))


def graph_text(spec: Spec) -> str:
    """The Graph, a line for each node: what it is, and what each of its slots takes.

    Before it stand the choices of numbers and roles, of which it has the first candidates.
    """
    network = checked(spec)
    graph = build(network)
    lines = [("choice", str(hole)) for hole in network.global_holes]
    lines += [_node(graph, node) for node in graph]
    width = max(len(kind) for kind, _ in lines)
    return "".join(f"{kind:<{width}}  {said}\n" for kind, said in lines)


def program_text(spec: Spec, after: str = "lowering") -> str:
    """The Program after a pass, or after all passes of a stage; first comes `lowering`.

    Raises DiagnosticError where `after` is none of them.
    """
    program = lower(build(checked(spec)))
    for name in _passes_until(after):
        program = _run(name, program)
    return print_program(program)


def programs_text(spec: Spec, stage: Stage) -> str:
    """The Program after lowering, and after each pass of a stage that changes it."""
    program = lower(build(checked(spec)))
    texts = [f"# after lowering\n{print_program(program)}"]
    for name, run in passes(stage).items():
        before, program = program, run(program)
        if program != before:
            texts.append(f"# after {name}\n{print_program(program)}")
    return "\n".join(texts)


def _passes_until(after: str) -> Sequence[str]:
    if after in STAGES:
        return list(passes(after))
    places = ("lowering", *ORDER, *STAGES)
    if after not in places:
        remedy = did_you_mean(after, places) or f"known are {one_of(places, len(places))}"
        raise fail("E506", f"there is no pass `{after}`", help=remedy)
    if after == "lowering":
        return ()
    stage = next(stage for stage in STAGES if after in passes(stage))
    names = list(passes(stage))
    return names[: names.index(after) + 1]


def _run(name: str, program: Program) -> Program:
    stage = next(stage for stage in STAGES if name in passes(stage))
    with COLLECTOR_OFF:
        return passes(stage)[name](program)


# The Network


def _cell(cell: NetworkCell) -> Cell:
    pairs = zip(cell.inputs, cell.slots, strict=True)
    inputs = tuple(
        CellInput(written_slot(slot), None if name == input_name(i) else name)
        for i, (name, slot) in enumerate(pairs)
    )
    returned = tuple(map(Reference, cell.returned))
    return Cell(cell.name, inputs, tuple(map(_step, cell.steps)), returned=returned)


def _step(step: NetworkStep) -> Step:
    operations = tuple(o.operation for o in step.operations)
    operation = Hole(operations) if step.open else operations[0]
    return Step(step.name, operation, tuple(map(written_slot, step.slots)))


# The Graph


def _node(graph: Graph, node: str) -> tuple[str, str]:
    data = graph.nodes[node]
    said = node
    if data["kind"] == "feature":
        axes = data["axes"]
        shape = "not known" if axes is None else f"(batch, {', '.join(map(str, axes))})"
        said += f" : {shape} of {data['modality']}" + (" optional" if data["optional"] else "")
    if data["operations"]:
        labels = " | ".join(o.label for o in data["operations"])
        said += f" = {{{labels}}}" if data["open"] else f" = {labels}"
    slots = list(_slots(graph, node))
    return data["kind"], said + (f" <- {', '.join(slots)}" if slots else "")


def _slots(graph: Graph, node: str) -> Iterator[str]:
    for slot in slots_of(graph, node):
        listed = " | ".join(slot.candidates)
        alone = slot.optional and len(slot.candidates) == 1
        shown = f"{{{listed}}}" if slot.open and not alone else listed
        yield f"{shown}?" if slot.optional else shown
