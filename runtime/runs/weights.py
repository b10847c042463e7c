"""Weights from files; those that stand in a run folder are the run's own."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from ...compiler.program.weights import Weights, WeightSource
from ...compiler.targets.safetensors import read_weights
from .digests import require_own
from .names import ENSEMBLE, GENOTYPE, SEARCH_WEIGHTS, WEIGHTS, about_file

_STAGES = {WEIGHTS: "train", SEARCH_WEIGHTS: "search"}


def weights_from(source: WeightSource) -> Weights:
    """Arrays as they are, or those of a file.

    Raises DiagnosticError where it cannot be read, or stands in a run folder and is of another run
    than what that found.
    """
    weights = read_weights(source)
    if isinstance(source, (str, PathLike)):
        path = Path(source)
        if stage := _STAGES.get(path.name):
            record = path.with_name(about_file(stage))
            require_own(record, [path.name, GENOTYPE, ENSEMBLE], stage)
    return weights
