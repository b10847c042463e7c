"""Trainings that are killed again and again: `python -m tests.support.killed_training HOME`.

One of a network alone and one together with its backbones run in peace, into `KIND/run`, and then
are killed before calls of the system and within writes, of checkpoints and of results. Each time
they go on to the end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import torch

from fusewright.runtime.joint.train import train_joint
from fusewright.runtime.training import course
from fusewright.runtime.training.train import train

from ..siege.faults import Fault
from .backbones import OPTIONS
from .joint import SPEC, raw_data
from .killed import TORN, counted, killed_and_done_again
from .running import FIXED, problem, spec

MOMENTS = 4
SHORT: dict[str, Any] = {"epochs": 3, "batch": 16, "threads": 1, "averaging": 0.9, "resume": True}


def is_done(home: Path) -> bool:
    """Whether a training has ended: it was killed after that, and nothing is gone on with."""
    run = home / "run"
    return (run / "train.json").exists() and not (run / "training.pt").exists()


def alone(home: Path) -> None:
    """A network on features."""
    if not is_done(home):
        train(spec(FIXED), problem(48), out=home / "run", **SHORT)


def together(home: Path) -> None:
    """A network with two backbones, whose statistics run."""
    if is_done(home):
        return
    given: dict[str, Any] = {**SHORT, "backbone_learning_rate": 1e-3, "batch_norm": "running"}
    train_joint(SPEC, raw_data(), out=home / "run", backbones=OPTIONS, **given)


KINDS: Mapping[str, Callable[[Path], None]] = {"alone": alone, "together": together}


def faults(calls: int) -> Iterator[Fault]:
    """Kills before calls and within writes, by turns, of checkpoints and of results."""
    order = Random(0).sample(range(calls // 4, calls + 1), MOMENTS)
    for moment, call in enumerate(order):  # writes end before the last calls
        yield Fault(TORN if moment % 2 and call < calls - 20 else "kill", call, 0)


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    course.WRITING = 1e9  # every epoch
    for name, work in KINDS.items():
        work(folder / f"first-{name}")  # what is imported late, once for all children
    for name, work in KINDS.items():
        calls = counted(work, folder / name)
        print(killed_and_done_again(work, folder / name, faults(calls)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
