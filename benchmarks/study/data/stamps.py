"""Stamps of Tux Paint: a picture, a text and speech, fused to tell the folder.

Source: Debian package tuxpaint-stamps-default 2022.06.04-1; most of it GPL-2, copyright 2002-2022
Bill Kendrick and contributors, as its `copyright` says. Nothing of it is passed on.

A sample is a stamp with a picture and a description; what is spoken is its description in French,
which some lack. The class is the folder at the top. Stamps whose descriptions or file names nearly
agree, such as the letters of a sign language, are in one split. Needs resvg_py, Pillow and
soundfile.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fusewright.runtime.demo.backbones import PictureBackbone, TextBackbone, hash_pieces
from fusewright.runtime.demo.training import Schedule

from ...demo_data.variants import linked, split_families
from .backbones import SequenceBackbone
from .features import Arrays, Unimodal, drop_steps, extract, standardised
from .icons import PICTURES, SIDE, WORDS, families
from .packages import read_all
from .pictures import from_file, from_svg
from .sounds import BANDS, log_mel

FOLDER = "usr/share/tuxpaint/stamps/"
SPOKEN = "_desc_fr.ogg"
CHANNELS = (32, 48, 48, 64)
SPEECH = Schedule(epochs=20, batch=32, decay=0.1, augment=drop_steps)


@dataclass(frozen=True)
class Stamp:
    """`name` is its path without an ending; a picture is a PNG or an SVG file."""

    name: str
    text: str
    picture: bytes
    speech: bytes | None

    @property
    def folder(self) -> str:
        return self.name.partition("/")[0]


def build(package: Path) -> Arrays:
    """The features of the specification, `labels`, `split` and which samples have speech."""
    stamps = read_stamps(
        {
            name.removeprefix(FOLDER): content
            for name, content in read_all(package, lambda name: name.startswith(FOLDER))
            if name.endswith((".txt", ".png", ".svg", SPOKEN))
        }
    )
    folders, labels = np.unique([one.folder for one in stamps], return_inverse=True)
    group = alike(stamps)
    split = split_families(group, labels, seed=0)
    count = len(folders)
    pictures = np.stack([_drawn(one.picture) for one in stamps])
    present = np.array([one.speech is not None for one in stamps])
    heard = np.stack([log_mel(one.speech) for one in stamps])
    modalities = [
        Unimodal("Picture", torch.from_numpy(pictures), partial(PictureBackbone, count), PICTURES),
        Unimodal(
            "Text",
            hash_pieces([one.text for one in stamps]),
            partial(TextBackbone, count, dropout=0.3),
            WORDS,
        ),
        Unimodal(
            "Speech",
            torch.from_numpy(standardised(heard, split, (0, 2))),
            partial(SequenceBackbone, BANDS, CHANNELS, count),
            SPEECH,
            present,
        ),
    ]
    features = extract(modalities, labels, split, seed=0)
    rest: Arrays = {"speech.present": present.astype(np.int64), "labels": labels, "split": split}
    return {**features, **rest, "groups": group}


def read_stamps(files: Mapping[str, bytes]) -> list[Stamp]:
    """The stamps that have a description and a picture, by name."""
    stamps: list[Stamp] = []
    for file in sorted(files):
        name = file.removesuffix(".txt")
        picture = files.get(f"{name}.png", files.get(f"{name}.svg"))
        if name != file and picture is not None:
            english = files[file].decode("utf-8", "replace").partition("\n")[0]
            text = " ".join(re.findall("[a-z0-9]+", english.lower()))
            stamps.append(Stamp(name, text, picture, files.get(f"{name}{SPOKEN}")))
    return stamps


def alike(stamps: list[Stamp]) -> NDArray[np.int64]:
    """The family of each stamp, from 0: their texts, or their names in one folder, nearly agree."""
    by_text = families([one.text for one in stamps])
    names = [re.split("[^a-z/]", one.name.lower(), maxsplit=1)[0] for one in stamps]
    return linked(zip(by_text.tolist(), names, strict=True))


def _drawn(picture: bytes) -> NDArray[np.float32]:
    if picture.startswith(b"\x89PNG"):
        return from_file(picture, SIDE)
    return from_svg(picture.decode("utf-8"), SIDE)
