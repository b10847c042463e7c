"""Black-box and sequential search: candidates that are trained by themselves, one after another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import optuna
import pytest
import torch
from optuna.storages.journal import JournalFileBackend

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.network.choices import fill
from fusewright.compiler.network.rules import admits
from fusewright.compiler.resolve.unfill import unfill
from fusewright.runtime.data.split import TRAIN, VALIDATION
from fusewright.runtime.genotypes.derive import choose
from fusewright.runtime.genotypes.space import every_choice, keeps_rule
from fusewright.runtime.parallel.interrupt import Interrupt, Interrupted
from fusewright.runtime.search.candidates.knowledge import Knowledge, bred
from fusewright.runtime.search.candidates.prefix import first_cells
from fusewright.runtime.search.candidates.sampled import Points
from fusewright.runtime.search.candidates.shared import study_name
from fusewright.runtime.search.candidates.surrogate import predicted
from fusewright.runtime.search.candidates.trial import Trial
from fusewright.runtime.search.strategies import EXPLORERS
from fusewright.runtime.search.strategies.dc import parts_of_training
from fusewright.runtime.search.strategies.mfas import Mfas, levels
from fusewright.runtime.settings import Settings
from fusewright.runtime.strategies import SHARING

from ...support.paths import ROOT
from ...support.running import problem, same, spec, without_cost
from .test_strategies import searched

DATA = problem(60)
QUICK = Settings(batch=16, max_learning_rate=0.02, candidates=6, trial_epochs=2, passes=2)
STRATEGIES = (*SHARING, "mfas", "dc")
SPACES = {
    "two Cells": spec(),
    "fresh inputs": fw.loads(str(spec()).replace("cell K", "require fresh_input cell K", 1)),
    "half open": spec("cell K(A, ?) { S = {Sum | ConcatFC}(x, y) T = LinearGLU(x, y) return S }"),
    "one output": spec("cell K[3](?, ?) { S = ?(x, y) } output K_1, B"),
    "fixed in the middle": spec(
        "cell A1(?, ?) { S = ?(x, y) } cell F(A1, B) { S = Sum(x, y) } cell K(?, ?) { S = ?(?, ?) }"
    ),
}


def search(strategy: str, space: fw.Spec | None = None, **options: Any) -> fw.SearchResult:
    return fw.search(space or spec(), DATA, settings=QUICK, strategy=strategy, **options)


class Stop:
    """Lets a search be asked to stop after so many batches, counted from its beginning."""

    def __init__(self, batches: int) -> None:
        self.left = batches

    def __call__(self, interrupt: Interrupt) -> None:
        self.left -= 1
        if self.left == 0:
            raise Interrupted


# What is found


@pytest.mark.parametrize("relax", ["shared", "per_input"])
@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_rule_admits_what_is_found(strategy: str, space: fw.Spec, relax: str) -> None:
    network = checked(space)
    for seed in range(2):
        found = search(strategy, space, seed=seed, relax=relax, trial_epochs=1)
        inputs = unfill(network, found.genotype).inputs
        assert all(admits(network, i, c, inputs[:i]) for i, c in enumerate(inputs))
        assert not checked(found.genotype).has_holes
        own = checked(found.genotype)
        logits = fw.predict(found.genotype, DATA, weights=found.weights)
        assert logits.shape == (60, own.head.count)


def useful() -> tuple[fw.Spec, dict[str, Any]]:
    """A space of six features, two of which tell the class."""
    names = "PQRSTU"
    features = " ".join(f"{name}[c 4]" for name in names)
    space = fw.loads(
        f"network n(C = 8, L = 1) use bmnas modality m {{ {features} }} "
        "pool Sum, Attention cell K(?, ?) { S = ?(x, y) } predict 4 classes"
    )
    generator = np.random.default_rng(3)
    count = 240
    a, b = generator.integers(2, size=(2, count))
    arrays: dict[str, Any] = {n: generator.normal(size=(count, 4)) for n in names}
    arrays["R"][:, 0] = 4 * a - 2
    arrays["U"][:, 0] = 4 * b - 2
    arrays = {n: array.astype(np.float32) for n, array in arrays.items()}
    return space, arrays | {"labels": 2 * a + b, "split": np.arange(count) // 4 % 3}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_two_features_that_tell_are_found(strategy: str) -> None:
    """Two of six features together tell the class: one pair of fifteen, in either order."""
    space, data = useful()
    many = 150 if strategy == "dc" else 40  # of which all samples teach a fifth
    settings = QUICK.with_options(candidates=many, trial_epochs=8, passes=4, max_learning_rate=0.05)
    found = fw.search(space, data, settings=settings, strategy=strategy)
    (cell,) = unfill(checked(space), found.genotype).cells
    assert {"R", "U"} == set(cell.inputs)
    scores = [record["validation_accuracy"] for record in found.history if "genotype" in record]
    assert max(scores) > 0.9
    assert sum(score > 0.8 for score in scores) < len(scores) / 2


def test_a_candidate_without_a_score_says_nothing_of_others() -> None:
    network = checked(SPACES["half open"])
    several = list(every_choice(network))
    known = {one: float(i) for i, one in enumerate(several[:3])}
    spoilt = {**known, several[3]: -float("inf")}
    expected = predicted(network, known, several, 0)
    assert np.isfinite(predicted(network, spoilt, several, 0)).all()
    assert np.allclose(predicted(network, spoilt, several, 0), expected)
    assert not predicted(network, {several[0]: -float("inf")}, several, 0).any()


# Going on


@pytest.mark.usefixtures("quick_surrogate")
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_search_goes_on_from_anywhere(strategy: str, tmp_path: Path) -> None:
    """It is stopped in the middle of every round, and before the first batch of each."""
    candidates = 6 if strategy == "dc" else 5  # two in each part
    settings: dict[str, Any] = {"candidates": candidates, "trial_epochs": 2, "folds": 2}
    stop = Stop(-1)
    with patch.object(Interrupt, "check", lambda self: stop(self)):
        whole = search(strategy, **settings)
        batches = -1 - stop.left
        together = {"random": 4, "dc": 8}  # all candidates, or those of a population
        assert batches >= together.get(strategy, 10)
        for number in range(1, batches + 1):
            run = tmp_path / f"{number}"
            stop = Stop(number)
            with pytest.raises(fw.DiagnosticError, match="was stopped in round"):
                search(strategy, out=run, **settings)
            found = search(strategy, out=run, resume=True, **settings)
            assert found.genotype == whole.genotype
            assert same(found.weights, whole.weights)
            assert without_cost(found.history) == without_cost(whole.history)
            assert found.cost["weight_steps"] == pytest.approx(whole.cost["weight_steps"])


@pytest.mark.usefixtures("quick_surrogate")
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_search_that_is_stopped_in_every_round_is_the_same(strategy: str, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"candidates": 6 if strategy == "dc" else 5, "folds": 2}
    whole = search(strategy, **settings)
    stop = Stop(3)
    with patch.object(Interrupt, "check", lambda self: stop(self)):
        for _ in range(40):
            stop = Stop(3)
            try:
                found = search(strategy, out=tmp_path, resume=True, **settings)
            except fw.DiagnosticError:
                continue
            break
        else:
            raise AssertionError("it never ended")
    assert same(found.weights, whole.weights)
    assert without_cost(found.history) == without_cost(whole.history)


# What is trained


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_candidate_is_trained_twice(strategy: str) -> None:
    """In a space of four, most rounds know their candidate already, or there are no others.

    In the populations of `dc` it is another one, which learns from other samples.
    """
    space = SPACES["half open"]
    trained: list[Any] = []

    def noted(self: Trial, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **options)
        trained.append((self.choices, self.fold))

    original = Trial.__init__
    with patch.object(Trial, "__init__", noted):
        found = search(strategy, space, candidates=16, tune="")
    assert len(trained) == len(set(trained))
    four, populations = list(every_choice(checked(space))), {fold for _, fold in trained}
    assert len(trained) <= len(populations) * len(four) == len(populations) * 4
    twice = [record for record in found.history if record.get("epochs") == 0]
    assert len(found.history) == len(trained) + len(twice)
    if strategy in SHARING:
        assert len(found.history) == 16
        for record in twice:
            first = next(r for r in found.history if r["candidate"] == record["candidate"])
            assert record["score"] == first["validation_accuracy"]
            before = found.history[record["round"] - 2]
            assert record["cost"]["weight_steps"] == before["cost"]["weight_steps"]
    else:
        assert len(found.history) == min(16, len(populations) * 4)


def test_a_point_that_the_rule_forbids_becomes_the_nearest_choice() -> None:
    points = Points(searched(QUICK.with_options(tune="")))
    assert list(points.sizes.values()) == [3, 3, 3, 4, 4, 3]  # K_2 may take K_1
    for place in range(3):
        point = {name: min(place, size - 1) for name, size in points.sizes.items()}
        first, second = points.choices(point).cells
        assert len(set(first.inputs)) == 2  # the point takes one feature twice
        assert set(first.inputs) != set(second.inputs)
        assert ("A", "B", "D")[place] in first.inputs
        assert first.steps[0].operation == second.steps[0].operation == place


def test_settings_are_dimensions_of_the_space() -> None:
    tune = "weight_decay = 0.1 | 0.2 | 0.3, warm_up = 2"
    points = Points(searched(QUICK.with_options(tune=tune)))
    assert [*points.sizes.values()][-2:] == [3, 1]
    point = dict.fromkeys(points.sizes, 0) | {"setting weight_decay": 2}
    assert points.candidate(point)[1] == (("weight_decay", 0.3), ("warm_up", 2))
    found = search("random", tune=tune, candidates=6)
    chosen = {h["settings"]["weight_decay"] for h in found.history if "settings" in h}
    assert len(chosen) > 1
    assert found.training is not None
    assert found.training.weight_decay in chosen
    assert found.training.warm_up == 2


@pytest.mark.usefixtures("quick_surrogate")
def test_candidates_that_grow_have_settings_of_their_own() -> None:
    tune = "weight_decay = 0.1 | 0.2 | 0.3"
    found = search("mfas", SPACES["one output"], candidates=9, tune=tune)
    own = [record["settings"]["weight_decay"] for record in found.history]
    assert own == [0.1, 0.2, 0.3] * 3
    assert found.training is not None
    assert found.training.weight_decay == own[found.best_round - 1]


def test_samples_depend_on_the_seed() -> None:
    histories = [
        [r["genotype"] for r in search("random", seed=seed).history if "genotype" in r]
        for seed in (0, 0, 1)
    ]
    assert histories[0] == histories[1] != histories[2]


# Prefixes and levels


def test_the_first_cells_of_a_network() -> None:
    network = checked(SPACES["one output"])
    assert first_cells(network, 3) is network
    assert first_cells(network, 1).output_candidates == ("K_1", "B")
    late = checked(spec("cell K[3](?, ?) { S = ?(x, y) } output K_3"))
    short = first_cells(late, 2)
    assert short.output_candidates == ("K_2",)
    genotype = fill(short, choose(short, {}, "shared"))
    assert [c.name for c in checked(genotype).cells] == ["K_1", "K_2"]
    assert checked(genotype).output_candidates == ("K_2",)


def test_levels_end_where_a_network_can() -> None:
    assert levels(checked(SPACES["fixed in the middle"])) == [1, 3]
    head = "use bmnas role head(h) = flatten(h) @ W[32, K] + b[K]"  # of two outputs
    text = str(spec("cell K[3](?, ?) { S = ?(x, y) } output K_2, K_3"))
    space = fw.loads(text.replace("use bmnas", head))
    assert levels(checked(space)) == [3]
    assert len(search("mfas", space).history) == 6


def test_networks_grow_cell_by_cell() -> None:
    found = search("mfas", SPACES["one output"], candidates=12)
    grown = [(r["pass"], r["cells"]) for r in found.history]
    assert grown == sorted(grown)
    assert {cells for _, cells in grown} == {1, 2, 3}
    assert all(("genotype" in r) == (r["cells"] == 3) for r in found.history)
    assert [r["candidate"] for r in found.history] == list(range(12))
    few = search("mfas", SPACES["one output"], candidates=1)
    assert [r["cells"] for r in few.history] == [1, 2, 3]


def test_a_surrogate_learns_which_choices_are_good() -> None:
    network = checked(spec())
    every = list(every_choice(network))
    generator = np.random.default_rng(0)

    def worth(choices: Any) -> float:
        first, second = choices.cells
        return float("A" in first.inputs) + float(second.steps[0].operation == 1) / 2

    order = generator.permutation(len(every))
    known = {every[i]: worth(every[i]) for i in order[:25]}
    asked = [every[i] for i in order[25:]]
    before = torch.get_rng_state()
    guessed = predicted(network, known, asked, seed=0)
    assert torch.equal(before, torch.get_rng_state())
    assert np.array_equal(guessed, predicted(network, known, asked, seed=0))
    assert np.corrcoef(guessed, [worth(c) for c in asked])[0, 1] > 0.9


def test_strategies_know_how_many_rounds_there_are() -> None:
    tpe = EXPLORERS["tpe"](searched(QUICK.with_options(strategy="tpe")))
    strategies = tpe, Mfas(searched(QUICK))
    assert [s.rounds for s in strategies] == [6, 6]


# One study for many

WORKER = """
import json, sys, time, warnings
from collections.abc import Callable
from pathlib import Path
import torch
torch.set_num_threads(1)
import fusewright as fw
warnings.simplefilter("ignore", fw.DataWarning)  # the data are small
from tests.runtime.search.test_sampled import DATA, QUICK, spec
storage, strategy, candidates, wait = sys.argv[1:]
slow = lambda record: time.sleep(float(wait))
found = fw.search(
    spec(), DATA, settings=QUICK, strategy=strategy, storage=storage, candidates=int(candidates),
    report=slow,
)
total = sum(float(abs(a).sum()) for a in found.weights.values())
records = [{k: v for k, v in r.items() if k != "cost"} for r in found.history]
print(json.dumps({"genotype": str(found.genotype), "weights": total, "history": records}))
"""


def worker(storage: str, strategy: str, candidates: int, wait: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", WORKER, storage, strategy]
    command += [str(candidates), str(wait)]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finished_trials(storage: str) -> list[Any]:
    """The finished trials of the only study of a journal."""
    backend = JournalFileBackend(storage)
    journal = optuna.storages.JournalStorage(backend)
    (study,) = journal.get_all_studies()
    trials = journal.get_all_trials(study._study_id)  # pyright: ignore[reportPrivateUsage]
    return [t for t in trials if t.state == optuna.trial.TrialState.COMPLETE]


TOLD = '"op_code":6,'
"""What a journal says when a trial is finished."""


def leave_running(storage: str) -> None:
    """Begins a trial of the study of a journal, and never finishes it."""
    backend = JournalFileBackend(storage)
    journal = optuna.storages.JournalStorage(backend)
    (study,) = journal.get_all_studies()
    optuna.load_study(study_name=study.study_name, storage=journal).ask()


@pytest.mark.parametrize("kind", ["journal", "database"])
def test_two_processes_share_a_study(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "study"
    storage = str(path) if kind == "journal" else f"sqlite:///{path}"
    workers = [worker(storage, "tpe", 16, 0.3) for _ in range(2)]
    outputs = [w.communicate(timeout=240) for w in workers]
    assert [error for _, error in outputs] == ["", ""]
    results = [json.loads(output) for output, _ in outputs]
    assert results[0]["genotype"] == results[1]["genotype"]
    assert results[0]["weights"] == results[1]["weights"]
    own = [[r for r in result["history"] if "finished" not in r] for result in results]
    assert all(own)  # both have tried some
    assert 16 <= len(own[0]) + len(own[1]) <= 17
    if kind == "journal":
        assert len(finished_trials(storage)) == len(own[0]) + len(own[1])
    numbers = [r["candidate"] for records in own for r in records if r["epochs"]]
    assert len(numbers) == len(set(numbers))


def test_a_process_that_died_blocks_nobody(tmp_path: Path) -> None:
    storage = str(tmp_path / "journal")
    first = worker(storage, "evolution", 6, 30)
    while not Path(storage).exists() or TOLD not in Path(storage).read_text():
        assert first.poll() is None
        time.sleep(0.05)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    leave_running(storage)
    found = search("evolution", storage=storage)
    assert len(finished_trials(storage)) == 6
    assert found.history[-1]["finished"] == 6
    assert len(found.history) <= 6
    again = search("evolution", storage=storage)
    assert len(again.history) == 1  # all is known
    assert again.genotype == found.genotype
    assert same(again.weights, found.weights)
    more = search("evolution", storage=storage, candidates=8)
    assert more.history[-1]["finished"] == 8


def test_a_line_of_a_journal_that_was_cut_short_loses_nothing_else(tmp_path: Path) -> None:
    storage = tmp_path / "journal"
    search("tpe", storage=str(storage), candidates=2)
    whole = storage.read_bytes()
    storage.write_bytes(whole + whole.splitlines()[-1][:9])  # a process is killed within a write
    search("tpe", storage=str(storage), candidates=3)
    assert storage.read_bytes().startswith(whole)
    assert len(finished_trials(str(storage))) == 3


def without_a_choice(journal: list[bytes]) -> list[bytes]:
    """A journal whose first trial was not asked for everything."""
    first = next(place for place, line in enumerate(journal) if b'"op_code":5,' in line)
    return [*journal[:first], *journal[first + 1 :]]


def with_another_choice(journal: list[bytes]) -> list[bytes]:
    return [line.replace(b"K_1.alpha_1", b"K_9.alpha_1") for line in journal]


def with_a_last_line_that_is_none(journal: list[bytes]) -> list[bytes]:
    return [*journal[:-1], journal[-1].replace(b'"values":', b">:")]


def of_one_line_without_an_end(journal: list[bytes]) -> list[bytes]:
    return [b"no journal"]


DAMAGES = (
    *(without_a_choice, with_another_choice),
    *(with_a_last_line_that_is_none, of_one_line_without_an_end),
)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_journal_is_refused_before_it_is_written_to(
    damage: Callable[[list[bytes]], list[bytes]], tmp_path: Path
) -> None:
    storage = tmp_path / "journal"
    search("tpe", storage=str(storage), candidates=2)
    damaged = b"".join(damage(storage.read_bytes().splitlines(keepends=True)))
    storage.write_bytes(damaged)
    with pytest.raises(fw.DiagnosticError, match="cannot hold the study"):
        search("tpe", storage=str(storage), candidates=3, out=tmp_path / "run")
    assert storage.read_bytes() == damaged
    assert not (tmp_path / "run").exists()


def test_one_process_with_a_storage_tries_what_it_does_without(tmp_path: Path) -> None:
    alone = search("tpe")
    stored = search("tpe", storage=str(tmp_path / "journal"))
    tried = [[r.get("genotype") for r in found.history] for found in (alone, stored)]
    assert tried[1][:-1] == tried[0]
    assert tried[1][-1] == str(stored.genotype)


def test_a_process_of_a_shared_study_goes_on(tmp_path: Path) -> None:
    """In the middle of a trial, and in the middle of training again what others found."""
    whole = search("tpe", storage=str(tmp_path / "whole"), out=tmp_path / "run")
    stop = Stop(5)
    with patch.object(Interrupt, "check", lambda self: stop(self)):
        options: dict[str, Any] = {"storage": str(tmp_path / "cut"), "out": tmp_path / "cut_run"}
        with pytest.raises(fw.DiagnosticError, match="was stopped in round"):
            search("tpe", **options)
        found = search("tpe", resume=True, **options)
        assert found.genotype == whole.genotype
        assert same(found.weights, whole.weights)
        assert without_cost(found.history) == without_cost(whole.history)
        options["out"], stop = tmp_path / "other_run", Stop(2)
        with pytest.raises(fw.DiagnosticError, match="was stopped in round 1"):
            search("tpe", **options)
        for _ in range(2):
            found = search("tpe", resume=True, **options)
            assert len(found.history) == 1
            assert same(found.weights, whole.weights)


def test_studies_are_told_apart_by_what_scores_depend_on() -> None:
    base = searched(QUICK.with_options(strategy="tpe", storage="a"))
    name = study_name(base)
    for options in ({"storage": "b"}, {"candidates": 99}, {"tensorboard": True}):
        assert study_name(searched(base.settings.with_options(**options))) == name
    for options in ({"seed": 1}, {"trial_epochs": 3}, {"strategy": "random"}, {"batch": 17}):
        assert study_name(searched(base.settings.with_options(**options))) != name
    assert study_name(searched(base.settings, SPACES["half open"])) != name


# Storages that cannot be used


def stored(path: Path) -> str:
    """The text of a journal of one study."""
    search("random", storage=str(path), candidates=2, trial_epochs=1)
    return path.read_text()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"hello\nworld\n", "E507"),
        (b"\xff\xfe\x00\n\n", "E507"),
        (b"{}\n", "E507"),
        (b"[]\n3\n", "E507"),
        (b"null\nnull\n", "E507"),
        (b'{"op_code": 0, "worker_id": 3}\n', "E507"),
        (b'{"op_code": 77, "worker_id": "x"}\n', "E507"),
        (b"[" * 100_000 + b"\n", "E507"),
    ],
)
def test_a_foreign_file_is_no_storage(text: bytes, code: str, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(text)
    with pytest.raises(fw.DiagnosticError) as caught:
        search("random", storage=str(path))
    assert [d.code for d in caught.value.diagnostics] == [code]
    assert path.read_bytes()[: len(text)] == text


@pytest.mark.parametrize(
    ("place", "code"),
    [
        (".", "E504"),
        ("missing/journal", "E504"),
        ("pipe", "E504"),
        ("nul\0", "E507"),
        ("sqlite:///missing/x.db", "E507"),
        ("sqlite:///text", "E507"),
        ("nothing://x", "E506"),
        ("://", "E506"),
        ("postgresql://someone:secret@nowhere.invalid/x", "E506"),
        ("postgresql://[", "E506"),
    ],
)
def test_a_place_that_holds_no_storage_is_diagnosed(
    place: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("text").write_text("hello " * 99)
    with pytest.raises(fw.DiagnosticError) as caught:
        search("tpe", storage=place)
    assert [d.code for d in caught.value.diagnostics] == [code]
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"values":[', '"values":["x",'),
        ('"param_value_internal":', '"param_value_internal":9'),
        ('"trained":', '"trained":-1,"more":'),
        ('"param_name":"', '"param_name":"other'),
        ("CategoricalDistribution", "NoDistribution"),
        ('"trained":', '"trained":"x","more":'),
        ('"study_id":0', '"study_id":7'),
        ('\\"choices\\": [', '\\"choices\\": [5, '),
        ('"values":[', '"values":[NaN,'),
        ('"op_code":6,', '"op_code":9,'),
    ],
)
def test_a_journal_with_other_contents_is_diagnosed(old: str, new: str, tmp_path: Path) -> None:
    """Either as a foreign one, or what it says is taken for what it is: other trials."""
    path = tmp_path / "journal"
    text = stored(path)
    assert old in text
    path.write_text(text.replace(old, new))
    try:
        found = search("random", storage=str(path), candidates=4, trial_epochs=1)
    except fw.DiagnosticError as error:
        assert [d.code for d in error.diagnostics] == ["E507"]
    else:
        assert not checked(found.genotype).has_holes


def test_a_storage_is_for_strategies_that_can_share_it() -> None:
    with pytest.raises(fw.DiagnosticError, match="`darts` cannot share a storage") as caught:
        Settings(strategy="darts", storage="journal")
    assert "`tpe`" in str(caught.value)


def test_optuna_is_as_loud_afterwards_as_before() -> None:
    before = optuna.logging.get_verbosity()
    search("tpe", candidates=2)
    assert optuna.logging.get_verbosity() == before


# Populations


def test_populations_learn_from_parts_and_one_from_all() -> None:
    """Each part costs less than the whole, and the whole is entered by the best of each."""
    found = search("dc", SPACES["one output"], candidates=24, folds=2)
    parts = [record.get("part") for record in found.history]
    assert [parts.count(part) for part in (1, 2, None)] == [8, 8, 8]
    assert all(("genotype" in r) == ("part" not in r) for r in found.history)
    first = [r for r in found.history if r["generation"] == 1]
    steps = [0.0, *(r["cost"]["weight_steps"] for r in first)]
    spent = dict.fromkeys((1, 2, None), 0.0)
    for record, before, after in zip(first, steps, steps[1:], strict=False):
        spent[record.get("part")] += after - before
    assert max(spent[1] or 0, spent[2] or 0) < spent[None]
    trained = [str(r["genotype"]) for r in found.history if "genotype" in r]
    assert len(trained) == len(set(trained))
    alone = search("dc", SPACES["one output"], candidates=6, folds=1)
    assert not [r for r in alone.history if "part" in r]


def test_parts_of_training_are_apart_and_judged_by_validation() -> None:
    asked = searched(QUICK.with_options(strategy="dc", folds=3))
    parts = parts_of_training(asked)
    learned = np.concatenate([part.train for part in parts])
    assert sorted(learned) == [*asked.data.indices(TRAIN)]
    assert all([*part.held] == [*asked.data.indices(VALIDATION)] for part in parts)


def test_what_did_well_is_recalled() -> None:
    """Bases tell better choices from worse across populations of other levels."""
    network = checked(spec())
    every = list(every_choice(network))
    scores = [{c: level + ("A" in c.cells[0].inputs) for c in every} for level in (0.0, 50.0)]
    knowledge, generator = Knowledge(scores), np.random.default_rng(0)
    recalled = [knowledge.inputs(0, generator) for _ in range(200)]
    assert sum("A" in one.cells[0].inputs for one in every) == len(every) * 2 / 3
    assert sum(inputs is not None and "A" in inputs for inputs in recalled) > 200 * 0.85
    assert Knowledge([{}]).inputs(0, generator) is None


def test_children_keep_the_rule_and_take_after_their_parents() -> None:
    network = checked(SPACES["one output"])
    every = [*islice(every_choice(network), None, None, 97)]
    generator = np.random.default_rng(0)
    knowledge = Knowledge([])
    alike = 0
    for _ in range(100):
        parents = tuple(every[int(generator.integers(len(every)))] for _ in range(2))
        child = bred(network, (parents[0], parents[1]), knowledge, generator)
        assert keeps_rule(network, child)
        alike += sum(c in {p.cells[i] for p in parents} for i, c in enumerate(child.cells))
    assert alike > 100
