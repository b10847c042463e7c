"""A store whose writer is hit by faults: `python -m tests.support.store_kills FOLDER`.

At each call that opens, moves, makes or removes a file a process is killed, is killed within the
next write, or finds the disk full; then the store is written to its end. What came of it is printed
as JSON, and where it differs from a store that was written in peace.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from shutil import rmtree

from fusewright.compiler.diagnostics.diagnostic import DiagnosticError

from ..siege.faults import Fault, watched
from ..siege.workers import awaited, forked
from .stores import contents, small_arrays, small_plan, write_store

EVERY = {"kill": 1, "torn": 3, "ENOSPC": 3}
"""By the kind of a fault, how many calls are from one that it strikes to the next."""
KILLED, DIAGNOSED = (-signal.SIGKILL, -signal.SIGXFSZ), 3
SAMPLES, IN_SHARD = 2, 2


def write(store: Path) -> None:
    write_store(store, small_plan(SAMPLES, IN_SHARD), small_arrays(SAMPLES))


def calls_in_peace(folder: Path) -> int:
    """How many calls writing takes; a hook stays, so a process of its own counts them."""
    whole, told = folder / "whole", folder / "calls.txt"

    def work() -> None:
        told.write_text(str(watched(whole, partial(write, whole)).count), encoding="ascii")

    assert not awaited(forked(work))
    return int(told.read_text(encoding="ascii"))


def hit(store: Path, fault: Fault) -> str:
    """What becomes of a process that writes a store and is hit."""

    def work() -> None:
        try:
            watched(store, partial(write, store), fault)
        except DiagnosticError:
            os._exit(DIAGNOSED)

    status = awaited(forked(work))
    endings = {0: "finished", DIAGNOSED: "diagnosed", **dict.fromkeys(KILLED, "killed")}
    return endings.get(status, "failed")


def main(folder: Path) -> None:
    calls, store = calls_in_peace(folder), folder / "store"
    whole = contents(folder / "whole")
    endings: Counter[str] = Counter()
    for kind, every in EVERY.items():
        for call in range(1, calls + 1, every):
            rmtree(store, ignore_errors=True)
            ending = hit(store, Fault(kind, call, 0))
            endings[f"{kind} {ending}"] += 1
            if awaited(forked(partial(write, store))) or contents(store) != whole:
                endings[f"different after {kind} at call {call}"] += 1
    print(json.dumps({"calls": calls, **endings}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
