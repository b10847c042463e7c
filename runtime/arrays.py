"""Arrays by name from `.npz` and `.safetensors` files, and folders of them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from ..compiler.array_headers import NUMBERS
from ..compiler.diagnostics import fail

Array: TypeAlias = NDArray[Any]


def read_arrays(path: str | PathLike[str]) -> dict[str, Array]:
    """The arrays of a `.npz` or `.safetensors` file, or of all such files in a folder."""
    place = Path(path)
    if not place.is_dir():
        return _read_file(place)
    arrays: dict[str, Array] = {}
    files = sorted(f for f in place.iterdir() if f.suffix in _READERS)
    if not files:
        remedy = "put `.npz` or `.safetensors` files there, an array for each feature"
        raise fail("E504", f"the folder `{place}` has no data", help=remedy)
    for file in files:
        for name, array in _read_file(file).items():
            if name in arrays:
                raise fail("E502", f"the array `{name}` stands in two files of `{place}`")
            arrays[name] = array
    return arrays


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


_READERS: Mapping[str, Callable[[Path], dict[str, Array]]] = {
    ".npz": _read_npz,
    ".safetensors": _read_safetensors,
}
_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    MemoryError,
    SafetensorError,
    zipfile.BadZipFile,
)


def _read_file(path: Path) -> dict[str, Array]:
    reader = _READERS.get(path.suffix)
    if reader is None:
        remedy = "data is a `.npz` or `.safetensors` file, or a folder of them"
        raise fail("E504", f"`{path}` is not a data file", help=remedy)
    try:
        return reader(path)
    except FileNotFoundError:
        raise fail("E504", f"there is no file `{path}`") from None
    except _UNREADABLE as error:
        raise fail("E504", f"cannot read `{path}`: {error}") from None
