"""An ensemble as files: its genotypes, and what each counts in the mean of what they give."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose, isfinite
from pathlib import Path
from typing import Any

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.language.spec import Spec
from ...compiler.load import load
from ...compiler.system.files import write_file
from ..settings import Settings
from .folder import DAMAGED, RunFolder, settings_beside
from .names import ENSEMBLE

MOST_MEMBERS = 256
PRECISION = 1e-6
"""How near to 1 the weights of the members add up."""


@dataclass(frozen=True)
class EnsembleMember:
    """A genotype, its weight in the mean, and how it was trained, where that was its own way."""

    genotype: Spec
    weight: float
    settings: Settings | None = None


@dataclass(frozen=True)
class Ensemble:
    """Networks whose probabilities, or values, are averaged; the weights add up to 1."""

    members: tuple[EnsembleMember, ...]

    def __str__(self) -> str:
        shown = (f"# {100 * one.weight:.0f} %\n{one.genotype}" for one in self.members)
        return "\n".join(shown)

    def write(self, folder: RunFolder) -> None:
        """Writes `ensemble.json`, and a specification for each member, into a folder."""
        (folder.path / ENSEMBLE).unlink(missing_ok=True)
        for name, member in zip(member_files(len(self.members)), self.members, strict=True):
            folder.write_genotype(member.genotype, member.settings, name)
        names = zip(member_files(len(self.members)), self.members, strict=True)
        record = {"members": [{"genotype": n, "weight": m.weight} for n, m in names]}
        write_file(folder.path / ENSEMBLE, json.dumps(record, indent=1).encode())


def member_files(count: int) -> list[str]:
    """The files of so many members."""
    return [f"member_{number}.fuse" for number in range(1, count + 1)]


def is_ensemble(folder: Path) -> bool:
    """Whether a folder holds an ensemble."""
    return (folder / ENSEMBLE).is_file()


def read_ensemble(folder: Path) -> Ensemble:
    """The ensemble in a folder; raises DiagnosticError where there is none, or it is damaged."""
    path = folder / ENSEMBLE
    if not path.is_file():
        raise fail("E507", f"`{folder}` holds no ensemble", help="`fusewright search` writes one")
    try:
        rows: Sequence[Any] = json.loads(path.read_text(encoding="utf-8"))["members"]
        named = [(str(row["genotype"]), float(row["weight"])) for row in rows]
        if [name for name, _ in named] != member_files(len(named)) or len(named) > MOST_MEMBERS:
            raise ValueError("other members")
        if not all(isfinite(weight) and weight > 0 for _, weight in named):
            raise ValueError("no weights")
        if not isclose(sum(weight for _, weight in named), 1, abs_tol=PRECISION):
            raise ValueError("weights do not add up to 1")
    except DAMAGED:
        message = f"`{path}` is damaged"
        raise fail("E507", message, help="search again, or copy the whole folder") from None
    members = tuple(
        EnsembleMember(load(folder / name), weight, settings_beside(folder / name))
        for name, weight in named
    )
    first = members[0].genotype
    for name, member in zip(member_files(len(members)), members, strict=True):
        one = member.genotype
        if (one.modalities, one.predict) != (first.modalities, first.predict):
            message = f"`{folder / name}` has other features, or predicts something else"
            raise fail("E507", message, help="members of an ensemble read and predict the same")
    return Ensemble(members)
