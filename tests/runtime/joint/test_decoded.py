"""Raw data are decoded to what backbones take, for a joint training from files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import fusewright as fw
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.runtime.extract.settings import ExtractSettings
from fusewright.runtime.joint.decoded import decoded
from tests.support import extracting
from tests.support.application import app
from tests.support.raw import table

SPEC = fw.loads(extracting.SPEC.replace("cell Cell(?, ?) { Step = ?(x, y) }", "output High, Words"))


def test_values_are_what_extraction_gives_to_backbones(tmp_path: Path) -> None:
    file = table(tmp_path / "raw", 10, missing=(3, 4))
    found = decoded(SPEC, file, backbones=extracting.BACKBONES)
    assert found["image"].shape == (10, 3, 12, 12)
    assert found["image.present"].tolist() == [1, 1, 1, 0, 0, 1, 1, 1, 1, 1]
    assert not found["image"][3].any()
    lengths = [len(f"a {word} of {n}") for n, word in enumerate(("circle", "square", "cross") * 3)]
    assert found["text.lengths"][:9].tolist() == lengths
    assert found["text"].shape == (10, max(lengths))
    assert bytes((found["text"][2][: lengths[2]] - 1).astype(np.uint8)) == b"a cross of 2"
    assert found["Number"][7].tolist() == [pytest.approx(1.0)]
    assert sorted(set(found["labels"].tolist())) == [0, 1, 2]


def test_a_joint_training_begins_from_a_table(tmp_path: Path) -> None:
    file = table(tmp_path / "raw", 12, missing=(3, 4))
    (tmp_path / "n.fuse").write_text(str(SPEC), encoding="utf-8")
    named = [f"--backbone={one}" for one in extracting.BACKBONES.backbone]
    quick = ["--epochs", "1", "--batch", "4", "--workers", "1", "--threads", "1", "--json"]
    given = ["--joint", "--raw", str(file), "--out", str(tmp_path / "run"), *quick, *named]
    result = CliRunner().invoke(app, ["train", str(tmp_path / "n.fuse"), *given])
    assert result.exit_code == 0, result.output + str(result.exception)
    assert json.loads(result.stdout)["train_loss"] > 0
    assert "Words[t *, c 7]" in (tmp_path / "run/genotype.fuse").read_text(encoding="utf-8")


def test_samples_are_not_padded_for_a_backbone_that_takes_no_mask(tmp_path: Path) -> None:
    """What it gives for a sample would follow from the longest of all."""
    file = table(tmp_path / "raw", 10)
    spec = fw.loads(str(SPEC).replace("module:text", "module:alone"))
    with pytest.raises(DiagnosticError, match="takes no mask that says how much counts") as error:
        decoded(spec, file, backbones=extracting.BACKBONES)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E502"
    assert diagnostic.message.startswith("`text` has samples of 12 to 13 in time, ")
    alike = ExtractSettings(transform=("text.longest=5",))
    found = decoded(spec, file, backbones=extracting.BACKBONES, settings=alike)
    assert found["text"].shape == (10, 5)


def test_what_does_not_fit_in_memory_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fusewright.runtime.joint.decoded.available_memory", lambda: 20_000)
    file = table(tmp_path / "raw", 10)
    with pytest.raises(DiagnosticError) as error:
        decoded(SPEC, file, backbones=extracting.BACKBONES, settings=ExtractSettings(workers=1))
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E512"
    assert diagnostic.message == "`image` takes 17.3 KB decoded, and there is 20 KB"


@pytest.mark.parametrize("given", [[], ["--raw", "a", "--data", "b", "--joint"]])
def test_one_place_of_data_is_named(given: list[str], tmp_path: Path) -> None:
    (tmp_path / "n.fuse").write_text(str(SPEC), encoding="utf-8")
    result = CliRunner().invoke(app, ["train", str(tmp_path / "n.fuse"), "--out", "run", *given])
    assert "data are named by `--data`, or with `--joint` by `--raw`" in str(result.exception)
