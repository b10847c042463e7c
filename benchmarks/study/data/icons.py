"""Icons: a picture and its words, fused to tell the themes that an icon belongs to.

Source: fontawesomefree 6.6.0, Font Awesome Free, copyright 2024 Fonticons, Inc.: icons CC BY 4.0,
the font from which the pictures are drawn SIL OFL 1.1, code MIT. Nothing of it is passed on.

A sample is an icon of the solid style; its words are those of its label, without the search terms,
which name the categories too often. Most categories of `metadata/categories.yml` make ten themes;
an icon may have several. Icons with near-equal names, such as `user-plus` and `users`, are in one
split. Needs Pillow.
"""

import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import torch
import yaml
from numpy.typing import NDArray

from fusewright.runtime.demo.backbones import TextBackbone, hash_pieces
from fusewright.runtime.demo.training import Schedule, warp

from ...demo_data.variants import IGNORED, split_families
from .backbones import GlyphBackbone
from .features import Arrays, Unimodal, drop_pieces, extract
from .packages import read

FOLDER = "fontawesomefree/static/fontawesomefree"
SIDE = 32
THEMES = {
    "people": "users-people childhood accessibility gender hands emoji clothing-fashion",
    "health": "medical-health science",
    "money": "money shopping business charity",
    "places": "buildings maps travel-hotel household",
    "transport": "transportation automotive maritime logistics moving",
    "nature": "nature animals weather food-beverage fruits-vegetables astronomy",
    "media": "communication film-video music-audio photos-images devices-hardware media-playback",
    "writing": "text-formatting editing writing alphabet numbers punctuation-symbols files",
    "shapes": "arrows shapes spinners toggle charts-diagrams mathematics",
    "play": "gaming sports-fitness halloween holidays",
}
"""Themes, and the categories that make each."""
MODIFIERS = IGNORED | set(
    "check xmark plus minus exclamation question circle square slash simple alt dots dot lines "
    "line regular solid bolt large".split()
)
"""Words that do not make two icons different things."""
PICTURES = Schedule(epochs=20, batch=32, decay=0.3, augment=warp)
WORDS = Schedule(epochs=40, batch=64, decay=0.05, augment=drop_pieces)


@dataclass(frozen=True)
class Icon:
    """`name` as in a class of the style sheet; `code` its place in the font."""

    name: str
    code: int
    words: str
    themes: tuple[int, ...]


def build(wheel: Path) -> Arrays:
    """The features of the specification, `labels` and `split`."""
    icons = read_icons(
        read(wheel, f"{FOLDER}/metadata/icons.json"),
        read(wheel, f"{FOLDER}/metadata/categories.yml"),
    )
    pictures = render(icons, read(wheel, f"{FOLDER}/webfonts/fa-solid-900.ttf"))
    labels = np.zeros((len(icons), len(THEMES)), np.int64)
    for row, icon in enumerate(icons):
        labels[row, list(icon.themes)] = 1
    group = families([icon.name for icon in icons])
    rarest = (labels / labels.sum(0)).argmax(1)
    split = split_families(group, rarest, seed=0)
    modalities = [
        Unimodal(
            "Picture", torch.from_numpy(pictures), partial(GlyphBackbone, len(THEMES)), PICTURES
        ),
        Unimodal(
            "Text",
            hash_pieces([icon.words for icon in icons]),
            partial(TextBackbone, len(THEMES), dropout=0.3),
            WORDS,
        ),
    ]
    shares = (labels / labels.sum(1, keepdims=True)).astype(np.float32)
    features = extract(modalities, shares, split, seed=0)
    return {**features, "labels": labels, "split": split, "groups": group}


def read_icons(metadata: bytes, categories: bytes) -> list[Icon]:
    """The icons of the solid style that have a theme, in the order of their names."""
    shelf: dict[str, Any] = yaml.safe_load(categories)
    icons: list[Icon] = []
    for name, entry in sorted(json.loads(metadata).items()):
        inside = {category for category, row in shelf.items() if name in row["icons"]}
        themes = [i for i, names in enumerate(THEMES.values()) if inside & set(names.split())]
        if "solid" in entry["free"] and themes:
            words = " ".join(re.findall("[a-z0-9]+", entry["label"].lower()))
            icons.append(Icon(name, int(entry["unicode"], 16), words, tuple(themes)))
    return icons


def render(icons: Sequence[Icon], font: bytes) -> NDArray[np.float32]:
    """Pictures (n, 1, `SIDE`, `SIDE`) in [0, 1], each icon in the middle and as large as fits."""
    from PIL import Image, ImageDraw, ImageFont

    drawn = ImageFont.truetype(io.BytesIO(font), 4 * SIDE)
    pictures = np.zeros((len(icons), 1, SIDE, SIDE), np.float32)
    for row, icon in enumerate(icons):
        left, top, right, bottom = map(int, drawn.getbbox(chr(icon.code)))
        side = max(right - left, bottom - top, 1)
        canvas = Image.new("L", (side, side))
        corner = ((side - right + left) // 2 - left, (side - bottom + top) // 2 - top)
        ImageDraw.Draw(canvas).text(corner, chr(icon.code), 255, drawn)
        pictures[row, 0] = np.asarray(canvas.resize((SIDE, SIDE)), np.float32) / 255
    return pictures


def families(names: Sequence[str]) -> NDArray[np.int64]:
    """The family of each icon, from 0: names that share more than half of their words, linked.

    Words count by their first four letters and without `MODIFIERS`, unless none is left then.
    """
    words = [_words(name) for name in names]
    links: nx.Graph[int] = nx.Graph()
    links.add_nodes_from(range(len(names)))
    for i, j in combinations(range(len(names)), 2):
        if 2 * len(words[i] & words[j]) > len(words[i] | words[j]):
            links.add_edge(i, j)
    family = np.zeros(len(names), np.int64)
    for number, members in enumerate(nx.connected_components(links)):
        family[list(members)] = number
    return family


def _words(name: str) -> frozenset[str]:
    counted = {word[:4] for word in re.findall("[a-z]{2,}", name) if word not in MODIFIERS}
    return frozenset(counted or name.split("-"))
