"""Networks without a Cell of their own, which a search has to beat."""

from __future__ import annotations

from dataclasses import replace

from ...compiler.language.by_library import by_library, heads_reading
from ...compiler.language.nodes import Reference
from ...compiler.language.spec import Spec
from .strategy import PERCEPTRON

LATE, ALL, SIMBAMM = "late fusion", "all features", "late-fusion transformer"


def baselines(spec: Spec) -> dict[str, Spec]:
    """By name: late fusion, all features, SimBaMM's transformer, a perceptron, each modality alone.

    The transformer is our reading of arXiv 2512.22991, for which C is a multiple of four.
    """
    found = {
        LATE: late_fusion(spec),
        ALL: all_features(spec),
        SIMBAMM: by_library(spec, "simbamm"),
        PERCEPTRON: by_library(spec, PERCEPTRON),
    }
    if len(spec.modalities) > 1:
        for modality in spec.modalities:
            names = [feature.name for feature in modality.features]
            found[f"{modality.name} alone"] = _straight(spec, names)
    return found


def all_features(spec: Spec) -> Spec:
    """Every feature straight to the head, without a Cell."""
    return _straight(spec, [f.name for m in spec.modalities for f in m.features])


def late_fusion(spec: Spec) -> Spec:
    """The last feature of each modality straight to the head, without a Cell."""
    return _straight(spec, [m.features[-1].name for m in spec.modalities])


def _straight(spec: Spec, names: list[str]) -> Spec:
    outputs = tuple(map(Reference, names))
    heads = heads_reading(spec, names)
    return replace(spec, pool=None, cells=(), outputs=outputs, requirements=(), heads=heads)
