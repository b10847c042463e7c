"""AutoGluon-Tabular on pooled features: a tabular AutoML system.

    python3 -m venv AGENV
    AGENV/bin/pip install -c constraints.txt torch
    AGENV/bin/pip install -c constraints.txt 'autogluon.tabular[lightgbm,catboost,xgboost]' \\
        fastai lark safetensors networkx jsonschema
    PYTHONPATH=src:. AGENV/bin/python -m benchmarks.study.outside AutoGluon-Tabular \\
        emoji.fuse emoji.npz predictions.npz --seconds 120

An environment of its own, since AutoGluon pins what it stands on. It splits samples itself. Labels
are learned one by one, in equal shares of the time; it takes at most a little more than it is
given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusewright.compiler.language.nodes import HeadKind

from .pooled_set import PooledSet

PRESET = "best_quality"
TARGET = "target"
PROBLEMS = {"classes": "multiclass", "labels": "binary", "values": "regression"}
METRICS = {"classes": "accuracy", "labels": "log_loss", "values": "r2"}


@dataclass(frozen=True)
class _Fitting:
    """How a target is learned: `seconds` for all targets, and where models are kept meanwhile."""

    seconds: float
    folder: Path


def autogluon(data: PooledSet, seconds: float) -> NDArray[np.float64]:
    """What its ensemble gives for test samples, after that many seconds on one core."""
    with TemporaryDirectory() as folder:
        return _outputs(data, _Fitting(seconds, Path(folder, "models")))


def _outputs(data: PooledSet, fitting: _Fitting) -> NDArray[np.float64]:
    head, known, asked = data.head, data.known, _table(data.asked)
    assert head.kind != "several"
    if head.kind == "classes":
        found = _fitted(known, data.targets, head.kind, fitting).predict_proba(asked)
        return np.asarray(found.reindex(columns=range(head.count), fill_value=0), np.float64)
    share = replace(fitting, seconds=fitting.seconds / head.count)
    columns: list[NDArray[np.float64]] = []
    for place, own in enumerate(data.targets.T):
        one = replace(share, folder=fitting.folder / str(place))
        model = _fitted(known, own, head.kind, one)
        found = model.predict_proba(asked)[1] if head.kind == "labels" else None
        columns.append(np.asarray(model.predict(asked) if found is None else found))
    return np.stack(columns, 1).astype(np.float64)


def _fitted(
    columns: NDArray[np.float64], targets: NDArray[Any], kind: HeadKind, fitting: _Fitting
) -> Any:
    """A predictor of one target, (samples,), from (samples, columns)."""
    from autogluon.tabular import TabularPredictor

    table = _table(columns)
    table[TARGET] = targets.astype(np.int64) if kind == "labels" else targets
    predictor = TabularPredictor(
        TARGET, PROBLEMS[kind], METRICS[kind], path=str(fitting.folder), verbosity=1
    )
    return predictor.fit(
        table, time_limit=fitting.seconds, presets=PRESET, num_cpus=1, num_gpus=0,
        dynamic_stacking=False,
    )  # fmt: skip


def _table(columns: NDArray[np.float64]) -> Any:
    import pandas

    return pandas.DataFrame(columns, columns=[f"c{i}" for i in range(columns.shape[1])])
