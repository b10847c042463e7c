"""What modality dropout is worth where modalities are missing, on the demo's features.

`fusewright demo --out demo-run`, then `python -m benchmarks.missing demo-run/features.safetensors`.
A network of two optional modalities is trained with each share of modality dropout, by several
seeds; its test accuracy is taken with no sample, half of them and all of them without a modality,
which ones drawn 20 times. With `--search`, the network is searched with each share first.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

import fusewright as fw
from fusewright.runtime.predict.robustness import SHARES

from .machine import machine

SPECIFICATION = Path(__file__).parents[1] / "runtime" / "demo" / "emoji.fuse"
CELLS = """
cell Cell_1(Image_4, Text_3) { Step_1 = ConcatFC(x, y) Step_2 = LinearGLU(x, Step_1) }
cell Cell_2(Cell_1, Text_2) { Step_1 = Attention(x, y) Step_2 = ConcatFC(x, Step_1) }
"""
DROPOUTS = (0.0, 0.1, 0.2, 0.3, 0.5)
PLACES = (0, SHARES.index(0.5), len(SHARES) - 1)


def space() -> fw.Spec:
    """The demo's specification, both of whose modalities may be missing."""
    found = fw.load(SPECIFICATION)
    modalities = tuple(replace(one, optional=True) for one in found.modalities)
    return replace(found, modalities=modalities)


def fixed() -> fw.Spec:
    """A network of that specification."""
    found = space()
    text = str(replace(found, cells=(), pool=None))
    return fw.loads(text.replace("predict", f"{CELLS}\npredict", 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--dropouts", type=float, nargs="+", default=DROPOUTS)
    parser.add_argument("--search", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore", fw.DataWarning)
    print(machine("torch", "numpy"))
    header = [f"{SHARES[place]:.0%}" for place in PLACES]
    print("dropout  without           ", *(f"{cell:>7}" for cell in header))
    for dropout in given.dropouts:
        settings = fw.Settings(epochs=15, batch=96, modality_dropout=dropout, threads=1)
        curves: dict[str, list[list[float]]] = {}
        for seed in range(given.seeds):
            own = settings.with_options(seed=seed)
            network = searched(given.data, own) if given.search else fixed()
            result = fw.train(network, given.data, settings=own)
            for curve in fw.robustness(network, given.data, weights=result.weights).curves:
                scores = [curve.points[place].score for place in PLACES]
                curves.setdefault(" or ".join(curve.modalities), []).append(scores)
        for name, rows in curves.items():
            means, spreads = np.mean(rows, 0), np.std(rows, 0, ddof=min(1, len(rows) - 1))
            shown = (f"{m:.3f}±{s:.3f}" for m, s in zip(means, spreads, strict=True))
            print(f"{dropout:<8} {name:<18}", *shown, flush=True)


def searched(data: Path, settings: fw.Settings) -> fw.Spec:
    """What a brief search finds that learns with the same dropout."""
    brief = settings.with_options(strategy="random", candidates=24, trial_epochs=8)
    return fw.search(space(), data, settings=brief).genotype


if __name__ == "__main__":
    main()
