"""Makes `emoji.npz` from the npm package `emoji-datasource-twitter`.

    npm pack emoji-datasource-twitter@16.0.0 && tar xf emoji-datasource-twitter-16.0.0.tgz
    python -m benchmarks.demo_data.prepare package

One sample per emoji: its 32 x 32 picture, its names and its category. Left out are flags, skin
tones as such (`Component`) and the skin tone variants of an emoji. The same package gives the same
bytes. Needs Pillow.
"""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fusewright.runtime.demo.emoji import DATA

from .variants import Entry, families, split_families

LEFT_OUT = frozenset({"Flags", "Component"})
SIDE = 32
MARGIN = 1
SEED = 0


@dataclass(frozen=True)
class Row:
    """What is read of one emoji of `emoji.json`; `column` and `row` are its cell of the sheet."""

    names: tuple[str, ...]
    category: str
    subcategory: str
    code: str
    column: int
    row: int


def read_emoji(package: Path) -> list[Row]:
    """The emoji with a picture of this set, without `LEFT_OUT`, in Unicode's order."""
    rows = json.loads((package / "emoji.json").read_text(encoding="utf-8"))
    rows.sort(key=lambda row: row["sort_order"])
    return [
        Row(
            names=(row["name"], *row["short_names"]),
            category=row["category"],
            subcategory=row["subcategory"],
            code=row["unified"],
            column=row["sheet_x"],
            row=row["sheet_y"],
        )
        for row in rows
        if row["has_img_twitter"] and row["category"] not in LEFT_OUT
    ]


def read_pictures(package: Path, emoji: Sequence[Row]) -> NDArray[np.uint8]:
    """The pictures, cut from the sheet: (n, 32, 32, 4), red, green, blue, opacity.

    Colour is premultiplied by opacity: what is invisible is zero.
    """
    from PIL import Image

    sheet = package / "img" / "twitter" / "sheets-clean" / f"{SIDE}.png"
    with Image.open(sheet) as image:
        pixels = np.asarray(image.convert("RGBA"))
    cell = SIDE + 2 * MARGIN
    corners = [(cell * one.row + MARGIN, cell * one.column + MARGIN) for one in emoji]
    pictures = np.stack([pixels[y : y + SIDE, x : x + SIDE] for y, x in corners])
    opacity = pictures[..., 3:].astype(np.uint16)
    colour = (pictures[..., :3] * opacity + 127) // 255
    return np.concatenate([colour, opacity], axis=-1).astype(np.uint8)


def text_of(names: Sequence[str]) -> str:
    """The distinct words of all names in order: lower case, letters and digits only.

    `("DOG FACE", "dog")` gives `dog face`, `("E-MAIL", "e_mail2")` gives `e mail mail2`.
    """
    plain = re.sub("[\u2019']", "", " ".join(names)).lower()
    words = re.findall("[a-z0-9]+", plain)
    return " ".join(dict.fromkeys(words))


def prepare(package: Path) -> dict[str, NDArray[np.generic]]:
    """The arrays of `emoji.npz`; `Emoji` in `emoji.py` says what they hold."""
    emoji = read_emoji(package)
    pictures = read_pictures(package, emoji)
    texts = [text_of(one.names) for one in emoji]
    categories = list(dict.fromkeys(one.category for one in emoji))
    labels = np.array([categories.index(one.category) for one in emoji], np.int64)
    entries = [Entry(one.names[0], one.subcategory, one.code) for one in emoji]
    family = families(entries, pictures)
    return {
        "pictures": pictures,
        "texts": np.array(texts),
        "labels": labels,
        "categories": np.array(categories),
        "families": family,
        "split": split_families(family, labels, SEED),
    }


def main(arguments: Sequence[str]) -> int:
    """Writes `emoji.npz` into the demo and says how many samples each split has."""
    if len(arguments) != 1:
        print("usage: python -m benchmarks.demo_data.prepare PACKAGE_FOLDER", file=sys.stderr)
        return 2
    arrays = prepare(Path(arguments[0]))
    np.savez_compressed(DATA, allow_pickle=False, **arrays)
    for label, category in enumerate(arrays["categories"]):
        counts = np.bincount(arrays["split"][arrays["labels"] == label].astype(np.int64))
        print(f"{category}: {', '.join(map(str, counts))}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
