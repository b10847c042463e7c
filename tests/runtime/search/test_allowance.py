"""Searches that keep a limit of time, by a clock that goes on as networks are trained."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusewright as fw
from fusewright.runtime.runs.saved import Saved
from fusewright.runtime.search import allowance
from fusewright.runtime.search.allowance import Allowance
from fusewright.runtime.search.baselines import baselines
from fusewright.runtime.search.candidates import trainer
from fusewright.runtime.search.controls import FOUND, compare_with_controls
from fusewright.runtime.search.plans import Plan, Work
from fusewright.runtime.search.search import search
from fusewright.runtime.training import together

from ...support.running import command, problem, spec, without_cost
from ...support.stopping import stop_after

DATA = problem(120)
QUICK: dict[str, Any] = {
    "candidates": 24, "rungs": 3, "trial_epochs": 7, "finalists": 4, "folds": 3, "batch": 40,
    "max_learning_rate": 0.02, "tune": "",
}  # fmt: skip
WHOLE = Plan((24, 8, 2), 4, 0)
"""What these settings ask for: 48 epochs of candidates, and of finalists 84 that are longer."""


class Clock:
    """A second passes when a network has been trained for an epoch."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def counting(self, usual: Callable[..., Any]) -> Callable[..., Any]:
        """A way to train trials, by which time passes."""

        def train_until(own: Any, epochs: int) -> None:
            before = sum(trial.epochs for trial in own.trials)
            try:
                usual(own, epochs)
            finally:
                self.now += sum(trial.epochs for trial in own.trials) - before

        return train_until


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(allowance, "perf_counter", found)
    for kind in (vars(trainer)["_Alone"], vars(trainer)["_Together"]):
        monkeypatch.setattr(kind, "train_until", found.counting(kind.train_until))
    return found


def within(seconds: float, controls: int = 0, **options: Any) -> fw.SearchResult:
    settings = fw.Settings(minutes=seconds / 60, **QUICK)
    own = Allowance.of(settings, controls)
    return search(spec(), DATA, settings=settings, allowance=own, **options)


@cache
def whole() -> fw.SearchResult:
    return fw.search(spec(), DATA, **QUICK)


def done(found: fw.SearchResult) -> tuple[list[int], int]:
    """How many candidates were trained rung by rung, and how many finalists were compared."""
    rungs = [record["rung"] for record in found.history if "rung" in record]
    compared = sum("folds" in record for record in found.history)
    return [rungs.count(rung) for rung in (1, 2, 3)], compared


def test_with_time_enough_nothing_is_given_up(clock: Clock) -> None:
    found = within(10_000)
    assert done(found) == ([24, 8, 2], 4) == done(whole())
    assert not found.given_up
    assert found.genotype == whole().genotype
    assert found.ensemble == whole().ensemble


def test_without_a_limit_no_clock_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "decide", None)
    monkeypatch.setattr(Allowance, "begin", None)
    assert without_cost(fw.search(spec(), DATA, **QUICK).history) == without_cost(whole().history)


def test_folds_are_given_up_first(clock: Clock) -> None:
    found = within(120.5)
    rungs, compared = done(found)
    assert rungs == [24, 8, 2]
    assert 2 <= compared < 4
    assert found.given_up == {"folds": f"{compared} of 4 finalists compared"}
    assert found.ensemble is not None
    assert clock.now <= 120.5


def test_then_candidates_are(clock: Clock) -> None:
    found = within(60.5, candidates=40)
    rungs, compared = done(found)
    assert not compared
    assert rungs == [30, 9, 3]
    assert [*found.given_up] == ["folds", "candidates"]
    assert found.given_up["candidates"] == "30 of 40, then 9 of 13, then 3 of 4 trained"
    assert (found.ensemble, found.held_out) == (None, None)
    assert found.best_round == len(found.history) == found.history[-1]["rounds"]
    assert clock.now <= 60.5


def test_one_candidate_is_trained_to_the_end_whatever_that_takes(clock: Clock) -> None:
    found = within(0.6, seed=1)
    assert done(found) == ([16, 1, 1], 0)
    assert found.history[-1]["epochs"] == 7


def test_a_limit_is_kept_where_few_candidates_are_trained_at_once(clock: Clock) -> None:
    found = within(60.5, candidates=8, rungs=1)
    assert done(found) == ([8, 0, 0], 0)
    assert [*found.given_up] == ["folds"]
    assert clock.now == 8 * 7


def test_candidates_that_are_not_trained_beside_others_are_not_done(clock: Clock) -> None:
    """Candidates of one dropout are trained together, and those of the other stand between."""
    found = within(40.5, candidates=40, tune="modality_dropout = 0 | 0.2")
    (first, *rungs), compared = done(found)
    assert (first, *rungs) < (30, 9, 3)
    assert not compared
    assert clock.now == sum(n * span for n, span in zip((first, *rungs), (1, 2, 4), strict=True))
    assert clock.now <= 40.5


def test_time_is_left_for_controls(clock: Clock) -> None:
    """Two networks and what was found are taken to cost 1.5 * 3 * 7 epochs of candidates."""
    assert done(within(48 + 31.6, controls=2)) == ([24, 8, 2], 0)
    fewer = within(55.5, controls=2)
    assert done(fewer)[0] < [24, 8, 2]


@pytest.mark.parametrize(
    ("seconds", "batches"), [(30.5, 1), (30.5, 3), (30.5, 6), (120.5, 3), (120.5, 12)]
)
def test_a_search_goes_on_with_what_it_has_given_up(
    seconds: float, batches: int, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = within(seconds)
    with monkeypatch.context() as patched:
        stop_after(batches, patched)
        with pytest.raises(fw.DiagnosticError, match="stopped"):
            within(seconds, out=tmp_path / "run")
    clock.now += 1000
    again = within(seconds, out=tmp_path / "run", resume=True)
    assert again.given_up == expected.given_up
    assert again.genotype == expected.genotype
    assert again.ensemble == expected.ensemble
    assert without_cost(again.history) == without_cost(expected.history)
    once_more = within(seconds, out=tmp_path / "run", resume=True)
    assert once_more.history == again.history


def test_another_limit_is_another_search(clock: Clock, tmp_path: Path) -> None:
    within(0.6, out=tmp_path / "run", seed=1)
    with pytest.raises(fw.DiagnosticError, match="minutes"):
        within(60, out=tmp_path / "run", resume=True, seed=1)


# The command


@pytest.fixture
def slow(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Controls take time, too."""
    usual = vars(together)["_train_group"]

    def train(members: Any, epochs: Any) -> Any:
        clock.now += sum(member.settings.epochs for member in members)
        return usual(members, epochs)

    monkeypatch.setattr(together, "_train_group", train)
    return clock


def test_what_was_found_is_not_trained_again_where_no_control_fits(slow: Clock) -> None:
    settings = fw.Settings(minutes=48.5 / 60, **QUICK)
    own = Allowance.of(settings)
    found = search(spec(), DATA, settings=settings, allowance=own)
    before = slow.now
    controls = compare_with_controls(
        spec(), DATA, found, settings=settings, random=False, allowance=own
    )
    (row,) = controls.rows
    assert (row.name, row.score) == (FOUND, found.score)
    assert slow.now == before
    assert len(controls.left_out) == 1 + len(baselines(found.genotype)) + 1
    later = compare_with_controls(spec(), DATA, found, settings=settings, random=False)
    assert not later.left_out


def searched(at: Path, *options: str) -> str:
    np.savez(at / "data.npz", **DATA)
    (at / "space.fuse").write_text(str(spec()), encoding="utf-8")
    given = [f"--{name.replace('_', '-')}={value}" for name, value in QUICK.items()]
    return command(
        at, "search", "space.fuse", "--data", "data.npz", "--out", "run", *given, *options
    )


def test_the_command_says_what_was_given_up(slow: Clock, tmp_path: Path) -> None:
    said = searched(tmp_path, "--minutes", "0.5")
    folds = "none of 4 finalists compared; validation alone decides"
    lost = "16 of 24, then 1 of 8, then 1 of 2 trained"
    assert f"given up to keep 0:00:30: folds: {folds}; candidates: {lost}" in said
    about = json.loads((tmp_path / "run" / "search.json").read_text())
    assert about["given_up"] == {"folds": folds, "candidates": lost}
    controls = json.loads((tmp_path / "run" / "controls.json").read_text())
    assert controls["folds"] == 1
    assert any("late-fusion transformer: it would take about" in c for c in controls["left_out"])
    for line in controls["left_out"]:
        assert f"left out: {line}" in said
    page = command(tmp_path, "report", "run", "-o", "report.html")
    assert "Given up to keep 0:00:30: folds" in (tmp_path / "report.html").read_text(), page


def test_a_limit_is_refused_where_none_is_kept(tmp_path: Path) -> None:
    for options in (("--strategy", "random"), ("--controls",)):
        with pytest.raises(AssertionError):  # its exit status
            searched(tmp_path, "--minutes", "1", *options)
    assert not (tmp_path / "run").exists()


def test_a_limit_is_refused_with_a_strategy_that_keeps_none() -> None:
    several: list[dict[str, Any]]
    several = [{"strategy": "darts"}, {"strategy": "single-path", "select": "halving"}]
    for options in several:
        with pytest.raises(fw.DiagnosticError) as refused:
            fw.search(spec(), DATA, minutes=5, **options)
        (found,) = refused.value.diagnostics
        assert found.message == f"`{options['strategy']}` keeps no limit of time"
        assert found.help == "the strategy that does is `halving`; else leave `minutes` out"
    with pytest.raises(fw.DiagnosticError, match="no limit of time"):
        fw.FusionClassifier(strategy="darts", minutes=5).fit(DATA)


@pytest.mark.parametrize("minutes", [(), ("--minutes", "5")])
@pytest.mark.parametrize("text", ["modality x { }", "use evidence"])
def test_what_is_no_specification_is_told_so(
    text: str, minutes: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "space.fuse").write_text(text, encoding="utf-8")
    given = ("search", "space.fuse", "--data", "data.npz", "--out", "run", *minutes)
    with pytest.raises(AssertionError) as failed:
        command(tmp_path, *given)
    said = str(failed.value) + "".join(capsys.readouterr())
    assert "error[E" in said


# Time


def test_time_is_counted_and_rates_are_learned() -> None:
    clock = Clock()
    found = Allowance(60, clock=clock)
    assert not found.is_measured
    found.begin(Work(WHOLE, (1, 3, 7), 40, 160))
    found.learn(0, 1)
    assert not found.is_measured
    clock.now = 10
    found.learn(0, 100)
    assert found.is_measured
    assert found.expected(50) == 5
    assert found.left == 50
    clock.now = 12
    found.learn(10, 100)
    assert found.expected(150) == pytest.approx(150 * 7 / 150)
    other = Allowance(60, clock=clock)
    other.begin(found.work)
    other.restore(Saved(found.state(), "checkpoint"))
    assert (other.left, other.expected(1)) == (found.left, found.expected(1))
    assert other.plan == found.plan == WHOLE


@pytest.mark.parametrize(
    "change",
    [{"rungs": [24, 8]}, {"rungs": [25, 8, 2]}, {"rungs": [24, 0, 2]}, {"finalists": 5}],
)
def test_a_plan_of_another_search_is_refused(change: dict[str, Any]) -> None:
    found = Allowance(60, clock=Clock())
    found.begin(Work(WHOLE, (1, 3, 7), 40, 160))
    with pytest.raises(fw.DiagnosticError):
        found.restore(Saved({**found.state(), **change}, "checkpoint"))


def test_a_limit_is_that_of_the_settings() -> None:
    assert Allowance.of(fw.Settings(minutes=2), 3).seconds == 120
    assert not Allowance.of(fw.Settings(), 3).is_limited
