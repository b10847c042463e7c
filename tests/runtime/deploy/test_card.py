"""Model cards: what they say is what was measured, and the program in them runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import fusewright as fw

SPACED = fw.loads("""
network `n: "1" | 2`(C = 4, L = 2)
modality m { `A b`[c 3] B[t *, c 5] Unused[c 2] }
cell K(`A b`, B) { S = LinearGLU(x, y) }
output K
predict 3 labels { yes, `no: #`, off }
""")


def card(model: Any, place: Path, **options: Any) -> str:
    fw.deploy(model, place, card=True, **options)
    return place.with_name(f"{place.name}.card.md").read_text(encoding="utf-8")


def head(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text.split("---")[1])
    return found


def test_its_numbers_are_those_that_were_measured(trained: Path, tmp_path: Path) -> None:
    text = card(trained / "run", tmp_path / "net.onnx", data=trained / "data.npz")
    certificate = json.loads((tmp_path / "net.onnx.certificate.json").read_text(encoding="utf-8"))
    scores = certificate["metrics"]["float32"]
    (model,) = head(text)["model-index"]
    (result,) = model["results"]
    assert {m["type"]: m["value"] for m in result["metrics"]} == pytest.approx(scores, abs=1e-6)
    assert result["dataset"]["name"] == "data.npz"
    for comparison in certificate["comparisons"]:
        assert f"| {comparison['inputs']} | {comparison['relative']:.1e} |" in text


def test_its_program_runs_and_its_names_break_nothing(tmp_path: Path) -> None:
    text = card(SPACED, tmp_path / "net.onnx", initial=True)
    assert head(text)["library_name"] == "onnx"
    assert "model-index" not in head(text)
    assert "Unused" not in text.partition("## How it was measured")[0]
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    code = f"{program}\nprint(output.shape)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "(1, 3)"
    assert str(SPACED).rstrip() in text


def test_it_says_where_nothing_was_measured(tmp_path: Path) -> None:
    text = card(SPACED, tmp_path / "net.onnx", initial=True, verify=False, probabilities=True)
    assert "without being run" in text
    assert "probabilities (batch, 3)" in text


def test_a_card_of_before_does_not_stay(tmp_path: Path) -> None:
    card(SPACED, tmp_path / "net.onnx", initial=True, verify=False)
    fw.deploy(SPACED, tmp_path / "net.onnx", initial=True, verify=False)
    assert [f.name for f in tmp_path.iterdir()] == ["net.onnx"]


def test_only_onnx_has_one(tmp_path: Path) -> None:
    with pytest.raises(fw.DiagnosticError, match="takes no option `card`"):
        fw.deploy(SPACED, tmp_path / "net.py", card=True)
