"""What arrays hold beside numbers, by numpy's letter: texts, and what nothing can be done with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...compiler.diagnostics.diagnostic import fail
from .rows import Array

TEXTS = "US"
"""The letters for texts."""
KINDS: Mapping[str, tuple[str, str]] = {
    "c": (
        "complex ones",
        "give the real and the imaginary parts, or sizes and angles, as channels",
    ),
    "O": ("objects of Python", "store it as one array of float32, or rows one by one as Parquet"),
    "U": ("texts", "let a backbone make numbers of them: `fusewright extract`"),
    "S": ("texts", "let a backbone make numbers of them: `fusewright extract`"),
    "M": ("dates", "store how long ago they are, as float32"),
    "m": ("spans of time", "store them as float32, in one unit"),
}
_OTHER = ("what numpy has no numbers for", "store it as float32")


def instead(kind: str, why: str = "") -> tuple[str, str]:
    """What an array of a kind holds instead of numbers, and the remedy; `why` says more of it."""
    what, remedy = KINDS.get(kind, _OTHER)
    return (why or f"it does not hold numbers, but {what}"), remedy


def as_texts(array: Array) -> Array:
    """Texts as numpy's `U`; raises DiagnosticError where bytes are no UTF-8."""
    if array.dtype.kind != "S":
        return array
    try:
        return np.char.decode(array, "utf-8")
    except UnicodeDecodeError:
        raise fail("E503", "texts of the data are not UTF-8", help="save them as UTF-8") from None
