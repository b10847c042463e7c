"""A trained network, or an ensemble, as the teacher of another one."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ...compiler.check.check import checked
from ...compiler.diagnostics.diagnostic import fail
from ...compiler.language.spec import Spec
from ...compiler.network.network import Head
from ...compiler.system.files import entries, is_file, is_folder
from ...compiler.system.provenance import described
from ..data.classes import with_names
from ..data.dataset import load_data
from ..data.several import require_one_head
from ..data.sources import Data, source_of
from ..data.split import TRAIN, VALIDATION
from ..progress import Progress, no_progress
from ..runs.names import LOCK
from ..settings import Settings
from ..training.distil import SoftTargets
from .open import open_predictor
from .outputs import shares_in
from .predictor import require_readable


def soft_targets(
    teacher: str | PathLike[str],
    student: Spec,
    data: Data,
    settings: Settings,
    progress: Progress = no_progress,
) -> SoftTargets:
    """What a trained run, an ensemble or an ONNX file gives for the samples that are trained on.

    Raises DiagnosticError where it is none of these, or predicts something else than the student.
    """
    data = source_of(data)
    predictor = open_predictor(teacher)
    own, head = predictor.network.head, with_names(checked(student), data).head
    require_one_head(head, "distilling")
    if own != head:
        message = f"`{teacher}` predicts {_said(own)}, and the network {_said(head)}"
        raise fail("E506", message, help="distil from what was trained for the same labels")
    require_readable(predictor, data, settings)
    samples = load_data(data, predictor.network, settings.split_seed, settings.memory)
    known = samples.indices(TRAIN, VALIDATION)
    outputs = predictor.outputs(samples, known, settings, progress).astype(np.float64)
    return SoftTargets(_described(teacher), known, shares_in(head, predictor.output, outputs))


def _said(head: Head) -> str:
    names = f" ({', '.join(head.names[:3])}, …)" if head.names else ""
    return f"{head.count} {head.kind}{names}"


def _described(teacher: str | PathLike[str]) -> dict[str, Any]:
    """What a network was taught by: a file, or the files of a run, with sizes and hashes."""
    place = Path(teacher)
    files = [place]
    if is_folder(place):
        files = [file for file in entries(place) if is_file(file) and file.name != LOCK]
    return {
        "source": str(place),
        "files": [{"name": file.name, **described(file)} for file in files],
    }
