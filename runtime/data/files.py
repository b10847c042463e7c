"""Arrays by name from `.npz` and `.safetensors` files, and folders of them."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from ...ops.types import NUMBERS
from .array_files import Readers, read_files

Array: TypeAlias = NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]


def read_arrays(path: str | PathLike[str]) -> dict[str, Array]:
    """The arrays of a `.npz` or `.safetensors` file, or of all such files in a folder."""
    return read_files(Path(path), _READERS)


def _read_npz(path: Path) -> dict[str, Array]:
    with path.open("rb") as stream:
        archive = np.load(stream, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("a single array, not an archive of named arrays")
        with archive:
            return {name: archive[name] for name in archive.files}


def _read_safetensors(path: Path) -> dict[str, Array]:
    arrays = load_file(path)
    for name, array in arrays.items():
        if array.dtype.kind not in NUMBERS:
            raise ValueError(f"`{name}` holds {array.dtype}, which numpy cannot compute with")
    return arrays


_READERS: Readers[Array] = {
    ".npz": _read_npz,
    ".safetensors": _read_safetensors,
}
