"""What rows came to: their scores over seeds, an interval, and how they compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...compiler.check.check import checked
from ..predict.comparison import Scored, difference, intervals, scored
from ..runs.statistics import Interval, Summary, summary
from .paper import Row, Table
from .rows import Done, Rows
from .sets import Material


@dataclass(frozen=True)
class Outcome:
    """A row that was run with some seeds, or `why` it was not.

    `interval` is that of the score over test samples, its mean over seeds; `behind` by how much the
    table's reference is higher, over test samples and seeds; None for the reference, and where
    they are of other data.
    """

    row: Row
    data: str
    stands_in: str
    done: Sequence[Done] = ()
    interval: Interval | None = None
    behind: Interval | None = None
    why: str = ""

    @property
    def scores(self) -> Summary:
        """The score over seeds, in percent."""
        return summary([100 * one.score for one in self.done])

    @property
    def search_score(self) -> float | None:
        """The score of the search over seeds, in percent, where there was one."""
        known = [one.search_score for one in self.done if one.search_score is not None]
        return 100 * float(np.mean(known)) if known else None

    def mean(self, name: str) -> float:
        """The mean of a number over seeds."""
        return float(np.mean([getattr(one, name) for one in self.done]))


def outcomes(
    table: Table,
    found: Mapping[Row, Sequence[Done]],
    why: Mapping[Row, str],
    materials: Mapping[str, Material],
    rows: Rows,
) -> list[Outcome]:
    """The rows of a table in its order; raises DiagnosticError where outputs were changed."""
    scores = {
        row: _scored(done, materials[table.data_of(row)], rows)
        for row, done in found.items()
        if done
    }
    reference = next((row for row in table.rows if row.name == table.reference), None)
    result: list[Outcome] = []
    for row in table.rows:
        material = materials[table.data_of(row)]
        told = Outcome(row, material.title, material.stands_in, why=why.get(row, ""))
        if row not in scores:
            result.append(told)
            continue
        groups = material.dataset.groups
        own = None if groups is None else groups[material.test]
        behind = None
        same = reference in scores and materials[table.data_of(reference)].digest == material.digest
        if reference is not None and same and found[row] != found[reference]:
            behind = difference(scores[reference], scores[row], own)
        (interval,) = intervals([scores[row]], own)
        result.append(
            Outcome(row, material.title, material.stands_in, found[row], interval, behind, told.why)
        )
    return result


def _scored(done: Sequence[Done], material: Material, rows: Rows) -> Scored:
    labels, head = material.dataset.labels[material.test], checked(material.space).head
    outputs = np.stack([rows.outputs(one, (len(labels), head.count)) for one in done])
    return scored(head.kind, outputs, labels)
