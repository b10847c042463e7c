"""Arrays that stay in a file that is open, and are read where they are used."""

from __future__ import annotations

from io import BufferedReader
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray


def mapped(
    stream: BufferedReader,
    dtype: np.dtype[Any],
    start: int,
    shape: tuple[int, ...],
    order: Literal["C", "F"] = "C",
) -> NDArray[Any]:
    """The array whose bytes begin there; raises ValueError where the file is shorter, OSError."""
    array: NDArray[Any] = np.memmap(cast(Any, stream), dtype, "r", start, shape, order)
    return array
