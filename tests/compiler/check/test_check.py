"""What `check` says of small wrong programs, to the letter, and what it must accept."""

from __future__ import annotations

import pytest

from fusewright.compiler.check.check import check, checked
from fusewright.compiler.diagnostics.diagnostic import Diagnostic, DiagnosticError
from fusewright.compiler.documents.spellings import loads
from fusewright.compiler.graph.build import build
from fusewright.compiler.language.spec import Spec, print_spec
from fusewright.compiler.load import spell
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.network.holes import RELAXATIONS
from fusewright.compiler.syntax.parse import parse

from ...support.programs import whole


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


def errors(spec: Spec) -> list[Diagnostic]:
    """What `check` finds but for warnings, which small programs such as these may deserve."""
    return [d for d in check(spec) if d.is_error]


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=list(ACCEPTED))
def test_a_good_program_is_accepted(text: str) -> None:
    spec = parse(whole(text))
    assert errors(spec) == []
    assert parse(print_spec(spec)) == spec
    for spelling in ("json", "yaml"):
        assert errors(loads(spell(spec, spelling), "n", spelling)) == []


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
