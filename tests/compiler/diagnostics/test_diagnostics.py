"""Wrong programs, the code of every diagnostic, and what `fusewright explain` says of it.

`python -m tests.compiler.diagnostics.test_diagnostics` writes what is shown today into `cases/`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fusewright.compiler.check.check import check
from fusewright.compiler.check.examine import examine
from fusewright.compiler.diagnostics.codes import CODES
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.diagnostics.explain import explanation, page_path
from fusewright.compiler.documents.spellings import loads
from fusewright.compiler.load import spell
from fusewright.compiler.syntax.parse import parse
from tests.support.application import app

from ...support.wrong_programs import (
    TABLE,
    Section,
    codes,
    diagnosed,
    regenerate,
    sections,
    shown,
    table,
)

SECTIONS = table()
PAGES = sorted(page_path("E001").parent.glob("*.md"))
MEANING = ("names.md", "shapes.md", "holes.md")
"""Files of the table whose programs follow the grammar, but mean nothing."""

HUNDREDS = {
    "syntax.md": "0",
    "documents.md": "1",
    "names.md": "2",
    "shapes.md": "3",
    "holes.md": "4",
    "runs.md": "56",
    "programs.md": "7",
}


def name(section: Section) -> str:
    return f"{section.page}: {section.title}"


def examined(*pages: str) -> list[Section]:
    """The sections with a source, of all pages or of some."""
    return [s for s in SECTIONS if s.source and s.page in (pages or HUNDREDS)]


# The table


@pytest.mark.parametrize("section", SECTIONS, ids=name)
def test_a_wrong_program_is_shown_to_the_letter(section: Section) -> None:
    assert shown(section) == section.text("text")


@pytest.mark.parametrize("section", examined(), ids=name)
def test_a_diagnostic_has_a_remedy(section: Section) -> None:
    assert all(d.help for d in diagnosed(section))


@pytest.mark.parametrize("section", examined(), ids=name)
def test_a_diagnostic_has_a_place(section: Section) -> None:
    """Unless the text has nothing that could be marked."""
    for diagnostic in diagnosed(section):
        assert diagnostic.span is not None or section.title == "nothing but a comment"


@pytest.mark.parametrize("section", examined(), ids=name)
def test_messages_keep_the_style(section: Section) -> None:
    """In lower case, without a final period, names in backticks, on one line."""
    for diagnostic in diagnosed(section):
        notes = [note.message for note in diagnostic.notes]
        for line in (diagnostic.message, *notes, diagnostic.help or ""):
            assert not line.endswith(".")
            assert "\n" not in line
            assert line.count("`") % 2 == 0
        assert diagnostic.message[0].islower() or not diagnostic.message[0].isalpha()


@pytest.mark.parametrize("section", examined(*MEANING), ids=name)
def test_errors_are_the_same_in_json_and_yaml(section: Section) -> None:
    spec = parse(section.text("fuse") or "")
    expected = sorted(d.code for d in check(spec))
    assert expected
    for spelling in ("json", "yaml"):
        found = check(loads(spell(spec, spelling), "n", spelling))
        assert sorted(d.code for d in found) == expected
        assert all(d.span is None or d.span.pointer is not None for d in found)


def test_the_table_has_every_code_in_its_file() -> None:
    assert len(SECTIONS) >= 60
    assert {path.name for path in TABLE.glob("*.md")} == HUNDREDS.keys()
    found = {(code, s.page) for s in SECTIONS for code in codes(s.text("text") or "")}
    missing = [
        code
        for code in CODES
        if not any(code == c and code[1] in HUNDREDS[page] for c, page in found)
    ]
    assert not missing


def test_headings_of_a_file_differ() -> None:
    names = [name(section) for section in SECTIONS]
    assert len(set(names)) == len(names)


# The pages


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert [path.stem for path in PAGES] == sorted(CODES)


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_a_page_has_prose_and_two_examples(path: Path) -> None:
    wrong, right = sections(path)
    assert (wrong.title, right.title) == ("Wrong", "Right")
    assert wrong.blocks
    assert right.blocks
    prose = path.read_text(encoding="utf-8").partition("\n## ")[0]
    assert 2 <= prose.count(". ") + prose.count(".\n") <= 6
    assert not prose.startswith("#")
    assert CODES[path.stem] not in prose


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_the_examples_of_a_page_are_wrong_and_right(path: Path) -> None:
    wrong, right = sections(path)
    assert wrong.source or wrong.text("console")
    if wrong.source:
        found = diagnosed(wrong)
        assert {d.code for d in found} == {path.stem}
    if right.source:
        assert diagnosed(right) == ()


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_what_a_page_shows_of_a_command_is_what_it_prints(path: Path) -> None:
    """The table has the same line, and that one is compared with the command's output."""
    console = sections(path)[0].text("console") or ""
    headers = [line for line in console.splitlines() if line.startswith(("error[", "warning["))]
    printed = {line for s in SECTIONS for line in (s.text("text") or "").splitlines()}
    assert bool(headers) == bool(console)
    assert set(headers) <= printed
    assert set(codes(console)) <= {path.stem}


# The command


def test_explain_prints_the_page() -> None:
    found = CliRunner().invoke(app, ["explain", "E203"])
    assert found.exit_code == 0
    assert found.output == explanation("E203")
    assert found.output.startswith(f"# E203: {CODES['E203']}\n\n")
    assert CliRunner().invoke(app, ["explain", "e203"]).output == found.output


def test_explain_prints_json() -> None:
    found = json.loads(CliRunner().invoke(app, ["explain", "W401", "--json"]).output)
    assert found == {"code": "W401", "summary": CODES["W401"], "text": explanation("W401")}


@pytest.mark.parametrize(
    ("code", "help"),
    [
        ("E20", "did you mean `E2"),
        ("nonsense", "a diagnostic shows its code in brackets: `error[E203]`"),
        ("../codes", "a diagnostic shows its code in brackets: `error[E203]`"),
    ],
)
def test_an_unknown_code_is_diagnosed(code: str, help: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        explanation(code)
    (found,) = caught.value.diagnostics
    assert found.code == "E506"
    assert found.message == f"unknown code `{code}`"
    assert (found.help or "").startswith(help)


def test_a_warning_alone_is_no_error() -> None:
    section = next(s for s in SECTIONS if codes(s.text("text") or "") == ["W401"])
    found = examine(section.text("fuse") or "")
    assert found.network is not None
    assert not [d for d in found.diagnostics if d.is_error]


if __name__ == "__main__":
    regenerate()
