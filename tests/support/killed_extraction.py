"""An extraction that is killed again and again: `python -m tests.support.killed_extraction HOME`.

It runs once in peace into `whole/store`, and then is killed at twenty moments: before a call of the
system, and within a write, from the first shard to the manifest. Each time it is done again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random

import torch

from ..siege.faults import Fault
from .extracting import extracted
from .killed import TORN, counted, killed_and_done_again
from .raw import table

MOMENTS = 20
LAST = 12
"""How many of the moments are among the last calls, which write the manifest."""


def work(raw: Path, home: Path) -> None:
    extracted(home, raw=raw)


def faults(calls: int) -> Iterator[Fault]:
    early = Random(0).sample(range(1, calls - LAST + 1), MOMENTS - LAST)
    for moment, call in enumerate([*early, *range(calls - LAST + 1, calls + 1)]):
        is_torn = moment % 2 and call < calls - 8  # after those, nothing more is written
        yield Fault(TORN if is_torn else "kill", call, 0)


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    raw = table(folder / "raw", 6, missing=(3, 4))
    work(raw, folder / "first")  # what is imported late, once for all children
    extraction = partial(work, raw)
    calls = counted(extraction, folder / "whole")
    print(killed_and_done_again(extraction, folder / "killed", faults(calls)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
