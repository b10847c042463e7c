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
from fusewright.runtime.runs.ensemble import member_settings, read_ensemble
from fusewright.runtime.runs.read import read_run
from fusewright.runtime.search.consensus import consensus
from fusewright.runtime.search.controls import compare_with_controls
from fusewright.runtime.training.ensemble import train_ensemble

from ...support.running import command, problem, spec

DATA = problem(60)
QUICK = fw.Settings(
    select="folds", candidates=4, rungs=2, trial_epochs=2, finalists=3, folds=2, batch=16,
    max_learning_rate=0.02,
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
        settings = QUICK.with_options(seed=seed, split_seed=seed, trial_epochs=1 + seed)
        space, out = spec(length=length), place / name
        found = fw.search(space, DATA, out=out, settings=settings)
        compare_with_controls(space, DATA, found, settings=settings, out=out, random=False)
        short = settings.with_options(epochs=1)
        fw.train(found.genotype, DATA, out=out, settings=short)
        assert found.ensemble is not None
        train_ensemble(found.ensemble, DATA, out=place / f"{name}-trained", settings=short)
    return place


@pytest.fixture
def run(runs: Path, tmp_path: Path) -> Path:
    """A copy of `a`, beside one of `b`."""
    shutil.copytree(runs, tmp_path, dirs_exist_ok=True)
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
def test_a_report_refuses_what_is_of_another_run(name: str, run: Path) -> None:
    report([run])
    said = refused(lambda: report([mixed(run, name)]))
    if not name.endswith((".json", ".toml", "member_1.fuse")):
        assert f"`{run / name}` is not of the run that `" in said
        assert f"`{name}` is of the run in `{run.with_name('b')}`" in said
    refused(lambda: consensus([run]))


@pytest.mark.parametrize("name", EVERY)
def test_a_report_refuses_what_alone_is_of_its_run(name: str, run: Path) -> None:
    refused(lambda: report([mixed(run, *(other for other in EVERY if other != name))]))


def test_a_network_is_opened_with_its_own_weights_and_settings(run: Path, tmp_path: Path) -> None:
    open_predictor(run)
    whole = tmp_path / "whole"
    shutil.copytree(run, whole)
    for names in subsets(TRAINED):
        refused(lambda names=names: open_predictor(mixed(run, *names)))
        refused(lambda: deploy(run, tmp_path / "net.py"))
        for name in names:
            shutil.copy(whole / name, run / name)
    open_predictor(mixed(run, *TRAINED))
    assert not (tmp_path / "net.py").exists()


@pytest.mark.parametrize("name", ["history.jsonl", "specification.fuse"])
def test_an_artifact_says_nothing_of_another_run(name: str, run: Path, tmp_path: Path) -> None:
    assert name in refused(lambda: deploy(mixed(run, name), tmp_path / "net.onnx", verify=False))
    assert not (tmp_path / "net.onnx").exists()


ENSEMBLE = ("ensemble.json", "weights.safetensors", "train.toml", "train.json")


def test_an_ensemble_is_opened_with_its_own_members(run: Path, tmp_path: Path) -> None:
    trained = run.with_name("a-trained")
    open_predictor(trained)
    whole = tmp_path / "whole"
    shutil.copytree(trained, whole)
    for names in (*subsets(ENSEMBLE), ("member_1.fuse",), (*ENSEMBLE, "member_1.fuse")):
        if names == (*ENSEMBLE, "member_1.fuse") and len(read_ensemble(trained).members) == 1:
            continue
        mixed(trained, *names)
        for read in (lambda: open_predictor(trained), lambda: report([trained])):
            refused(read)
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
    report([run])
    open_predictor(run)


def test_a_run_may_be_moved_and_lose_what_is_not_read(run: Path, tmp_path: Path) -> None:
    (run / "found.safetensors").unlink()
    (run / "controls.json").unlink()
    shutil.rmtree(run / "ensemble")
    report([run.rename(tmp_path / "moved")])


def test_a_search_that_goes_on_after_its_end_is_bound_as_before(run: Path) -> None:
    before = json.loads((run / "search.json").read_text(encoding="utf-8"))
    settings = QUICK.with_options(seed=1, split_seed=1, trial_epochs=2, threads=1)
    fw.search(spec(), DATA, out=run, settings=settings, resume=True)
    after = json.loads((run / "search.json").read_text(encoding="utf-8"))
    different = {k for k, v in before["digests"].items() if after["digests"][k] != v}
    assert different == {"search.toml"}
    report([run])


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


def test_the_commands_say_which_file_is_meant(run: Path) -> None:
    mixed(run, "weights.safetensors")
    (run.parent / "data.npz").touch()
    with pytest.raises(AssertionError):  # its exit status
        command(run.parent, "evaluate", "a", "--data", "data.npz")
