"""Specifications that are written and changed in Python say what texts say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given

import fusewright as fw
from fusewright.compiler.language import printer
from fusewright.compiler.language.nodes import Cell, NumberHole, Reference
from fusewright.compiler.syntax.parse import parse

from ..support.programs import specs, written_specs

SPACE = """\
network n(C = 4, L = 2)

use bmnas

modality image {
  A[c 6]
  B[c 3, h 2, w 2]
}

modality text {
  T[c 5]
}

pool Sum, Attention

cell Cell[2](?, ?) {
  Step[2] = ?(?, ?)
}

predict 3 classes
"""
MEMBERS = """\
cell Cell_1(?, ?) {
  Step_1 = ?(?, ?)
  Step_2 = ?(?, ?)
}

cell Cell_2(?, ?) {
  Step_1 = ?(?, ?)
  Step_2 = ?(?, ?)
}
"""


def numbers(values: Mapping[str, float | NumberHole]) -> dict[str, float | str]:
    """Numbers as texts of the language."""
    return {k: printer.number(v) for k, v in values.items()}


def with_cell(spec: fw.Spec, cell: Cell) -> fw.Spec:
    """A Cell said in Python, from its canonical lines."""
    (head, _), *lines = printer.cell_lines(cell)
    steps = dict(line.strip().split(" = ", 1) for line, node in lines if hasattr(node, "slots"))
    inputs = [
        (f"{printer.name(i.name)} = " if i.name is not None else "") + printer.slot(i.slot)
        for i in cell.inputs
    ]
    assert head.startswith(f"cell {printer.family(cell)}(")
    returns = ", ".join(printer.name(r.name) for r in cell.returned or ())
    return spec.with_cell(printer.family(cell), *inputs, steps=steps, returns=returns)


def said_in_python(spec: fw.Spec) -> fw.Spec:
    """A specification, said statement by statement."""
    header = spec.network
    made = fw.network(header.name, **numbers(dict(header.numbers))) if header else fw.Spec()
    if spec.uses:
        made = made.with_library(*(printer.name(use.library) for use in spec.uses))
    for definition in spec.definitions:
        made = made.with_definition(printer.definition_text(definition))
    for modality in spec.modalities:
        (head, _), *lines = printer.modality_lines(modality)
        features = [line.strip() for line, feature in lines if feature is not None]
        head = head.removeprefix("modality ").rstrip("{} ")
        made = made.with_modality(head, *features)
    if spec.pool is not None:
        made = made.with_pool(*map(printer.operation, spec.pool))
    for cell in spec.cells:
        made = with_cell(made, cell)
    if spec.outputs is not None:
        made = made.with_output(*map(printer.output, spec.outputs))
    for requirement in spec.requirements:
        made = made.with_requirement(printer.requirement_line(requirement).removeprefix("require "))
    for predict in spec.predictions:
        made = made.with_head(printer.predict_line(predict).removeprefix("predict "))
    return made


@given(written_specs())
def test_what_is_said_in_python_is_what_its_text_says(spec: fw.Spec) -> None:
    made = said_in_python(spec)
    assert made == replace(spec, version=None)
    assert parse(str(made)) == made


@given(specs(holes=False))
def test_fixing_what_is_fixed_already_changes_nothing(spec: fw.Spec) -> None:
    graph = spec.graph
    for place, data in graph.nodes(data=True):
        if data["kind"] == "step":
            (operation,) = data["operations"]
            assert spec.fix(place, printer.operation(operation.operation)) == spec


@pytest.mark.parametrize(
    ("place", "value", "before", "after"),
    [
        ("Cell_1.Step_1", "Sum", "Step_1 = ?(?, ?)", "Step_1 = Sum(?, ?)"),
        ("Cell_1.Step_2", "Sum(x, Step_1)", "Step_2 = ?(?, ?)", "Step_2 = Sum(x, Step_1)"),
        ("Cell_1.Step_2", "?({x | y}, Step_1)", "Step_2 = ?(?, ?)", "Step_2 = ?({x | y}, Step_1)"),
        ("Cell_1.Step_1", "{Sum | LinearGLU}", "= ?(", "= {Sum | LinearGLU}("),
        ("Cell_1.x", "T", "Cell_1(?, ?)", "Cell_1(T, ?)"),
        ("Cell_2.y", "{A | Cell_1}", "Cell_2(?, ?)", "Cell_2(?, {A | Cell_1})"),
    ],
)
def test_one_place_is_decided(place: str, value: str, before: str, after: str) -> None:
    start = SPACE.index("cell Cell")
    members = SPACE[:start] + MEMBERS + "\npredict 3 classes\n"
    assert str(fw.loads(SPACE).fix(place, value)) == members.replace(before, after, 1)


def test_a_number_is_decided_and_its_type_stays() -> None:
    for value in (8, "8"):
        assert str(fw.loads(SPACE).fix("C", value)) == SPACE.replace("C = 4", "C = 8")
    opened = fw.loads(SPACE).with_numbers(C="{4 | 8}")
    assert opened == fw.loads(SPACE.replace("C = 4", "C = {4 | 8}"))
    assert opened.fix("C", 4) == fw.loads(SPACE)


@pytest.mark.parametrize(
    ("place", "value", "code", "message"),
    [
        ("Cell_1.Step_1", "Summ", "E203", "unknown operation `Summ`"),
        ("Cell_1.Step_9", "Sum", "E201", "no Step, input of a Cell or number `Cell_1.Step_9`"),
        ("Cell_1.x", "Q", "E201", "`Cell_1.x` cannot take `Q`"),
        ("Cell_1.x", "Cell_2", "E201", "`Cell_1.x` cannot take `Cell_2`"),
        ("Cell_2.Step_1", "Sum(x, Step_2)", "E201", "cannot take `Step_2`"),
        ("Cell_1.Step_1", "Sum(", "E001", "unexpected `}`"),
        ("Cell_1.Step_1", "Sum(x)", "E301", "has 2 inputs, and 1 are given"),
        ("Cell_1.Step_1", "Sum(x, y) T = Sum(x, y)", "E506", "more than one thing"),
        ("C", "wide", "E506", "does not set a number"),
    ],
)
def test_what_cannot_be_decided_so_is_said(place: str, value: str, code: str, message: str) -> None:
    with pytest.raises(fw.DiagnosticError, match=message.replace("`", ".")) as error:
        fw.loads(SPACE).fix(place, value)
    assert error.value.diagnostics[0].code == code


def test_a_family_of_an_open_size_is_not_decided_in_part() -> None:
    opened = fw.loads(SPACE.replace("Cell[2]", "Cell[{2 | 3}]"))
    with pytest.raises(fw.DiagnosticError, match=r"how many there are of .Cell. or its Steps"):
        opened.fix("Cell_1.Step_1", "Sum")


def test_a_statement_of_the_same_name_is_replaced() -> None:
    spec = fw.loads(SPACE).with_modality("text", "T[c 7]", "U[c 1]")
    assert spec == fw.loads(SPACE.replace("T[c 5]", "T[c 7]\n  U[c 1]"))
    spec = spec.with_pool("Sum").with_cell("Cell", "A", "U", steps={"S": "Sum(x, y)"})
    assert [cell.name for cell in spec.cells] == ["Cell"]
    assert spec.cells[0].inputs[1].slot == Reference("U")
    spec = spec.with_requirement("parameters < 1M").with_requirement("parameters < 2M")
    assert str(spec).count("require") == 1


def test_pieces_that_say_more_or_are_wrong_are_diagnosed_as_in_a_file() -> None:
    spec = fw.loads(SPACE)
    with pytest.raises(fw.DiagnosticError, match="says more than one thing"):
        spec.with_head("3 classes\npool Sum")
    with pytest.raises(fw.DiagnosticError, match=r"--> <with_modality>:2:4"):
        spec.with_modality("image", "A[c 6")
    with pytest.raises(fw.DiagnosticError, match="the Steps of `Cell` have no names"):
        spec.with_cell("Cell", "A", "D", steps=cast("Any", "Sum(x, y)"))
    (found,) = fw.check(spec.with_pool("LinearGlu"))
    assert (found.code, found.help) == ("E203", "did you mean `LinearGLU`?")


def test_a_specification_shows_itself_on_one_line() -> None:
    spec = fw.loads(SPACE)
    assert fw.loads(repr(spec).removeprefix("<Spec ").removesuffix(">")) == spec
    assert "\n" not in repr(spec)


def test_each_edit_gives_another_specification() -> None:
    made = [fw.loads(SPACE)]
    made += [made[-1].fix("Cell_1.Step_1", "Sum"), made[-1].with_numbers(L=3)]
    assert str(made[0]) == SPACE
    assert all(a != b for a, b in pairwise(made))


def test_a_head_with_a_name_stands_beside_others() -> None:
    spec = fw.loads(SPACE).with_head("action 3 classes").with_head("person(weight = 0.5) 4 classes")
    assert (spec.predict, [head.name for head in spec.heads]) == (None, ["action", "person"])
    again = spec.with_head("action 5 classes")
    assert [head.count for head in again.heads] == [5, 4]
    assert again.with_head("2 labels").heads == ()
