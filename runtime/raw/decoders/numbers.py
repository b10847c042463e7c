"""Numbers: those of a table, and arrays of `.npy` files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.formats.npy import array_of_bytes
from ..data import Content, named, undecodable

ENDINGS = (".npy",)
TIME: int | None = None
_MAGIC = b"\x93NUMPY"


@dataclass(frozen=True, kw_only=True)
class Transform:
    """What is done to numbers: `mean` is taken away, and what is left divided by `std`, each of
    them one number for all, or one for each along the last axis."""

    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)


def decode(
    content: Content,
    place: str,
    transform: Transform,
    generator: np.random.Generator | None = None,
) -> NDArray[np.float32]:
    """The numbers (…) as they are, in float32; none are augmented."""
    if isinstance(content, str | tuple):
        raise undecodable(place, f"it is {named(content)}, not a number")
    array = array_of_file(content, place) if isinstance(content, bytes) else content
    if array.dtype.kind not in "fiub":
        raise undecodable(place, f"it holds {array.dtype}, not numbers")
    with np.errstate(all="ignore"):
        numbers: NDArray[np.float32] = array.astype(np.float32)
        mean, std = (np.array(one, np.float32) for one in (transform.mean, transform.std))
        try:
            numbers = (numbers - mean) / std
        except ValueError:
            why = f"the mean and the deviation do not fit its shape {array.shape}"
            raise undecodable(place, why) from None
    if not np.isfinite(numbers).all():
        raise undecodable(place, "it has values that are not finite in float32")
    return numbers


def is_array_file(content: bytes) -> bool:
    """Whether bytes are those of a `.npy` file."""
    return content.startswith(_MAGIC)


def array_of_file(content: bytes, place: str) -> NDArray[Any]:
    """The array of a `.npy` file, without pickle; it takes the bytes that are there."""
    try:
        return array_of_bytes(content, "it")
    except (ValueError, OverflowError) as error:
        raise undecodable(place, str(error)) from None
