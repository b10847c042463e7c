"""What is legal but surely a mistake, to the letter, and what must stay without a warning."""

from __future__ import annotations

import pytest

from fusewright.compiler.check.lint import lint
from fusewright.compiler.diagnostics.diagnostic import Diagnostic, Report, render
from fusewright.compiler.documents.spellings import loads
from fusewright.compiler.language.spec import Spec, print_spec
from fusewright.compiler.load import spell
from fusewright.compiler.resolve.resolve import resolve
from fusewright.compiler.syntax.parse import parse

from ...support.programs import whole

HEAD = "network n(C = 4, L = 2)\nmodality m { A[c 3] B[c 5] }\n"

# fmt: off
# ruff: noqa: E501
SNAPSHOTS = (
    (
        "a modality that nothing can take",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[c 5] }
modality audio { Audio_1[c 3] Audio_2[c 3] }
cell K(A, {A | B}) { S = Sum(x, y) }
predict 3 classes
""",
        """\
warning[W402]: no Cell and no `output` can take a feature of `audio`
 --> n.fuse:3:10
  |
3 | modality audio { Audio_1[c 3] Audio_2[c 3] }
  |          ^^^^^
  = help: let a Cell or `output` take one of `Audio_1`, `Audio_2`, or remove the modality

warning[W405]: only `B` can fill this hole
 --> n.fuse:4:11
  |
4 | cell K(A, {A | B}) { S = Sum(x, y) }
  |           ^^^^^^^
  = help: write `B`
""",
    ),
    (
        "Steps that nothing reads",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[c 5] }
cell K[2](?, ?) {
  S[3] = Sum(x, y)
  T = Sum(x, S_1)
  return T
}
predict 3 classes
""",
        """\
warning[W403]: nothing reads `S_2`, `S_3` of `K`, and `return` does not name them
 --> n.fuse:4:3
  |
4 |   S[3] = Sum(x, y)
  |   ^
  = note: what `K` returns stands here
 --> n.fuse:6:10
  |
6 |   return T
  |          ^
  = help: return `S_2`, `S_3` too, let a later Step take them, or remove them
""",
    ),
    (
        "a Cell that nothing takes",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[c 5] }
cell J(A, B) { S = Sum(x, y) }
cell K(A, B) { S = Sum(x, y) }
output K, A
predict 3 classes
""",
        """\
warning[W404]: nothing takes `J`, and no `output` names it
 --> n.fuse:3:6
  |
3 | cell J(A, B) { S = Sum(x, y) }
  |      ^
  = note: the outputs stand here
 --> n.fuse:5:8
  |
5 | output K, A
  |        ^^^^
  = help: add `J` to `output`, let a later Cell take it, or remove it
""",
    ),
    (
        "operations that are the only candidate",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[c 5] }
pool ConcatFC
cell K(A, B) {
  S = {Sum}(x, y)
  T = ?(x, S)
}
predict 3 classes
""",
        """\
warning[W405]: only `Sum` can fill this hole
 --> n.fuse:5:7
  |
5 |   S = {Sum}(x, y)
  |       ^^^^^
  = help: write `Sum`

warning[W405]: only `ConcatFC` can fill this hole
 --> n.fuse:6:7
  |
6 |   T = ?(x, S)
  |       ^
  = note: it stands in the pool here
 --> n.fuse:3:6
  |
3 | pool ConcatFC
  |      ^^^^^^^^
  = help: write `ConcatFC`, or add to the pool what else the Step may become
""",
    ),
    (
        "an operation twice in the pool, under two names and with its default",
        """\
network n(C = 4, L = 2)
use fusion
modality m { A[c 3] B[c 5] }
pool Sum, MHA(heads = 4), fusion.Sum, MHA
cell K(A, B) { S = ?(x, y) }
predict 3 classes
""",
        """\
warning[W406]: `fusion.Sum` is the same as `Sum`
 --> n.fuse:4:27
  |
4 | pool Sum, MHA(heads = 4), fusion.Sum, MHA
  |                           ^^^^^^^^^^
  = note: the first stands here
 --> n.fuse:4:6
  |
4 | pool Sum, MHA(heads = 4), fusion.Sum, MHA
  |      ^^^
  = help: remove it

warning[W406]: `MHA` is the same as `MHA(heads = 4)`
 --> n.fuse:4:39
  |
4 | pool Sum, MHA(heads = 4), fusion.Sum, MHA
  |                                       ^^^
  = note: the first stands here
 --> n.fuse:4:11
  |
4 | pool Sum, MHA(heads = 4), fusion.Sum, MHA
  |           ^^^
  = help: remove it
""",
    ),
    (
        "an operation twice in a pool that no hole reads",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[c 5] }
pool Sum, Sum
cell K(A, B) { S = Sum(x, y) }
predict 3 classes
""",
        """\
warning[W407]: no Step takes its operation from the pool
 --> n.fuse:3:6
  |
3 | pool Sum, Sum
  |      ^^^^^^^^
  = help: remove the pool, or write `Step = ?(x, y)`

warning[W406]: `Sum` stands twice in the pool
 --> n.fuse:3:11
  |
3 | pool Sum, Sum
  |           ^^^
  = note: the first stands here
 --> n.fuse:3:6
  |
3 | pool Sum, Sum
  |      ^^^
  = help: remove it
""",
    ),
    (
        "an operation of the pool that takes another number of inputs than any Step has",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[c 5] }
op Three(x, y, z) = x + y + z
pool Sum, ConcatFC, Three
cell K(A, B) { S = ?(x, y) }
predict 3 classes
""",
        """\
warning[W407]: no Step can become `Three`
 --> n.fuse:4:21
  |
4 | pool Sum, ConcatFC, Three
  |                     ^^^^^
  = note: the Steps that take from the pool have 2 inputs
 --> n.fuse:5:16
  |
5 | cell K(A, B) { S = ?(x, y) }
  |                ^
  = help: remove it from the pool, or give a Step as many inputs as it takes
""",
    ),
    (
        "operations and numbers that are never used",
        """\
network n(C = 4, L = 2, dropout = 0.5, wide = 8, gain = 2, rank = 3)
modality m { A[c wide] B[c 5] }
op Inner(x, y) = x + gain * y
op Outer(x, y) = Inner(x, y)
cell K(A, B) { S = Sum(x, y) }
predict 3 classes
""",
        """\
warning[W409]: the number `rank` is never used
 --> n.fuse:1:60
  |
1 | network n(C = 4, L = 2, dropout = 0.5, wide = 8, gain = 2, rank = 3)
  |                                                            ^^^^
  = help: use it as a size, count or parameter, or remove it

warning[W408]: the operation `Outer` is never used
 --> n.fuse:4:4
  |
4 | op Outer(x, y) = Inner(x, y)
  |    ^^^^^
  = help: add it to the pool, write it in a Step, or remove it
""",
    ),
)
# fmt: on

SILENT = {
    "features that nothing takes, in a modality of which another is taken": HEAD
    + "cell K(A, A) { S = Sum(x, y) }",
    "a modality that only `output` takes": HEAD
    + "modality k { D[c 3] } cell K(A, B) { S = Sum(x, y) } output K, D",
    "a Step that only a hole can take": HEAD
    + "pool Sum, ConcatFC cell K(A, B) { S = Sum(x, y) T = ?(?, ?) return T }",
    "a Cell that only a later one takes": HEAD
    + "cell J(A, B) { S = Sum(x, y) } cell K(A, J) { S = Sum(x, y) } output K",
    "a hole that has one candidate in the first of its family alone": HEAD
    + "cell K[2](A, ?) { S = Sum(x, y) T[2] = Sum(x, ?) }",
    "one operation with two values of a parameter": "use fusion "
    + HEAD
    + "pool MHA(heads = 2), MHA(heads = 1) cell K(A, B) { S = ?(x, y) }",
    "an operation that only a role calls": HEAD
    + "op Half(f) = f / 2 role combine(*h) = Half(concat(*h)) output A, B",
    "numbers as counts, sizes, parameters and in equations": "use fusion"
    " network n(C = 4, L = 2, cells = 2, steps = 2, rank = 2, wide = 3, half = 0.5, many = 3)"
    " modality m { A[c wide] B[c 5] } op Half(x, y) = half * (x + y) pool Half, LowRank(rank = rank)"
    " cell K[cells](?, ?) { S[steps] = ?(?, ?) } predict many classes",
}


def warnings(spec: Spec) -> list[Diagnostic]:
    report = Report()
    lint(resolve(spec), report)
    return report.sorted()


@pytest.mark.parametrize(
    ("text", "expected"), [s[1:] for s in SNAPSHOTS], ids=[s[0] for s in SNAPSHOTS]
)
def test_a_warning_reads(text: str, expected: str) -> None:
    assert "\n\n".join(map(render, warnings(parse(text, "n.fuse")))) + "\n" == expected


@pytest.mark.parametrize("text", SILENT.values(), ids=list(SILENT))
def test_what_is_no_mistake_has_no_warning(text: str) -> None:
    assert warnings(parse(whole(text))) == []


@pytest.mark.parametrize("text", [s[1] for s in SNAPSHOTS], ids=[s[0] for s in SNAPSHOTS])
def test_other_spellings_have_the_same_warnings(text: str) -> None:
    spec = parse(text)
    expected = sorted((d.code, d.message) for d in warnings(spec))
    for spelling in ("json", "yaml"):
        found = warnings(loads(spell(spec, spelling), "n", spelling))
        assert sorted((d.code, d.message) for d in found) == expected
        assert all(d.span and d.span.pointer is not None and not d.fix for d in found)


FIXES = {
    "{A | B}": ("cell K(A, {A | B}) { S = Sum(x, y) }", "cell K(A, B) { S = Sum(x, y) }"),
    "{Sum}": ("cell K(A, B) { S = {Sum}(x, y) }", "cell K(A, B) { S = Sum(x, y) }"),
    "backticks": (
        "modality k { `D 1`[c 3] } cell K(A, {`D 1`}) { S = Sum(x, y) }",
        "modality k { `D 1`[c 3] } cell K(A, `D 1`) { S = Sum(x, y) }",
    ),
    "the pool": (
        "use fusion pool Sum, MHA, fusion . MHA ( heads = 4 ), GMU cell K(A, B) { S = ?(x, y) }",
        "use fusion pool Sum, MHA, GMU cell K(A, B) { S = ?(x, y) }",
    ),
    "the last candidate": (
        "use fusion cell K(A, B) { S = {GMU | Sum | fusion.Sum}(x, y) }",
        "use fusion cell K(A, B) { S = {GMU | Sum}(x, y) }",
    ),
}


@pytest.mark.parametrize(("text", "fixed"), FIXES.values(), ids=list(FIXES))
def test_a_remedy_that_is_an_edit_can_be_carried_out(text: str, fixed: str) -> None:
    text = whole(HEAD + text)
    (found,) = warnings(parse(text))
    (edit,) = found.fix
    repaired = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert print_spec(parse(repaired)) == print_spec(parse(whole(HEAD + fixed)))
    assert warnings(parse(repaired)) == []


def test_a_family_has_one_warning_that_names_a_few() -> None:
    text = whole(HEAD + "cell K[1000](A, B) { S = Sum(x, y) } output A")
    (found,) = warnings(parse(text))
    shown = "`K_1`, `K_2`, `K_3`, `K_4` and 996 more"
    assert found.message == f"nothing takes {shown}, and no `output` names them"
