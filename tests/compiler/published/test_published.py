"""Genotypes in the notation of the published code: read, written, refused."""

from __future__ import annotations

import json
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.language.spec import Spec, print_spec
from fusewright.compiler.network.vocabulary import library
from fusewright.compiler.published.genotype import OPERATIONS, genotype_from_text, genotype_text
from fusewright.compiler.published.notation import LONGEST_GENOTYPE, read_genotype
from fusewright.compiler.syntax.parse import parse

from ...support.paths import ROOT

PUBLISHED = json.loads((ROOT / "tests/vectors/genotypes.json").read_text(encoding="utf-8"))

SPACE = """
network small(C = 8, L = 4, dropout = 0.1)

use bmnas

modality a {
  A_1[c 3]
  A_2[c 5, t *]
}

modality b {
  B_1[c 7, h 4, w 4]
}

pool Sum, Attention

cell Cell[2](?, ?) {
  Step[2] = ?(?, ?)
}

require fresh_input
require parameters < 1M

predict 3 classes
"""
TEXT = (
    "Genotype(edges=[('skip', 0), ('skip', 2), ('skip', 1), ('skip', 3)], "
    "steps=[StepGenotype(inner_edges=[('skip', 0), ('skip', 1), ('skip', 2), ('skip', 1)], "
    "inner_steps=['ScaleDotAttn', 'LinearGLU'], inner_concat=[2, 3]), "
    "StepGenotype(inner_edges=[('skip', 1), ('skip', 0), ('skip', 0), ('skip', 2)], "
    "inner_steps=['ConcatFC', 'Sum'], inner_concat=[3])], concat=[3, 4])"
)
GENOTYPE = """
network small(C = 8, L = 4, dropout = 0.1)

use bmnas

modality a {
  A_1[c 3]
  A_2[c 5, t *]
}

modality b {
  B_1[c 7, h 4, w 4]
}

cell Cell_1(A_1, B_1) {
  Step_1 = Attention(x, y)
  Step_2 = LinearGLU(Step_1, y)
}

cell Cell_2(A_2, Cell_1) {
  Step_1 = ConcatFC(y, x)
  Step_2 = Sum(x, Step_1)
  return Step_2
}

require parameters < 1M

predict 3 classes
"""


def found(text: str, space: str = SPACE) -> Spec:
    return genotype_from_text(text, parse(space))


def with_cells(cells: str, libraries: str = "use bmnas") -> Spec:
    """A specification with these Cells over the features of `SPACE`."""
    text = SPACE.replace("use bmnas", libraries).replace("require fresh_input\n", "")
    start, end = text.index("pool"), text.index("require")
    return parse(text[:start] + cells + "\n" + text[end:])


def errors(error: DiagnosticError) -> list[str]:
    """Code, line, column and message of each diagnostic."""
    places = [(d, f"{d.span.line}:{d.span.column} " if d.span else "") for d in error.diagnostics]
    return [f"{d.code} {place}{d.message}" for d, place in places]


# Text to Spec and back


def test_a_genotype_fills_the_specification() -> None:
    assert print_spec(found(TEXT)) == GENOTYPE.lstrip()


@pytest.mark.parametrize("entry", PUBLISHED, ids=lambda entry: str(entry["name"]))
def test_the_genotypes_of_table_8_make_the_round_trip(entry: dict[str, str]) -> None:
    row = entry["name"].lower().replace(" ", "").replace("-", "")
    space = parse((ROOT / "examples" / f"{row}.fuse").read_text(encoding="utf-8"))
    spec = genotype_from_text(entry["genotype"], space)
    assert genotype_text(spec) == entry["genotype"]
    assert genotype_from_text(genotype_text(spec), spec) == spec
    assert parse(print_spec(spec)) == spec


def test_the_operations_are_those_of_the_library() -> None:
    assert set(OPERATIONS.values()) == set(library("bmnas").operations)


VARIANTS = {
    "a line of a log": f"2021-08-30 21:07:11,042 Current best genotype: {TEXT}, F1 = (0.6)",
    "double quotes": TEXT.replace("'", '"'),
    "no spaces": TEXT.replace(" ", ""),
    "new lines": TEXT.replace(" ", "\n\t ").replace("(", "(\n").replace(")", "\r\n)"),
    "commas at ends": TEXT.replace("]", ",]").replace(")", ",)"),
    "another order": (
        "Genotype(concat=[3, 4], "
        "steps=[StepGenotype(inner_concat=[2, 3], inner_steps=['ScaleDotAttn', 'LinearGLU'], "
        "inner_edges=[('skip', 0), ('skip', 1), ('skip', 2), ('skip', 1)]), "
        "StepGenotype(inner_steps=['ConcatFC', 'Sum'], inner_concat=[3], "
        "inner_edges=[('skip', 1), ('skip', 0), ('skip', 0), ('skip', 2)])], "
        "edges=[('skip', 0), ('skip', 2), ('skip', 1), ('skip', 3)])"
    ),
}


@pytest.mark.parametrize("text", VARIANTS.values(), ids=VARIANTS.keys())
def test_layout_quotes_and_order_are_free(text: str) -> None:
    assert found(text) == found(TEXT)
    assert str(read_genotype(text)) == TEXT


def test_what_is_combined_is_stated_where_it_is_not_all_cells_in_order() -> None:
    spec = found(TEXT.replace("concat=[3, 4]", "concat=[4, 0]"))
    assert "\noutput Cell_2, A_1\n" in print_spec(spec)
    assert genotype_text(spec).endswith("concat=[4, 0])")


def test_what_a_cell_merges_is_stated_where_it_is_not_all_steps_in_order() -> None:
    spec = found(TEXT.replace("inner_concat=[2, 3]", "inner_concat=[3, 2]"))
    assert "  return Step_2, Step_1\n" in print_spec(spec)


def test_what_was_found_before_is_replaced() -> None:
    assert genotype_from_text(TEXT, parse(GENOTYPE)) == parse(GENOTYPE)


def test_an_operation_of_several_libraries_is_that_of_the_published_code() -> None:
    space = SPACE.replace("use bmnas", "use fusion\nuse bmnas")
    spec = found(TEXT, space)
    assert "Step_2 = bmnas.Sum(x, Step_1)" in print_spec(spec)
    assert genotype_text(spec) == TEXT


def test_an_operation_of_the_specification_s_own_comes_first() -> None:
    own = SPACE.replace("modality a", "op Sum(x, y) = x - y\n\nmodality a")
    assert genotype_text(found(TEXT, own)) == TEXT


# Texts that are no genotype, or one that does not fit: what is replaced in `TEXT`, by what, with
# the place of the diagnostic in ⟦⟧

BAD = {
    "empty": (TEXT, "⟦⟧", "E601 there is no `Genotype(…)` in the text"),
    "something else": (
        TEXT,
        "\n  ⟦a⟧ccuracy 0.9",
        "E601 there is no `Genotype(…)` in the text",
    ),
    "a Cell alone": (
        TEXT,
        "⟦S⟧tepGenotype(inner_edges=[])",
        "E601 there is no `Genotype(…)` in the text",
    ),
    "two genotypes": (TEXT, f"{TEXT}\n⟦Genotype⟧()", "E601 there are 2 genotypes in the text"),
    "cut off": (TEXT, "log: Genotype(edges=[('skip', 0)⟦⟧ ", "E601 unexpected end of the genotype"),
    "cut off in a word": (TEXT, "Genotype(⟦edg⟧", "E601 unexpected `edg`"),
    "cut off in a string": (TEXT, "Genotype(edges=[(⟦'⟧sk", "E601 a string is not closed"),
    "no keywords": (TEXT, "Genotype(⟦[⟧], [], [])", "E601 unexpected `[`"),
    "an unknown keyword": ("concat=[3, 4]", "⟦alpha⟧=[3, 4]", "E601 unexpected `alpha`"),
    "a keyword of a Cell": (
        "concat=[3, 4]",
        "⟦inner_concat⟧=[3]",
        "E601 unexpected `inner_concat`",
    ),
    "a wrong bracket": ("[3, 4]", "[3, 4⟦)⟧", "E601 unexpected `)`"),
    "an expression": ("[3, 4]", "[3, 2 ⟦+⟧ 2]", "E601 unexpected `+`"),
    "a call": ("concat=[3, 4]", "concat=⟦range⟧(3, 5)", "E601 unexpected `range`"),
    "a negative index": ("[3, 4]", "[⟦-⟧1]", "E601 unexpected `-`"),
    "another kind of edge": (
        "[('skip', 0), ('skip', 2), ('skip', 1), ('skip', 3)]",
        "[('skip', 0), (⟦'none'⟧, 2), ('skip', 1), ('skip', 3)]",
        "E602 an edge of kind `none`",
    ),
    "an unknown operation": ("'Sum'", "⟦'Attention'⟧", "E602 unknown operation `Attention`"),
    "a Cell that takes itself": (
        "edges=[('skip', 0), ('skip', 2)",
        "edges=[('skip', 0), ('skip', ⟦3⟧)",
        "E602 `Cell_1` takes 3, which does not come before it",
    ),
    "a Cell that takes what is not there": (
        "('skip', 3)], steps",
        "('skip', ⟦99⟧)], steps",
        "E602 `Cell_2` takes 99, which does not come before it",
    ),
    "a Step that takes itself": (
        "('skip', 0), ('skip', 2)], inner_steps",
        "('skip', ⟦3⟧), ('skip', 2)], inner_steps",
        "E602 `Cell_2/Step_2` takes 3, which does not come before it",
    ),
    "an index of many digits": (
        "concat=[3, 4]",
        f"concat=[3, ⟦{'9' * 5000}⟧]",
        "E602 an index has 5000 digits",
    ),
    "too few edges": (
        "[('skip', 0), ('skip', 2), ('skip', 1), ('skip', 3)]",
        "[('skip', ⟦0), ('skip', 2⟧)]",
        "E602 2 edges for 2 Cells",
    ),
    "too many edges of Steps": (
        "('skip', 1), ('skip', 0), ('skip', 0), ('skip', 2)], inner_steps=['ConcatFC', 'Sum'], "
        "inner_concat=[3]",
        "('skip', ⟦1), ('skip', 0), ('skip', 0), ('skip', 2⟧)], inner_steps=['ConcatFC'], "
        "inner_concat=[2]",
        "E602 4 edges for 1 Step of `Cell_2`",
    ),
    "a Cell that merges its input": (
        "inner_concat=[3]",
        "inner_concat=[⟦1⟧]",
        "E602 `Cell_2` cannot merge 1",
    ),
    "a Step that is merged twice": (
        "inner_concat=[3]",
        "inner_concat=[3, ⟦3⟧]",
        "E602 `Cell_2` merges 3 twice",
    ),
    "a Cell that is not there": (
        "concat=[3, 4]",
        "concat=[3, ⟦5⟧]",
        "E602 the network cannot merge 5",
    ),
}


@pytest.mark.parametrize(("part", "marked", "expected"), BAD.values(), ids=BAD.keys())
def test_a_bad_text_is_refused_where_it_is_bad(part: str, marked: str, expected: str) -> None:
    assert TEXT.count(part) == 1
    before, place, _ = (text := TEXT.replace(part, marked)).replace("⟧", "⟦").split("⟦")
    with pytest.raises(DiagnosticError) as caught:
        found(text.replace("⟦", "").replace("⟧", ""))
    (diagnostic,) = caught.value.diagnostics
    span = diagnostic.span
    assert f"{diagnostic.code} {diagnostic.message}" == expected
    assert span is not None
    assert (span.start, span.source.text[span.start : span.end].strip()) == (len(before), place)


def test_all_errors_come_at_once() -> None:
    with pytest.raises(DiagnosticError) as caught:
        found("Genotype(edges=[('none', 9)], edges=[], steps=[])")
    assert errors(caught.value) == [
        "E601 1:1 `concat` is missing",
        "E602 1:18 an edge of kind `none`",
        "E601 1:31 `edges` is given twice",
    ]
    with pytest.raises(DiagnosticError) as caught:
        found(
            "Genotype(edges=[], steps=[StepGenotype(inner_edges=[], inner_steps=[], "
            "inner_concat=[])], concat=[])"
        )
    assert errors(caught.value) == [
        "E602 1:1 0 edges for 1 Cell",
        "E602 1:1 the network merges nothing",
        "E602 1:27 `Cell_1` has no Step",
        "E602 1:27 `Cell_1` merges nothing",
    ]


def test_an_error_shows_its_place_and_a_remedy() -> None:
    with pytest.raises(DiagnosticError) as caught:
        genotype_from_text(
            "Genotype(\n  edges=[('skip', 0), ('skip', 3)],\n  steps=[StepGenotype(\n"
            "    inner_edges=[('skip', 0), ('skip', 1)],\n    inner_steps=['LinearGlu'],\n"
            "    inner_concat=[2])],\n  concat=[3])",
            parse(SPACE),
            "search.log",
        )
    assert (
        str(caught.value)
        == """\
error[E602]: `Cell_1` takes 3, which does not come before it
 --> search.log:2:32
  |
2 |   edges=[('skip', 0), ('skip', 3)],
  |                                ^
  = help: it can take 0 (`A_1`) to 2 (`B_1`)

error[E602]: unknown operation `LinearGlu`
 --> search.log:5:18
  |
5 |     inner_steps=['LinearGlu'],
  |                  ^^^^^^^^^^^
  = help: did you mean `LinearGLU`?"""
    )


def test_a_specification_can_be_what_does_not_fit() -> None:
    def refused(space: str) -> list[str]:
        with pytest.raises(DiagnosticError) as caught:
            found(TEXT, space)
        return errors(caught.value)

    assert refused("network n(C = 8, L = 4)") == [
        "E602 1:1 the specification declares no feature that a Cell could take"
    ]
    assert refused(SPACE.replace("A_2[", "Cell_2[")) == [
        "E602 8:3 the feature `Cell_2` has the name of a Cell of the genotype"
    ]
    assert refused(SPACE.replace("use bmnas", "use fusion")) == [
        f"E602 1:{TEXT.index(repr(published)) + 1} the specification has no `{name}` of two inputs"
        for published, name in OPERATIONS.items()
        if name != "Sum"
    ]


PIECES = st.sampled_from(
    ["", "(", ")", "[", "]", ",", "'", '"', "=", "7", "'Sum'", "é", "\n", "\0"]
)


@given(st.integers(0, len(TEXT)), st.integers(0, 30), st.lists(PIECES, max_size=3).map("".join))
def test_any_text_ends_in_a_specification_or_in_diagnostics(at: int, cut: int, new: str) -> None:
    result = outcome(TEXT[:at] + new + TEXT[at + cut :])
    if isinstance(result, Spec):
        assert genotype_from_text(genotype_text(result), result) == result
    else:
        assert {d.code for d in result.diagnostics} <= {"E601", "E602"}


def outcome(text: str) -> Spec | DiagnosticError:
    try:
        return found(text)
    except DiagnosticError as error:
        return error


def test_long_texts_are_bounded() -> None:
    with pytest.raises(DiagnosticError) as caught:
        found(" " * (LONGEST_GENOTYPE + 1))
    assert errors(caught.value) == ["E004 the text is longer than 1,000,000 characters"]
    for text in (
        "Genotype(" * 100_000,
        "Genotype(" + "[" * 900_000,
        "Genotype(edges=['" + "x" * 900_000,
        "Genotype(edges=[" + "('none', 9), " * 20_000 + "], steps=[], concat=[])",
    ):
        start = monotonic()
        with pytest.raises(DiagnosticError) as caught:
            found(text)
        assert monotonic() - start < 10
        assert len(caught.value.diagnostics) <= 20
        assert len(str(caught.value)) < 20_000


# Spec to text


def test_a_program_may_name_and_repeat_its_parts_as_it_likes() -> None:
    spec = with_cells("""
cell Fuse[2](query = A_1, B_1) {
  Attend[2] = bmnas.Attention(query, y)
  Join = ConcatFC(Attend_2, Attend_1)
  return Join
}
output Fuse_2
""")
    cell = (
        "StepGenotype(inner_edges=[('skip', 0), ('skip', 1), ('skip', 0), ('skip', 1), "
        "('skip', 3), ('skip', 2)], inner_steps=['ScaleDotAttn', 'ScaleDotAttn', 'ConcatFC'], "
        "inner_concat=[4])"
    )
    assert genotype_text(spec) == (
        "Genotype(edges=[('skip', 0), ('skip', 2), ('skip', 0), ('skip', 2)], "
        f"steps=[{cell}, {cell}], concat=[4])"
    )


UNSAYABLE = {
    "a Cell of three inputs": (
        "cell Cell_1(A_1, A_2, B_1) { Step_1 = Sum(x, z) }",
        ["E602 `Cell_1` takes 3 inputs"],
    ),
    "a Step of one input": (
        "cell Cell_1(A_1, A_2) { Step_1 = SE(x) }",
        ["E602 `Cell_1/Step_1` takes 1 input"],
    ),
    "operations of other names": (
        "cell Cell_1(A_1, A_2) { Step_1 = GMU(x, y) Step_2 = MHA(x, y, heads = 2) }",
        [
            "E602 the published notation has no name for `GMU`",
            "E602 the published notation has no name for `MHA (heads = 2)`",
        ],
    ),
    "another library's operation of the same name": (
        "cell Cell_1(A_1, A_2) { Step_1 = fusion.Sum(x, y) }",
        ["E602 the published notation has no name for `fusion.Sum`"],
    ),
    "no Cell": ("output A_1, B_1", ["E602 the published notation says no program without a Cell"]),
    "an open input": (
        "cell Cell_1(A_1, ?) { S = bmnas.Sum(x, y) }",
        ["E403 the program has a hole"],
    ),
    "an open operation": (
        "cell Cell_1(A_1, A_2) { S = {GMU | ConcatFC}(x, y) }",
        ["E403 the program has a hole"],
    ),
}


@pytest.mark.parametrize(("cells", "expected"), UNSAYABLE.values(), ids=UNSAYABLE.keys())
def test_what_the_notation_cannot_say_is_refused(cells: str, expected: list[str]) -> None:
    spec = with_cells(cells.replace("= Sum", "= bmnas.Sum"), "use bmnas\nuse fusion")
    with pytest.raises(DiagnosticError) as caught:
        genotype_text(spec)
    assert [f"{d.code} {d.message}" for d in caught.value.diagnostics] == expected


def test_errors_of_the_specification_itself_keep_their_codes() -> None:
    spec = with_cells("cell Cell_1(A_1, A_3) { S = Sum(x, y) }")
    with pytest.raises(DiagnosticError, match="E201"):
        genotype_text(spec)
