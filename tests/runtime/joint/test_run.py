"""What a run that trained its backbones is evaluated on: raw data, and features that it gives."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import fusewright as fw
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.runtime.data.files import arrays_of
from fusewright.runtime.extract.extract import extract
from fusewright.runtime.joint.decoded import decoded
from fusewright.runtime.joint.train import train_joint
from tests.support.application import app
from tests.support.extracting import BACKBONES
from tests.support.extracting import SPEC as SPACE
from tests.support.raw import table

SPEC = fw.loads(SPACE.replace("cell Cell(?, ?) { Step = ?(x, y) }", "output High, Words, Number"))
QUICK: dict[str, Any] = {"epochs": 2, "batch": 4, "threads": 1, "max_learning_rate": 0.05}
NAMED = [f"--backbone={one}" for one in BACKBONES.backbone]


@dataclass(frozen=True)
class Place:
    """A folder with a table, a joint training of it, and a store of the backbones before that."""

    folder: Path
    table: Path

    @property
    def run(self) -> Path:
        return self.folder / "run"

    def command(self, *arguments: str | Path) -> Any:
        result = CliRunner().invoke(app, [*map(str, arguments)])
        if isinstance(result.exception, DiagnosticError):
            raise result.exception
        assert result.exit_code == 0, result.output + str(result.exception)
        return result


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("joint")
    place = Place(folder, table(folder / "raw", 24, missing=(3, 4)))
    raw = decoded(SPEC, place.table, backbones=BACKBONES)
    train_joint(SPEC, raw, out=place.run, backbones=BACKBONES, backbone_learning_rate=0.05, **QUICK)
    extract(SPEC, place.table, folder / "before", backbones=BACKBONES, unpooled=True)
    place.command("extract", place.run, "--raw", place.table, "--out", folder / "own", *NAMED)
    return place


def scores(output: str) -> dict[str, float]:
    found: dict[str, float] = json.loads(output)
    return {name: value for name, value in found.items() if name != "warnings"}


def test_raw_data_are_scored_as_the_features_that_the_run_gives(place: Place) -> None:
    given = ("evaluate", place.run, "--json")
    own = place.command(*given, "--data", place.folder / "own")
    raw = place.command(*given, "--joint", "--raw", place.table, *NAMED)
    assert scores(raw.stdout) == pytest.approx(scores(own.stdout), rel=1e-5)
    arrays = decoded(fw.load(place.run / "genotype.fuse"), place.table, backbones=BACKBONES)
    found = fw.predict(place.run, arrays, joint=True, backbones=BACKBONES)
    np.testing.assert_allclose(found, fw.predict(place.run, place.folder / "own"), atol=1e-5)
    assert not np.allclose(found[0], found[1])


def test_a_run_keeps_the_names_of_the_classes(place: Place) -> None:
    out = place.folder / "out.csv"
    place.command("predict", place.run, "-o", out, "--joint", "--raw", place.table, *NAMED)
    header = out.read_text(encoding="utf-8").splitlines()[0]
    assert all(word in header for word in ("circle", "square", "cross"))


@pytest.mark.parametrize("form", ["store", "arrays", "opened store"])
def test_features_of_other_backbones_are_refused(form: str, place: Place) -> None:
    data: Any = place.folder / "before"
    if form != "store":
        data = arrays_of(data)
    if form == "arrays":
        data = {name: data[name] for name in data}
    for predicted in (fw.evaluate, fw.predict):
        with pytest.raises(DiagnosticError) as error:
            predicted(place.run, data)
        said = [(d.code, d.message) for d in error.value.diagnostics]
        told = "of a backbone that the data do not name" if form == "arrays" else None
        told = told or "of another backbone"
        assert said == [("E515", f"the features of `{m}` are {told}") for m in ("image", "text")]


def test_whatever_is_made_of_the_run_refuses_them_too(place: Place) -> None:
    """An ONNX file that takes features, its measurement, and a student of the run."""
    model, before = place.folder / "model.onnx", place.folder / "before"
    fw.deploy(place.run, model)
    for use in (
        lambda: fw.predict(model, before),
        lambda: fw.deploy(place.run, place.folder / "other.onnx", data=before),
        lambda: fw.robustness(place.run, before),
        lambda: place.command(
            *("train", place.run / "genotype.fuse", "--data", before, "--distil", place.run),
            *("--out", place.folder / "student"),
        ),
    ):
        with pytest.raises(DiagnosticError, match="are of another backbone"):
            use()
    own = place.folder / "own"
    np.testing.assert_allclose(fw.predict(model, own), fw.predict(place.run, own), atol=1e-5)


def test_backbones_that_stayed_as_they_were_are_the_same(place: Place) -> None:
    raw = decoded(SPEC, place.table, backbones=BACKBONES)
    still = place.folder / "still"
    train_joint(SPEC, raw, out=still, backbones=BACKBONES, backbone_learning_rate=0.0, **QUICK)
    assert fw.predict(still, place.folder / "before").shape == (24, 3)


def test_options_of_raw_data_are_read_with_backbones_alone(place: Place) -> None:
    for given, message in (
        (["--raw", place.table], "`--raw` is for what runs with backbones"),
        (["--joint"], "data are named by `--data`, or with `--joint` by `--raw`"),
        (["--joint", "--data", place.folder / "own", *NAMED], "the data has no array `image`"),
        (["--data", place.folder / "own", *NAMED], "`--backbone` is for what runs with backbones"),
    ):
        with pytest.raises(DiagnosticError, match=message):
            place.command("evaluate", place.run, *given)
