"""Small ensembles, as a search with folds finds them, and trained ones."""

from __future__ import annotations

from functools import cache
from typing import Any

from fusewright.compiler.language.ensemble import Ensemble, EnsembleMember
from fusewright.runtime.training.ensemble import EnsembleResult, train_ensemble

from .running import problem, spec

CELLS = {
    "cell K(A, D) { S = ConcatFC(x, y) } output K, B": 0.5,
    "cell K(B, D) { S = LinearGLU(x, y) }": 0.25,
    "cell K(A, B) { S = Sum(x, y) T = LinearGLU(S, x) } cell M(K, D) { S = ConcatFC(x, y) }": 0.25,
}
"""The Cells of each member, and its weight."""
PREDICTED = {"classes": "3 classes", "labels": "3 labels", "values": "1 values"}
BRIEF: dict[str, Any] = {"epochs": 3, "batch": 16, "max_learning_rate": 0.02, "member_seeds": 1}


def ensemble(kind: str = "classes") -> Ensemble:
    members = {spec(cells, predict=PREDICTED[kind]): weight for cells, weight in CELLS.items()}
    return Ensemble(tuple(EnsembleMember(one, weight) for one, weight in members.items()))


@cache
def trained(kind: str = "classes") -> EnsembleResult:
    return train_ensemble(ensemble(kind), problem(kind=kind), **BRIEF)
