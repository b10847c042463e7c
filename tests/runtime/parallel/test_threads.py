"""How many threads compute, and that the caller's number is there again afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.runtime.genotypes.sample import random_genotype
from fusewright.runtime.parallel import threads
from fusewright.runtime.parallel.threads import computing
from fusewright.runtime.training.together import train_seeds

from ...support.running import problem, spec

QUICK: dict[str, Any] = {"epochs": 1, "batch": 16}


@pytest.fixture
def four_threads(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A caller with four, who has set nothing."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("four_threads")
@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({1: 1.0, 2: 0.5, 4: 0.3}, 4),
        ({1: 1.0, 2: 0.5, 4: 0.45}, 2),
        ({1: 1.0, 2: 0.9, 4: 0.2}, 1),
        ({1: 1.0, 2: 7.0, 4: 9.0}, 1),
    ],
)
def test_as_many_as_make_it_faster(
    times: dict[int, float], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(counts: Sequence[int]) -> dict[int, float]:
        assert list(counts) == list(times)
        return times

    monkeypatch.setattr(threads, "_times", measured)
    with computing(0):
        assert torch.get_num_threads() == expected
    assert torch.get_num_threads() == 4
    with computing(3):
        assert torch.get_num_threads() == 3
    assert torch.get_num_threads() == 4


@pytest.mark.usefixtures("four_threads")
def test_what_is_timed_is_timed_with_every_number() -> None:
    found = threads._times([1, 2])  # pyright: ignore[reportPrivateUsage]
    assert [*found] == [1, 2]
    assert min(found.values()) > 0


@pytest.mark.usefixtures("four_threads")
def test_a_caller_who_chose_keeps_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    with computing(0):
        assert torch.get_num_threads() == 4


def test_searching_and_training_use_them(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    before = torch.get_num_threads()

    def look(_: object) -> None:
        seen.append(torch.get_num_threads())

    data = problem(90)
    found = fw.search(spec(), data, threads=2, candidates=2, trial_epochs=1, report=look, **QUICK)
    fw.train(found.genotype, data, threads=2, report=look, **QUICK)
    assert set(seen) == {2}
    train_seeds(random_genotype(checked(spec()), 0), data, [0, 1], threads=2, **QUICK)
    assert torch.get_num_threads() == before
