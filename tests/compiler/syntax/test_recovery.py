"""After a syntax error the rest of a text is read, and every error is found in one run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusewright.compiler.check.examine import Examination, examine
from fusewright.compiler.diagnostics.diagnostic import Diagnostic

from ...support.paths import EXAMPLES

HEAD = """\
network n(C = 4, L = 2)
modality m {
  A[c 3]
  B[t 2, c 5]
}
"""
TAIL = "predict 3 classes\n"


def marked(found: Diagnostic) -> str:
    assert found.span is not None
    return f"{found.code} {found.span.line}:{found.span.column} {found.span.text}"


def found_in(text: str) -> list[str]:
    return [marked(d) for d in examine(text, "n.fuse").diagnostics]


def test_each_broken_line_is_reported_and_the_others_are_read() -> None:
    text = f"""{HEAD}
cell K(A, B) {{
  S = Sum(x y)
  T = Sum(x, y)
  U = Smu(x, y)
  V = Sum(x, , y)
}}
{TAIL}"""
    examination = examine(text, "n.fuse")
    assert [marked(d) for d in examination.diagnostics] == [
        "E001 8:13 y",
        "E203 10:7 Smu",
        "E001 11:14 ,",
    ]
    assert [s.name for s in examination.spec.cells[0].steps] == ["T", "U"]


def test_a_bracket_that_is_not_closed_spoils_one_statement() -> None:
    text = f"{HEAD}cell K(A, B) {{\n  S = Sum(x, y)\ncell M(A, C) {{\n  S = Sum(x, y)\n}}\n{TAIL}"
    assert found_in(text) == ["E001 6:14 {", "E201 8:11 C"]


def test_a_parenthesis_that_is_not_closed_spoils_one_step() -> None:
    text = f"{HEAD}cell K(A, B) {{\n  S = Sum(x, y\n  T = Smu(x, y)\n}}\n{TAIL}"
    examination = examine(text, "n.fuse")
    assert [marked(d) for d in examination.diagnostics] == ["E001 8:3 T", "E203 8:7 Smu"]
    (note,) = examination.diagnostics[0].notes
    assert note.span is not None
    assert (note.span.line, note.span.column) == (7, 10)


def test_an_item_that_spans_lines_is_passed_over_as_one() -> None:
    text = f"{HEAD}cell K(A, B) {{\n  S =\n    Sum(x y)\n  T = Smu(x, y)\n}}\n{TAIL}"
    assert found_in(text) == ["E001 8:11 y", "E203 9:7 Smu"]


def test_an_error_in_a_line_leaves_what_stood_before_it_there() -> None:
    text = f"{HEAD}cell K(A, B) {{ S = Sum(x, y) T = Sum(x y) }}\noutput K, Q\n{TAIL}"
    examination = examine(text, "n.fuse")
    assert [marked(d) for d in examination.diagnostics] == ["E001 6:40 y", "E201 7:11 Q"]
    assert [s.name for s in examination.spec.cells[0].steps] == ["S"]


@pytest.mark.parametrize("closing", ["}(x, y)\n}", "}"])
def test_a_hole_without_its_last_candidate_is_closed_where_its_block_leaves_it(
    closing: str,
) -> None:
    text = f"{HEAD}cell K(A, B) {{\n  T = Sum(x, y)\n  S = {{\n    Sum |\n  {closing}\n{TAIL}"
    examination = examine(text, "n.fuse")
    assert [marked(d) for d in examination.diagnostics] == ["E001 10:3 }"]
    assert [s.name for s in examination.spec.cells[0].steps] == ["T"]


def test_an_equation_without_a_result_is_lost_with_one_error() -> None:
    text = f"{HEAD}op f(x) {{\n  a = x + 1\n  return a +\n}}\ncell K(A, B) {{ S = f(x) }}\n{TAIL}"
    assert found_in(text) == ["E001 9:1 }"]


def test_names_of_a_head_are_read_together_or_not_at_all() -> None:
    text = f"{HEAD}cell K(A, B) {{ S = Sum(x, y) }}\npredict 3 classes {{\n  a b,\n  c\n}}\n"
    assert found_in(text) == ["E001 8:5 b"]
    assert examine(text, "n.fuse").spec.predict is None


def test_what_cannot_be_read_may_declare_what_seems_unknown() -> None:
    text = f"{HEAD}modality k {{ C[c 3 }}\ncell K(A, C) {{ S = Sum(x, y) }}\n{TAIL}"
    assert found_in(text) == ["E001 6:20 }"]


def test_a_misspelt_keyword_has_a_fix() -> None:
    text = f"{HEAD}cell K(A, B) {{ S = Sum(x, y) }}\npredct 3 classes\n"
    (found,) = examine(text, "n.fuse").diagnostics
    assert marked(found) == "E001 7:1 predct"
    (edit,) = found.fix
    fixed = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert not [d for d in examine(fixed, "n.fuse").diagnostics if d.is_error]


@given(st.sets(st.integers(0, 19), min_size=1), st.sampled_from(["x y", "x,,y", "?|", "{x", "= 1"]))
def test_as_many_errors_as_broken_lines(broken: set[int], wrong: str) -> None:
    steps = [f"  S{i} = Sum({wrong if i in broken else 'x, y'})" for i in range(20)]
    text = f"{HEAD}cell K(A, B) {{\n" + "\n".join(steps) + f"\n}}\n{TAIL}"
    examination = examine(text, "n.fuse")
    assert {d.span.line - 7 for d in examination.diagnostics if d.span} == broken
    assert {d.code for d in examination.diagnostics} == {"E001"}


@given(st.data())
def test_whatever_is_cut_out_every_place_lies_in_the_text(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(sorted(EXAMPLES.glob("*.fuse")))).read_text(encoding="utf-8")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 30)))
    text = text[:start] + text[end:]
    examination: Examination = examine(text, "n.fuse")
    for found in examination.diagnostics:
        for span in (found.span, *(e.span for e in found.fix)):
            if span is not None and span.source.name == "n.fuse":
                assert 0 <= span.start <= span.end <= len(text) + 1


@pytest.mark.parametrize("quote", ['"', "'", "|\n      "])
def test_an_error_in_an_equation_of_a_document_keeps_its_note_and_its_fix(quote: str) -> None:
    head = "network: {name: n, C: 4, L: 2}\nops:\n  - name: f\n    inputs: [x]\n    body: "
    close = "" if quote.startswith("|") else quote
    text = head + quote + "a = paper.2D(x)" + close + "\n"
    (found, *_) = examine(text, "n.yaml", "yaml").diagnostics
    assert [(e.span.text, e.text) for e in found.fix] == [("2D", "`2D`")]
    text = head + "|\n      mean(x,\n        x z)\n"
    (found, *_) = examine(text, "n.yaml", "yaml").diagnostics
    assert found.span is not None
    assert (found.span.line, found.span.column, found.span.text) == (7, 11, "z")
    (note,) = found.notes
    assert note.span is not None
    assert (note.message, note.span.line, note.span.column) == ("`(` opens here", 6, 11)


def test_where_nothing_is_declared_the_remedy_is_to_declare_it() -> None:
    text = "network n(C = 4, L = 2)\nmodality m { A[c 3 }\ncell K(Q, ?) { S = Sum(x, y) }\n" + TAIL
    unknown = next(d for d in examine(text, "n.fuse").diagnostics if d.code == "E201")
    assert (unknown.message, unknown.help) == ("unknown input `Q` of `K`", "declare it first")
