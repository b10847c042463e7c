"""Runs that survive: a search that is killed or stopped goes on as if it had never been."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import fusewright as fw
from fusewright.runtime.runs.checkpoint import CheckpointPart, read_checkpoint, write_checkpoint
from fusewright.runtime.strategies import FOLLOWED_BY as STRATEGIES

from ...support.paths import ROOT, SRC
from ...support.running import as_npz, problem, same, spec, without_cost
from ...support.stopping import stop_after

pytestmark = pytest.mark.usefixtures("quick_surrogate")

DATA = problem(90)
QUICK = fw.Settings(
    epochs=3,
    batch=16,
    max_learning_rate=0.02,
    arch_learning_rate=0.01,
    candidates=5,
    trial_epochs=3,
)
WAYS = [(s, selection) for s, kinds in STRATEGIES.items() for selection in (kinds or ("",))]


def search(out: Path, strategy: str, select: str, **options: Any) -> fw.SearchResult:
    given: dict[str, Any] = {
        "strategy": strategy,
        "select": select,
        "relax": "per_input",
        **options,
    }
    return fw.search(spec(), DATA, out=out, settings=QUICK, **given)


@cache
def uninterrupted(strategy: str, select: str) -> fw.SearchResult:
    return fw.search(
        spec(), DATA, settings=QUICK, strategy=strategy, select=select, relax="per_input"
    )


@pytest.mark.parametrize(("strategy", "select"), WAYS)
def test_a_search_goes_on_from_any_batch(
    strategy: str, select: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stopped within its first batches, again and again, and goes on each time."""
    whole = uninterrupted(strategy, select)
    for batches in (1, 2, 2):
        with monkeypatch.context() as patched:
            stop_after(batches, patched)
            with pytest.raises(fw.DiagnosticError, match="was stopped in round"):
                search(tmp_path / "cut", strategy, select, resume=True)
    with pytest.raises(fw.DiagnosticError, match="holds a search that was stopped"):
        search(tmp_path / "cut", strategy, select)
    found = search(tmp_path / "cut", strategy, select, resume=True)
    assert found.genotype == whole.genotype
    assert found.best_round == whole.best_round
    assert same(found.weights, whole.weights)
    assert without_cost(found.history) == without_cost(whole.history)
    assert found.cost["weight_steps"] == pytest.approx(whole.cost["weight_steps"])


MOMENTS = 20


def outcome(run: Path) -> tuple[str, Mapping[str, Any], list[dict[str, Any]]]:
    """The genotype, the weights and the records of a run."""
    lines = (run / "history.jsonl").read_text(encoding="utf-8").splitlines()
    records = without_cost([json.loads(line) for line in lines])
    return (run / "genotype.fuse").read_text(), load_file(run / "found.safetensors"), records


def test_a_search_that_is_killed_is_the_search_that_was_not(tmp_path: Path) -> None:
    (tmp_path / "spec.fuse").write_text(str(spec()), encoding="utf-8")
    np.savez(tmp_path / "data.npz", **DATA)
    command = [sys.executable, "-m", "tests.support.kills", str(tmp_path), str(MOMENTS)]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run(command, cwd=ROOT, check=True, timeout=900, env=one_thread)
    genotype, weights, records = outcome(tmp_path / "whole")
    for moment in range(MOMENTS):
        found = outcome(tmp_path / f"run{moment}")
        assert found[0] == genotype
        assert same(found[1], weights)
        assert found[2] == records


def test_a_signal_writes_a_checkpoint_in_the_middle_of_an_epoch(tmp_path: Path) -> None:
    seen: list[int] = []

    def ask(record: dict[str, Any]) -> None:
        seen.append(record["round"])
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(fw.DiagnosticError, match="stopped in round 2") as caught:
        search(tmp_path / "run", "darts", "", report=ask)
    assert [d.code for d in caught.value.diagnostics] == ["E510"]
    assert seen == [1]
    found = search(tmp_path / "run", "darts", "", resume=True)
    assert same(found.weights, search(tmp_path / "whole", "darts", "").weights)


def test_a_run_is_resumed_with_what_it_was_begun_with(tmp_path: Path) -> None:
    search(tmp_path, "darts", "")
    again = search(tmp_path, "darts", "", resume=True)
    assert len(again.history) == QUICK.epochs
    with pytest.raises(
        fw.DiagnosticError, match=r"another `seed` \(it was 0, and is 3\)"
    ) as caught:
        search(tmp_path, "darts", "", resume=True, seed=3)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.help == "resume it with what it was begun with: `--seed 0`"
    other = fw.loads(str(spec()).replace("dropout = 0.1", "dropout = 0.2"))
    with pytest.raises(fw.DiagnosticError, match="with another `specification`"):
        fw.search(other, DATA, out=tmp_path, settings=QUICK, strategy="darts", resume=True)
    with pytest.raises(fw.DiagnosticError, match="no run folder to resume"):
        fw.search(spec(), DATA, settings=QUICK, resume=True)


def test_a_run_is_resumed_with_the_data_it_was_begun_with(tmp_path: Path) -> None:
    """Another sample is noticed, and another time alone is not; arrays in memory too."""
    file, run = as_npz(DATA, tmp_path), tmp_path / "run"
    changed = {**DATA, "A": DATA["A"].copy()}
    changed["A"][7] += 1

    def resume(data: Any) -> fw.SearchResult:
        return fw.search(spec(), data, out=run, resume=True, settings=QUICK, strategy="darts")

    resume(file)
    os.utime(file, (1, 1))
    resume(file)
    np.savez(file, **changed)
    with pytest.raises(fw.DiagnosticError, match=r"`data\.npz` changed") as caught:
        resume(file)
    assert [d.code for d in caught.value.diagnostics] == ["E507"]
    shutil.rmtree(run)
    resume(DATA)
    with pytest.raises(fw.DiagnosticError, match="run was begun with: `A` changed"):
        resume(changed)
    (run / "data.json").unlink()
    with pytest.raises(fw.DiagnosticError, match="another `data`"):
        resume(changed)


class Harm:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path("harmed").touch, ())


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "pickle", "list"])
def test_a_damaged_checkpoint_is_diagnosed(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "checkpoint.pt"
    write_checkpoint(path, "x", {"a": torch.ones(3), "n": 3, "nested": [{"t": 1.5}]})
    state = read_checkpoint(path, "x")
    assert state is not None
    assert torch.equal(state["a"], torch.ones(3))
    whole = path.read_bytes()
    if damage in ("pickle", "list"):
        torch.save({"state": Harm()} if damage == "pickle" else [1, 2], path)
    else:
        path.write_bytes({"empty": b"", "text": b"hello", "cut": whole[: len(whole) // 2]}[damage])
    with pytest.raises(fw.DiagnosticError, match="is damaged"):
        read_checkpoint(path, "x")
    assert not (tmp_path / "harmed").exists()


def test_a_loss_that_is_not_finite_says_where_it_begins(tmp_path: Path) -> None:
    huge = {n: np.where(DATA[n] > 0, 3e38, -3e38).astype(np.float32) for n in "ABD"}
    with pytest.raises(fw.DiagnosticError, match=r"`A\S*` is where that begins") as caught:
        fw.search(spec("cell K(A, ?) { S = ?(x, y) }"), DATA | huge, out=tmp_path, settings=QUICK)
    assert [d.code for d in caught.value.diagnostics] == ["E508"]


def test_a_search_goes_on_without_a_feature_that_spoils_candidates(tmp_path: Path) -> None:
    huge = DATA | {"A": np.where(DATA["A"] > 0, 3e38, -3e38).astype(np.float32)}
    settings = QUICK.with_options(strategy="halving", relax="per_input", candidates=8)
    found = fw.search(spec(), huge, out=tmp_path, settings=settings)
    reads = re.findall(r"cell K_\d\(([^)]*)\)", str(found.genotype))
    assert reads
    assert not any("A" in names.split(", ") for names in reads)
    failures = [record["failure"] for record in found.history if "failure" in record]
    assert failures
    assert all("`A" in failure for failure in failures)


def test_a_line_that_was_cut_short_is_dropped(tmp_path: Path) -> None:
    with pytest.raises(fw.DiagnosticError):
        search(tmp_path, "darts", "", report=lambda _: os.kill(os.getpid(), signal.SIGTERM))
    with (tmp_path / "history.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"stage": "sea')
    search(tmp_path, "darts", "", resume=True)
    lines = (tmp_path / "history.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["round"] for line in lines] == [1, 2, 3]


def test_a_finished_run_without_a_checkpoint_is_not_begun_again(tmp_path: Path) -> None:
    search(tmp_path, "darts", "")
    (tmp_path / "checkpoint.pt").unlink()
    with pytest.raises(fw.DiagnosticError, match="without a checkpoint"):
        search(tmp_path, "darts", "", resume=True)


def test_no_old_weights_lie_beside_a_new_genotype(tmp_path: Path) -> None:
    found = search(tmp_path, "darts", "")
    fw.train(found.genotype, DATA, out=tmp_path, settings=QUICK)
    with pytest.raises(fw.DiagnosticError, match="already holds a search"):
        search(tmp_path, "darts", "")
    (tmp_path / "search.json").unlink()
    (tmp_path / "checkpoint.pt").unlink()
    with pytest.raises(fw.DiagnosticError, match="already holds a train"):
        search(tmp_path, "darts", "")
    search(tmp_path, "darts", "", overwrite=True)
    assert not (tmp_path / "weights.safetensors").exists()
    assert not (tmp_path / "train.json").exists()


def test_a_run_is_not_resumed_with_other_arrays(tmp_path: Path) -> None:
    search(tmp_path, "darts", "")
    other = {**DATA, "A": DATA["A"] + 1}
    with pytest.raises(fw.DiagnosticError, match="run was begun with: `A` changed"):
        fw.search(
            spec(), other, out=tmp_path, settings=QUICK, strategy="darts",
            relax="per_input", resume=True,
        )  # fmt: skip


ALONE: dict[str, Any] = {"folds": 1, "ensemble": False}
"""Halving that ends with its last rung."""


def test_a_candidate_that_rests_is_written_once(tmp_path: Path) -> None:
    seen: dict[str, int] = {}
    sizes: list[int] = []

    def look(_: dict[str, Any]) -> None:
        for file in (tmp_path / "checkpoint.parts").glob("*.pt"):
            assert seen.setdefault(file.name, file.stat().st_ino) == file.stat().st_ino
        sizes.append((tmp_path / "checkpoint.pt").stat().st_size)

    search(tmp_path, "halving", "", report=look, candidates=9, reduction=3, **ALONE)
    assert len(seen) >= 9
    assert len(list((tmp_path / "checkpoint.parts").glob("*.pt"))) < 9
    part = (next((tmp_path / "checkpoint.parts").glob("*.pt"))).stat().st_size
    assert sizes[8] < sizes[0] + 4 * part


def test_a_part_belongs_to_its_checkpoint_and_to_no_other_place(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    write_checkpoint(
        path, "x", {"trials": [{"training": CheckpointPart("a", {"t": torch.ones(2)})}]}
    )
    state = read_checkpoint(path, "x")
    assert state is not None
    assert torch.equal(state["trials"][0]["training"]["t"], torch.ones(2))
    write_checkpoint(path, "x", {"trials": []})
    assert not list((tmp_path / "checkpoint.parts").iterdir())
    for state in ({"t": CheckpointPart("gone", {})}, {"t": {"checkpoint part": "../checkpoint"}}):
        write_checkpoint(path, "x", state)
        (tmp_path / "checkpoint.parts" / "gone.pt").unlink(missing_ok=True)
        with pytest.raises(fw.DiagnosticError, match="is damaged"):
            read_checkpoint(path, "x")


LIMITED = """
import os, resource, signal, sys
from fusewright.cli import main
from tests.support.forking import prepare_to_fork, require_one_thread

SEARCH = "fusewright search spec.fuse --data data.npz --config settings.toml --out"

def run(limit, *more):
    require_one_thread()
    child = os.fork()
    if not child:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        sys.argv = [*SEARCH.split(), *more]
        main()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

prepare_to_fork()
print(run(10**9, "whole"))
print(run(os.path.getsize("whole/checkpoint.pt") - 2000, "cut"))
print(run(10**9, "cut", "--resume"))
"""
"""Searches in processes that are forked from one, which has imported what they need."""


def test_a_full_disk_ends_a_search_that_can_go_on(tmp_path: Path) -> None:
    """A limit on files stands for the disk: writes beyond it fail as they do where it is full."""
    (tmp_path / "spec.fuse").write_text(str(spec()), encoding="utf-8")
    np.savez(tmp_path / "data.npz", **DATA)
    (tmp_path / "settings.toml").write_text(QUICK.to_toml(), encoding="utf-8")

    paths = os.pathsep.join((str(ROOT), str(SRC)))
    single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": paths}
    done = subprocess.run(
        (sys.executable, "-u", "-c", LIMITED), cwd=tmp_path, capture_output=True, text=True,
        timeout=300, check=False, env={**os.environ, **single},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ended = [line for line in done.stdout.splitlines() if line in ("0", "1")]
    assert ended == ["0", "1", "0"], done.stderr
    assert "cannot write" in done.stderr
    assert "Traceback" not in done.stderr
    found, expected = outcome(tmp_path / "cut"), outcome(tmp_path / "whole")
    assert found[0] == expected[0]
    assert same(found[1], expected[1])
    assert found[2] == expected[2]
