"""What systems outside give for the test samples of a set, from its pooled features.

    python -m benchmarks.study.outside "perceptrons, 5 seeds" emoji.fuse emoji.npz predictions.npz
    python -m benchmarks.study.judge add --set emoji --predictions predictions.npz

They read what simple models read, each feature's mean and maximum over space and time, and learn
from training and validation samples. What is written are the `system`, its `outputs` (test samples,
K), probabilities or values, `labels`, and `seconds`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from fusewright.runtime.metrics import SELECTION_METRIC
from fusewright.runtime.predict.comparison import scored

from .autogluon import autogluon
from .perceptrons import perceptrons
from .pooled_set import PooledSet, pooled_set

SYSTEMS: Mapping[str, Callable[[PooledSet, float], NDArray[np.float64]]] = {
    "AutoGluon-Tabular": autogluon,
    "perceptrons, 5 seeds": perceptrons,
}
"""What each gives in about that many seconds, (test samples, K)."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("system", choices=list(SYSTEMS))
    parser.add_argument("spec", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=120)
    options = parser.parse_args()
    data = pooled_set(options.spec, options.data)
    started = perf_counter()
    outputs = SYSTEMS[options.system](data, options.seconds)
    np.savez(
        options.out, allow_pickle=False, system=np.array(options.system), outputs=outputs,
        labels=data.labels, seconds=np.array(perf_counter() - started),
    )  # fmt: skip
    (metric,) = scored(data.head.kind, outputs[None], data.labels).metrics
    print(f"{options.data.stem}: {SELECTION_METRIC[data.head.kind]} {metric:.4f}")


if __name__ == "__main__":
    main()
