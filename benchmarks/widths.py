"""Whether networks of many more parameters than samples do worse: `python -m benchmarks.widths`.

One Cell over two halves of data that come with scikit-learn: ten numbers of cell nuclei and ten
others, and the upper and lower rows of digits. It learns 300 samples, and is scored on the others.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits

import fusewright as fw
from fusewright.runtime.data.split import TEST, TRAIN, VALIDATION

SAMPLES, HELD = 300, 60
EPOCHS, SEEDS = 15, 3
SIZES = ((4, 2), (16, 8), (64, 8), (128, 8))
"""C and L."""


def sets() -> dict[str, tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Two features and the labels of each set, by its name."""
    nuclei, digits = load_breast_cancer(), load_digits()
    scaled = (nuclei.data - nuclei.data.mean(0)) / nuclei.data.std(0)
    pictures = digits.data / 8 - 1
    return {
        "nuclei": (scaled[:, :10], scaled[:, 20:], nuclei.target),
        "digits": (pictures[:, :32], pictures[:, 32:], digits.target),
    }


def split_of(count: int, seed: int) -> NDArray[np.int64]:
    """Which of so many samples are learned, and which a score is of."""
    order = np.random.default_rng(seed).permutation(count)
    split = np.full(count, TEST)
    split[order[:SAMPLES]] = TRAIN
    split[order[:HELD]] = VALIDATION  # `train` learns these too
    return split


def spec(channels: int, classes: int, size: tuple[int, int]) -> fw.Spec:
    return (
        fw.network("widths", C=size[0], L=size[1], dropout=0.1)
        .with_library("bmnas")
        .with_modality("a", f"A[c {channels}]")
        .with_modality("b", f"B[c {channels}]")
        .with_cell("K", "A", "B", steps={"S": "ConcatFC(x, y)", "T": "LinearGLU(x, S)"})
        .with_head(f"{classes} classes")
    )


def main() -> None:
    warnings.simplefilter("ignore", fw.DataWarning)
    for name, (first, second, labels) in sets().items():
        for size in SIZES:
            network = spec(first.shape[1], len(np.unique(labels)), size)
            scores: list[float] = []
            for seed in range(SEEDS):
                split = split_of(len(labels), seed)
                data = {"A": first, "B": second, "labels": labels, "split": split}
                trained = fw.train(network, data, epochs=EPOCHS, seed=seed, threads=1)
                scores.append(fw.evaluate(trained, data)["accuracy"])
            parameters = sum(p.numel() for p in fw.compile(network, "torch").parameters())
            told = f"C = {size[0]}, L = {size[1]}: {parameters / SAMPLES:.0f} for each sample"
            print(f"{name}, {told}, accuracy {np.mean(scores):.3f}", flush=True)


if __name__ == "__main__":
    main()
