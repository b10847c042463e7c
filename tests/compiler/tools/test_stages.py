"""Every stage of the arrow is printed, and what is printed is read back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from fusewright.compiler.check.check import checked
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.graph.build import build
from fusewright.compiler.graph.read import architecture
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.passes import ORDER, optimise
from fusewright.compiler.program.parser import parse_program
from fusewright.compiler.syntax.parse import parse
from fusewright.compiler.tools.stages import (
    STAGES,
    graph_text,
    network_text,
    program_text,
    programs_text,
)

from ...support.programs import specs
from ...support.running import command

SPACE = """
network n(C = 8, L = 4)
modality a { A[t 4, c 6] B[c 5] }
pool Sum, ConcatFC
cell Cell[2](?, ?) { Step = ?(?, ?) }
predict 3 classes
"""


@given(specs())
def test_the_network_is_a_specification_of_the_same_architecture(spec: Spec) -> None:
    printed = parse(network_text(spec))
    before, after = (architecture(build(checked(s))) for s in (spec, printed))
    assert [c.slots for c in after.cells] == [c.slots for c in before.cells]
    assert [c.name for c in after.cells] == [c.name for c in before.cells]
    assert after.outputs == before.outputs
    assert lower(printed.graph) == lower(spec.graph)


@given(specs())
def test_the_graph_has_a_line_for_each_node(spec: Spec) -> None:
    lines = graph_text(spec).splitlines()
    assert len(lines) == len(spec.graph)


@given(specs())
def test_the_program_is_read_back(spec: Spec) -> None:
    assert parse_program(program_text(spec)) == lower(spec.graph)
    for stage in STAGES:
        assert parse_program(program_text(spec, stage)) == optimise(lower(spec.graph), stage)


def test_the_program_stands_after_each_pass_that_changes_it() -> None:
    text = programs_text(parse(SPACE), "training")
    heads = [line for line in text.splitlines() if line.startswith("# after ")]
    assert heads[0] == "# after lowering"
    assert "# after halve_concat" in heads
    programs = [parse_program(f"# {part}") for part in text.split("# after ")[1:]]
    assert len(programs) == len(heads)
    assert programs[-1] == optimise(lower(parse(SPACE).graph))


@pytest.mark.parametrize("name", ORDER)
def test_the_program_after_any_pass_is_printed(name: str) -> None:
    assert parse_program(program_text(parse(SPACE), name)).values


def test_what_is_no_pass_is_a_diagnostic() -> None:
    with pytest.raises(DiagnosticError, match="did you mean `widen`"):
        program_text(parse(SPACE), "widn")


def test_the_command_prints_them(tmp_path: Path) -> None:
    (tmp_path / "n.fuse").write_text(SPACE, encoding="utf-8")
    spec = parse(SPACE)
    for stage, text in (("network", network_text(spec)), ("graph", graph_text(spec))):
        assert command(tmp_path, "info", "n.fuse", "--stage", stage) == text
    program = ("info", "n.fuse", "--stage", "program")
    assert command(tmp_path, *program) == program_text(spec)
    assert command(tmp_path, *program, "--after", "inference") == program_text(spec, "inference")
    assert command(tmp_path, *program, "--passes") == programs_text(spec, "training")
