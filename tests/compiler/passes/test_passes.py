"""What each pass is for: the operations that it takes away, and the figures that show it."""

from __future__ import annotations

import json
import pkgutil
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

import fusewright as fw
from fusewright.compiler import passes as package
from fusewright.compiler.compile import to_program
from fusewright.compiler.passes import NETWORK_STAGES, ORDER, Stage, passes
from fusewright.compiler.program.program import Builder, Input, ParameterSpec, Program
from fusewright.compiler.tools.describe import describe_passes, passes_table
from fusewright.ops.types import inner, parameter_type

from ...support.running import command

SPACE = fw.loads("""
network n(C = 8, L = 4, dropout = 0.1)
use bmnas
modality a { A[t 4, c 6] B[c 5] D[c 7] }
pool Sum, Attention, LinearGLU, ConcatFC
cell Cell[2](?, ?) { Step[2] = ?(?, ?) }
predict 3 classes
""")
STAGES: tuple[Stage, ...] = get_args(Stage)


def counted(program: Program) -> Counter[str]:
    return Counter(v.primitive for v in program.values if v.record is not None)


def around(name: str, stage: Stage = "training") -> tuple[Counter[str], Counter[str]]:
    """The primitives before and after a pass, each of those before it having run."""
    program = to_program(SPACE)
    for one, run in passes(stage).items():
        before, program = counted(program), run(program)
        if one == name:
            return before, counted(program)
    raise AssertionError(f"{name} does not run in {stage}")


def test_a_step_s_two_equal_inputs_are_mixed_once() -> None:
    before, after = around("merge_candidates")
    assert before["mix"] == after["mix"]
    assert after["sum_weights"] == 4


def test_a_value_joined_with_itself_takes_half_the_multiplications() -> None:
    rows = {row["pass"]: row for row in describe_passes(SPACE, "training")}
    _, after = around("halve_concat")
    assert after["sum_blocks"] == 8
    assert rows["halve_concat"]["macs"] < 0.75 * rows["merge_candidates"]["macs"]


def test_a_vector_is_repeated_after_its_linear_map() -> None:
    before, after = around("repeat_late")
    assert before["resample"] - after["resample"] == 2 == after["repeat"]


def test_a_bias_before_batch_norm_is_no_operation() -> None:
    before, after = around("absorb_bias")
    assert after["batchnorm"] == 0
    assert before["add"] - after["add"] == before["batchnorm"] == after["normalised"]


def test_maps_of_one_value_and_their_batch_norms_are_one() -> None:
    before, after = around("widen")
    assert before["linear"] - after["linear"] == 4
    assert before["normalised"] - after["normalised"] == 4


def test_the_mixtures_of_all_cells_share_a_stack() -> None:
    before, after = around("contract_mixtures")
    assert after["contract"] > after["stack"]
    assert after["mix"] < before["mix"]


def test_a_relu_and_its_dropout_are_one() -> None:
    before, after = around("relu_dropout")
    assert after["relu_dropout"] == before["dropout"] - after["dropout"] > 0


def test_nothing_of_dropout_and_batch_norm_is_left_in_inference() -> None:
    _, after = around("fold_batchnorm", "inference")
    assert not after["dropout"]
    assert not after["batchnorm"]


def test_every_pass_has_its_place() -> None:
    found = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    assert sorted(ORDER) == found
    assert {name for stage in STAGES for name in passes(stage)} == set(ORDER)
    for stage in STAGES:
        assert list(passes(stage)) == [name for name in ORDER if name in passes(stage)]


@pytest.mark.parametrize("stage", NETWORK_STAGES)
def test_no_pass_renames_or_removes_a_parameter(stage: Stage) -> None:
    program = to_program(SPACE)
    for run in passes(stage).values():
        assert run(program).parameters == program.parameters
        program = run(program)


def test_the_figures_of_each_pass_are_shown(tmp_path: Path) -> None:
    (tmp_path / "n.fuse").write_text(str(SPACE), encoding="utf-8")
    shown = command(tmp_path, "info", "n.fuse", "--passes").splitlines()
    assert [line.split()[0] for line in shown] == ["pass", "lowering", *passes("training")]
    rows = json.loads(command(tmp_path, "info", "n.fuse", "--passes", "--json"))
    assert rows == describe_passes(SPACE, "training")
    assert passes_table(rows).splitlines() == shown
    inference = command(tmp_path, "info", "n.fuse", "--passes", "--stage", "inference")
    assert "fold_batchnorm" in inference


def mixtures(*candidates: str) -> Program:
    """A program that adds mixtures of features, each with weights of its own."""
    builder = Builder()
    features = {n: builder.input(Input(n, inner(2, 4))) for n in sorted({*"".join(candidates)})}
    total = None
    for number, names in enumerate(candidates):
        sizes = (len(names),)
        spec = ParameterSpec(f"w{number}", sizes, "architecture", 0.5)
        weights = builder.parameter(spec, parameter_type(sizes), ())
        mixed = builder.call("mix", [weights, *(features[n] for n in names)], {}, ())
        total = mixed if total is None else builder.call("add", [total, mixed], {}, ())
    assert total is not None
    return builder.program(total)


@pytest.mark.parametrize(
    ("candidates", "stacks", "products", "left"),
    [
        (("abc", "abc"), 1, 2, 0),
        (("abc", "abcd"), 1, 2, 1),
        (("abcd", "abc", "abc"), 2, 3, 0),
        (("abcd", "abce", "abce", "abce"), 2, 4, 0),
        (("abcd", "abce", "abcd"), 2, 3, 0),
        (("abd", "bad"), 2, 2, 0),
        (("ab", "ab"), 0, 0, 2),
    ],
)
def test_every_mixture_finds_those_it_shares_candidates_with(
    candidates: tuple[str, ...], stacks: int, products: int, left: int
) -> None:
    program = mixtures(*candidates)
    after = counted(passes("training")["contract_mixtures"](program))
    assert (after["stack"], after["contract"], after["mix"]) == (stacks, products, left)
