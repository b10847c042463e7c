"""Arrays by name, or their headers alone, from a file of a format or a folder of such files."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from io import BufferedReader
from math import prod
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np

from ...compiler.diagnostics.diagnostic import DiagnosticError, fail
from ...compiler.system.files import is_folder, open_file, reason
from ..store.manifest import is_store
from ..store.read import Store
from . import formats
from .formats import ArrayHeader, Format
from .rows import Array, Rows, in_memory, rows_of
from .stores import StoreArrays, store_headers

T = TypeVar("T")
Arrays: TypeAlias = Mapping[str, Array]
Source: TypeAlias = str | PathLike[str] | Mapping[str, Rows]
"""A file of arrays, a folder of such files, a feature store, or arrays by name."""
ENDINGS = tuple(f".{module.name}" for module in pkgutil.iter_modules(formats.__path__))
_EITHER = " or ".join(f"`{ending}`" for ending in ENDINGS)
MOST_LOADED = 50_000_000
"""How many elements an array may have to be loaded from its header."""


class StoredArrays(Arrays):
    """Arrays in files, each of which is read when it is asked for, and not kept.

    Raises DiagnosticError then where it cannot be read.
    """

    def __init__(self, headers: Mapping[str, ArrayHeader]) -> None:
        self.headers = headers

    def __getitem__(self, name: str) -> Array:
        file = self.headers[name].file
        return _read_file(file, lambda reader, stream: reader.array(stream, name))

    def blocks(self, name: str, count: int) -> Iterator[Array]:
        """An array as consecutive rows, so many at a time; raises as reading it whole does.

        No more is held than its format needs for them.
        """
        with _opened(self.headers[name].file) as (reader, stream):
            if (blocks := getattr(reader, "blocks", None)) is not None:
                yield from blocks(stream, name, count)
                return
            whole = reader.array(stream, name)
        yield from (whole[start : start + count] for start in range(0, len(whole), count))

    def __iter__(self) -> Iterator[str]:
        return iter(self.headers)

    def __len__(self) -> int:
        return len(self.headers)

    def __contains__(self, name: object) -> bool:
        """Whether there is an array of this name, which is not read."""
        return name in self.headers


def arrays_of(source: Source) -> Mapping[str, Rows]:
    """The arrays of a source; raises DiagnosticError as `read_arrays` does."""
    return source if isinstance(source, Mapping) else read_arrays(source)


def read_arrays(path: str | PathLike[str]) -> StoredArrays | StoreArrays:
    """The arrays of a file, of a feature store, or of all files of arrays in a folder.

    Raises DiagnosticError where there is none, a header cannot be read, or two hold the same name.
    """
    if is_store(path):
        return StoreArrays(Store.open(path))
    return StoredArrays(read_headers(Path(path)))


def read_headers(path: Path) -> dict[str, ArrayHeader]:
    """The headers of what `read_arrays` would read; raises DiagnosticError as it does."""
    if is_store(path):
        return store_headers(path)
    by_name: dict[str, ArrayHeader] = {}
    for file in data_files(path):
        for name, header in _headers(file).items():
            if name in by_name:
                raise fail("E502", f"the array `{name}` stands in two files of `{path}`")
            by_name[name] = header
    return by_name


def headers_of(arrays: Mapping[str, Rows]) -> Mapping[str, ArrayHeader]:
    """The headers of arrays, of which none is read that stands in a file."""
    if isinstance(arrays, (StoredArrays, StoreArrays)):
        return arrays.headers
    return {name: _header_of(name, array) for name, array in arrays.items()}


def _header_of(name: str, array: Any) -> ArrayHeader:
    rows = rows_of(array)
    return ArrayHeader(name, rows.shape, rows.dtype.kind, Path(), not in_memory(rows))


def load_array(header: ArrayHeader) -> Array:
    """The array of a header; raises DiagnosticError where it is too large or cannot be read."""
    if prod(header.shape) > MOST_LOADED:
        message = f"`{header.name}` has more than {MOST_LOADED:,} elements"
        raise fail("E504", message, help="say what is predicted: `--predict '10 classes'`")
    if is_store(header.file):
        return np.asarray(read_arrays(header.file)[header.name])
    return StoredArrays({header.name: header})[header.name]


def data_files(path: Path) -> list[Path]:
    """The file that a path names, or the files of arrays in a folder, in order.

    Raises DiagnosticError for a folder without any.
    """
    if not is_folder(path):
        return [path]
    try:
        files = sorted(file for file in path.iterdir() if file.suffix in ENDINGS)
    except OSError as error:
        raise fail("E504", f"`{path}` cannot be read: {reason(error)}") from None
    if not files:
        remedy = f"put {_EITHER} files there, an array for each feature"
        raise fail("E504", f"the folder `{path}` has no data", help=remedy)
    return files


def _headers(file: Path) -> Mapping[str, ArrayHeader]:
    return _read_file(file, lambda reader, stream: reader.headers(stream, file))


def _read_file(path: Path, read: Callable[[Format, BufferedReader], T]) -> T:
    with _opened(path) as (reader, stream):
        return read(reader, stream)


@contextmanager
def _opened(path: Path) -> Generator[tuple[Format, BufferedReader]]:
    """A data file that is open, and what reads its format."""
    if path.suffix not in ENDINGS:
        remedy = f"data is a {_EITHER} file, or a folder of them"
        raise fail("E504", f"`{path}` is not a data file", help=remedy)
    reader = cast(Format, import_module(f".formats{path.suffix}", __package__))
    broken: tuple[type[Exception], ...] = (OSError, ValueError, MemoryError, *reader.UNREADABLE)
    with open_file(path) as stream:
        try:
            yield reader, stream
        except DiagnosticError:
            raise
        except broken as error:
            raise fail("E504", f"`{path}` cannot be read: {reason(error)}") from None
