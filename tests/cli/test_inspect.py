"""`fusewright inspect` shows what there is to tap, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torch import nn
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


def test_parts_of_a_layer_are_no_row_of_layers() -> None:
    named = ("module:texts", "--backbone", f"texts={HERE}:texts")
    assert [line for line in inspected(*named).splitlines() if " at " in line] == [
        '  Text_1[t *, c 8] at "layers.0"',
        '  Text_2[t *, c 8] at "layers.1"',
    ]
    one = ("module:layer", "--backbone", f"layer={__name__}:layer")
    assert inspected(*one).splitlines()[-3:] == [
        'modality text from "module:layer" {',
        "  Text_1[t *, c 8]",
        "}",
    ]


def layer() -> nn.Module:
    """A backbone of a single layer, which has two dropouts."""
    module: Any = nn.Sequential()
    module.add_module("embedding", nn.Embedding(32, 8))
    module.add_module("layer", nn.TransformerEncoderLayer(8, 2))
    module.inputs = {"tokens": {"kind": "text", "shape": [None], "below": 32}}
    made: nn.Module = module
    return made


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
