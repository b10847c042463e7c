"""Checkpoints that anyone may have changed: each is refused, or is another right one."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

import fusewright as fw
from fusewright.runtime.runs.checkpoint import read_checkpoint
from fusewright.runtime.runs.saved import Saved
from fusewright.runtime.search.candidates import surrogate
from fusewright.runtime.search.loop import Loop

from ...support.changes import changes, parts, put
from ...support.proving import PROVING
from ...support.running import problem, spec
from ...support.stopping import stop_after

DATA = problem(60)
QUICK = fw.Settings(
    epochs=2, batch=16, relax="per_input", candidates=4, trial_epochs=2, together=3,
    first_restart=1, reduction=2, rungs=2, folds=2, finalists=2, passes=1,
)  # fmt: skip
MIDDLE = {
    ("darts", "argmax"): 5,
    ("gdas", "argmax"): 7,
    ("single-path", "ranking"): 3,
    ("darts", "perturbation"): 13,
    ("single-path", "halving"): 10,
    ("halving", "folds"): 10,
    ("halving", "begun"): 4,
    ("random", ""): 3,
    ("evolution", ""): 5,
    ("tpe", ""): 5,
    ("mfas", ""): 5,
    ("dc", ""): 5,
}
"""After how many batches a search is asked to stop; halving in its folds, or just begun."""
EVERY = 1 if PROVING else 20
"""One in so many changes is tried."""


@contextmanager
def loop_of(
    strategy: str, select: str, batches: int, out: Path, averaging: float = 0.0
) -> Generator[tuple[Any, Any]]:
    """A search that was stopped in its middle: its loop, and the state in its checkpoint."""
    held = list[Any]()

    def run(loop: Any, *_: Any) -> None:
        held.append(loop)
        loop_run(loop, *_)

    loop_run: Any = Loop.run
    with pytest.MonkeyPatch.context() as patched:
        stop_after(batches, patched)
        patched.setattr(Loop, "run", run)
        patched.setattr(surrogate, "STEPS", 5)
        select = "" if select == "begun" else select
        given = QUICK.with_options(strategy=strategy, select=select, averaging=averaging)
        with pytest.raises(fw.DiagnosticError, match="was stopped in round"):
            fw.search(spec(), DATA, out=out, settings=given)
        (loop,) = held
        content: Any = torch.load(out / "checkpoint.pt", weights_only=True)
        state = read_checkpoint(out / "checkpoint.pt", content["identity"])
        assert state is not None
        yield loop, state


NEVER = {"another shape", "sparse", "a huge view", "a tensor", "undefined", "a very long text"}
"""Changes that never leave a right state."""


def refusals(
    whole: Any, restore: Callable[[Any], None], every: int
) -> tuple[int, list[tuple[str, str]]]:
    """How many changes are refused, and which are not."""
    refused, taken = 0, list[tuple[str, str]]()
    for place, kind, changed in islice(changes(whole, tensors=True), None, None, every):
        try:
            restore(changed)
        except fw.DiagnosticError as error:
            assert [d.code for d in error.diagnostics] == ["E507"], (place, kind)
            assert len(str(error)) < 1000, (place, kind)
            refused += 1
        else:
            taken.append((place, kind))
    return refused, taken


@pytest.mark.parametrize(("strategy", "select"), MIDDLE)
def test_a_change_in_a_strategy_is_refused_or_right(
    strategy: str, select: str, tmp_path: Path
) -> None:
    with loop_of(strategy, select, MIDDLE[strategy, select], tmp_path) as (loop, state):
        done = len(loop.history)

        def restore(changed: Any) -> None:
            saved = Saved(changed, "checkpoint.pt")
            loop.strategy.restore(saved, done)
            saved.require_read()

        _keep_stages(loop)
        refused, taken = refusals(state["strategy"], restore, EVERY)
        restore(state["strategy"])
    assert refused > 4 * len(taken)
    assert not NEVER & {kind for _, kind in taken}, taken


@pytest.mark.parametrize(("strategy", "select"), [("darts", "argmax"), ("random", "")])
@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_averages_are_those_of_the_weights(
    strategy: str, select: str, averaging: float, tmp_path: Path
) -> None:
    batches = MIDDLE[strategy, select]
    with loop_of(strategy, select, batches, tmp_path, averaging) as (loop, state):
        places = [path for path, _ in parts(state["strategy"]) if path[-1:] == ("averages",)]
        assert places
        _keep_stages(loop)
        for path in places:
            averages = part(state["strategy"], path)
            assert bool(averages) == bool(averaging)
            more = {**averages, "another": torch.zeros(3)}
            fewer = dict(islice(averages.items(), 1, None)) if averages else None
            other = {name: torch.zeros(7, 7, 7) for name in averages} or [0]
            for changed in (more, fewer, other, ...):
                saved = Saved(put(state["strategy"], path, changed), "checkpoint.pt")
                with pytest.raises(fw.DiagnosticError, match="averages"):
                    loop.strategy.restore(saved, len(loop.history))


def part(whole: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        whole = whole[key]
    return whole


def test_a_change_beside_a_strategy_is_refused_or_right(tmp_path: Path) -> None:
    with loop_of("halving", "folds", MIDDLE["halving", "folds"], tmp_path) as (loop, state):

        def restore(changed: Any) -> None:
            loop.restore(Saved(changed, "checkpoint.pt"))

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(loop.strategy, "restore", lambda saved, done: _read(saved))
            refused, taken = refusals({**state, "strategy": {}}, restore, max(1, EVERY // 5))
            lines = state["history"].splitlines(keepends=True)
            for history in ("".join(lines[:-1]), "".join(lines[1:]), state["history"] * 2):
                with pytest.raises(fw.DiagnosticError, match="is damaged"):
                    restore({**state, "strategy": {}, "history": history})
    assert refused > 50
    assert {place.partition("[")[0] for place, _ in taken} <= {
        ".strategy", ".random", ".meter.macs", ".meter.seconds", ".best.level", ".best.own",
        ".best.arrays.A.adapt.W",
    }, taken  # fmt: skip


def _read(saved: Saved) -> None:
    for one in saved.named().values():
        one.plain()


def _keep_stages(loop: Any) -> None:
    """Lets stages of a chain be made once."""
    made = dict[int, Any]()

    def kept(number: int, stage: Any) -> Any:
        def make(before: Any) -> Any:
            if number not in made:
                made[number] = stage(before)
            return made[number]

        return make

    stages = loop.strategy._stages
    loop.strategy._stages = [kept(number, stage) for number, stage in enumerate(stages)]


def test_a_search_goes_on_from_what_is_taken(tmp_path: Path) -> None:
    training = ("strategy", "stages", 1, "trials", 0, 0, "training")
    name = "head.W"
    with loop_of("halving", "folds", MIDDLE["halving", "folds"], tmp_path) as (loop, state):
        weights = state["strategy"]["stages"][1]["trials"][0][0]["training"]["module"][name]
        ways: dict[tuple[Any, ...], Any] = {
            (*training, "module", name): torch.zeros_like(weights),
            (*training, "epoch", "total"): torch.tensor(torch.inf),
            (*training[:-1], "failure"): "no finite number",
        }
        for path, other in ways.items():
            loop.restore(Saved(put(state, path, other), "checkpoint.pt"))
            loop.run(None, lambda: None)
            assert loop.result().genotype.cells
