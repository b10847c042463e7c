"""What the published code of BM-NAS runs of a genotype, which is not all that the genotype says.

It merges by counts: a Cell its last Steps, as many as `inner_concat` has entries, and the network
its last Cells, as many as `concat` has. Which ones the lists name, and in which order, it reads
nowhere. The genotypes that it finds name the last ones in order, so that both are the same there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .genotype import INPUTS
from .notation import CellGenotype, Genotype, Index


def as_published(genotype: Genotype, features: int) -> Genotype:
    """The genotype that says what the published code runs; `features` are those before the Cells.

    A list that is longer than what there is to merge stays as it is.
    """
    cells = tuple(map(_cell, genotype.cells))
    concat = _last(genotype.concat, features, len(genotype.cells))
    return replace(genotype, cells=cells, concat=concat)


def _cell(cell: CellGenotype) -> CellGenotype:
    return replace(cell, concat=_last(cell.concat, len(INPUTS), len(cell.operations)))


def _last(concat: Sequence[Index], first: int, count: int) -> tuple[Index, ...]:
    """The last entries of a sequence of `count` that begins at `first`, as many as are listed."""
    if len(concat) > count:
        return tuple(concat)
    start = first + count - len(concat)
    return tuple(Index(start + i, index.span) for i, index in enumerate(concat))


def differences(genotype: Genotype, features: int) -> list[str]:
    """What the published code runs otherwise than the genotype says, a sentence each."""
    run = as_published(genotype, features)
    pairs = enumerate(zip(genotype.cells, run.cells, strict=True), 1)
    found = [(f"`Cell_{k}`", said.concat, done.concat) for k, (said, done) in pairs]
    found.append(("the network", genotype.concat, run.concat))
    return [
        f"{owner} is said to merge {_listed(said)}, and the published code merges {_listed(done)}"
        for owner, said, done in found
        if said != done
    ]


def _listed(concat: Sequence[Index]) -> str:
    return ", ".join(str(index.position) for index in concat) or "nothing"
