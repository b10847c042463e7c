"""What is attacked: a name, and the outcome of the input of a number."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from math import inf
from pathlib import Path
from random import Random
from typing import Protocol

from .judge import Verdict, drafts, judged
from .mutations import Mutation
from .readers import Reader
from .surroundings import Surroundings


@dataclass(frozen=True)
class Outcome:
    """What became of an input; `what` says what it was, `data` are its bytes, if it has any."""

    number: int
    verdict: Verdict
    what: str
    data: bytes = b""


@dataclass(frozen=True)
class Place:
    """The folder where everything is whole, and one that a process has for itself."""

    home: Path
    base: Path

    @cached_property
    def surroundings(self) -> Surroundings:
        """The current folder of the process, which it is watched in from now on."""
        return Surroundings()

    @property
    def references(self) -> Path:
        """Where works stand that were done in peace; processes that come later find them."""
        return self.base.parent / "references"


class Target(Protocol):
    """A kind of file, or a work."""

    @property
    def name(self) -> str: ...

    @property
    def patience(self) -> float:
        """Seconds in which an input must have ended, however busy the machine is."""
        ...

    @property
    def enough(self) -> float:
        """After how many inputs the others have its time."""
        ...

    def attack(self, place: Place, seed: int, number: int) -> Outcome:
        """The outcome of an input, in the current folder, which is as before afterwards."""
        ...


@dataclass(frozen=True)
class Case:
    """A file of the home, or a pattern of several, and what reads it."""

    file: str
    readers: Sequence[Reader]
    keeps: Sequence[str] = ()
    """Patterns of what stays though a reader fails, since it is whole and will be gone on with."""


@dataclass(frozen=True)
class Kind:
    """A kind of file, in each of the places where the project reads it."""

    name: str
    mutation: Mutation
    cases: Sequence[Case]
    patience: float = 60.0
    enough: float = inf

    def attack(self, place: Place, seed: int, number: int) -> Outcome:
        random = Random(f"{seed}/{self.name}/{number}")
        case = random.choice(self.cases)
        reader = random.choice(case.readers)
        file = random.choice(sorted(place.home.glob(case.file))).relative_to(place.home)
        with _deep_stack():
            data = self.mutation((place.home / file).read_bytes(), random)
        around, own = place.surroundings, os.path.join(".", file)  # noqa: PTH118  (as in a listing)
        file.write_bytes(data)
        around.at_peace([own])
        verdict = judged(lambda: reader(str(file)), len(data))
        changed = around.changed()
        _restore(place.home, [own, *changed])
        around.at_peace([own, *changed])
        return Outcome(
            number, _with_changes(verdict, changed, case.keeps), f"{file}: {reader}", data
        )


@contextmanager
def _deep_stack() -> Generator[None]:
    """Within, documents that are nested deep are written, which readers then have to refuse."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)


def _with_changes(verdict: Verdict, changed: Sequence[str], keeps: Sequence[str]) -> Verdict:
    """A verdict that also knows what a work left in its folder."""
    may_stay = ("*",) if verdict.ending == "accepted" else keeps
    wrong = [path for path in changed if drafts([path]) or not _matches(path, may_stay)]
    if verdict.failed or not wrong:
        return verdict
    reason = f"{verdict.ending}, and left {', '.join(wrong)}"
    return Verdict("changed", verdict.seconds, verdict.growth, reason)


def _matches(path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _restore(home: Path, paths: Sequence[str]) -> None:
    """Makes files of the current folder what they are at home."""
    for path in map(Path, sorted(paths)):
        if path.is_dir() and not (home / path).is_dir():
            shutil.rmtree(path)
        elif path.is_file() and not (home / path).is_file():
            path.unlink()
        elif (home / path).is_dir():
            path.mkdir(exist_ok=True)
        elif (home / path).is_file():
            shutil.copy2(home / path, path)
