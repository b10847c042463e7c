"""Numbers: those of a table, and arrays of `.npy` files."""

from __future__ import annotations

import io
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ....compiler.diagnostics.diagnostic import DiagnosticError
from ..data import Content, undecodable

ENDINGS = (".npy",)
TIME: int | None = None
_MAGIC = b"\x93NUMPY"
_LONGEST_HEADER = 10_000


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
    if isinstance(content, str):
        raise undecodable(place, "it is a text, not a number")
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
    """The array of a `.npy` file, without pickle; memory is taken for what is there."""
    stream = io.BytesIO(content)
    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(stream, max_header_size=_LONGEST_HEADER)
        if dtype.hasobject or prod(shape) * dtype.itemsize > len(content):
            raise undecodable(place, "it holds objects, or is cut short")
        stream.seek(0)
        return np.asarray(np.load(stream, allow_pickle=False, max_header_size=_LONGEST_HEADER))
    except DiagnosticError:
        raise
    except (ValueError, OSError, EOFError, SyntaxError, MemoryError, OverflowError) as error:
        raise undecodable(place, str(error) or "it is no array") from None
