"""The Spec: a whole specification, what it prints as, and the Graph that it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..system.display import Displayed
from . import printer
from .nodes import (
    Budget,
    Cell,
    Definition,
    Modality,
    NetworkHeader,
    Operation,
    Output,
    Predict,
    RuleRequirement,
    Use,
)

if TYPE_CHECKING:
    from ..graph.build import Graph


@dataclass(frozen=True)
class Spec(Displayed):
    """A whole specification: a search space, a genotype, or anything between the two."""

    network: NetworkHeader | None = None
    version: int | None = None
    uses: tuple[Use, ...] = ()
    definitions: tuple[Definition, ...] = ()
    modalities: tuple[Modality, ...] = ()
    pool: tuple[Operation, ...] | None = None
    cells: tuple[Cell, ...] = ()
    outputs: tuple[Output, ...] | None = None
    requirements: tuple[RuleRequirement | Budget, ...] = ()
    predict: Predict | None = None

    @property
    def graph(self) -> Graph:
        """The fusion DAG; raises DiagnosticError where the specification is not well formed."""
        from ..graph.build import graph_of

        return graph_of(self)

    def __str__(self) -> str:
        return print_spec(self)


def print_spec(spec: Spec) -> str:
    """The canonical text of a Spec; parsing it gives an equal Spec."""
    return "\n".join(line for line, _ in spec_lines(spec)) + "\n"


def spec_lines(spec: Spec) -> list[printer.Line]:
    """The canonical lines, statement by statement, each with the node that begins there."""
    groups: list[list[printer.Line]] = []
    head: list[printer.Line] = []
    if spec.version is not None:
        head.append((f"fuse {spec.version}", None))
    if spec.network is not None:
        head.append((printer.network_line(spec.network), spec.network))
    groups.append(head)
    groups.append([(f"use {printer.name(use.library)}", use) for use in spec.uses])
    groups.append([line for d in spec.definitions for line in printer.definition_lines(d)])
    groups += [printer.modality_lines(modality) for modality in spec.modalities]
    if spec.pool is not None:
        groups.append(
            printer.listed_lines("pool", [printer.operation(o) for o in spec.pool], spec.pool)
        )
    groups += [printer.cell_lines(cell) for cell in spec.cells]
    if spec.outputs is not None:
        groups.append(
            printer.listed_lines("output", [printer.output(o) for o in spec.outputs], spec.outputs)
        )
    groups.append([(printer.requirement_line(r), r) for r in spec.requirements])
    if spec.predict is not None:
        groups.append([(printer.predict_line(spec.predict), spec.predict)])
    lines: list[printer.Line] = []
    for group in (g for g in groups if g):
        if lines:
            lines.append(("", None))
        lines += group
    return lines
