"""Melting points of organic compounds, from the systematic name and the structure (SMILES).

Source: chemicals 1.5.2. Melting points: J.-C. Bradley, A. Lang, A. Williams, "Jean-Claude Bradley
Open Melting Point Dataset", Open Notebook Science, 2014, CC0. Names, formulas and structures: the
package's extract of PubChem (U.S. National Library of Medicine, public domain for most parts). The
package itself: MIT licence, copyright 2016-2021 Caleb Bell.

A sample is a compound with both; isomers, which have one formula, are all in one split. The value
is the melting point in kelvins, standardised by the training split. The backbones learn only which
fifth of the training values a compound belongs to; they read both texts character by character.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from fusewright.runtime.data.split import TRAIN
from fusewright.runtime.demo.training import Schedule

from ...demo_data.variants import split_families
from .backbones import SequenceBackbone
from .features import Arrays, Unimodal, drop_steps, extract, standardised
from .packages import read

COMPOUNDS = "chemicals/Identifiers/chemical identifiers pubchem large.tsv"
POINTS = "chemicals/Phase Change/OpenNotebook Melting Points.tsv"
ATOMS = "CONSPFIBHlr()[]=#@+-/\\123456"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789,-()[]' "
LENGTH = 48
NAME_LENGTH = 64
SAMPLES = 4000
SHELVES = 5
CHANNELS = (32, 48, 48, 64)
SCHEDULE = Schedule(epochs=5, batch=64, decay=0.1, augment=drop_steps)


@dataclass(frozen=True)
class Compound:
    """`formula` groups isomers; `point` is the melting point in kelvins."""

    formula: str
    smiles: str
    name: str
    point: float


def build(wheel: Path) -> Arrays:
    """The features of the specification, `labels` and `split`."""
    return features_of(chosen(read_wheel(wheel, LENGTH)), LENGTH, NAME_LENGTH)


def read_wheel(wheel: Path, longest: int) -> list[Compound]:
    """The compounds of the package whose structure has no more characters than `longest`."""
    return read_compounds(read(wheel, COMPOUNDS), read(wheel, POINTS), longest)


def chosen(compounds: Sequence[Compound]) -> list[Compound]:
    """The compounds of this set."""
    return draw(compounds, SAMPLES, seed=0)


def features_of(compounds: Sequence[Compound], length: int, name_length: int) -> Arrays:
    """The features of compounds by backbones of their own, `labels`, `split` and `groups`.

    Of structures and names so many characters are read.
    """
    _, group = np.unique([one.formula for one in compounds], return_inverse=True)
    points = np.array([[one.point] for one in compounds])
    split = split_families(group, shelves(points[:, 0], points[:, 0]), seed=0)
    labels = standardised(points, split, (0,))
    texts = {
        "Structure": one_hot([one.smiles for one in compounds], ATOMS, length),
        "Name": one_hot([one.name for one in compounds], LETTERS, name_length),
    }
    modalities = [
        Unimodal(name, text, partial(SequenceBackbone, text.shape[1], CHANNELS, SHELVES), SCHEDULE)
        for name, text in texts.items()
    ]
    targets = shelves(labels[:, 0], labels[split == TRAIN, 0])
    features = extract(modalities, targets, split, seed=0)
    return {**features, "labels": labels, "split": split, "groups": group}


def read_compounds(identifiers: bytes, points: bytes, longest: int = LENGTH) -> list[Compound]:
    """The compounds with a name, a short structure of common atoms, and a melting point."""
    rows = csv.DictReader(points.decode().splitlines(), delimiter="\t")
    known = {row["CAS"]: float(row["Tm"]) for row in rows}
    compounds: list[Compound] = []
    for line in identifiers.decode().splitlines():
        _, cas, formula, _, smiles, _, _, name, *_ = line.split("\t")
        if cas in known and name and len(smiles) <= longest and set(smiles) <= set(ATOMS):
            compounds.append(Compound(formula, smiles, name, known[cas]))
    return compounds


def draw(compounds: Sequence[Compound], count: int, seed: int) -> list[Compound]:
    """Up to `count` of the compounds at random, in their order."""
    places = np.random.default_rng(seed).permutation(len(compounds))[:count]
    return [compounds[place] for place in sorted(places)]


def one_hot(texts: Sequence[str], alphabet: str, length: int) -> Tensor:
    """Characters as channels: (n, `len(alphabet)`, `length`), zero for others and after the end."""
    channels = torch.zeros(len(texts), length, dtype=torch.int64)
    for row, text in enumerate(texts):
        places = [1 + alphabet.find(character) for character in text[:length]]
        channels[row, : len(places)] = torch.tensor(places)
    return functional.one_hot(channels, 1 + len(alphabet))[..., 1:].transpose(1, 2).float()


def shelves(values: NDArray[np.floating], among: NDArray[np.floating]) -> NDArray[np.int64]:
    """Which of `SHELVES` equally full parts of `among` each value falls into, from 0."""
    bounds = np.quantile(among, np.arange(1, SHELVES) / SHELVES)
    return np.searchsorted(bounds, values).astype(np.int64)
