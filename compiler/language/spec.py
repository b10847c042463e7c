"""The Spec: a whole specification, what it prints as, and the Graph that it stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    """A whole specification: a search space, a genotype, or anything between the two.

    It predicts by one head without a name, `predict`, or by named `heads`.
    """

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
    heads: tuple[Predict, ...] = ()

    @property
    def predictions(self) -> tuple[Predict, ...]:
        """What is predicted: by the head without a name, or by the named ones."""
        return (self.predict, *self.heads) if self.predict is not None else self.heads

    @property
    def graph(self) -> Graph:
        """The fusion DAG; raises DiagnosticError where the specification is not well formed."""
        from ..graph.build import graph_of

        return graph_of(self)

    def __str__(self) -> str:
        return print_spec(self)

    def __repr__(self) -> str:
        return f"<Spec {' '.join(str(self).split())}>"

    # Edits: pieces are texts of the language, and what is wrong with one is said as of a file.

    def with_numbers(self, **numbers: float | str) -> Spec:
        """This specification with numbers of its network stated or replaced; `"{4 | 8}"` too."""
        header = self.network or NetworkHeader("network")
        stated = {key: printer.number(value) for key, value in header.numbers}
        return self._with(_header(header.name, {**stated, **numbers}), "network", "with_numbers")

    def with_library(self, *names: str) -> Spec:
        """This specification with `use` of libraries, as `bmnas`."""
        return self._with("\n".join(f"use {name}" for name in names), "uses", "with_library")

    def with_definition(self, text: str) -> Spec:
        """This specification with an operation or a role, as `op Mean(x, y) = (x + y) / 2`."""
        return self._with(text, "definitions", "with_definition")

    def with_modality(self, name: str, *features: str) -> Spec:
        """This specification with a modality, in the place of one of the same name.

        `name` may say more, as `image optional from "torchvision:resnet18"`; a feature is written
        `A[c 512, h 7, w 7]`.
        """
        inside = "".join(f"  {feature}\n" for feature in features)
        return self._with(f"modality {name} {{\n{inside}}}", "modalities", "with_modality")

    def with_pool(self, *operations: str) -> Spec:
        """This specification with the operations that Steps may become, as `MHA(heads = 4)`."""
        return self._with(f"pool {_listed(operations)}", "pool", "with_pool")

    def with_cell(
        self, name: str, *inputs: str, steps: Mapping[str, str], returns: str = ""
    ) -> Spec:
        """This specification with a Cell, in the place of one of the same name.

        `name` may be a family, `Cell[2]`; an input is `Image`, `?`, `{A | B}` or `p = Image`;
        `steps` are calls by name, as `{"Step[2]": "?(?, ?)"}`, and what it `returns` are some of
        them, `Step_1, Step_2`, or all.
        """
        from ..edit import cell_text

        text = cell_text(name, inputs, steps, returns)
        return self._with(text, "cells", "with_cell")

    def with_output(self, *places: str) -> Spec:
        """This specification with what is combined at the end: `Cell_1`, `Cell[*]`, `*?`."""
        return self._with(f"output {_listed(places)}", "outputs", "with_output")

    def with_requirement(self, text: str) -> Spec:
        """This specification with a rule or a budget, as `parameters < 1M`."""
        return self._with(f"require {text}", "requirements", "with_requirement")

    def with_head(self, text: str) -> Spec:
        """This specification with what is predicted, as `23 labels` or `2 classes { no, yes }`.

        A head with a name, `person(Cell_1, weight = 0.5) 40 classes`, is added to others with
        names, in the place of one of the same name.
        """
        from ..edit import with_head

        return with_head(self, f"predict {text}", "with_head")

    def fix(self, place: str, value: str | int | float) -> Spec:
        """This specification with one place of it decided, or restricted.

        A Step, `Cell_1.Step_1`, is given its operation, `Sum` or `{Sum | MHA(heads = 4)}`, and with
        a call its inputs too, `Sum(x, Step_0)`; an input of a Cell, `Cell_1.x`, a feature or an
        earlier Cell; a number, `C`, its value. A family of which one member is decided is written
        member by member. Raises DiagnosticError where the specification is wrong, there is no such
        place, or the value does not fit there.
        """
        from ..edit import fixed

        return fixed(self, place, value)

    def _with(self, text: str, part: str, method: str) -> Spec:
        from ..edit import with_statements

        return with_statements(self, text, part, method)


def network(name: str, /, **numbers: float | str) -> Spec:
    """A Spec to add to: a network of a name, with numbers such as `C=64, L="{8 | 16}"`."""
    from ..edit import with_statements

    return with_statements(Spec(), _header(name, numbers), "network", "network")


def _header(name: str, numbers: Mapping[str, float | str]) -> str:
    """The first statement as a text."""
    settings = ", ".join(f"{printer.name(key)} = {value}" for key, value in numbers.items())
    return f"network {printer.name(name)}({settings})"


def _listed(items: Iterable[str]) -> str:
    """Items, each in a line of its own."""
    return ",\n  ".join(items)


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
    groups.append([(printer.predict_line(p), p) for p in spec.predictions])
    lines: list[printer.Line] = []
    for group in (g for g in groups if g):
        if lines:
            lines.append(("", None))
        lines += group
    return lines
