"""Checkpoints that anyone may have changed: each is refused, or is another right one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

import fusewright as fw
from fusewright.runtime.parallel.interrupt import Interrupt, Interrupted
from fusewright.runtime.runs.saved import Saved
from fusewright.runtime.search import search as searching
from fusewright.runtime.search.candidates import surrogate

from ...support.changes import changes
from ...support.running import problem, spec

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
    ("halving", "ended"): 16,
    ("random", ""): 3,
    ("evolution", ""): 5,
    ("tpe", ""): 5,
    ("mfas", ""): 5,
}
"""After how many batches a search is asked to stop; with `ended`, in its folds."""


@contextmanager
def loop_of(strategy: str, select: str, batches: int, out: Path) -> Iterator[tuple[Any, Any]]:
    """A search that was stopped in its middle: its loop, and the state in its checkpoint."""
    left, held = [batches], list[Any]()

    def check(_: Interrupt) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Interrupted

    def run(loop: Any, *_: Any) -> None:
        held.append(loop)
        loop_run(loop, *_)

    loop_run = searching._Loop.run
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Interrupt, "check", check)
        patched.setattr(searching._Loop, "run", run)
        patched.setattr(surrogate, "STEPS", 5)
        given = {"strategy": strategy, "select": "" if select == "ended" else select}
        with pytest.raises(fw.DiagnosticError, match="was stopped in round"):
            fw.search(spec(), DATA, out=out, settings=QUICK, **given)
        left[0] = 10**9
        (loop,) = held
        content: Any = torch.load(out / "checkpoint.pt", weights_only=True)
        state = searching.read_checkpoint(out / "checkpoint.pt", content["identity"])
        assert state is not None
        yield loop, state


@pytest.mark.parametrize(("strategy", "select"), MIDDLE)
def test_a_change_anywhere_is_refused_or_right(strategy: str, select: str, tmp_path: Path) -> None:
    outcomes = Counter[str]()
    with loop_of(strategy, select, MIDDLE[strategy, select], tmp_path) as (loop, state):
        _keep_stages(loop)
        loop.restore(Saved(state, "checkpoint.pt"))
        for place, kind, changed in changes(state, tensors=True):
            try:
                loop.restore(Saved(changed, "checkpoint.pt"))
            except fw.DiagnosticError as error:
                assert [d.code for d in error.diagnostics] == ["E507"], (place, kind)
                assert len(str(error)) < 1000, (place, kind)
                outcomes["refused"] += 1
            else:
                outcomes[f"{place} {kind}"] += 1
    print(outcomes)


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
