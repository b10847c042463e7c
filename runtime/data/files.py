"""Arrays by name, or their headers alone, from a file of a format or a folder of such files."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from importlib import import_module
from math import prod
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import fail
from . import formats
from .formats import ArrayHeader, Format

T = TypeVar("T")
Array: TypeAlias = NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]
ENDINGS = tuple(f".{module.name}" for module in pkgutil.iter_modules(formats.__path__))
_EITHER = " or ".join(f"`{ending}`" for ending in ENDINGS)
MOST_LOADED = 50_000_000
"""How many elements an array may have to be loaded from its header."""


def read_arrays(path: str | PathLike[str]) -> dict[str, Array]:
    """The arrays of a file, or of all files of arrays in a folder.

    Raises DiagnosticError where there is none, one cannot be read, or two hold the same name.
    """
    return _read(Path(path), lambda reader, file: reader.arrays(file))


def read_headers(path: Path) -> dict[str, ArrayHeader]:
    """The headers of what `read_arrays` would read; raises DiagnosticError as it does."""
    return _read(path, lambda reader, file: reader.headers(file))


def load_array(header: ArrayHeader) -> Array:
    """The array of a header; raises DiagnosticError where it is too large or cannot be read."""
    if prod(header.shape) > MOST_LOADED:
        message = f"`{header.name}` has more than {MOST_LOADED:,} elements"
        raise fail("E504", message, help="say what is predicted: `--predict '10 classes'`")
    name = header.name
    return _read_file(header.file, lambda reader, file: reader.arrays(file, [name]))[name]


def _read(path: Path, read: Callable[[Format, Path], Mapping[str, T]]) -> dict[str, T]:
    """What is read of a file, or of all files in a folder, by name."""
    values: dict[str, T] = {}
    for file in _files(path):
        for name, value in _read_file(file, read).items():
            if name in values:
                raise fail("E502", f"the array `{name}` stands in two files of `{path}`")
            values[name] = value
    return values


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(f for f in path.iterdir() if f.suffix in ENDINGS)
    if not files:
        remedy = f"put {_EITHER} files there, an array for each feature"
        raise fail("E504", f"the folder `{path}` has no data", help=remedy)
    return files


def _read_file(path: Path, read: Callable[[Format, Path], T]) -> T:
    if path.suffix not in ENDINGS:
        remedy = f"data is a {_EITHER} file, or a folder of them"
        raise fail("E504", f"`{path}` is not a data file", help=remedy)
    reader = cast(Format, import_module(f".formats{path.suffix}", __package__))
    broken: tuple[type[Exception], ...] = (OSError, ValueError, MemoryError, *reader.UNREADABLE)
    try:
        return read(reader, path)
    except FileNotFoundError:
        raise fail("E504", f"there is no file `{path}`") from None
    except broken as error:
        raise fail("E504", f"cannot read `{path}`: {error}") from None
