"""What a search is compared with, as a record: `controls.json` of a run folder."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...compiler.system.files import write_file
from .digests import read_beside, stated_of
from .files import COMPARE
from .names import CONTROLS, DIGESTS, GENOTYPE, HISTORY, SEARCH_WEIGHTS
from .statistics import Interval, Summary, summary

_FOUND = (GENOTYPE, SEARCH_WEIGHTS, HISTORY)
"""What controls tell of: what was found, and how."""


@dataclass(frozen=True)
class Control:
    """Networks of one kind, trained alike, with their scores and what that cost.

    `score` is what the kind stands for: one network's, a mean, or the best. `ahead` is how much
    higher the found genotype scores, with a 95 % interval over samples; None where that is it.
    Random genotypes are not kept, so that none of them can be deployed, and the best candidate is
    not to be where it is not decided above what was found.
    """

    name: str
    score: float
    scores: tuple[float, ...]
    weight_steps: float
    ahead: Interval | None = None
    is_kept: bool = True

    @property
    def summary(self) -> Summary:
        """The mean of the scores and their spread."""
        return summary(self.scores)


@dataclass(frozen=True)
class Controls:
    """The controls of a search, the found genotype first.

    `metric` is what they are scored by on samples that are held out, in so many `folds` (one is
    the validation split), after `epochs` of training. The search cost `weight_steps`, which buys
    `bought` random genotypes; `left_out` says what could not be trained.
    """

    metric: str
    epochs: int
    weight_steps: float
    bought: int
    rows: tuple[Control, ...]
    left_out: tuple[str, ...] = ()
    folds: int = 1

    @property
    def better(self) -> tuple[Control, ...]:
        """The models that score higher than the found genotype and can be had, best first."""
        found, *others = self.rows
        ordered = sorted((row for row in others if row.is_kept), key=lambda r: -r.score)
        return tuple(row for row in ordered if row.score > found.score)

    def write(self, folder: Path) -> None:
        """Writes them into the run folder of their search."""
        record = {**asdict(self), DIGESTS: stated_of(folder, "search", _FOUND)}
        write_file(folder / CONTROLS, json.dumps(record, indent=1).encode())


def how_scored(known: Sequence[Controls]) -> str:
    """On what the networks of searches were trained, and on what they were scored."""
    epochs, folds = {c.epochs for c in known}, {c.folds for c in known}
    ways: list[str] = []
    if 1 in folds:
        ways.append("on the training split and scored on validation")
    if several := folds - {1}:
        ways.append(f"on all but one of {span(several)} folds at a time and scored on that one")
    return f"trained for {span(epochs)} epochs {', or '.join(ways)}, by {known[0].metric}"


def span(numbers: Collection[int]) -> str:
    """One number, or the least and the largest of several."""
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"


def read_controls(folder: Path) -> Controls | None:
    """The controls in a run folder, None where there are none.

    Raises DiagnosticError where the file is damaged, or tells of another search.
    """
    record = read_beside(folder / CONTROLS, "search", _FOUND, COMPARE)
    return None if record is None else _controls(record)


def _controls(record: Mapping[str, Any]) -> Controls:
    return Controls(
        record["metric"],
        record["epochs"],
        float(record["weight_steps"]),
        record["bought"],
        tuple(map(_control, record["rows"])),
        tuple(record["left_out"]),
        record.get("folds", 1),
    )


def _control(row: Mapping[str, Any]) -> Control:
    scores, ahead = tuple(map(float, row["scores"])), row.get("ahead")
    if ahead is not None:
        ahead = Interval(*map(float, ahead))
    steps, is_kept = float(row["weight_steps"]), row.get("is_kept", True)
    return Control(row["name"], float(row["score"]), scores, steps, ahead, is_kept)
