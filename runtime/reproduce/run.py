"""Reproducing a table: its rows over seeds, each kept when it is done, and what came out written.

A row that cannot be run says why, and the others are run. A process that is killed loses the row
that it was in, or the round of its search; the same command goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...compiler.diagnostics.diagnostic import DiagnosticError, Note, fail
from ..backbones.options import BackboneOptions
from ..runs.lock import locked
from .outcome import Outcome, outcomes
from .paper import Row, Table
from .plan import Planned, planned
from .rows import Done, Rows
from .sets import Given, Material, materials, prepare
from .work import FATAL, Told, Worker
from .write import write

SEEDS = 5


@dataclass(frozen=True)
class Reproduced:
    """What was run of a table, and the files that say so."""

    table: Table
    outcomes: Sequence[Outcome]
    files: Sequence[Path]


def plan(table: Table, out: Path, given: Mapping[str, Given]) -> list[Planned]:
    """What would be run, without a file being written.

    Raises DiagnosticError where data that are given are not there, or where no row can be run.
    """
    rows = planned(table, materials(out, given))
    if all(one.why for one in rows):
        raise _none(table, {one.row: one.why for one in rows})
    return rows


def reproduce(
    table: Table,
    out: Path,
    given: Mapping[str, Given],
    *,
    seeds: int = SEEDS,
    told: Told = lambda _: None,
    options: Mapping[str, Any] | None = None,
    backbones: BackboneOptions | None = None,
) -> Reproduced:
    """Runs the rows of a table that can be run, and writes what came out into a folder.

    `given` are the data of the paper's sets by their names; `backbones` take features from those
    that are raw. Raises DiagnosticError where the folder or the data cannot be used, where what is
    kept there was changed, and where no row could be run.
    """
    every = materials(out, given)
    why = {one.row: one.why for one in planned(table, every) if one.why}
    if len(why) == len(table.rows):
        raise _none(table, why)
    with locked(out, "reproduce"):
        rows = Rows(out)
        opened = backbones or BackboneOptions()
        _prepare(table, every, why, told, opened)
        worker = Worker(rows, told, dict(options or {}), opened)
        found = {
            row: _run(worker, row, every[table.data_of(row)], seeds, why)
            for row in table.rows
            if row not in why
        }
        if not any(found.values()):
            raise _none(table, why)
        result = outcomes(table, found, why, every, rows)
        return Reproduced(table, result, write(table, result, out))


def _prepare(
    table: Table,
    every: Mapping[str, Material],
    why: Mapping[Row, str],
    told: Told,
    backbones: BackboneOptions,
) -> None:
    for name in dict.fromkeys(table.data_of(row) for row in table.rows if row not in why):
        told(f"features of {every[name].title}")
        prepare(every[name], backbones)


def _run(
    worker: Worker, row: Row, material: Material, seeds: int, why: dict[Row, str]
) -> list[Done]:
    """A row with every seed; where one fails, why, and those that are done."""
    done: list[Done] = []
    for seed in range(seeds):
        try:
            done.append(worker.run(row.way, material, seed))
        except DiagnosticError as error:
            first = error.diagnostics[0]
            if first.code in FATAL:
                raise
            why[row] = f"seed {seed}: {first.message}"
            break
    return done


def _none(table: Table, why: Mapping[Row, str]) -> DiagnosticError:
    notes = [Note(f"{row.name}: {text}") for row, text in why.items()]
    message = f"no row of {table.title.partition(':')[0]} could be run"
    return fail("E506", message, help="give its data: `--raw NAME:FOLDER`", notes=notes)
