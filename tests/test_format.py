"""`format`: canonical text, with every comment where it belongs."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusewright.cli import main
from fusewright.compiler.diagnostics import DiagnosticError
from fusewright.compiler.format import format_text
from fusewright.compiler.parse import parse
from fusewright.compiler.printer import print_spec
from fusewright.compiler.spec import Spec

from .programs import written_specs

ROOT = Path(__file__).parent.parent
QUOTED = re.compile(r'"(?:\\.|[^"\\\n])*"|`[^`\n]*`')


def marks(text: str) -> list[str]:
    """The numbered comments of a text, in its order."""
    return re.findall(r"#c(\d+)!", text)


def assert_formats(text: str, spec: Spec) -> None:
    """The comments and the meaning stay, and formatting once more changes nothing."""
    formatted = format_text(text)
    assert sorted(marks(formatted)) == sorted(marks(text))
    assert parse(formatted) == spec
    assert format_text(formatted) == formatted
    code = [re.sub(r" *#c\d+!.*", "", line).rstrip() for line in formatted.split("\n")]
    assert [c for c in code if c] == [c for c in print_spec(spec).split("\n") if c]


# Random programs


@given(written_specs())
def test_printed_programs_are_formatted_already(spec: Spec) -> None:
    text = print_spec(spec)
    assert format_text(text) == text


@given(written_specs(), st.data())
def test_comments_at_the_starts_and_ends_of_lines_stay(spec: Spec, data: st.DataObject) -> None:
    lines = print_spec(spec).split("\n")
    for number in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(lines) - 1))
        indent = data.draw(st.sampled_from(("", "  ", "\t", " ")))
        comment = f"#c{number}!" + data.draw(st.sampled_from(("", " why", ' # `a` "b" {')))
        if data.draw(st.booleans()) and "#c" not in lines[at]:
            lines[at] = f"{lines[at]}{indent}{comment}"
        else:
            lines.insert(at, f"{indent}{comment}")
    assert_formats("\n".join(lines), spec)


@given(written_specs(), st.data())
def test_comments_between_any_words_stay(spec: Spec, data: st.DataObject) -> None:
    text = print_spec(spec)
    quoted = {i for match in QUOTED.finditer(text) for i in range(*match.span())}
    gaps = [i for i, c in enumerate(text) if c in " \n" and i not in quoted]
    chosen = data.draw(st.lists(st.sampled_from(gaps), min_size=1, max_size=6, unique=True))
    for number, at in enumerate(sorted(chosen, reverse=True)):
        before, after = data.draw(st.sampled_from((("", "\n"), ("\n", "\n"), ("\n  ", "\n\n"))))
        text = f"{text[:at]}{before}#c{number}!{after}{text[at:]}"
    assert_formats(text, spec)


@given(written_specs(), st.sampled_from((" ", "\n", "\r\n", "\t", "\n\n\n")))
def test_layout_makes_no_difference(spec: Spec, space: str) -> None:
    text = print_spec(spec)
    quoted = {i for match in QUOTED.finditer(text) for i in range(*match.span())}
    loose = "".join(space if c in " \n" and i not in quoted else c for i, c in enumerate(text))
    assert format_text(loose) == text


# By hand


def test_comments_stay_with_what_they_stand_beside() -> None:
    text = """
# Fusion of two views
# of the same thing

network n(C=4,L=2)   # small
# the inputs
modality m {   # where they come from
  A[c 3]  # first
    # second, after a gap
  B[t 2, c 5]
  # no more
}
pool   Sum,ConcatFC
cell K(?,?){ # a Cell
  # what it does
  S=?(x,y) # its Step
  # end of the Cell
}
# last
predict 3 classes # done
# after everything
"""
    assert format_text(text) == (
        """\
# Fusion of two views
# of the same thing

network n(C = 4, L = 2)  # small

# the inputs
modality m {  # where they come from
  A[c 3]  # first
  # second, after a gap
  B[t 2, c 5]
  # no more
}

pool Sum, ConcatFC

cell K(?, ?) {  # a Cell
  # what it does
  S = ?(x, y)  # its Step
  # end of the Cell
}

# last
predict 3 classes  # done
# after everything
"""
    )


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "\ufeff# marked\n\n# twice\n"])
def test_a_text_without_statements_keeps_its_comments(text: str) -> None:
    formatted = format_text(text)
    assert [line for line in formatted.split("\n") if line] == re.findall(r"#[^\n]*", text)
    assert format_text(formatted) == formatted


def test_signs_of_comments_inside_names_and_strings_are_none() -> None:
    text = 'modality m {\n  `a #b`[c 3] at "x # y"  # one\n}\n'
    assert format_text(text) == text


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.fuse")), ids=lambda p: p.stem)
def test_examples_are_formatted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert format_text(text) == text


@pytest.mark.parametrize(
    "path", sorted((ROOT / "ops/libraries").glob("*.fuse")), ids=lambda p: p.stem
)
def test_libraries_keep_their_comments(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    formatted = format_text(text)
    assert formatted.count("#") == text.count("#")
    assert parse(formatted) == parse(text)
    assert format_text(formatted) == formatted


# The command

LOOSE = "network n(C=4,L=2) modality m{A[c 3]} output A predict 2 classes # end\n"


def format_command(*arguments: str | Path) -> tuple[int, str]:
    output = io.StringIO()
    with (
        patch.object(sys, "argv", ["fusewright", "format", *map(str, arguments)]),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
        pytest.raises(SystemExit) as exit,
    ):
        main()
    return int(exit.value.code or 0), output.getvalue()


def test_check_says_whether_a_file_would_change(tmp_path: Path) -> None:
    path = tmp_path / "n.fuse"
    path.write_text(LOOSE, encoding="utf-8")
    code, output = format_command("--check", path)
    assert code == 1
    assert "would be formatted" in output
    assert path.read_text(encoding="utf-8") == LOOSE
    assert format_command(path) == (0, "")
    assert path.read_text(encoding="utf-8") == format_text(LOOSE)
    before = path.stat().st_mtime_ns
    assert format_command("--check", path) == (0, "")
    assert format_command(path) == (0, "")
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_ends_become_plain(newline: str, tmp_path: Path) -> None:
    path = tmp_path / "n.fuse"
    path.write_bytes(LOOSE.replace(" ", newline, 3).encode())
    assert format_command(path)[0] == 0
    assert b"\r" not in path.read_bytes()
    assert path.read_text(encoding="utf-8") == format_text(LOOSE)


@pytest.mark.parametrize("ending", ["json", "yaml"])
def test_documents_are_formatted_too(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"n.{ending}"
    path.write_text('{"predict":  {"count": 2,\n\n"kind": "classes"}}', encoding="utf-8")
    assert format_command("--check", path)[0] == 1
    assert format_command(path)[0] == 0
    assert format_command("--check", path) == (0, "")


def test_comments_of_yaml_are_not_thrown_away(tmp_path: Path) -> None:
    path = tmp_path / "n.yaml"
    text = "predict: {count: 2, kind: classes}  # why\n"
    path.write_text(text, encoding="utf-8")
    code, output = format_command(path)
    assert code == 1
    assert "would lose its comments" in output
    assert path.read_text(encoding="utf-8") == text


def test_what_does_not_parse_is_not_formatted() -> None:
    with pytest.raises(DiagnosticError):
        format_text("network n(\n# why\n")
