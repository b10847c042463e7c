"""Files of arrays: `.npz` and `.safetensors`, and folders of them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias, TypeVar

from safetensors import SafetensorError

from ...compiler.diagnostics.diagnostic import fail

T = TypeVar("T")
Readers: TypeAlias = Mapping[str, Callable[[Path], Mapping[str, T]]]
"""How a file is read, by the ending of its name: what it holds, by the names of its arrays."""
UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    SafetensorError,
    zipfile.BadZipFile,
)
"""What reading a broken file raises; zipfile has NotImplementedError for a compression that it does
not know, and RuntimeError for an encrypted member."""


def read_files(path: Path, readers: Readers[T]) -> dict[str, T]:
    """What a file of arrays, or all such files in a folder, hold by name.

    Raises DiagnosticError where there is none, one cannot be read, or two hold the same name.
    """
    found: dict[str, T] = {}
    for file in _files(path, readers):
        for name, value in _read_file(file, readers).items():
            if name in found:
                raise fail("E502", f"the array `{name}` stands in two files of `{path}`")
            found[name] = value
    return found


def _files(path: Path, readers: Readers[T]) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(f for f in path.iterdir() if f.suffix in readers)
    if not files:
        remedy = "put `.npz` or `.safetensors` files there, an array for each feature"
        raise fail("E504", f"the folder `{path}` has no data", help=remedy)
    return files


def _read_file(path: Path, readers: Readers[T]) -> Mapping[str, T]:
    reader = readers.get(path.suffix)
    if reader is None:
        remedy = "data is a `.npz` or `.safetensors` file, or a folder of them"
        raise fail("E504", f"`{path}` is not a data file", help=remedy)
    try:
        return reader(path)
    except FileNotFoundError:
        raise fail("E504", f"there is no file `{path}`") from None
    except UNREADABLE as error:
        raise fail("E504", f"cannot read `{path}`: {error}") from None
