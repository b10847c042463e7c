"""An ensemble as JSON: its genotypes, each as a text or the name of a file, and their weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isclose
from typing import Any

from ..diagnostics.diagnostic import fail
from ..diagnostics.text import json_text
from ..language.ensemble import Ensemble, EnsembleMember, numbered
from ..language.spec import Spec
from .records import RecordKind, read_record

PRECISION = 1e-6
"""How near to 1 the weights of the members add up."""


def ensemble_text(
    ensemble: Ensemble, genotypes: Sequence[str], more: Mapping[str, Any] | None = None
) -> str:
    """The JSON of an ensemble, in which these texts stand for the genotypes of its members.

    `more` stands beside them.
    """
    rows = zip(genotypes, ensemble.members, strict=True)
    members = [{"genotype": text, "weight": one.weight} for text, one in rows]
    record = {"members": members, **(more or {})}
    return json_text(record, indent=1)


def read_ensemble_text(
    text: str, name: str, genotype: Callable[[str, str], Spec], kind: RecordKind
) -> Ensemble:
    """The ensemble that a text says; `genotype` reads what stands for that of a member, by name.

    `name` is what diagnostics call the text. Raises DiagnosticError where it is no ensemble, which
    they call a record of this `kind`, or its members do not go together.
    """
    rows = read_record(text, name, kind)["members"]
    if not isclose(sum(row["weight"] for row in rows), 1, abs_tol=PRECISION):
        raise kind.wrong(name, "the weights of its members do not add up to 1")
    members = tuple(
        EnsembleMember(genotype(row["genotype"], numbered(place)), float(row["weight"]))
        for place, row in enumerate(rows, 1)
    )
    ensemble = Ensemble(members)
    _require_alike(ensemble, name)
    return ensemble


def _require_alike(ensemble: Ensemble, name: str) -> None:
    first = ensemble.members[0].genotype
    for member, one in ensemble.named.items():
        own, other = one.genotype, first
        if (own.modalities, own.predictions) != (other.modalities, other.predictions):
            message = f"`{member}` of `{name}` has other features, or predicts something else"
            raise fail("E507", message, help="members of an ensemble read and predict the same")
