"""Works: commands that write, hit by faults, and then done again as if nothing had been."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from time import clock_gettime
from typing import Any

from fusewright.runtime.strategies import FOLLOWED_BY, SELECTIONS, STRATEGIES, USUAL

from .faults import FAULTS, REMOVES, Fault, watched
from .judge import Verdict, drafts, judged
from .readers import Command, Reader
from .surroundings import listing
from .target import Outcome, Place
from .workers import awaited, forked

MOST_SECONDS, MOST_WAIT = 60.0, 120.0
"""Seconds that a work may take, of the processor and of the clock: it is no input."""
TIMES = ("cost", "seconds", "versions", "machine", "milliseconds", "overhead", "check")
"""Keys of records that differ between equal runs."""
NOT_COMPARED = (".pt",)
"""Checkpoints know how long a search took."""
_MEASURED = re.compile(rb"(?<=<td class=.number.>)[\d.,]+(?=</td></tr>)|[\d.,]+(?= times as long)")
"""What a report says of how long a prediction took: the last number of a row, and a ratio."""
RUN = "run"
SOON = 0.0005
"""Seconds between two looks at how long a process has run."""
_OF_A_PROCESS = 2
"""What the system calls the clock of a process by, beside its number."""
KILLED = (-signal.SIGKILL, -signal.SIGXFSZ)


@dataclass(frozen=True)
class Work:
    """A command, how it is done again where it was stopped, and the paths that it writes.

    `replaces`: what is there already is whole afterwards, either as before or as it is to be.
    """

    name: str
    command: Reader
    again: Reader
    results: Sequence[str]
    replaces: bool = False
    patience: float = 4 * MOST_WAIT
    enough: float = 3 * len(FAULTS)

    def attack(self, place: Place, seed: int, number: int) -> Outcome:
        return self.struck(place, Fault.of(seed, number, self._reference(place)["calls"]), number)

    def struck(self, place: Place, fault: Fault, number: int = 0) -> Outcome:
        """The outcome of a fault."""
        lasts = self._reference(place)["seconds"]
        folder = _fresh(place.home, place.base / "faulted")
        ended = done(folder, self.command, fault, lasts)
        verdict = ended.verdict
        left = drafts(listing(str(folder)))
        if left and not fault.kills and ended.struck not in REMOVES:
            verdict = replace(verdict, ending="changed", reason=f"left {', '.join(left)}")
        if not verdict.failed:
            verdict = self._aftermath(place, folder, verdict)
        return Outcome(number, verdict, f"{self.command}: {fault} {ended.struck}".rstrip())

    def _aftermath(self, place: Place, folder: Path, verdict: Verdict) -> Verdict:
        """What is found in the folder, and whether the work is then done as if nothing had been."""
        whole = place.references / self.name
        lost = [
            f for f in self._kept(place.home) if _content(folder / f) != _content(place.home / f)
        ]
        if lost:
            return replace(verdict, ending="lost", reason=f"another content: {', '.join(lost)}")
        if self.replaces and (broken := self._broken(place, folder, whole)):
            return replace(verdict, ending="lost", reason=f"half written: {', '.join(broken)}")
        again = done(folder, self.again).verdict
        if again.ending != "accepted":
            reason = f"{verdict.ending}; then {again.ending}: {again.reason}"
            return replace(verdict, ending="lost", reason=reason)
        different = [f for f in _files(whole, self.results) if not _same(folder, whole, f)]
        if different:
            reason = f"{verdict.ending}; then different: {', '.join(different)}"
            return replace(verdict, ending="different", reason=reason)
        return verdict

    def _kept(self, home: Path) -> list[str]:
        """The files that the work has no business with."""
        every = (str(f.relative_to(home)) for f in sorted(home.rglob("*")) if f.is_file())
        return [f for f in every if not f.startswith(tuple(self.results))]

    def _broken(self, place: Place, folder: Path, whole: Path) -> list[str]:
        """What is neither as it was nor as it is to be."""
        return [
            file
            for file in _files(whole, self.results)
            if not _same(folder, place.home, file) and not _same(folder, whole, file)
        ]

    def _reference(self, place: Place) -> Mapping[str, Any]:
        """The work done in peace: its calls and its seconds of the processor; done once for all."""
        told = place.references / f"{self.name}.json"
        if not told.is_file():
            folder = _fresh(place.home, place.references / self.name)
            ended = done(folder, self.command)
            if ended.verdict.ending != "accepted":
                raise AssertionError(f"{self.command} in peace: {ended}: {ended.verdict.reason}")
            record = {"calls": ended.calls, "seconds": ended.verdict.seconds}
            told.write_text(json.dumps(record), encoding="utf-8")
        record = json.loads(told.read_text(encoding="utf-8"))
        assert isinstance(record, dict)
        return record


@dataclass(frozen=True)
class Ended:
    """What a command ended in, how many calls it made, and the one that a fault struck."""

    verdict: Verdict
    calls: int = 0
    struck: str = ""


def done(folder: Path, command: Reader, fault: Fault | None = None, lasts: float = 0.0) -> Ended:
    """What a command ends in, in a process of its own, which takes `lasts` seconds in peace."""
    ours, theirs = Pipe(duplex=False)

    def work() -> None:
        os.chdir(folder)
        verdicts: list[Verdict] = []
        judge = partial(judged, partial(command, ""), 0, MOST_SECONDS)
        calls = watched(folder, lambda: verdicts.append(judge()), fault)
        theirs.send(Ended(verdicts[0], calls.count, calls.struck))

    child = forked(work)
    theirs.close()
    if fault is not None and fault.kind == "clock":
        _kill_at(fault.moment * lasts, child, ours)
    heard = ours.poll(MOST_WAIT)
    if not heard:
        os.kill(child, signal.SIGKILL)
    ended: Ended | None = None
    with suppress(EOFError):
        ended = ours.recv() if heard else None
    ours.close()
    status = awaited(child)
    if not heard:
        return Ended(Verdict("hang", reason=f"nothing for {MOST_WAIT} seconds"))
    if ended is None and fault is not None and fault.kills and status in KILLED:
        return Ended(Verdict("killed"))
    return ended or Ended(Verdict("crash", reason=f"the process ended with {status}"))


def _kill_at(seconds: float, child: int, told: Connection) -> None:
    """Kills a process when the processor has run it for so long, unless it tells its end first."""
    clock = ~child << 3 | _OF_A_PROCESS
    with suppress(OSError):  # of a process that has ended
        while (left := seconds - clock_gettime(clock)) > 0 and not told.poll(max(left / 2, SOON)):
            pass
        os.kill(child, signal.SIGKILL)


def _fresh(home: Path, folder: Path) -> Path:
    """A folder with a copy of the home."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(home, folder)
    return folder


# Contents


def _files(folder: Path, results: Sequence[str]) -> list[str]:
    """The files below some paths of a folder that are the same whenever a work is done."""
    every = (f for f in sorted(folder.rglob("*")) if f.is_file())
    names = (str(f.relative_to(folder)) for f in every if f.suffix not in NOT_COMPARED)
    return [name for name in names if name.startswith(tuple(results))]


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _same(folder: Path, whole: Path, file: str) -> bool:
    """Whether a file says the same in both, but for the time that it took."""
    mine, its = _content(folder / file), _content(whole / file)
    if mine == its or mine is None or its is None:
        return mine == its
    read: Callable[[bytes], Any] | None = _READ.get(Path(file).suffix)
    return read is not None and read(mine) == read(its)


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _timeless(v) for k, v in value.items() if k not in TIMES}
    return [_timeless(v) for v in value] if isinstance(value, list) else value


_READ: Mapping[str, Callable[[bytes], Any]] = {
    ".json": lambda data: _timeless(json.loads(data)),
    ".html": partial(_MEASURED.sub, b""),
    ".jsonl": lambda data: [_timeless(json.loads(line)) for line in data.splitlines()],
}

# The works


def _search(name: str, options: str) -> Work:
    line = f"search space.fuse --data data.npz --out {RUN} --config settings.toml {options}"
    return Work(name, Command.of(line), Command.of(f"{line} --resume"), [RUN])


def _searches() -> Iterator[Work]:
    """By every strategy, by every selection that follows none of them usually, and compared."""
    for name in STRATEGIES:
        yield _search(f"search by {name}", f"--no-controls --strategy {name}")
    for name in (one for one in SELECTIONS if one not in USUAL.values()):
        first = next(strategy for strategy, names in FOLLOWED_BY.items() if name in names)
        options = f"--no-controls --strategy {first} --select {name}"
        yield _search(f"search by {first}, then {name}", options)
    yield _search("search and compare", "--strategy darts")


def _writing(name: str, line: str, *results: str) -> Work:
    """A work that is done again by the same command."""
    return Work(name, Command.of(line), Command.of(line), results, replaces=True)


_TRAIN = f"train network.fuse --data data.npz --out {RUN} --epochs 1 --threads 1"
_TRAIN_ON = f"train network.fuse --data data.npz --out {RUN} --epochs 3 --threads 1 --resume"
_TRAIN_TOGETHER = f"train searched/ensemble --data data.npz --out {RUN} --epochs 1 --threads 1"
_EXTRACT = (
    "extract raw.fuse --raw raw/data.csv --out extracted --backbones backbones.toml --workers 1"
)
_SMALL = "datasets tiny egogesture --out small --samples 8"
_IMPORT = "features import data.npz --out imported --dtype float16"
WORKS: Mapping[str, Work] = {
    work.name: work
    for work in (
        *_searches(),
        Work("train", Command.of(_TRAIN), Command.of(f"{_TRAIN} --overwrite"), [RUN]),
        Work("train on", Command.of(_TRAIN_ON), Command.of(f"{_TRAIN_ON} --overwrite"), [RUN]),
        Work(
            "train an ensemble",
            Command.of(_TRAIN_TOGETHER),
            Command.of(f"{_TRAIN_TOGETHER} --overwrite"),
            [RUN],
        ),
        _writing("compile", "compile trained -o network.onnx", "network.onnx"),
        _writing(
            "compile weights", "compile trained -o network.safetensors", "network.safetensors"
        ),
        _writing("draw", "draw searched -o out.html", "out.html"),
        _writing("predict", "predict trained --data data.npz -o out.csv", "out.csv"),
        _writing("report", "report searched trained -o out.html", "out.html"),
        _writing("convert", "convert space.fuse --to json -o space.json", "space.json"),
        _writing("format", "format space.fuse", "space.fuse"),
        _writing("import", "import genotype.txt --spec published.fuse -o of.fuse", "of.fuse"),
        _writing("consensus", "consensus searched searched -o agreed.fuse", "agreed.fuse"),
        _writing("profile", "profile network.fuse -o own.json --repetitions 1", "own.json"),
        Work("import features", Command.of(_IMPORT), Command.of(_IMPORT), ["imported"]),
        Work("extract", Command.of(_EXTRACT), Command.of(_EXTRACT), ["extracted"]),
        _writing("small data", _SMALL, "small"),
        _writing("new", "new --data data.npz -o space.fuse --force", "space.fuse"),
    )
}
