"""Shapes of the arrays in `.npz` and `.safetensors` files, read without the arrays themselves."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from ...compiler.diagnostics.diagnostic import fail
from .array_files import UNREADABLE, Readers, read_files

MOST_ARRAYS = 10_000
MOST_LOADED = 50_000_000
"""How many elements an array may have to be loaded here."""


@dataclass(frozen=True, slots=True)
class ArrayHeader:
    """An array's name, shape and kind (numpy's: `f`, `i`, `u`, `b`, or another), and its file."""

    name: str
    shape: tuple[int, ...]
    kind: str
    file: Path

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        product = 1
        for size in self.shape:
            product *= size
        return product


def read_headers(path: Path) -> dict[str, ArrayHeader]:
    """The headers of a `.npz` or `.safetensors` file, or of all such files in a folder.

    Raises DiagnosticError where there is none, or one cannot be read.
    """
    return read_files(path, _READERS)


def load_array(header: ArrayHeader) -> NDArray[Any]:
    """The array of a header; raises DiagnosticError where it is too large or cannot be read."""
    if header.elements > MOST_LOADED:
        message = f"`{header.name}` has more than {MOST_LOADED:,} elements"
        raise fail("E504", message, help="say what is predicted: `--predict '10 classes'`")
    try:
        if header.file.suffix == ".safetensors":
            with safe_open(header.file, framework="numpy") as tensors:
                return np.asarray(tensors.get_tensor(header.name))
        with np.load(header.file, allow_pickle=False) as archive:
            return np.asarray(archive[header.name])
    except UNREADABLE as error:
        raise fail("E504", f"cannot read `{header.file}`: {error}") from None


def _read_npz(path: Path) -> dict[str, ArrayHeader]:
    with zipfile.ZipFile(path) as archive:
        members = [m for m in archive.infolist() if m.filename.endswith(".npy")]
        _require_few(len(members))
        found: dict[str, ArrayHeader] = {}
        for member in members:
            with archive.open(member) as stream:
                shape, kind = _npy_header(stream)
            name = member.filename.removesuffix(".npy")
            found[name] = ArrayHeader(name, shape, kind, path)
        return found


def _npy_header(stream: IO[bytes]) -> tuple[tuple[int, ...], str]:
    """Shape and kind of a `.npy` stream, of which only the header is read."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise ValueError(f"its arrays have version {version[0]}.{version[1]} of the format")
    return tuple(int(n) for n in shape), dtype.kind


def _read_safetensors(path: Path) -> dict[str, ArrayHeader]:
    with safe_open(path, framework="numpy") as tensors:
        names = list(tensors.keys())
        _require_few(len(names))
        slices = {name: tensors.get_slice(name) for name in names}
        return {
            name: ArrayHeader(name, tuple(s.get_shape()), _kind(s.get_dtype()), path)
            for name, s in slices.items()
        }


def _kind(dtype: str) -> str:
    """numpy's letter for a type of safetensors: `F32` is `f`; numpy has no `BF16` and `F8`."""
    if dtype.startswith(("BF", "F8")):
        return "V"
    return {"F": "f", "I": "i", "U": "u", "B": "b"}.get(dtype[:1], "V")


def _require_few(count: int) -> None:
    if count > MOST_ARRAYS:
        raise ValueError(f"it has more than {MOST_ARRAYS:,} arrays")


_READERS: Readers[ArrayHeader] = {
    ".npz": _read_npz,
    ".safetensors": _read_safetensors,
}
