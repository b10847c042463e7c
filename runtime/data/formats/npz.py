"""numpy's archives of named arrays."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from . import ArrayHeader, require_few

UNREADABLE = (
    KeyError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
"""zipfile has NotImplementedError for a compression that it does not know, and RuntimeError for an
encrypted member."""


def headers(path: Path) -> dict[str, ArrayHeader]:
    """The headers of the members that are arrays."""
    with zipfile.ZipFile(path) as archive:
        members = [m for m in archive.infolist() if m.filename.endswith(".npy")]
        require_few(len(members))
        by_name: dict[str, ArrayHeader] = {}
        for member in members:
            with archive.open(member) as stream:
                shape, kind = _shape_and_kind(stream)
            name = member.filename.removesuffix(".npy")
            by_name[name] = ArrayHeader(name, shape, kind, path)
        return by_name


def _shape_and_kind(stream: IO[bytes]) -> tuple[tuple[int, ...], str]:
    """Those of a `.npy` stream, of which only the header is read."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise ValueError(f"its arrays have version {version[0]}.{version[1]} of the format")
    return tuple(int(n) for n in shape), dtype.kind


def arrays(path: Path, names: Collection[str] = ()) -> dict[str, NDArray[Any]]:
    """The arrays of these names, else all."""
    with path.open("rb") as stream:
        archive = np.load(stream, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("a single array, not an archive of named arrays")
        with archive:
            return {name: archive[name] for name in names or archive.files}
