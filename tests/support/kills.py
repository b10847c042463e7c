"""A search that is killed, again and again: `python -m tests.support.kills FOLDER MOMENTS`.

FOLDER holds `spec.fuse` and `data.npz`. The search runs once in peace, into `whole`, once into
`again` in a process of its own, which is timed, and into `run0`, `run1`, … in processes that are
killed twice each and then go on to the end.

NOTE: children are forked, so that each starts without importing torch. The process that forks has
one thread, since locks that another one holds would stay locked in a child; hence nothing is
imported here that starts one. It is the one that searches in peace, which readies what is readied
late.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

import fusewright as fw

from .forking import finish, prepare_to_fork, require_one_thread


def search(folder: Path, name: str) -> None:
    """A few epochs, and a selection after them."""
    fw.search(
        fw.load(folder / "spec.fuse"),
        folder / "data.npz",
        out=folder / name,
        resume=True,
        strategy="single-path",
        select="halving",
        epochs=2,
        candidates=3,
        trial_epochs=3,
        batch=32,
        relax="per_input",
    )


def alone(work: Callable[[], object], after: float | None = None) -> None:
    """Does work in a process, which is killed after so many seconds."""
    child = os.fork()
    if not child:
        finish(work)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert after is not None or status == 0


def main(folder: Path, moments: int) -> None:
    torch.set_num_threads(1)
    prepare_to_fork()
    search(folder, "whole")
    require_one_thread()
    started = time.monotonic()
    alone(partial(search, folder, "again"))
    lasts = time.monotonic() - started
    for moment in range(moments):
        generator, run = random.Random(moment), f"run{moment}"
        for _ in range(2):
            alone(partial(search, folder, run), after=generator.uniform(0.1, 0.9) * lasts)
        alone(partial(search, folder, run))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
