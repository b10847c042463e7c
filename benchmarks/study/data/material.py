"""Material symbols: a picture and its name, fused to tell the category.

Source: npm package @iconify-json/material-symbols 1.2.93, Google's Material Symbols, Apache-2.0.

A sample is an icon of the package that has a category; its words are those of its name, without the
variant it is drawn in (outlined, rounded, sharp), which is no part of what it shows. Variants of
one icon, and icons with near-equal names, are in one split. Needs resvg_py and Pillow.
"""

import json
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fusewright.runtime.demo.backbones import TextBackbone, hash_pieces

from ...demo_data.variants import split_families
from .backbones import GlyphBackbone
from .features import Arrays, Unimodal, extract, halved
from .icons import PICTURES, SIDE, WORDS, families
from .packages import read
from .pictures import from_svg

FOLDER = "package"
LEFT_OUT = ("Picture_1",)
"""Features that would fill most of the file."""
VARIANTS = re.compile("(-(outline|rounded|sharp|fill))+$")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" color="black">{}</svg>'


@dataclass(frozen=True)
class Symbol:
    """An icon: its `name` in the package, and the `drawing` that stands in an SVG element."""

    name: str
    drawing: str
    category: int

    @property
    def shown(self) -> str:
        """The name without the variant."""
        return VARIANTS.sub("", self.name)


def build(package: Path) -> Arrays:
    """The features of the specification, `labels` and `split`."""
    symbols, categories = read_symbols(
        read(package, f"{FOLDER}/icons.json"), read(package, f"{FOLDER}/metadata.json")
    )
    pictures = np.stack([from_svg(one.drawing, SIDE)[3:] for one in symbols])
    shown, icon = np.unique([one.shown for one in symbols], return_inverse=True)
    group = families(shown.tolist())[icon]
    labels = np.array([one.category for one in symbols], np.int64)
    split = split_families(group, labels, seed=0)
    count = len(categories)
    modalities = [
        Unimodal("Picture", torch.from_numpy(pictures), partial(GlyphBackbone, count), PICTURES),
        Unimodal(
            "Text",
            hash_pieces([one.shown.replace("-", " ") for one in symbols]),
            partial(TextBackbone, count, dropout=0.3),
            WORDS,
        ),
    ]
    features = halved(extract(modalities, labels, split, seed=0), LEFT_OUT)
    return {**features, "labels": labels, "split": split, "groups": group}


def read_symbols(drawings: bytes, metadata: bytes) -> tuple[list[Symbol], list[str]]:
    """The icons that have a category, by name, and the categories by name."""
    table: dict[str, Any] = json.loads(drawings)
    inside: dict[str, list[str]] = json.loads(metadata)["categories"]
    categories = sorted(inside)
    of_icon = {name: categories.index(key) for key in categories for name in inside[key]}
    symbols: list[Symbol] = []
    for name, category in sorted(of_icon.items()):
        entry = table["icons"].get(table["aliases"].get(name, {}).get("parent", name))
        if entry is not None:
            width, height = (entry.get(k, table.get(k, 16)) for k in ("width", "height"))
            symbols.append(Symbol(name, SVG.format(width, height, entry["body"]), category))
    return symbols, categories
