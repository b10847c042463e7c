"""Processes that attack a target with inputs of consecutive numbers, and what watches them.

NOTE: a process is forked for each stretch of inputs, so that none is started again or imports
anything, and all begin alike. What forks has one thread, since locks that another one holds would
stay locked; hence whatever starts threads runs in forked processes alone.
"""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import signal
import sys
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from time import monotonic

from ..support.forking import finish
from .judge import Verdict, limited
from .target import Outcome, Place, Target


def forked(work: Callable[[], object]) -> int:
    """Starts a process that does work and then exits with 0; returns its number."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if not child:
        finish(work)
    return child


def awaited(child: int) -> int:
    """The exit status of a process, negative for the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@dataclass
class Worker:
    """A process that attacks a target with inputs of some numbers, of which it tells one by one."""

    target: Target
    numbers: Sequence[int]
    process: int
    connection: Connection
    began: float = field(default_factory=monotonic)
    heard: float = field(default_factory=monotonic)
    done: int = 0
    ended: bool = False

    @classmethod
    def start(cls, target: Target, place: Place, seed: int, numbers: Sequence[int]) -> Worker:
        ours, theirs = Pipe(duplex=False)

        def work() -> None:
            ours.close()
            with attacking(place) as own:
                for number in numbers:
                    theirs.send(lean(target.attack(own, seed, number)))

        worker = cls(target, numbers, forked(work), ours)
        theirs.close()
        return worker

    def outcomes(self) -> list[Outcome]:
        """What it has told since; where it ends before its time, that is an outcome."""
        told: list[Outcome] = []
        ending = ""
        try:
            while self.connection.poll():
                told.append(self.connection.recv())
                self.heard = monotonic()
        except EOFError:
            self.ended, ending = True, "crash"
        if not self.ended and monotonic() - self.heard > self.target.patience:
            os.kill(self.process, signal.SIGKILL)
            self.ended, ending = True, "hang"
        self.done += len(told)
        if self.ended:
            self.connection.close()
            status = awaited(self.process)
            if self.done < len(self.numbers):
                verdict = Verdict(ending, reason=f"its process ended with {status}")
                told.append(Outcome(self.numbers[self.done], verdict, ""))
                self.done += 1
        return told


@contextlib.contextmanager
def attacking(place: Place) -> Generator[Place]:
    """Within, the current folder is a copy of the home, and native libraries print nothing."""
    base = place.base / f"attack-{os.getpid()}"
    shutil.copytree(place.home, base / "home", copy_function=shutil.copy2)
    limited()
    gc.freeze()
    gc.enable()
    with (place.base / "printed.txt").open("ab") as printed:
        os.dup2(printed.fileno(), 1)
        os.dup2(printed.fileno(), 2)
    os.chdir(base / "home")
    try:
        yield Place(place.home, base)
    finally:
        os.chdir(place.base)
        shutil.rmtree(base, ignore_errors=True)


def lean(outcome: Outcome) -> Outcome:
    """An outcome without its bytes, unless it is a failure."""
    if outcome.verdict.failed:
        return outcome
    return Outcome(outcome.number, outcome.verdict, outcome.what)
