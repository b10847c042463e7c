"""`format`: canonical text, with every comment where it belongs."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from itertools import pairwise
from pathlib import Path
from time import monotonic
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusewright.cli import main
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.language.spec import Spec, print_spec
from fusewright.compiler.syntax.format import format_text
from fusewright.compiler.syntax.parse import parse

from ...support.paths import ROOT
from ...support.programs import written_specs

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
def test_layout_makes_no_difference_but_for_blank_lines(spec: Spec, space: str) -> None:
    text = print_spec(spec)
    quoted = {i for match in QUOTED.finditer(text) for i in range(*match.span())}
    loose = "".join(space if c in " \n" and i not in quoted else c for i, c in enumerate(text))
    formatted = format_text(loose)
    assert written(formatted) == written(text)
    assert "\n" in space or formatted == text


@given(written_specs(), st.data())
def test_blank_lines_and_comments_anywhere_stay_once(spec: Spec, data: st.DataObject) -> None:
    lines = []
    for number, line in enumerate(print_spec(spec).split("\n")):
        lines += data.draw(st.lists(st.sampled_from(("", "  ", "\t")), max_size=3))
        if data.draw(st.integers(0, 4)) == 0:
            lines.append(("  " if line.startswith((" ", "}")) else "") + f"#c{number}!")
            lines += data.draw(st.lists(st.just(""), max_size=2))
        lines.append(line)
    text = "\n".join(lines)
    assert_formats(text, spec)
    formatted = format_text(text)
    assert groups(formatted) >= groups(text)
    assert re.sub(r"\s", "", formatted) == re.sub(r"\s", "", text)
    assert not re.search(r"\n\n\n|\A\n|\n\n\Z|\n\n}", formatted)
    assert not re.search(r"^\S.*\n\n +\S", formatted, re.MULTILINE)


@given(written_specs(), st.data())
def test_statements_in_any_order_take_their_comments_along(spec: Spec, data: st.DataObject) -> None:
    statements = re.split(r"\n(?=\S)(?!})", print_spec(spec))
    for number in range(min(4, len(statements))):
        at = data.draw(st.integers(0, len(statements) - 1))
        space = data.draw(st.sampled_from(("\n", "\n\n")))
        statements[at] = f"#c{number}!{space}{statements[at]}"
    text = "\n".join(data.draw(st.permutations(statements)))
    assert_formats(text, parse(text))


def written(text: str) -> list[str]:
    """The lines that are not blank, as they are indented."""
    return [line for line in text.split("\n") if line.strip()]


def groups(text: str) -> set[int]:
    """Which of the lines that are not blank have a blank one above, but for those of a start."""
    found, number, above = set[int](), 0, ""
    for previous, row in pairwise(["", *text.split("\n")]):
        if not row.strip():
            continue
        opens = row.startswith(" ") and not above.startswith(" ")
        if number and not opens and row != "}" and not previous.strip():
            found.add(number)
        number, above = number + 1, row
    return found


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


def test_blank_lines_keep_groups_apart_and_nothing_else() -> None:
    text = """\


# A licence

# A description
fuse 1 # the version
network n(C = 4)
use a
use b


use c
op f(x) = x

# averages

op g(x, y) {

  h = x + y


  # why

  return h
  \t
}
op h(x) = x
modality m {

  A[c 1]
  B[c 2]

  C[
    c 3

  ] D

  # no more

}
cell K(A, B) {
  S = Sum(x, y)

  T = Sum(x, y)
  # merged

  return T

}

require fresh_input

require parameters < 1k
predict 2 classes
# end

# of it

"""
    formatted = """\
# A licence

# A description
fuse 1  # the version
network n(C = 4)

use a
use b

use c

op f(x) = x

# averages

op g(x, y) {
  h = x + y

  # why

  return h
}
op h(x) = x

modality m {
  A[c 1]
  B[c 2]

  C[c 3]
  D

  # no more
}

cell K(A, B) {
  S = Sum(x, y)

  T = Sum(x, y)
  # merged

  return T
}

require fresh_input

require parameters < 1k

predict 2 classes
# end

# of it
"""
    assert format_text(text) == formatted
    assert format_text(formatted) == formatted


def test_what_moves_takes_no_blank_line_with_it() -> None:
    text = "use a\n\nmodality m {}\n\nuse b\n\n# the third\nuse c\n"
    assert format_text(text) == "use a\nuse b\n\n# the third\nuse c\n\nmodality m {}\n"


def test_a_list_that_is_too_wide_keeps_its_comments_and_groups() -> None:
    wide = [f"Operation_{i}" for i in range(12)]
    text = "# what there is\npool # all\n" + ",\n".join(wide[:6]) + ",\n\n# rarer\n"
    text += ", ".join(wide[6:])
    rows = [f"  {name}," for name in wide]
    rows[6:6] = ["", "  # rarer"]
    assert format_text(text) == (
        "# what there is\npool  # all\n" + "\n".join(rows).rstrip(",") + "\n"
    )


def test_the_time_grows_with_the_lines_alone() -> None:
    cell = "cell K{}(a, b) {{\n\n  # why\n  S = Sum(x, y)\n\n\n  T = Sum(x, S)  # so\n}}\n\n"
    text = "".join(cell.format(i) for i in range(1_250))
    started = monotonic()
    formatted = format_text(text)
    assert text.count("\n") > 10_000
    assert formatted.count("#") == 2_500
    assert monotonic() - started < 5


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "\ufeff# marked\n\n# twice\n"])
def test_a_text_without_statements_keeps_its_comments(text: str) -> None:
    formatted = format_text(text)
    assert [line for line in formatted.split("\n") if line] == re.findall(r"#[^\n]*", text)
    assert format_text(formatted) == formatted


def test_signs_of_comments_inside_names_and_strings_are_none() -> None:
    text = 'modality m {\n  `a #b`[c 3] at "x # y"  # one\n}\n'
    assert format_text(text) == text


@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples").glob("**/*.fuse")), ids=lambda p: p.stem
)
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


def test_diff_says_how_a_file_would_change(tmp_path: Path) -> None:
    path = tmp_path / "n.fuse"
    path.write_text("use a\n\n\nuse b # why", encoding="utf-8")
    code, output = format_command("--diff", path)
    assert code == 1
    assert output == (
        f"--- {path}\n+++ {path}\n@@ -1,4 +1,3 @@\n"
        " use a\n \n-\n-use b # why\n\\ No newline at end of file\n+use b  # why\n"
    )
    assert path.read_text(encoding="utf-8") == "use a\n\n\nuse b # why"
    code, both = format_command("--diff", "--check", path)
    assert (code, both) == (1, output + f"{path} would be formatted\n")
    assert format_command(path) == (0, "")
    assert format_command("--diff", path) == (0, "")


def test_several_files_and_folders_are_formatted(tmp_path: Path) -> None:
    names = ("a.fuse", "b.fuse", "inner/c.fuse", "d.json", "e.fuse.txt")
    (tmp_path / "inner").mkdir()
    for name in names:
        (tmp_path / name).write_text(LOOSE, encoding="utf-8")
    first, *rest = (tmp_path / name for name in names)
    rest[0].write_text("network n(", encoding="utf-8")
    code, output = format_command("--check", first, tmp_path)
    assert code == 1
    said = [line for line in output.split("\n") if line.endswith("would be formatted")]
    assert said == [f"{path} would be formatted" for path in (first, rest[1])]
    code, output = format_command(tmp_path)
    assert (code, output.count("error[E001]")) == (1, 1)
    texts = [path.read_text(encoding="utf-8") for path in (first, *rest)]
    assert texts == [format_text(LOOSE), "network n(", format_text(LOOSE), LOOSE, LOOSE]


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
