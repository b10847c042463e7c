"""What names and texts of files may not do where they are printed: control it, turn it, fill it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import fusewright as fw
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.diagnostics.text import json_text, printable, said, shortened
from fusewright.compiler.load import spell
from tests.support.application import app

HOSTILE = (
    "\x00\x07\x1b\x7f\x85\x9b\xad\u061c\u200b\u200e\u200f\u2028\u2029\ufeff\U000e0001\ud800"
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
"""Controls of the terminal and of direction, what has no width, and what ends lines elsewhere."""
SPACE = """network n(C = 4, L = 2)
modality m from "BACKBONE" {{ A[c 3] at "LAYER" B[t 2, c 5] }}
pool Sum, ConcatFC
cell K[2](?, ?) {{ S = ?(x, y) }}
predict 3 classes
"""


def is_shown_safely(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


def hostile_space() -> fw.Spec:
    """A specification whose backbone and layer have names that control what prints them."""
    inner = json.dumps(HOSTILE.replace(chr(0xD800), ""))[1:-1]
    return fw.loads(SPACE.format().replace("BACKBONE", inner).replace("LAYER", inner))


def test_json_is_escaped_and_means_the_same() -> None:
    value = {HOSTILE: [HOSTILE, "héllo 漢字 ☺"]}
    text = json_text(value, indent=2)
    assert is_shown_safely(text)
    assert json.loads(text) == value
    assert "héllo 漢字 ☺" in text


@pytest.mark.parametrize("notation", ["fuse", "json", "yaml", "graphml", "node-link"])
def test_no_spelling_of_a_specification_controls_what_prints_it(notation: str) -> None:
    spec = hostile_space()
    text = spell(spec, notation)  # type: ignore[arg-type]  # the names of notations
    assert is_shown_safely(text)
    if notation in ("fuse", "json", "yaml"):
        assert fw.loads(text) == spec


def test_what_commands_print_controls_nothing(tmp_path: Path) -> None:
    file, weights = tmp_path / "a.fuse", tmp_path / "a.safetensors"
    file.write_text(str(hostile_space()).replace("\\u202e", "\u202e"), encoding="utf-8")
    for arguments in (["convert", file, "--to", "fuse"], ["convert", file, "--to", "json"]):
        result = CliRunner().invoke(app, [*map(str, arguments)])
        assert result.exit_code == 0
        assert is_shown_safely(result.stdout)
    from safetensors.numpy import save_file

    save_file({}, weights, {"fusewright.spec": str(hostile_space())})
    result = CliRunner().invoke(app, ["load", str(weights), "--json"])
    assert result.exit_code == 0, result.output
    assert is_shown_safely(result.stdout)
    assert json.loads(result.stdout)


def test_a_message_says_names_in_a_line_and_without_their_middle() -> None:
    name = "a" * 500_000 + "z"
    assert said(f"unknown operation `{name}`") == f"unknown operation `{'a' * 29}…{'a' * 29}z`"
    assert said("`a\u202eb\n` is") == "`a\\u202eb\\n` is"
    path = "/data/" + "long/" * 20 + "spec.fuse"
    assert said(f"cannot read `{path}`") == f"cannot read `{path}`"
    assert len(said("x" * 1_000_000)) < 5_000
    assert shortened("abcdefgh", 5) == "ab…gh"
    assert printable("é漢☺") == "é漢☺"


@pytest.mark.parametrize(
    "text",
    [
        SPACE.format().replace("pool Sum", f"pool `{'N' * 999}`"),
        SPACE.format().replace("K[2](?", f"K[2](`{'N' * 999}`"),
        SPACE.format().replace("predict", "x" * 1_000_000),
        '{"' + "k" * 1_000_000 + '": 1}',
        '{"network": {"name": "' + "k" * 1_000_000 + '"}}',
    ],
)
def test_a_long_name_does_not_fill_the_screen(text: str) -> None:
    with pytest.raises(DiagnosticError) as error:
        fw.compile(fw.loads(text), "numpy")
    assert len(str(error.value)) < 4_000
    assert all(len(d.message) < 400 for d in error.value.diagnostics)
