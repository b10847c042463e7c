"""Networks without a Cell of their own, which a search has to beat."""

from __future__ import annotations

from ...compiler.language.spec import Spec
from ...compiler.language.without_cells import without_cells
from .perceptron import perceptron
from .simbamm import simbamm
from .strategy import PERCEPTRON

LATE, ALL, SIMBAMM = "late fusion", "all features", "late-fusion transformer"


def baselines(spec: Spec) -> dict[str, Spec]:
    """By name: late fusion, all features, SimBaMM's transformer, a perceptron, each modality."""
    found = {
        LATE: late_fusion(spec),
        ALL: all_features(spec),
        SIMBAMM: simbamm(spec),
        PERCEPTRON: perceptron(spec),
    }
    if len(spec.modalities) > 1:
        for modality in spec.modalities:
            names = [feature.name for feature in modality.features]
            found[f"{modality.name} alone"] = without_cells(spec, names)
    return found


def all_features(spec: Spec) -> Spec:
    """Every feature straight to the head, without a Cell."""
    return without_cells(spec)


def late_fusion(spec: Spec) -> Spec:
    """The last feature of each modality straight to the head, without a Cell."""
    return without_cells(spec, [m.features[-1].name for m in spec.modalities])
