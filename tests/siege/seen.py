"""What the siege has seen so far, as `SECURITY.md` says it: the records of campaigns, added up.

A record is the `figures.json` of a campaign, kept in `records/`. `python -m tests.siege.seen`
writes the tables of the page anew.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..support.paths import ROOT
from .judge import FAILURES
from .works import WORKS

PAGE = ROOT / "SECURITY.md"
RECORDS = Path(__file__).parent / "records"
BEGIN, END = "<!-- begin seen -->\n", "<!-- end seen -->\n"
KILLED = "killed"


@dataclass
class Seen:
    """What became of the inputs of a target in all campaigns."""

    endings: Counter[str] = field(default_factory=Counter[str])
    slowest: float = 0.0
    growth: int = 0

    def add(self, record: Mapping[str, Any]) -> None:
        self.endings.update(record["endings"])
        self.slowest = max(self.slowest, record["slowest"])
        self.growth = max(self.growth, record["growth"])

    @property
    def inputs(self) -> int:
        return self.endings.total()

    @property
    def accepted(self) -> int:
        return self.endings["accepted"] + self.endings["changes"]

    @property
    def failed(self) -> int:
        return sum(self.endings[ending] for ending in FAILURES)


def seen() -> Mapping[str, Seen]:
    """By target, in the order of their names."""
    found: dict[str, Seen] = {}
    for file in sorted(RECORDS.glob("*.json")):
        record = json.loads(file.read_text(encoding="utf-8"))
        for name, figures in record["targets"].items():
            found.setdefault(name, Seen()).add(figures)
    return dict(sorted(found.items()))


def tables() -> str:
    """Kinds of files, and works, each with its figures."""
    every = seen()
    works = {name: one for name, one in every.items() if name in WORKS}
    files = {name: one for name, one in every.items() if name not in WORKS}
    return "\n".join([*_files(files), "", *_works(works), ""])


def _files(every: Mapping[str, Seen]) -> Iterator[str]:
    yield "| kind | inputs | accepted | refused | not as promised | slowest | memory |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for name, one in every.items():
        refused = one.inputs - one.accepted - one.failed
        counts = f"{one.inputs:,} | {one.accepted:,} | {refused:,} | {one.failed:,}"
        yield f"| {name} | {counts} | {one.slowest:.2f} s | {one.growth / 1e6:,.0f} MB |"
    inputs, failed = (sum(getattr(o, a) for o in every.values()) for a in ("inputs", "failed"))
    accepted = sum(one.accepted for one in every.values())
    counts = f"{inputs:,} | {accepted:,} | {inputs - accepted - failed:,} | {failed:,}"
    slowest = max((one.slowest for one in every.values()), default=0.0)
    growth = max((one.growth for one in every.values()), default=0)
    yield f"| all | {counts} | {slowest:.2f} s | {growth / 1e6:,.0f} MB |"


def _works(every: Mapping[str, Seen]) -> Iterator[str]:
    yield "| work | faults | ended by the kill | not as promised |"
    yield "|---|--:|--:|--:|"
    for name, one in every.items():
        yield f"| {name} | {one.inputs:,} | {one.endings[KILLED]:,} | {one.failed:,} |"
    counts = (sum(o.inputs for o in every.values()), sum(o.endings[KILLED] for o in every.values()))
    failed = sum(one.failed for one in every.values())
    yield f"| all | {counts[0]:,} | {counts[1]:,} | {failed:,} |"


def with_tables(page: str) -> str:
    """The page with the tables of today."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{tables()}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
