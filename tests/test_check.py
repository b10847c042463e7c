"""What `check` says of small wrong programs, to the letter, and what it must accept."""

from __future__ import annotations

import pytest

from fusewright.compiler.check import check, checked
from fusewright.compiler.codes import CODES
from fusewright.compiler.diagnostics import DiagnosticError, render
from fusewright.compiler.graph import build
from fusewright.compiler.load import loads, spell
from fusewright.compiler.lower import RELAXATIONS, lower
from fusewright.compiler.parse import parse
from fusewright.compiler.printer import print_spec

# fmt: off
# ruff: noqa: E501
SNAPSHOTS = (
    (
        "a misspelt feature",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
cell K(A, b1) { S = Sum(x, y) }
predict 3 classes
""",
        """\
error[E201]: unknown input `b1` of `K`
 --> n.fuse:3:11
  |
3 | cell K(A, b1) { S = Sum(x, y) }
  |           ^^
  = help: did you mean `B`?
""",
    ),
    (
        "a misspelt Step that is returned",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
cell K(A, B) {
  Join = Sum(x, y)
  return Jion
}
predict 3 classes
""",
        """\
error[E201]: unknown Step `Jion` of `K`
 --> n.fuse:5:10
  |
5 |   return Jion
  |          ^^^^
  = help: did you mean `Join`?
""",
    ),
    (
        "an unknown output",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
cell K(A, B) { S = Sum(x, y) }
output K, Cell_9
predict 3 classes
""",
        """\
error[E201]: unknown feature or Cell `Cell_9`
 --> n.fuse:4:11
  |
4 | output K, Cell_9
  |           ^^^^^^
  = help: there are `A`, `B`, `K`
""",
    ),
    (
        "a feature that is declared twice",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] }
modality k { A[c 5] }
output A
predict 3 classes
""",
        """\
error[E202]: `A` is declared twice
 --> n.fuse:3:14
  |
3 | modality k { A[c 5] }
  |              ^
  = note: `A` is first declared here
 --> n.fuse:2:14
  |
2 | modality m { A[c 3] }
  |              ^
  = help: rename one of them
""",
    ),
    (
        "a Step that is declared twice",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
cell K(A, B) {
  S = Sum(x, y)
  S = Sum(y, x)
}
predict 3 classes
""",
        """\
error[E202]: `S` is declared twice
 --> n.fuse:5:3
  |
5 |   S = Sum(y, x)
  |   ^
  = note: `S` is first declared here
 --> n.fuse:4:3
  |
4 |   S = Sum(x, y)
  |   ^
  = help: rename one of them
""",
    ),
    (
        "a misspelt operation",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
cell K(A, B) { S = LinearGlu(x, y) }
predict 3 classes
""",
        """\
error[E203]: unknown operation `LinearGlu`
 --> n.fuse:3:20
  |
3 | cell K(A, B) { S = LinearGlu(x, y) }
  |                    ^^^^^^^^^
  = help: did you mean `LinearGLU`?
""",
    ),
    (
        "an operation of another library",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
cell K(A, B) { S = GMU(x, y) }
predict 3 classes
""",
        """\
error[E203]: unknown operation `GMU`
 --> n.fuse:3:20
  |
3 | cell K(A, B) { S = GMU(x, y) }
  |                    ^^^
  = help: `GMU` is in the library `fusion`: add `use fusion`
""",
    ),
    (
        "an operation of two libraries",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
use paper
use bmnas
cell K(A, B) { S = Sum(x, y) }
predict 3 classes
""",
        """\
error[E209]: `Sum` stands in several libraries
 --> n.fuse:5:20
  |
5 | cell K(A, B) { S = Sum(x, y) }
  |                    ^^^
  = help: write `paper.Sum` or `bmnas.Sum`
""",
    ),
    (
        "an unknown library",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
use bmnass
output A, B
predict 3 classes
""",
        """\
error[E204]: unknown library `bmnass`
 --> n.fuse:3:5
  |
3 | use bmnass
  |     ^^^^^^
  = help: did you mean `bmnas`?
""",
    ),
    (
        "an unknown role",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
role merg(x, s) = s
output A, B
predict 3 classes
""",
        """\
error[E204]: unknown role `merg`
 --> n.fuse:3:6
  |
3 | role merg(x, s) = s
  |      ^^^^
  = help: did you mean `merge`?
""",
    ),
    (
        "a Cell that takes itself",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
cell K(A, K) { S = Sum(x, y) }
predict 3 classes
""",
        """\
error[E205]: `K` takes `K`, which does not come before it
 --> n.fuse:3:11
  |
3 | cell K(A, K) { S = Sum(x, y) }
  |           ^
  = help: a Cell takes features and earlier Cells, a Step inputs and earlier Steps
""",
    ),
    (
        "a Cell that takes a later one",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
cell K(A, J) { S = Sum(x, y) }
cell J(A, B) { S = Sum(x, y) }
predict 3 classes
""",
        """\
error[E205]: `K` takes `J`, which does not come before it
 --> n.fuse:3:11
  |
3 | cell K(A, J) { S = Sum(x, y) }
  |           ^
  = help: a Cell takes features and earlier Cells, a Step inputs and earlier Steps
""",
    ),
    (
        "a Step that takes a later one",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
cell K(A, B) {
  S = Sum(x, T)
  T = Sum(x, y)
}
predict 3 classes
""",
        """\
error[E205]: `S` takes `T`, which does not come before it
 --> n.fuse:4:14
  |
4 |   S = Sum(x, T)
  |              ^
  = help: a Cell takes features and earlier Cells, a Step inputs and earlier Steps
""",
    ),
    (
        "a number that the network does not state",
        """\
network n(C = 4, L = 2, width = 3)
modality m { A[c widht] }
output A
predict 3 classes
""",
        """\
error[E207]: unknown number `widht`
 --> n.fuse:2:16
  |
2 | modality m { A[c widht] }
  |                ^^^^^^^
  = help: did you mean `width`?
""",
    ),
    (
        "an unknown rule",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
pool Sum
cell K(?, ?) { S = ?(x, y) }
require fresh_inputs
predict 3 classes
""",
        """\
error[E208]: unknown rule `fresh_inputs`
 --> n.fuse:5:9
  |
5 | require fresh_inputs
  |         ^^^^^^^^^^^^
  = help: did you mean `fresh_input`?
""",
    ),
    (
        "an unknown budget",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
output A
require parameter < 1M
predict 3 classes
""",
        """\
error[E208]: unknown budget `parameter`
 --> n.fuse:4:1
  |
4 | require parameter < 1M
  | ^^^^^^^^^^^^^^^^^^^^^^
  = help: did you mean `parameters`?
""",
    ),
    (
        "a reserved name",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
cell head(A, B) { S = Sum(x, y) }
predict 3 classes
""",
        """\
error[E211]: `head` is the network's own name for what predicts
 --> n.fuse:3:6
  |
3 | cell head(A, B) { S = Sum(x, y) }
  |      ^^^^
  = help: choose another name
""",
    ),
    (
        "an operation that calls itself",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
op Loop(x, y) = Other(x, y)
op Other(x, y) = Loop(y, x)
cell K(A, B) { S = Loop(x, y) }
predict 3 classes
""",
        """\
error[E212]: `Loop` calls itself
 --> n.fuse:3:4
  |
3 | op Loop(x, y) = Other(x, y)
  |    ^^^^
  = note: `Loop` is used here
 --> n.fuse:5:20
  |
5 | cell K(A, B) { S = Loop(x, y) }
  |                    ^^^^
  = help: an equation cannot be recursive
""",
    ),
    (
        "a candidate that stands twice",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
cell K(A, B) { S = {Sum | Sum}(x, y) }
predict 3 classes
""",
        """\
error[E213]: the candidate `Sum` stands twice in one hole
 --> n.fuse:3:20
  |
3 | cell K(A, B) { S = {Sum | Sum}(x, y) }
  |                    ^^^^^^^^^^^
  = help: keep one of them
""",
    ),
    (
        "a wrong number of inputs",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
cell K(A, B) { S = Attention(x, y, x) }
predict 3 classes
""",
        """\
error[E301]: `Attention` takes 2 inputs, not 3
 --> n.fuse:3:20
  |
3 | cell K(A, B) { S = Attention(x, y, x) }
  |                    ^^^^^^^^^
  = note: it is defined as `op Attention(x, y)`
  = help: give it 2 inputs, or take another operation
""",
    ),
    (
        "shapes that cannot meet",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
op Own(x, y) = x @ W[2 * C, C] + y
cell K(A, B) { S = Own(x, y) }
predict 3 classes
""",
        """\
error[E302]: `@` cannot contract the 4 channels of (batch, length 2, channels 4) with 8 rows
 --> n.fuse:3:16
  |
3 | op Own(x, y) = x @ W[2 * C, C] + y
  |                ^^^^^^^^^^^^^^^
  = note: `Own` is used here
 --> n.fuse:4:20
  |
4 | cell K(A, B) { S = Own(x, y) }
  |                    ^^^
  = help: Cells and Steps take and give (batch, L, C)
""",
    ),
    (
        "an unknown name in an equation",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
op Own(x, y) {
  gate = sigmoid(x)
  return gaet * y
}
cell K(A, B) { S = Own(x, y) }
predict 3 classes
""",
        """\
error[E303]: unknown name `gaet` in `Own`
 --> n.fuse:5:10
  |
5 |   return gaet * y
  |          ^^^^
  = note: `Own` is used here
 --> n.fuse:7:20
  |
7 | cell K(A, B) { S = Own(x, y) }
  |                    ^^^
  = help: did you mean `gate`?
""",
    ),
    (
        "an operation that gives another shape",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
op Own(x, y) = concat(x, y)
cell K(A, B) { S = Own(x, y) }
predict 3 classes
""",
        """\
error[E304]: the operation `Own` gives (batch, length 2, channels 8), not (batch, length 2, channels 4)
 --> n.fuse:3:4
  |
3 | op Own(x, y) = concat(x, y)
  |    ^^^
  = help: change its equation so that it ends in this shape
""",
    ),
    (
        "a head that gives another shape",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
role head(h) = flatten(h)
output A, B
predict 3 classes
""",
        """\
error[E304]: the role `head` gives (batch, channels 16), not (batch, channels 3)
 --> n.fuse:3:6
  |
3 | role head(h) = flatten(h)
  |      ^^^^
  = help: change its equation so that it ends in this shape
""",
    ),
    (
        "an unknown axis",
        """\
network n(C = 4, L = 2)
modality m { A[c 3, d 4] }
output A
predict 3 classes
""",
        """\
error[E305]: unknown axis `d` of `A`
 --> n.fuse:2:21
  |
2 | modality m { A[c 3, d 4] }
  |                     ^^^
  = help: axes are `c` channels, `t` time or tokens, `h` height and `w` width
""",
    ),
    (
        "a feature without channels",
        """\
network n(C = 4, L = 2)
modality m { A[t 8, h 4] }
output A
predict 3 classes
""",
        """\
error[E305]: the feature `A` has no channels of a known number
 --> n.fuse:2:14
  |
2 | modality m { A[t 8, h 4] }
  |              ^
  = help: give it an axis `c` with a size: `[c 512]`
""",
    ),
    (
        "a feature without a shape",
        """\
network n(C = 4, L = 2)
modality m { A }
output A
predict 3 classes
""",
        """\
error[E307]: the feature `A` has no shape
 --> n.fuse:2:14
  |
2 | modality m { A }
  |              ^
  = help: write its axes: `A[c 512]`, or `[t 8, c 512]`
""",
    ),
    (
        "a rule that fixed features cannot meet",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
pool Sum
cell K[4](?, ?) {
  S = ?(x, y)
}
require fresh_input
predict 3 classes
""",
        """\
error[E401]: `fresh_input` cannot be met: 4 Cells each need a feature that no earlier Cell took, and the first takes 2 inputs, but 2 such features are left
 --> n.fuse:4:6
  |
4 | cell K[4](?, ?) {
  |      ^
  = note: `fresh_input` says: each Cell takes a feature that no earlier Cell took
  = help: use fewer Cells, declare more features, or restrict the holes less
""",
    ),
    (
        "Cells that cannot all differ",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
pool Sum
cell K[2]({A | B}, {A | B}) { S = ?(x, y) }
predict 3 classes
""",
        """\
error[E401]: `distinct_pairs` cannot be met: 2 Cells must differ in their inputs, but have 1 to choose from
 --> n.fuse:4:6
  |
4 | cell K[2]({A | B}, {A | B}) { S = ?(x, y) }
  |      ^
  = note: `distinct_pairs` says: no two Cells take the same set of inputs
  = help: use fewer Cells, declare more features, or restrict the holes less
""",
    ),
    (
        "a hole without a pool",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
cell K(?, ?) { S = ?(x, y) }
predict 3 classes
""",
        """\
error[E402]: the hole stands for an operation, but there is no `pool`
 --> n.fuse:3:20
  |
3 | cell K(?, ?) { S = ?(x, y) }
  |                    ^
  = help: add one: `pool Sum, Attention, LinearGLU, ConcatFC`
""",
    ),
    (
        "a pool without an operation for one input",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
pool Sum, ConcatFC
cell K(?, ?) { S = ?(x) }
predict 3 classes
""",
        """\
error[E402]: no operation of the pool takes 1 input
 --> n.fuse:4:16
  |
4 | cell K(?, ?) { S = ?(x) }
  |                ^
  = help: add one that does to the pool
""",
    ),
    (
        "more holes than candidates",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
pool Sum
cell K(?, ?, ?) { S = ?(x, y) }
predict 3 classes
""",
        """\
error[E402]: the open inputs of `K` cannot all differ: 3 of them have 2 candidates to share
 --> n.fuse:4:6
  |
4 | cell K(?, ?, ?) { S = ?(x, y) }
  |      ^
  = help: a hole takes what the other inputs have not taken
""",
    ),
    (
        "several errors, in the order of the text",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
use bmnas
pool Sum, Summ
cell K(A, Q) {
  S = Atention(x, w)
}
require nothing
predict 3 classes { a, a, b }
""",
        """\
error[E203]: unknown operation `Summ`
 --> n.fuse:4:11
  |
4 | pool Sum, Summ
  |           ^^^^
  = help: did you mean `Sum`?

error[E201]: unknown input `Q` of `K`
 --> n.fuse:5:11
  |
5 | cell K(A, Q) {
  |           ^
  = help: there are `A`, `B`

error[E203]: unknown operation `Atention`
 --> n.fuse:6:7
  |
6 |   S = Atention(x, w)
  |       ^^^^^^^^
  = help: did you mean `Attention`?

error[E201]: unknown input `w` of `S`
 --> n.fuse:6:19
  |
6 |   S = Atention(x, w)
  |                   ^
  = help: there are `x`, `y`

error[E208]: unknown rule `nothing`
 --> n.fuse:8:9
  |
8 | require nothing
  |         ^^^^^^^
  = help: known are `distinct_pairs`, `fresh_input`

error[E202]: two predicted names are the same
 --> n.fuse:9:1
  |
9 | predict 3 classes { a, a, b }
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: rename one of them
""",
    ),
    (
        "two holes of a Cell and one of a Step, each with its error",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
pool Sum
cell K({A}, {A}) {
  S = Sum({x}, {x})
}
cell J(A, B) {
  S = Sum(x, {x})
}
predict 3 classes
""",
        """\
error[E402]: the open inputs of `K` cannot all differ: 2 of them have 1 candidate to share
 --> n.fuse:4:6
  |
4 | cell K({A}, {A}) {
  |      ^
  = help: a hole takes what the other inputs have not taken

error[E402]: the open inputs of `S` cannot all differ: 2 of them have 1 candidate to share
 --> n.fuse:5:3
  |
5 |   S = Sum({x}, {x})
  |   ^
  = help: a hole takes what the other inputs have not taken

error[E402]: an open input of `S` has no candidate that no other input has taken
 --> n.fuse:8:3
  |
8 |   S = Sum(x, {x})
  |   ^
  = help: a hole takes what the other inputs have not taken
""",
    ),
)
"""Title, program, and what is shown for it."""

OTHERS = (
    (
        "a parameter that an operation does not have",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
use fusion
cell K(A, B) { S = MHA(x, y, head = 4) }
predict 3 classes
""",
    ),
    (
        "a role for an unknown modality",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
role adapt(f) for n = resample(f) @ W[c, C]
output A
predict 3 classes
""",
    ),
    (
        "shapes that cannot meet in a library",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
use fusion
cell K(A, B) { S = MHA(x, y, heads = 3) }
predict 3 classes
""",
    ),
    (
        "a size that is none",
        """\
network n(C = 4, L = 2)
modality m { A[c 0] }
output A
predict 3 classes
""",
    ),
    (
        "a rate that is none",
        """\
network n(C = 4, L = 2, dropout = 1.5)
modality m { A[c 3] }
output A
predict 3 classes
""",
    ),
    (
        "names that are not as many as classes",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
output A
predict 3 classes { walk, sit }
""",
    ),
    (
        "nothing to predict from",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }

predict 3 classes
""",
    ),
    (
        "nothing to predict",
        """\
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
output A, B""",
    ),
)
"""Wrong programs of which only the place and the remedy are tested, not the words."""
# fmt: on
WRONG = [(title, text) for title, text, _ in SNAPSHOTS] + list(OTHERS)


@pytest.mark.parametrize(
    ("text", "expected"), [s[1:] for s in SNAPSHOTS], ids=[s[0] for s in SNAPSHOTS]
)
def test_a_wrong_program_is_shown_to_the_letter(text: str, expected: str) -> None:
    found = check(parse(text, "n.fuse"))
    assert "\n\n".join(render(d) for d in found) + "\n" == expected


@pytest.mark.parametrize("text", [w[1] for w in WRONG], ids=[w[0] for w in WRONG])
def test_every_error_has_a_place_and_a_remedy(text: str) -> None:
    for diagnostic in check(parse(text, "n.fuse")):
        assert diagnostic.is_error
        assert diagnostic.help
        assert diagnostic.span is not None


@pytest.mark.parametrize("text", [w[1] for w in WRONG], ids=[w[0] for w in WRONG])
def test_errors_are_the_same_in_json_and_yaml(text: str) -> None:
    spec = parse(text)
    codes = sorted(d.code for d in check(spec))
    for spelling in ("json", "yaml"):
        document = loads(spell(spec, spelling), "n", spelling)
        found = check(document)
        assert sorted(d.code for d in found) == codes
        assert all(d.span is None or d.span.pointer is not None for d in found)


@pytest.mark.parametrize("text", [w[1] for w in WRONG], ids=[w[0] for w in WRONG])
def test_messages_keep_the_style(text: str) -> None:
    """In lower case, without a final period, names in backticks, on one line."""
    for diagnostic in check(parse(text)):
        notes = [note.message for note in diagnostic.notes]
        for line in (diagnostic.message, *notes, *([diagnostic.help] if diagnostic.help else [])):
            assert not line.endswith(".")
            assert "\n" not in line
            assert line.count("`") % 2 == 0
        assert diagnostic.message[0].islower() or not diagnostic.message[0].isalpha()


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("use fusion cell K(A, B) { S = MHA(x, y, head = 4) }", "head = 4"),
        ("role adapt(f) for n = resample(f) @ W[c, C] output A", "n"),
        ("cell K(A, B) { S = {Sum | ConcatFC | Summ}(x, y) }", "Summ"),
        ("cell K(A, {A | B | Q}) { S = Sum(x, y) }", "Q"),
        ("cell K(A, B) { S = Sum(x, y) return S, S }", "S"),
        ("output A, B, A", "A"),
        ("pool Sum, Sum, ConcatFC cell K(A, B) { S = ?(x, y) }", "?"),
        ("op Own(x, y) = x + resample(y, by = cubic) cell K(A, B) { S = Own(x, y) }", "cubic"),
        ("op Own(x, y) = x @ W[C, 0] cell K(A, B) { S = Own(x, y) }", "0"),
        ("op Own(x, y) = x + Nothing(y) cell K(A, B) { S = Own(x, y) }", "Nothing(y)"),
    ],
)
def test_the_smallest_place_is_marked(text: str, marked: str) -> None:
    features = "network n(C = 4, L = 2) modality m { A[c 3] B[t 2, c 5] }"
    found = check(parse(f"{features} {text} predict 3 classes"))
    assert len(found) >= 1
    span = found[0].span
    assert span is not None
    assert span.source.text[span.start : span.end] == marked


def test_the_tested_codes_are_most_there_are() -> None:
    seen = {d.code for _, text in WRONG for d in check(parse(text))}
    front = {code for code in CODES if code[:2] in ("E2", "E3", "E4")}
    assert seen <= CODES.keys()
    assert front - seen <= {"E303", "E308", "E403"}


@pytest.mark.parametrize("text", ["", "network n(C = 4, L = 2)", "predict 2 classes", "# nothing"])
def test_what_is_missing_is_said_all_at_once(text: str) -> None:
    found = check(parse(text, "n.fuse"))
    assert {d.code for d in found} == {"E007"}
    missing = " ".join(d.message for d in found)
    for statement in ("network", "predict"):
        assert (f"no `{statement}`" in missing) == (statement not in text)
    assert "there is no modality" in missing


# What must be accepted

BARE = """
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
modality k { D[c 4, h 3, w 3] }
"""
HEAD = f"{BARE}pool Sum, ConcatFC "
ACCEPTED = {
    "names that are keywords": """
        network network(C = 4, L = 2, cell = 2)
        modality modality { use[c 3] pool[t 2, c 5] `at`[c 3] at "at" }
        modality optional optional from "from" { cell[c 4] }
        cell cell[cell](use, ?) {
          step = Sum(x, y)
          `return` = Sum(step, x)
          return step, `return`
        }
        pool Sum
        output cell_1, pool
        require distinct_pairs
        predict 3 classes { classes, labels, values }
        """,
    "names in backticks": """
        network `my net`(C = 4, L = 2)
        modality `Video 3` { `a.b`[c 3] `1`[c 2] }
        op `my op`(`x 1`, y) = `x 1` + y
        cell `?!`(`a.b`, `1`) { `S 1` = `my op`(x, y) }
        predict 2 classes { `a b`, `c` }
        """,
    "a Cell of one input": BARE + "use fusion cell K(A) { S = SE(x) T = MHA(S, heads = 2) }",
    "Cells of two and three inputs": BARE
    + "use fusion cell K(A, B) { S = GMU(x, y) } cell J(A, K, D) { S = Product(x, y, z) }",
    "a Cell of five inputs": BARE
    + "use fusion cell K(A, B, D, A, q = D) { S = Max(x, y, z, x4, q) }",
    "inputs with names of their own": HEAD
    + "cell K(query = A, value = ?) { S = Attention(query, value) }",
    "no Cell": HEAD + "output A, B, D",
    "a single feature": HEAD + "output D",
    "one modality": "network n(C = 4, L = 2) modality m { A[c 3] } output A",
    "features among the outputs": HEAD + "cell K(A, B) { S = Sum(x, y) } output D, K, A",
    "an input twice where it is fixed": HEAD + "cell K(A, A) { S = Sum(x, x) }",
    "Cells with the same fixed inputs": HEAD
    + "cell K(A, B) { S = Sum(x, y) } cell J(A, B) { S = ConcatFC(x, y) }",
    "holes of every kind": HEAD
    + "cell K[3](?, {A | B}) { S[2] = ?(?, ?) T = {Sum | Attention}({x | S_1}, y) return T, S_2 }",
    "a half open program": HEAD
    + "cell K(A, B) { S = Sum(x, y) } cell J(K, {B | D}) { S = ?(x, y) T = ConcatFC(S, {x | y}) }",
    "budgets": HEAD
    + "cell K(?, ?) { S = ?(x, y) } require parameters < 1M require macs <= 2.5G"
    + " require latency < 2ms require fresh_input",
    "an optional modality": "network n(C = 4, L = 2) modality m optional { A[c 3] } output A",
    "sizes known only at run time": "network n(C = 4, L = 2)"
    " modality m { A[t *, c 3] B[c 2, h *, w *] } output A, B",
    "sizes and counts by name": "network n(C = 4, L = 2, width = 3, cells = 2, classes = 5)"
    " modality m { A[c width] B[c C] } pool Sum cell K[cells](?, ?) { S[L] = ?(x, y) }"
    " predict classes classes",
    "roles of one's own for one modality": HEAD
    + "role adapt(f) for k = relu(resample(f, by = pool) @ W[c, C])"
    + " role adapt(f) for m = resample(f, by = linear) @ W[c, C] output A, D",
    "roles of one's own": HEAD
    + "role merge(x, s) = x + s role merge(x, *s) = mean(x, *s) role combine(*h) = max(*h)"
    + " role head(h) = flatten(mean(h, over = length)) @ W[_, K]"
    + " cell Q(A, B) { S = Sum(x, y) T = Sum(x, S) } cell R(Q, D) { S = Sum(x, y) }",
    "libraries side by side": BARE
    + "use paper use bmnas use fusion"
    + " cell K(A, B) { S = bmnas.ConcatFC(x, y) T = GMU(x, S) U = {fusion.Sum | paper.Sum}(x, T) }",
    "an operation of one's own over a library's": HEAD
    + "op Sum(x, y) = x - y op Twice(x) = Sum(x, x) cell K(A, B) { S = Sum(x, y) T = Twice(S) }",
    "an operation once for each number of inputs": HEAD
    + "op Own(x) = relu(x) op Own(x, y) = Own(x + y) op Own(x, *s) = Own(sum(x, *s))"
    + " cell K(A, B, D) { S = Own(x) T = Own(x, S) U = Own(x, y, z) }",
    "candidates that differ in a parameter": BARE
    + "use fusion pool MHA(heads = 2), MHA(heads = 1), MHA cell K(?, ?) { S = ?(x, y) }",
    "shapes that a backbone will tell": "network n(C = 4, L = 2)"
    ' modality m from "torchvision:vgg19" { A at "features.26" B[c 3] } output A, B',
    "statements in any order": "predict 2 classes pool Sum cell K(A, ?) { S = ?(x, y) }"
    " modality m { A[c 3] B[c 2] } use paper network n(L = 2, C = 4) fuse 1",
    "commas at the end": "network n(C = 4, L = 2,) modality m { A[c 3] B[c 2] }"
    " cell K(A, B,) { S = Sum(x, y,) } predict 2 classes { a, b, }",
    "everything on one line with comments": HEAD.replace("\n", " # why\n")
    + "cell K(A, B) { # here\n S = Sum(x, y) # there\n }",
}


def whole(text: str) -> str:
    return text if "predict" in text else f"{text} predict 3 classes"


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=list(ACCEPTED))
def test_a_good_program_is_accepted(text: str) -> None:
    spec = parse(whole(text))
    assert check(spec) == []
    assert parse(print_spec(spec)) == spec
    for spelling in ("json", "yaml"):
        assert check(loads(spell(spec, spelling), "n", spelling)) == []


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=list(ACCEPTED))
def test_an_accepted_program_can_be_lowered(text: str) -> None:
    """Unless a shape has still to be read off a backbone, which is said then."""
    network = checked(parse(whole(text)))
    for relax in RELAXATIONS:
        try:
            program = lower(build(network), relax)
        except DiagnosticError as error:
            assert [d.code for d in error.diagnostics] == ["E307"]
            assert any(f.axes is None for f in network.features)
        else:
            assert program.values[program.output].type.elements() == network.head.count
