"""The demo's data: emoji, each a picture and its names, in eight categories.

`ATTRIBUTION.md` says whose pictures they are; `benchmarks/demo_data/` made the file and its splits.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).with_name("emoji.npz")


@dataclass(frozen=True)
class Emoji:
    """All samples, in Unicode's order.

    - `pictures` (n, 32, 32, 4) uint8: red, green, blue, opacity; colour premultiplied by opacity.
    - `texts` (n,) str: the distinct words of the names, lower case, separated by single spaces.
    - `labels` (n,) int64: index into `categories`.
    - `split` (n,) int8: 0 training, 1 validation, 2 test.
    - `families` (n,) int64: variants of one emoji have one number, and one split.
    - `categories`: the 8 names of the classes.
    """

    pictures: NDArray[np.uint8]
    texts: NDArray[np.str_]
    labels: NDArray[np.int64]
    split: NDArray[np.int8]
    families: NDArray[np.int64]
    categories: tuple[str, ...]


def load_emoji() -> Emoji:
    """Reads the data that ship with the package."""
    with np.load(DATA, allow_pickle=False) as arrays:
        return Emoji(
            pictures=arrays["pictures"],
            texts=arrays["texts"],
            labels=arrays["labels"],
            split=arrays["split"],
            families=arrays["families"],
            categories=tuple(str(name) for name in arrays["categories"]),
        )
