"""An ensemble as JSON: its genotypes, each as a text or the name of a file, and their weights."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from math import isclose, isfinite
from typing import Any

from ..diagnostics.diagnostic import DiagnosticError, fail
from ..diagnostics.text import json_text
from ..language.ensemble import Ensemble, EnsembleMember, numbered
from ..language.spec import Spec

MOST_MEMBERS = 256
PRECISION = 1e-6
"""How near to 1 the weights of the members add up."""
_DAMAGED = (ValueError, TypeError, LookupError, RecursionError, OverflowError)


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
    text: str, name: str, genotype: Callable[[str, str], Spec], damaged: DiagnosticError
) -> Ensemble:
    """The ensemble that a text says; `genotype` reads what stands for that of a member, by name.

    `name` is what diagnostics call the text. Raises `damaged` where it is no ensemble, or
    `genotype` raises ValueError, and another DiagnosticError where its members do not go together.
    """
    try:
        rows = json.loads(text)["members"]
        named = [(str(row["genotype"]), float(row["weight"])) for row in rows]
        _require_weights([weight for _, weight in named])
        genotypes = [genotype(one, numbered(place)) for place, (one, _) in enumerate(named, 1)]
    except _DAMAGED:
        raise damaged from None
    members = (EnsembleMember(g, w) for g, (_, w) in zip(genotypes, named, strict=True))
    ensemble = Ensemble(tuple(members))
    _require_alike(ensemble, name)
    return ensemble


def _require_weights(weights: Sequence[Any]) -> None:
    """Raises ValueError where weights are none of an ensemble."""
    if len(weights) > MOST_MEMBERS:
        raise ValueError("too many members")
    if not all(isfinite(weight) and weight > 0 for weight in weights):
        raise ValueError("no weights")
    if not isclose(sum(weights), 1, abs_tol=PRECISION):
        raise ValueError("weights do not add up to 1")


def _require_alike(ensemble: Ensemble, name: str) -> None:
    first = ensemble.members[0].genotype
    for member, one in ensemble.named.items():
        if (one.genotype.modalities, one.genotype.predict) != (first.modalities, first.predict):
            message = f"`{member}` of `{name}` has other features, or predicts something else"
            raise fail("E507", message, help="members of an ensemble read and predict the same")
