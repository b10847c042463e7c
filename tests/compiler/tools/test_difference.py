"""What `diff` says of two specifications: of their architectures, not of their texts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from typer.testing import CliRunner

from fusewright.compiler.documents.spellings import loads
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.load import load, spell
from fusewright.compiler.syntax.parse import parse
from fusewright.compiler.tools.difference import difference
from tests.support.application import app

from ...support.paths import EXAMPLES
from ...support.programs import specs

BASE = """\
network n(C = 4, L = 2, dropout = 0.1)
modality m { A[c 3] B[t 5, c 4] }
modality k { D[c 3] }
pool Sum, ConcatFC, LinearGLU
cell J(A, B) {
  S = Sum(x, y)
  T = LinearGLU(S, x)
}
cell K(J, ?) { S = ?(?, ?) }
require parameters < 1M
predict 3 classes
"""


def lines(old: Spec, new: Spec) -> list[str]:
    return [str(change) for change in difference(old, new)]


# fmt: off
# ruff: noqa: E501
CHANGES = {
    "a number": ("C = 4", "C = 8, rank = 2", ["~ number C: 4 -> 8", "+ number rank: 2"]),
    "a rate that is left out": (", dropout = 0.1", "", ["~ number dropout: 0.1 -> 0"]),
    "a shape": ("B[t 5, c 4]", "B[t *, c 4]", ["~ feature B, shape: [t 5, c 4] -> [t *, c 4]"]),
    "the order of axes": ("B[t 5, c 4]", "B[c 4, t 5]", ["~ feature B, shape: [t 5, c 4] -> [c 4, t 5]"]),
    "a feature and its modality": ("modality k { D[c 3] }", "modality z optional { E[c 3] }", ["- modality k", "+ modality z: optional", "- feature D: [c 3] of k", "+ feature E: [c 3] of z"]),
    "a backbone": ("modality k {", 'modality k from "timm:vit" {', ["~ modality k, backbone: none -> timm:vit"]),
    "an input of a Cell": ("J(A, B)", "J(D, B)", ["~ cell J, input x: A -> D"]),
    "one input more": ("J(A, B)", "J(A, B, D)", ["+ cell J, input z: D"]),
    "a hole that is filled": ("K(J, ?)", "K(J, D)", ["~ cell K, input y: ? -> D"]),
    "a hole that is restricted": ("K(J, ?)", "K(J, {D | B})", ["~ cell K, input y: ? -> {B | D}"]),
    "an operation": ("LinearGLU(S, x)", "ConcatFC(S, x)", ["~ step J.T, operation: LinearGLU -> ConcatFC"]),
    "the inputs of a Step": ("LinearGLU(S, x)", "LinearGLU(x, S)", ["~ step J.T, input 1: S -> x", "~ step J.T, input 2: x -> S"]),
    "a Step more": ("S = ?(?, ?)", "S = ?(?, ?) T = Sum(S, y)", ["+ step K.T: Sum(S, y)"]),
    "what is returned": ("LinearGLU(S, x)", "LinearGLU(S, x) return T", ["~ cell J, return: all Steps -> T"]),
    "the candidates of a hole": ("S = ?(?, ?)", "S = {Sum | ConcatFC}(?, ?)", ["~ step K.S, operation: {Sum | ConcatFC | LinearGLU} -> {Sum | ConcatFC}"]),
    "the outputs": ("require", "output K require", ["~ output: all Cells -> K"]),
    "the rule": ("require", "require fresh_input require", ["~ rule: distinct_pairs -> fresh_input"]),
    "a budget": ("< 1M", "<= 2M", ["~ budget parameters: < 1M -> <= 2M"]),
    "another budget": ("< 1M", "< 1M require macs < 5k", ["+ budget macs: < 5k"]),
    "the head": ("3 classes", "2 labels { p, q }", ["~ predict, what: 3 classes -> 2 labels", "~ predict, names: none -> p, q"]),
    "the order of features": ("A[c 3] B[t 5, c 4]", "B[t 5, c 4] A[c 3]", ["~ order features: A, B, D -> B, A, D"]),
    "an equation of its own": ("pool", "op Sum(x, y) = y + x pool", ["~ op Sum(x, y), equation: x + y -> y + x"]),
    "an operation of its own": ("pool Sum", "op Own(x, y) = y - x pool Own, Sum", ["~ step K.S, operation: {Sum | ConcatFC | LinearGLU} -> {Own | Sum | ConcatFC | LinearGLU}", "+ op Own(x, y): y - x"]),
}
# fmt: on


@pytest.mark.parametrize(("before", "after", "expected"), CHANGES.values(), ids=list(CHANGES))
def test_a_change_reads(before: str, after: str, expected: list[str]) -> None:
    changed = BASE.replace(before, after, 1)
    assert lines(parse(BASE), parse(changed)) == expected
    swapped = {"+": "-", "-": "+", "~": "~"}
    back = lines(parse(changed), parse(BASE))
    assert sorted(line[0] for line in back) == sorted(swapped[line[0]] for line in expected)


SAME = {
    "a Cell and its Steps, expanded": (
        "cell K[2](A, ?) { S[2] = ?(?, ?) }",
        "cell K_1(A, ?) { S_1 = ?(?, ?) S_2 = ?(?, ?) }"
        " cell K_2(A, ?) { S_1 = ?(?, ?) S_2 = ?(?, ?) }",
    ),
    "all Steps and all Cells, named": (
        "cell K(A, B) { S = Sum(x, y) T = Sum(S, y) }",
        "cell K(A, B) { S = Sum(x, y) T = Sum(S, y) return S, T } output K",
    ),
    "inputs with other names": (
        "cell K(A, B) { S = ?(x, {x | y}) }",
        "cell K(query = A, other = B) { S = ?(query, {query | other}) }",
    ),
    "operations whose inputs and results on the way have other names": (
        "op F(x, y) { h = relu(x @ W[_, C]) return h + y } "
        "op G(x, *s) = mean(x, *s) cell K(A, B) { S = F(x, y) T = G(S, x) }",
        "op F(p, h) { x = relu(p @ W[_, C]) return x + h } "
        "op G(first, *others) = mean(first, *others) cell K(A, B) { S = F(x, y) T = G(S, x) }",
    ),
    "a hole that names all there is": (
        "cell K(A, ?) { S = ?(x, ?) }",
        "cell K(A, {D | B | A}) { S = {LinearGLU | Sum | ConcatFC}(x, {y | x}) }",
    ),
    "libraries that are named": (
        "cell K(A, B) { S = Sum(x, y) }",
        "use paper cell K(A, B) { S = paper.Sum(x, y) }",
    ),
    "an equation that is written out": (
        "cell K(A, B) { S = Sum(x, y) }",
        "op Sum(x, y) = x + y cell K(A, B) { S = Sum(x, y) }",
    ),
    "an operation that nothing uses": (
        "cell K(A, B) { S = Sum(x, y) }",
        "op Own(x, y) = y cell K(A, B) { S = Sum(x, y) }",
    ),
    "a default that is written": (
        "op Own(x, y, n = 4) = n * x + y cell K(A, B) { S = Own(x, y) }",
        "op Own(x, y, n = 4) = n * x + y cell K(A, B) { S = Own(x, y, n = 4) }",
    ),
    "the default rule": (
        "cell K[2](?, ?) { S = Sum(x, y) }",
        "cell K[2](?, ?) { S = Sum(x, y) } require distinct_pairs",
    ),
    "the order of features that nothing chooses from": (
        "modality z { P[c 3] Q[c 3] } cell K(A, B) { S = Sum(x, y) }",
        "modality z { Q[c 3] P[c 3] } cell K(A, B) { S = Sum(x, y) }",
    ),
}
HEAD = "network n(C = 4, L = 2) modality m { A[c 3] B[c 4] D[c 3] } pool Sum, ConcatFC, LinearGLU "
TAIL = " predict 3 classes"


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=list(SAME))
def test_two_texts_that_say_the_same_have_no_difference(one: str, other: str) -> None:
    first, second = parse(HEAD + one + TAIL), parse(TAIL + " " + other + " " + HEAD)
    assert first != second
    assert difference(first, second) == ()
    assert difference(second, first) == ()


def test_operations_of_one_name_from_two_libraries_are_told_apart() -> None:
    uses = "use paper use bmnas "
    one = parse(uses + HEAD.replace("pool Sum, ConcatFC, LinearGLU", "") + "output A" + TAIL)
    cell = "cell K(A, B) {{ S = {}.ConcatFC(x, y) T = paper.ConcatFC(x, S) }}"
    text = uses + HEAD.replace("pool Sum, ConcatFC, LinearGLU", "")
    paper, bmnas = (parse(text + cell.format(name) + TAIL) for name in ("paper", "bmnas"))
    assert difference(one, one) == ()
    assert lines(paper, bmnas) == ["~ step K.S, operation: paper.ConcatFC -> bmnas.ConcatFC"]


def test_a_library_that_is_exchanged_shows_the_equations_that_change() -> None:
    text = HEAD + "cell K(A, B) { S = Attention(x, y) }" + TAIL
    found = lines(parse("use paper " + text), parse("use bmnas " + text))
    assert (
        "~ op Attention(x, y), equation: attention(x, y, y)"
        " -> layernorm(dropout(attention(x, y, y), 0.1), over = (length, channels))"
    ) in found
    assert {line.split(",")[0].split("(")[0] for line in found} == {
        "~ op Attention", "~ role adapt", "~ role merge", "~ role combine", "~ role head",
    }  # fmt: skip


def test_the_order_of_cells_means_something_where_all_are_combined() -> None:
    cells = ("cell J(A, B) { S = Sum(x, y) } ", "cell K(A, D) { S = Sum(x, y) } ")
    one, other = parse(HEAD + "".join(cells) + TAIL), parse(HEAD + "".join(cells[::-1]) + TAIL)
    assert lines(one, other) == ["~ order Cells: J, K -> K, J"]
    named = [replace(s, outputs=parse("output J, K").outputs) for s in (one, other)]
    assert lines(named[0], named[1]) == ["~ output: all Cells -> J, K"]


@settings(max_examples=30)
@given(specs())
def test_every_spelling_of_a_program_says_the_same(spec: Spec) -> None:
    for spelling in ("fuse", "json", "yaml"):
        assert difference(spec, loads(spell(spec, spelling), "n", spelling)) == ()


def test_a_genotype_differs_from_its_space_in_what_was_found() -> None:
    space, found = (load(EXAMPLES / f"{n}.fuse") for n in ("ntu1", "ntu1_genotype"))
    assert lines(space, found)[:4] == [
        "~ cell Cell_1, input x: ? -> Video_3",
        "~ cell Cell_1, input y: ? -> Skeleton_4",
        "~ step Cell_1.Step_1, operation: {Sum | Attention | LinearGLU | ConcatFC} -> LinearGLU",
        "~ step Cell_1.Step_1, input 1: ? -> x",
    ]
    assert {c.kind for c in difference(space, found)} == {"cell", "step"}


def test_many_cells_are_compared_in_linear_time() -> None:
    text = HEAD + "cell K[5000](A, B) { S = Sum(x, y) }" + TAIL
    assert lines(parse(text), parse(text.replace("C = 4", "C = 5"))) == ["~ number C: 4 -> 5"]


# The command


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    old, new = tmp_path / "old.fuse", tmp_path / "new.json"
    old.write_text(BASE, encoding="utf-8")
    new.write_text(spell(parse(BASE.replace("K(J, ?)", "K(J, D)")), "json"), encoding="utf-8")
    return [str(old), str(new)]


def test_the_command_prints_changes_and_exits_with_0(files: list[str]) -> None:
    result = CliRunner().invoke(app, ["diff", *files])
    assert (result.exit_code, result.stdout) == (0, "~ cell K, input y: ? -> D\n")
    assert CliRunner().invoke(app, ["diff", "--exit-code", *files]).exit_code == 1


def test_the_command_says_that_there_is_no_difference(files: list[str]) -> None:
    result = CliRunner().invoke(app, ["diff", "--exit-code", files[0], files[0]])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no difference\n")
    assert CliRunner().invoke(app, ["diff", "--json", files[0], files[0]]).stdout == "[]\n"


def test_the_command_prints_records(files: list[str]) -> None:
    result = CliRunner().invoke(app, ["diff", "--json", *files])
    place = {"kind": "cell", "name": "K", "part": "input y"}
    assert json.loads(result.stdout) == [{"change": "changed", **place, "old": "?", "new": "D"}]
