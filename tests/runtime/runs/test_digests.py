"""What a run wrote is bound together: parts of different runs are refused wherever they meet."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

import fusewright as fw
from fusewright.compiler.load import format_file
from fusewright.runtime.deploy.deploy import deploy
from fusewright.runtime.predict.open import open_predictor
from fusewright.runtime.report.build import report
from fusewright.runtime.runs.controls import Control, Controls
from fusewright.runtime.runs.ensemble import member_settings, read_ensemble
from fusewright.runtime.runs.folder import RunFolder
from fusewright.runtime.runs.read import read_run, read_trained_ensemble
from fusewright.runtime.runs.weights import weights_from
from fusewright.runtime.search.consensus import consensus
from fusewright.runtime.training.ensemble import train_ensemble

from ...support.running import problem, spec

DATA = problem(60)
QUICK = fw.Settings(
    select="folds", candidates=3, rungs=1, trial_epochs=1, finalists=2, folds=2, batch=36,
    max_learning_rate=0.02, threads=1,
)  # fmt: skip
TRAINED = ("genotype.fuse", "weights.safetensors", "train.toml", "train.json")
SEARCHED = (
    *("specification.fuse", "search.toml", "genotype.fuse", "found.safetensors", "search.json"),
    *("history.jsonl", "controls.json", "ensemble/ensemble.json", "ensemble/member_1.fuse"),
)
EVERY = sorted({*TRAINED, *SEARCHED})


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs that searched and trained, `a` and `b`, and what their ensembles were trained to.

    All they have in common is what they predict.
    """
    place = tmp_path_factory.mktemp("runs")
    for seed, (name, length) in enumerate((("a", 2), ("b", 3)), 1):
        settings = QUICK.with_options(seed=seed, split_seed=seed, trial_epochs=seed)
        out = place / name
        found = fw.search(spec(length=length), DATA, out=out, settings=settings)
        Controls("accuracy", 1, 1, 0, (Control("found genotype", 0.5, (0.5,), 0),)).write(out)
        short = settings.with_options(epochs=1)
        fw.train(found.genotype, DATA, out=out, settings=short)
        assert found.ensemble is not None
        train_ensemble(found.ensemble, DATA, out=place / f"{name}-trained", settings=short)
    return place


@pytest.fixture
def run(runs: Path, tmp_path: Path) -> Path:
    """A copy of `a`, beside one of `b`."""
    shutil.copytree(runs, tmp_path, dirs_exist_ok=True)
    shutil.copytree(runs / "a", tmp_path / "whole")
    return tmp_path / "a"


def mixed(run: Path, *names: str) -> Path:
    """The run with files of the other one."""
    for name in names:
        shutil.copy(run.with_name(run.name.replace("a", "b", 1)) / name, run / name)
    return run


def refused(read: Callable[[], object]) -> str:
    """What the diagnostic of parts that do not belong together says."""
    with pytest.raises(fw.DiagnosticError) as caught:
        read()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E507", diagnostic
    assert diagnostic.help
    return "; ".join([diagnostic.message, *(note.message for note in diagnostic.notes)])


def subsets(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for count in range(1, len(names)):
        yield from combinations(names, count)


@pytest.mark.parametrize("name", EVERY)
def test_what_is_of_another_run_is_refused(name: str, run: Path) -> None:
    said = refused(lambda: read_run(mixed(run, name)))
    if not name.endswith((".json", ".toml", "member_1.fuse")):
        assert f"`{run / name}` is not of the run that `" in said
        assert f"`{name}` is of the run in `{run.with_name('b')}`" in said
    mixed(run, *(other for other in EVERY if other != name))
    shutil.copy(run.with_name("whole") / name, run / name)
    refused(lambda: read_run(run))


@pytest.mark.parametrize("read", [report, consensus])
def test_a_report_and_a_consensus_refuse_it(read: Callable[[Any], object], run: Path) -> None:
    read([run])
    refused(lambda: read([mixed(run, "history.jsonl")]))


def test_a_network_is_opened_with_its_own_weights_and_settings(run: Path, tmp_path: Path) -> None:
    open_predictor(run)
    for names in subsets(TRAINED):
        mixed(run, *names)
        refused(lambda: open_predictor(run))
        refused(lambda: deploy(run, tmp_path / "net.py"))
        for name in names:
            shutil.copy(tmp_path / "whole" / name, run / name)
    open_predictor(mixed(run, *TRAINED))
    assert not (tmp_path / "net.py").exists()


def test_weights_that_are_named_are_those_of_their_run(run: Path) -> None:
    genotype = fw.load(run / "genotype.fuse")
    for stage, name in (("train", "weights.safetensors"), ("search", "found.safetensors")):
        weights_from(run / name)
        for other in (name, f"{stage}.json", "genotype.fuse"):
            mixed(run, other)
            with pytest.raises(fw.DiagnosticError, match="is not of the run"):
                weights_from(run / name)
            shutil.copy(run.with_name("whole") / other, run / other)
    mixed(run, "weights.safetensors")
    refused(lambda: fw.train(genotype, DATA, weights=run / "weights.safetensors", epochs=1))
    refused(lambda: fw.predict(genotype, DATA, weights=run / "weights.safetensors"))


@pytest.mark.parametrize("name", ["history.jsonl", "specification.fuse"])
def test_an_artifact_says_nothing_of_another_run(name: str, run: Path, tmp_path: Path) -> None:
    assert name in refused(lambda: deploy(mixed(run, name), tmp_path / "net.onnx", verify=False))
    assert not (tmp_path / "net.onnx").exists()


ENSEMBLE = ("ensemble.json", "weights.safetensors", "train.toml", "train.json")


def test_an_ensemble_is_opened_with_its_own_members(run: Path, tmp_path: Path) -> None:
    trained = run.with_name("a-trained")
    open_predictor(trained)
    whole = tmp_path / "whole ensemble"
    shutil.copytree(trained, whole)
    for names in (*subsets(ENSEMBLE), ("member_1.fuse",), (*ENSEMBLE, "member_1.fuse")):
        if names == (*ENSEMBLE, "member_1.fuse") and len(read_ensemble(trained).members) == 1:
            continue
        mixed(trained, *names)
        refused(lambda: open_predictor(trained))
        refused(lambda: read_trained_ensemble(RunFolder(trained)))
        shutil.rmtree(trained)
        shutil.copytree(whole, trained)


def test_settings_beside_a_genotype_are_its_own(run: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    for name in ("genotype.fuse", "genotype.toml"):
        shutil.copy(run / name, alone)
    assert fw.train(fw.load(alone / "genotype.fuse"), DATA, out=alone, epochs=1, batch=16)
    shutil.copy(run.with_name("b") / "genotype.toml", alone)
    genotype = fw.load(alone / "genotype.fuse")
    said = refused(lambda: fw.train(genotype, DATA, out=alone, overwrite=True, epochs=1))
    assert "is not what" in said
    folder = run / "ensemble"
    shutil.copy(run.with_name("b") / "genotype.toml", folder / "member_1.toml")
    refused(lambda: member_settings(read_ensemble(folder), folder))


def test_what_a_file_says_binds_it_and_not_how(run: Path) -> None:
    for path in (*run.rglob("*.fuse"), run / "genotype.fuse"):
        text = f"# of mine\n{path.read_text(encoding='utf-8')}".replace("\n\n", "\n")
        path.write_text(text, encoding="utf-8")
        path.write_text(format_file(path, text), encoding="utf-8")
    for path in run.glob("*.toml"):
        path.write_text(f"# of mine\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    read_run(run)
    open_predictor(run)


def test_a_run_may_be_moved_and_lose_what_is_not_read(run: Path, tmp_path: Path) -> None:
    (run / "found.safetensors").unlink()
    (run / "controls.json").unlink()
    shutil.rmtree(run / "ensemble")
    read_run(run.rename(tmp_path / "moved"))


def test_a_search_that_goes_on_after_its_end_is_bound_as_before(run: Path) -> None:
    before = json.loads((run / "search.json").read_text(encoding="utf-8"))
    settings = QUICK.with_options(seed=1, split_seed=1, trial_epochs=1, threads=2)
    fw.search(spec(), DATA, out=run, settings=settings, resume=True)
    after = json.loads((run / "search.json").read_text(encoding="utf-8"))
    different = {k for k, v in before["digests"].items() if after["digests"][k] != v}
    assert different == {"search.toml"}
    read_run(run)


def without_digests(path: Path) -> None:
    """The record as it was before there were digests."""
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    record.pop("digests")
    path.write_text(json.dumps(record), encoding="utf-8")


def test_a_run_of_before_there_were_digests_is_read(run: Path) -> None:
    for name in ("search.json", "train.json", "controls.json", "ensemble/ensemble.json"):
        without_digests(run / name)
    for path in (run / "genotype.fuse", *run.glob("ensemble/*.fuse")):
        path.write_text(str(fw.load(path)), encoding="utf-8")
    assert read_run(run).search is not None
    open_predictor(run)


@pytest.mark.parametrize("content", ["", "[]", '{"digests": 3}'])
def test_a_damaged_record_is_diagnosed(content: str, run: Path) -> None:
    (run / "train.json").write_text(content, encoding="utf-8")
    assert "is damaged" in refused(lambda: open_predictor(run))


def test_a_record_that_is_gone_is_missed(run: Path) -> None:
    (run / "train.json").unlink()
    assert "has no `train.json`" in refused(lambda: open_predictor(run))
