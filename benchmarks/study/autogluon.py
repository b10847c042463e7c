"""AutoGluon-Tabular on a set's pooled features: test predictions of a tabular AutoML system.

    python3 -m venv AGENV
    AGENV/bin/pip install -c constraints.txt torch
    AGENV/bin/pip install -c constraints.txt 'autogluon.tabular[lightgbm,catboost,xgboost]' \\
        fastai lark safetensors networkx jsonschema
    PYTHONPATH=src:. AGENV/bin/python -m benchmarks.study.autogluon \\
        emoji.fuse emoji.npz predictions.npz --seconds 120
    python -m benchmarks.study.judge add --set emoji --predictions predictions.npz

An environment of its own, since AutoGluon pins what it stands on. It reads what simple models read,
each feature's mean and maximum over space and time, learns from training and validation samples,
and splits them itself. Labels are learned one by one, in equal shares of the time. What it writes
are `outputs` (test samples, K), probabilities or values, `labels`, and `seconds`, which are at most
a little more than were given.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.language.nodes import HeadKind
from fusewright.compiler.network.network import Head
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.pooled import pooled
from fusewright.runtime.data.split import TEST, TRAIN, VALIDATION
from fusewright.runtime.metrics import SELECTION_METRIC
from fusewright.runtime.predict.comparison import scored

PRESET = "best_quality"
TARGET = "target"
PROBLEMS = {"classes": "multiclass", "labels": "binary", "values": "regression"}
METRICS = {"classes": "accuracy", "labels": "log_loss", "values": "r2"}


@dataclass(frozen=True)
class Fitting:
    """How a target is learned: `seconds` for all targets, and where models are kept meanwhile."""

    seconds: float
    preset: str
    folder: Path


def outputs_of(
    known: NDArray[np.float64],
    targets: NDArray[Any],
    asked: NDArray[np.float64],
    head: Head,
    fitting: Fitting,
) -> NDArray[np.float64]:
    """Probabilities or values (samples that are asked, K) of models that learned known ones."""
    if head.kind == "classes":
        found = _fitted(known, targets, head.kind, fitting).predict_proba(_table(asked))
        return np.asarray(found.reindex(columns=range(head.count), fill_value=0), np.float64)
    share = replace(fitting, seconds=fitting.seconds / head.count)
    columns: list[NDArray[np.float64]] = []
    for place, own in enumerate(targets.T):
        one = replace(share, folder=fitting.folder / str(place))
        model = _fitted(known, own, head.kind, one)
        found = model.predict_proba(_table(asked))[1] if head.kind == "labels" else None
        columns.append(np.asarray(model.predict(_table(asked)) if found is None else found))
    return np.stack(columns, 1).astype(np.float64)


def _fitted(
    columns: NDArray[np.float64], targets: NDArray[Any], kind: HeadKind, fitting: Fitting
) -> Any:
    """A predictor of one target, (samples,), from (samples, columns)."""
    from autogluon.tabular import TabularPredictor

    table = _table(columns)
    table[TARGET] = targets.astype(np.int64) if kind == "labels" else targets
    predictor = TabularPredictor(
        TARGET, PROBLEMS[kind], METRICS[kind], path=str(fitting.folder), verbosity=1
    )
    return predictor.fit(
        table, time_limit=fitting.seconds, presets=fitting.preset, num_cpus=1, num_gpus=0,
        dynamic_stacking=False,
    )  # fmt: skip


def _table(columns: NDArray[np.float64]) -> Any:
    import pandas

    return pandas.DataFrame(columns, columns=[f"c{i}" for i in range(columns.shape[1])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spec", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--preset", default=PRESET)
    options = parser.parse_args()
    network = checked(fw.load(options.spec))
    data = load_data(options.data, network)
    known, test = data.indices(TRAIN, VALIDATION), data.indices(TEST)
    learned, asked = (pooled(data, network, samples) for samples in (known, test))
    started = perf_counter()
    with TemporaryDirectory() as folder:
        fitting = Fitting(options.seconds, options.preset, Path(folder, "models"))
        outputs = outputs_of(learned, data.labels[known], asked, network.head, fitting)
    labels = data.labels[test]
    found = {"outputs": outputs, "labels": labels, "seconds": np.array(perf_counter() - started)}
    np.savez(options.out, allow_pickle=False, **found)
    (metric,) = scored(network.head.kind, outputs[None], labels).metrics
    print(f"{options.data.stem}: {SELECTION_METRIC[network.head.kind]} {metric:.4f}")


if __name__ == "__main__":
    main()
