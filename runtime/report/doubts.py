"""What runs were warned of: data of which their scores say little."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...compiler.targets.html import Html
from ..runs.read import FinishedRun, TrainedEnsemble
from .page import section, table

MOST_SHOWN = 50


def doubts_of(runs: Sequence[FinishedRun | TrainedEnsemble]) -> list[dict[str, str]]:
    """Every warning of the runs' records, each once, as far as it can be believed."""
    found: dict[tuple[str, str, str], None] = {}
    for run in runs:
        stages = [run.training] + ([run.search] if isinstance(run, FinishedRun) else [])
        for stage in stages:
            found |= dict.fromkeys(_recorded(stage.about if stage else {}))
    named = ("code", "message", "help")
    return [dict(zip(named, one, strict=True)) for one in list(found)[:MOST_SHOWN]]


def _recorded(about: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    warnings = about.get("warnings")
    for one in warnings if isinstance(warnings, list) else ():
        if isinstance(one, Mapping) and isinstance(one.get("message"), str):
            yield str(one.get("code") or ""), one["message"], str(one.get("help") or "")


def doubts_section(doubts: Sequence[Mapping[str, str]]) -> Html:
    """A row for each warning; nothing where there is none."""
    if not doubts:
        return Html()
    rows = [[d["code"], d["message"], d["help"]] for d in doubts]
    return section("What is to be doubted of the data", table(("code", "what", "help"), rows))
