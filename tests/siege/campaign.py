"""The campaign: every target has its turn until the time is over; figures by target."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from time import monotonic

from .judge import FAILURES
from .target import Outcome, Place, Target
from .workers import Worker

STRETCH = 4.0
"""Seconds that a process attacks one target for."""
FIRST = 8
"""Inputs of a target whose pace is not known yet."""
FLOOR = 100
"""Inputs that each target has before those that are quick have more of the time."""
MOST_SHARE = 0.05
"""The share of all inputs that those of a target may be, while others have fewer."""
MOST_SAVED = 20
"""Failures of a target that are kept."""


@dataclass
class Figures:
    """What became of the inputs of a target."""

    target: Target
    endings: Counter[str] = field(default_factory=Counter[str])
    begun: int = 0
    seconds: float = 0.0
    """For which its processes ran."""
    slowest: tuple[float, int] = (0.0, 0)
    largest: tuple[int, int] = (0, 0)
    failures: list[Outcome] = field(default_factory=list[Outcome])

    def add(self, outcome: Outcome) -> None:
        verdict = outcome.verdict
        self.endings[verdict.ending] += 1
        self.slowest = max(self.slowest, (verdict.seconds, outcome.number))
        self.largest = max(self.largest, (verdict.growth, outcome.number))
        if verdict.failed and len(self.failures) < MOST_SAVED:
            self.failures.append(outcome)

    @property
    def failed(self) -> int:
        """How many inputs failed, those that are not kept too."""
        return sum(self.endings[ending] for ending in FAILURES)

    @property
    def inputs(self) -> int:
        return self.endings.total()

    @property
    def is_enough(self) -> bool:
        return self.inputs >= self.target.enough

    @property
    def pace(self) -> float:
        """Inputs a second of a process; 0 before it is known."""
        return self.inputs / self.seconds if self.seconds else 0.0

    def turn(self, most: float) -> tuple[int, float]:
        """Orders targets by whose turn it is: each has the same time until it has its `FLOOR`.

        After that, each has time in proportion to its pace until it has `most` inputs.
        """
        if self.inputs < FLOOR:
            return 0, self.seconds
        return (1, self.seconds / self.pace) if self.inputs < most else (2, self.inputs)

    def stretch(self, first: int) -> range:
        """The numbers that come next: as many as take a few seconds at the pace so far."""
        count = max(1, round(STRETCH * self.pace)) if self.inputs else first
        numbers = range(self.begun, self.begun + count)
        self.begun = numbers.stop
        return numbers


def campaign(
    targets: Sequence[Target],
    place: Place,
    seed: int,
    seconds: float,
    processes: int = 1,
    first: int = FIRST,
) -> Iterator[Figures]:
    """Attacks every target, in turns, until it has enough; yields figures that change.

    The `first` inputs of a target are not left out, however short the time.
    """
    every = {target.name: Figures(target) for target in targets}
    until, workers = monotonic() + seconds, dict[Connection, Worker]()
    while True:
        busy = {worker.target.name for worker in workers.values()}
        idle = [f for f in every.values() if f.target.name not in busy and not f.is_enough]
        if monotonic() > until:
            idle = [figures for figures in idle if not figures.begun]
        while idle and len(workers) < processes:
            most = MOST_SHARE * sum(f.inputs for f in every.values())
            figures = min(idle, key=lambda f: f.turn(most))
            idle.remove(figures)
            worker = Worker.start(figures.target, place, seed, figures.stretch(first))
            workers[worker.connection] = worker
        if not workers:
            return
        wait([*workers], timeout=1.0)
        for connection, worker in [*workers.items()]:
            figures = every[worker.target.name]
            for outcome in worker.outcomes():
                figures.add(outcome)
            if worker.ended:
                del workers[connection]
                figures.seconds += monotonic() - worker.began
                figures.begun = worker.numbers[0] + worker.done
                yield figures


def save(outcome: Outcome, target: str, seed: int, folder: Path) -> Path:
    """Writes a failing input, and why it fails, into a folder; returns the first of them."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"{target.replace(' ', '-')}-{seed}-{outcome.number}"
    stem.with_suffix(".input").write_bytes(outcome.data)
    again = f"python -m tests.siege --seed {seed} --only '{target}' --input {outcome.number}"
    text = f"{again}\n{outcome.what}\n{outcome.verdict.ending}\n\n{outcome.verdict.reason}\n"
    stem.with_suffix(".txt").write_text(text, encoding="utf-8", errors="surrogateescape")
    return stem.with_suffix(".txt")


def table(every: Sequence[Figures], seed: int) -> str:
    """The figures of all targets, a line each, and their sum."""
    width = max(len(figures.target.name) for figures in every)
    head = f"{'target':<{width}} {'inputs':>8} {'accepted':>8} {'refused':>8} {'failed':>7}"
    lines = [f"{head} {'a second':>8} {'slowest':>8} {'memory':>9}  refused by code"]
    ordered = sorted(every, key=lambda f: f.target.name)
    lines += [f"{figures.target.name:<{width}} {_row(figures)}" for figures in ordered]
    inputs = sum(figures.inputs for figures in every)
    spent = sum(figures.seconds for figures in every)
    failed = sum(figures.failed for figures in every)
    pace = f"{inputs / spent:,.0f} a second of each process" if spent else ""
    return "\n".join([*lines, f"{inputs:,} inputs of seed {seed}, {failed:,} failed, {pace}"])


def _row(figures: Figures) -> str:
    failed = figures.failed
    accepted = figures.endings["accepted"] + figures.endings["changes"]
    refused = figures.inputs - accepted - failed
    codes = [
        f"{code} {count:,}"
        for code, count in figures.endings.most_common()
        if code not in ("accepted", "changes", *FAILURES)
    ]
    return (
        f"{figures.inputs:>8,} {accepted:>8,} {refused:>8,} {failed:>7,} {figures.pace:>8,.0f}"
        f" {figures.slowest[0]:>6.2f} s {figures.largest[0] / 1e6:>6,.0f} MB  {', '.join(codes)}"
    )


def as_record(every: Sequence[Figures]) -> Mapping[str, object]:
    """The figures as a record, to be kept."""
    return {
        figures.target.name: {
            "inputs": figures.inputs,
            "endings": dict(figures.endings.most_common()),
            "seconds": round(figures.seconds, 1),
            "slowest": round(figures.slowest[0], 3),
            "growth": figures.largest[0],
        }
        for figures in sorted(every, key=lambda f: f.target.name)
    }


def write_record(every: Sequence[Figures], seed: int, path: Path) -> None:
    """Writes the figures beside the failures."""
    record = {"seed": seed, "processors": os.cpu_count(), "targets": as_record(every)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1), encoding="utf-8")
