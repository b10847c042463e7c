"""After a syntax error the rest of a text is read, and every error is found in one run."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fusewright.compiler.diagnostics import Diagnostic
from fusewright.compiler.examine import Examination, examine

EXAMPLES = Path(__file__).parent.parent / "examples"
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
