"""A trained network, or an ensemble, as the teacher of another one."""

from __future__ import annotations

from os import PathLike

import numpy as np

from ...compiler.check.check import checked
from ...compiler.diagnostics.diagnostic import fail
from ...compiler.language.spec import Spec
from ...compiler.network.network import Head
from ..data.classes import with_names
from ..data.dataset import load_data
from ..data.sources import Data, source_of
from ..data.split import TRAIN, VALIDATION
from ..progress import Progress, no_progress
from ..runs.folder import describe
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
    if own != head:
        message = f"`{teacher}` predicts {_said(own)}, and the network {_said(head)}"
        raise fail("E506", message, help="distil from what was trained for the same labels")
    require_readable(predictor, data, settings)
    samples = load_data(data, predictor.network, settings.split_seed, settings.memory)
    known = samples.indices(TRAIN, VALIDATION)
    outputs = predictor.outputs(samples, known, settings, progress).astype(np.float64)
    return SoftTargets(describe(teacher), known, shares_in(head, predictor.output, outputs))


def _said(head: Head) -> str:
    names = f" ({', '.join(head.names[:3])}, …)" if head.names else ""
    return f"{head.count} {head.kind}{names}"
