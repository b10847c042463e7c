"""What a study compares: ways to search, and what a user would do without a search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import fusewright as fw
from fusewright.compiler.language.nodes import Reference
from fusewright.compiler.language.spec import Spec
from fusewright.runtime.search.baselines import ALL, LATE, all_features, late_fusion

SAME: Mapping[str, Any] = {"tune": ""}
"""All genotypes are trained with the same settings."""
VALIDATED: Mapping[str, Any] = {**SAME, "folds": 1, "ensemble": False}
"""They are compared on validation alone."""
CONTENDERS: Mapping[str, Mapping[str, Any]] = {
    "darts, as published": {
        "strategy": "darts",
        "relax": "shared",
        "rule": "paper",
        "epochs": 30,
    },
    "darts": {
        "strategy": "darts",
        "relax": "per_input",
        "epochs": 30,
        "arch_learning_rate": 3e-3,
    },
    "darts, perturbation": {
        "strategy": "darts",
        "select": "perturbation",
        "relax": "per_input",
        "epochs": 15,
        "arch_learning_rate": 3e-3,
    },
    "gdas": {
        "strategy": "gdas",
        "relax": "per_input",
        "epochs": 31,
        "arch_learning_rate": 3e-3,
    },
    "single path": {"strategy": "single-path", "relax": "per_input", "epochs": 31},
    "single path, halving": {
        "strategy": "single-path",
        "select": "halving",
        "relax": "per_input",
        "epochs": 15,
        "candidates": 36,
        "rungs": 3,
    },
    "halving": VALIDATED,
    "halving of 120": {**VALIDATED, "candidates": 120},
    "halving, folds": {**VALIDATED, "folds": 0},
    "halving of 120, folds": {**VALIDATED, "folds": 0, "candidates": 120},
    "random, best of 40 on validation": {**SAME, "strategy": "random", "candidates": 40},
    "random, best of 20 on validation": {**SAME, "strategy": "random", "candidates": 20},
    "tpe": {**SAME, "strategy": "tpe", "candidates": 20},
    "evolution": {**SAME, "strategy": "evolution", "candidates": 20},
    "mfas": {**SAME, "strategy": "mfas", "candidates": 20},
}
HAND_MADE = {
    "Sum": "Step_1 = bmnas.Sum(x, y)",
    "ConcatFC": "Step_1 = bmnas.ConcatFC(x, y)",
    "multi-head attention": "Step_1 = fusion.MHA(x, y)",
    "AoA": "Step_1 = fusion.AoA(x, y)",
    "GMU": "Step_1 = fusion.GMU(x, y)",
}


def baselines(spec: Spec) -> Iterator[tuple[str, Spec]]:
    """Networks without a search: single features, late fusion, all features, hand-made Cells.

    "… alone" is a modality's last feature here; in `runtime/search/baselines.py` it is all of them.
    """
    last = [m.features[-1].name for m in spec.modalities]
    bare = replace(spec, pool=None, cells=(), outputs=None)
    for modality, name in zip(spec.modalities, last, strict=True):
        yield f"{modality.name} alone", replace(bare, outputs=(Reference(name),))
    yield LATE, late_fusion(spec)
    yield ALL, all_features(spec)
    for title, step in HAND_MADE.items():
        yield title, _with_cell(bare, last, step)


def _with_cell(bare: Spec, last: list[str], step: str) -> Spec:
    """The network with one Cell over the last features, in which a Step fuses them."""
    text = str(bare).replace("use bmnas", "use bmnas\nuse fusion")
    head = text.index("predict ")
    cell = f"cell Cell_1({', '.join(last)}) {{ {step} }}\n\n"
    return fw.loads(text[:head] + cell + text[head:])
