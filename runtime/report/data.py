"""What a page says of the data that runs read: every part by its size and its digest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...compiler.diagnostics.text import printable
from ...compiler.targets.html import Html, joined
from ..data.identity import DataIdentity, stated_identity
from ..runs.read import FinishedRun, TrainedEnsemble
from .page import paragraph, section, table

MOST_PARTS = 50


@dataclass(frozen=True, slots=True)
class DataReport:
    """Data, and the runs that read them."""

    identity: DataIdentity
    runs: tuple[str, ...]

    def __str__(self) -> str:
        """The source, its size and the beginning of its digest, as one line."""
        size = sum(part.bytes for part in self.identity.parts)
        source = printable(self.identity.source)
        return f"{source}, {size:,} bytes, SHA-256 {short(self.identity.digest)}"

    def as_json(self) -> dict[str, Any]:
        return {**self.identity.record(), "runs": list(self.runs)}


def short(digest: str) -> str:
    """As much of a digest as tells data apart for a reader."""
    return digest[:12]


def data_reports(runs: Sequence[FinishedRun | TrainedEnsemble]) -> tuple[DataReport, ...]:
    """The data of runs, each once; those of runs that do not say it are left out."""
    readers: dict[DataIdentity, list[str]] = {}
    for run in runs:
        for about in _abouts(run):
            identity = stated_identity(about.get("data"))
            if identity is not None:
                readers.setdefault(identity, []).append(run.name)
    return tuple(
        DataReport(identity, tuple(dict.fromkeys(names))) for identity, names in readers.items()
    )


def _abouts(run: FinishedRun | TrainedEnsemble) -> list[Mapping[str, Any]]:
    stages = [run.training, run.search if isinstance(run, FinishedRun) else None]
    return [stage.about for stage in stages if stage is not None]


def data_section(reports: Sequence[DataReport]) -> Html:
    """A table for each; nothing where no run says what it read."""
    digests = {report.identity.digest for report in reports}
    told = paragraph("These runs did not all read the same data.") if len(digests) > 1 else Html()
    return section("The data", told, joined(_table(report) for report in reports))


def _table(report: DataReport) -> Html:
    parts = report.identity.parts
    rows: list[list[object]] = [[p.name, p.bytes, short(p.sha256)] for p in parts[:MOST_PARTS]]
    if len(parts) > MOST_PARTS:
        rows.append([f"and {len(parts) - MOST_PARTS} more", None, None])
    caption = f"{report.identity.source}, read by {', '.join(report.runs)}"
    return table(("part", "bytes", "SHA-256"), rows, caption)
