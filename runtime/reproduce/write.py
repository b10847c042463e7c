"""A table as it came out, beside the paper's figures, and never mixed with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ...compiler.system.files import write_file
from .figures import figure
from .outcome import Outcome
from .paper import Row, Table
from .plan import Planned
from .sets import CANDIDATES, PAPER_SETS

Cell = Callable[[Outcome], str]
_PAPER: Sequence[tuple[str, Cell]] = (
    ("score, %", lambda one: _spread(one.row.printed.score, one.row.printed.spread, 2)),
    ("search score, %", lambda one: _number(one.row.printed.search_score, 2)),
    ("parameters", lambda one: _number(one.row.printed.size, 2, " M")),
    ("search, GPU-hours", lambda one: _number(one.row.printed.hours, 2)),
)
_HERE: Sequence[tuple[str, Cell]] = (
    ("is", lambda one: one.done[0].row),
    ("seeds", lambda one: str(len(one.done))),
    ("score, %", lambda one: _spread(one.scores.mean, one.scores.deviation, 1)),
    ("95 % interval", lambda one: _interval(one.interval, signed=False)),
    ("reference ahead by, points", lambda one: _interval(one.behind)),
    ("search score, %", lambda one: _number(one.search_score, 1)),
    ("parameters", lambda one: f"{one.mean('parameters'):,.0f}"),
    ("multiply-adds", lambda one: f"{one.mean('macs'):,.0f}"),
    ("search, weight steps", lambda one: _positive(one.mean("weight_steps"))),
    ("search, seconds", lambda one: _positive(one.mean("search_seconds"))),
)


def write(table: Table, found: Sequence[Outcome], out: Path) -> list[Path]:
    """Writes `NAME.md` and `NAME.json`, and of a figure `NAME.svg`; returns where they are."""
    name = table.key if table.is_figure else f"table-{table.key}"
    contents = {f"{name}.md": as_text(table, found), f"{name}.json": as_json(table, found)}
    if table.is_figure:
        contents[f"{name}.svg"] = figure(table, found)
    paths = [out / one for one in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        write_file(path, content.encode())
    return paths


def as_text(table: Table, found: Sequence[Outcome]) -> str:
    """The table in Markdown: what the paper prints, then what came out here, then what did not."""
    done = [one for one in found if one.done]
    parts = [f"# {table.title}", "## What the paper prints", _caption_of_paper(table)]
    parts.append(_columns(found, _PAPER))
    parts += ["## What came out here", _caption(table, done), _columns(done, _HERE)]
    parts += [*_ratios(table, found), *_order(table, found)]
    if missing := [f"- {one.row.name}: {one.why}" for one in found if one.why]:
        parts += ["## What was not run, and why", "\n".join(missing)]
    return "\n\n".join(parts) + "\n"


def _caption_of_paper(table: Table) -> str:
    names = dict.fromkeys(PAPER_SETS[table.data_of(row)].title for row in table.rows)
    return f"As printed, on {' and '.join(names)}. None of it was measured here."


def _caption(table: Table, done: Sequence[Outcome]) -> str:
    """What the figures are of; a stand-in is named."""
    said: list[str] = []
    for data, stands_in in dict.fromkeys((one.data, one.stands_in) for one in done):
        said.append(f"**{data}, which stands in for {stands_in}**" if stands_in else f"**{data}**")
    text = f"Measured here on the test split of {', and of '.join(said)}"
    text += ": the mean over seeds ± their standard deviation. "
    text += "The interval is a bootstrap over test samples. By how much the reference, "
    text += f"“{table.reference}”, is ahead is one over test samples and seeds, in pairs. "
    if any(one.stands_in for one in done):
        text += "Levels of other data say nothing of the paper's; at most the order does. "
    if any(one.row.way == way.row.way for one in done for way in done if one is not way):
        text += "Rows that are the same here are one run. "
    text += f"MFAS and DC-NAS train {CANDIDATES} networks each, which decides what they cost."
    return text


def _columns(found: Sequence[Outcome], columns: Sequence[tuple[str, Cell]]) -> str:
    """A table of the columns in which some row says something."""
    filled = [(name, [cell(one) for one in found]) for name, cell in columns]
    kept = [(name, cells) for name, cells in filled if any(cells)]
    lines = [["row", *(name for name, _ in kept)], ["---", *["---:"] * len(kept)]]
    lines += [[one.row.name, *(c[i] for _, c in kept)] for i, one in enumerate(found)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _ratios(table: Table, found: Sequence[Outcome]) -> Iterable[str]:
    """How many times as much as the reference searches cost, in the paper and here."""
    known = {one.row.name: one for one in found}
    pairs = [(one, known[_beside(one.row, table)]) for one in found if table.key == "5"]
    lines: list[str] = []
    for one, other in (pair for pair in pairs if pair[0] is not pair[1]):
        hours, least = one.row.printed.hours, other.row.printed.hours
        said = f"in the paper {hours / least:.1f} times" if hours and least else "not in the paper"
        text = f"- {one.row.name} against {other.row.name}: {said}"
        if one.done and other.done and other.mean("weight_steps"):
            steps = one.mean("weight_steps") / other.mean("weight_steps")
            seconds = one.mean("search_seconds") / max(1e-9, other.mean("search_seconds"))
            text += f"; here, on {one.data}, {steps:.1f} times the weight steps"
            text += f" and {seconds:.1f} times the seconds"
        lines.append(text + ".")
    return ["\n".join(lines)] if lines else []


def _beside(row: Row, table: Table) -> str:
    """The row of the reference's method on the same data."""
    names = [one.name for one in table.rows if table.data_of(one) == table.data_of(row)]
    first = table.reference.partition(",")[0]
    return next((name for name in names if name.partition(",")[0] == first), row.name)


def _order(table: Table, found: Sequence[Outcome]) -> Iterable[str]:
    """Which of the paper's differences from the reference show here."""
    known = {one.row.name: one for one in found}
    reference = known.get(table.reference)
    if reference is None or reference.row.printed.score is None or not reference.done:
        return []
    compared = [o for o in found if o.row.printed.score is not None and o.behind is not None]
    if not compared:
        return []
    same, other, open_ = list[str](), list[str](), list[str]()
    for one in compared:
        assert one.behind is not None
        assert one.row.printed.score is not None
        higher = reference.row.printed.score > one.row.printed.score
        decided = one.behind.low > 0 or one.behind.high < 0
        agrees = (one.behind.mean > 0) == higher
        (open_ if not decided else same if agrees else other).append(one.row.name)
    lines = [
        f"- {what}: {', '.join(names) if names else 'none'}"
        for what, names in (
            ("on the paper's side of the reference, with an interval that leaves zero out", same),
            ("on the other side, with an interval that leaves zero out", other),
            ("not told apart from it by these samples", open_),
        )
    ]
    return [f"Against “{table.reference}”:\n\n" + "\n".join(lines)]


def as_json(table: Table, found: Sequence[Outcome]) -> str:
    """The same as JSON; `paper` and `here` are apart."""
    rows = [
        {
            "row": one.row.name,
            "paper": {k: v for k, v in vars(one.row.printed).items() if v is not None},
            "here": _here(one) if one.done else None,
            "not_run": one.why or None,
        }
        for one in found
    ]
    return json.dumps({"table": table.key, "title": table.title, "rows": rows}, indent=1) + "\n"


def _here(one: Outcome) -> dict[str, Any]:
    return {
        "data": one.data,
        "stands_in_for": one.stands_in or None,
        "seeds": [done.seed for done in one.done],
        "scores": [done.score for done in one.done],
        "interval": None if one.interval is None else one.interval._asdict(),
        "reference_ahead_by": None if one.behind is None else one.behind._asdict(),
        "search_scores": [done.search_score for done in one.done],
        "parameters": one.mean("parameters"),
        "macs": one.mean("macs"),
        "weight_steps": one.mean("weight_steps"),
        "search_seconds": one.mean("search_seconds"),
        "genotypes": [done.genotype for done in one.done],
    }


def plan_as_json(table: Table, rows: Sequence[Planned], seeds: int) -> dict[str, Any]:
    """What would be run."""
    return {
        "table": table.key,
        "title": table.title,
        "seeds": seeds,
        "rows": [
            {
                "row": one.row.name,
                "way": one.way,
                "data": one.data,
                "stands_in_for": one.stands_in or None,
                "macs": one.macs * seeds,
                "parameters": one.parameters,
                "not_run": one.why or None,
            }
            for one in rows
        ],
    }


def plan_as_text(table: Table, rows: Sequence[Planned], seeds: int) -> str:
    """What would be run, row by row, and what is missing."""
    lines = [f"{table.title}; {seeds} seeds"]
    width = max(len(one.row.name) for one in rows)
    for one in rows:
        if one.why:
            lines.append(f"  {one.row.name:<{width}}  not run: {one.why}")
            continue
        size = "" if one.parameters is None else f", {one.parameters:,} parameters"
        cost = f"{one.macs * seeds / 1e9:,.0f} G multiply-adds"
        lines.append(f"  {one.row.name:<{width}}  {one.way}, on {one.data}: {cost}{size}")
    for data, name in dict.fromkeys((one.data, one.stands_in) for one in rows):
        if name:
            key = next(key for key, value in PAPER_SETS.items() if value.title == name)
            option = f"`--raw {key}:FOLDER`"
            lines.append(f"{name} is missing ({option}): {data} stands in for it")
    return "\n".join(lines)


def _number(value: float | None, digits: int, unit: str = "") -> str:
    return "" if value is None else f"{value:.{digits}f}{unit}"


def _positive(value: float) -> str:
    return f"{value:,.0f}" if value else ""


def _spread(value: float | None, spread: float | None, digits: int) -> str:
    more = "" if spread is None else f" ± {spread:.{digits}f}"
    return _number(value, digits) + more


def _interval(found: Any, *, signed: bool = True) -> str:
    """An interval in percent, or in points with a sign."""
    if found is None:
        return ""
    mean, low, high = (100 * value for value in found)
    return f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]" if signed else f"{low:.1f} to {high:.1f}"
