"""`fusewright inspect` shows what there is to tap, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

import fusewright as fw
from tests.support.application import app
from tests.support.backbones import HERE

NAMED = ("--backbone", f"pictures={HERE}:pictures")
TEXT = """network n(C = 8, L = 2)
modality image from "module:pictures" { A at "stages.1" }
output A
predict 3 classes
"""


def inspected(*arguments: str) -> str:
    """What the command prints."""
    result = CliRunner().invoke(app, ["inspect", *arguments, *NAMED])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_tree_is_shown_with_a_modality_that_takes_its_stages() -> None:
    lines = inspected("module:pictures", "--depth", "2").splitlines()
    assert lines[0].split() == ["part", "class", "gives", "parameters"]
    assert "    stages.1  Block       [c 6, h 4, w 4]         234" in lines
    assert lines[-4:] == [
        'modality image from "module:pictures" {',
        '  Image_1[c 4, h 8, w 8] at "stages.0"',
        '  Image_2[c 6, h 4, w 4] at "stages.1"',
        "}",
    ]
    assert "convolution" not in "".join(lines)


def test_programs_get_the_same_as_json() -> None:
    found = json.loads(inspected("module:pictures", "--json"))
    assert found["inputs"] == [{"name": "pixels", "kind": "picture", "shape": [3, 16, 16]}]
    by_path = {part["path"]: part for part in found["parts"]}
    assert by_path["stages.1"]["axes"] == [["c", 6], ["h", 4], ["w", 4]]
    assert by_path["stages"]["shape"] is None
    assert found["modality"] == "\n".join(inspected("module:pictures").splitlines()[-4:])


def test_a_specification_is_printed_with_its_shapes(tmp_path: Path) -> None:
    file = tmp_path / "n.fuse"
    file.write_text(TEXT, encoding="utf-8")
    assert '  A[c 6, h 4, w 4] at "stages.1"' in inspected(str(file))
    assert fw.loads(inspected(str(file), "--json")) == fw.loads(inspected(str(file)))
