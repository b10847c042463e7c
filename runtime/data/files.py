"""Arrays by name, or their headers alone, from a file or a folder of a format, or of such files."""

from __future__ import annotations

import pkgutil
from collections import ChainMap
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import islice
from math import prod
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.network.names import CLASS_NAMES
from ...compiler.system.files import entries, is_file, is_folder, open_file, reason
from ..store.manifest import is_store
from ..store.read import Store
from . import formats
from .formats import ArrayHeader, FolderFormat, Format, diagnosed
from .rows import Array, Rows, in_memory, of_length, rows_of
from .shards import natural, together
from .stores import StoreArrays, store_headers

Arrays: TypeAlias = Mapping[str, Array]
Source: TypeAlias = str | PathLike[str] | Mapping[str, Rows]
"""A file of arrays, a folder of such files or of a format, a feature store, or arrays by name."""
MOST_FOLDERS = 1_000
"""Folders in a folder that are looked into."""
MOST_LOADED = 50_000_000
"""How many elements an array may have to be loaded from its header."""
_MODULES = [
    import_module(f".formats.{module.name}", __package__)
    for module in pkgutil.iter_modules(formats.__path__)
]
FORMATS: Mapping[str, Format] = {
    ending: cast(Format, module) for module in _MODULES for ending in getattr(module, "ENDINGS", ())
}
"""The formats of files by their endings."""
FOLDER_FORMATS: Mapping[str, FolderFormat] = {
    mark: cast(FolderFormat, module) for module in _MODULES for mark in getattr(module, "MARKS", ())
}
"""The formats of folders by the files that tell them."""
ENDINGS = tuple(FORMATS)
_EITHER = " or ".join([", ".join(f"`{e}`" for e in ENDINGS[:-1]), f"`{ENDINGS[-1]}`"])
_MARKED = " or ".join(f"`{mark}`" for mark in FOLDER_FORMATS)


class StoredArrays(Arrays):
    """Arrays in files, each of which is read when it is asked for, and not kept.

    Raises DiagnosticError then where it cannot be read.
    """

    def __init__(self, headers: Mapping[str, ArrayHeader]) -> None:
        self.headers = headers

    def __getitem__(self, name: str) -> Array:
        return _read(self.headers[name])

    def blocks(self, name: str, count: int) -> Iterator[Array]:
        """An array as consecutive rows, so many at a time; raises as reading it whole does.

        No more is held than its format needs for them, and of several files one at a time.
        """
        header = self.headers[name]
        if header.parts:
            parts = (_fitted(block, header) for p in header.parts for block in _blocks(p, count))
            yield from of_length(parts, count)
        else:
            yield from _blocks(header, count)

    def __iter__(self) -> Iterator[str]:
        return iter(self.headers)

    def __len__(self) -> int:
        return len(self.headers)

    def __contains__(self, name: object) -> bool:
        """Whether there is an array of this name, which is not read."""
        return name in self.headers


def _read(header: ArrayHeader) -> Array:
    if header.parts:
        parts = [_read(part) for part in header.parts]
        if header.name != CLASS_NAMES:
            return np.concatenate([_fitted(part, header) for part in parts])
        if not all(np.array_equal(part, parts[0]) for part in parts):
            raise fail("E503", f"files differ in `{CLASS_NAMES}`", help="name classes alike in all")
        return parts[0]
    if header.word:
        return np.full(header.shape, header.word)
    with _opened(header.file) as opened:
        return opened.array(header.stored or header.name)


def _blocks(header: ArrayHeader, count: int) -> Iterator[Array]:
    """An array that stands in one place as consecutive rows, so many at a time."""
    with _opened(header.file) as opened:
        if opened.blocks is not None:
            yield from opened.blocks(header.stored or header.name, count)
            return
        whole = opened.array(header.stored or header.name)
    yield from (whole[start : start + count] for start in range(0, len(whole), count))


def _fitted(rows: Array, header: ArrayHeader) -> Array:
    """Rows of one place, as long in time as those of all places are."""
    missing = header.shape[1] - rows.shape[1] if len(header.shape) > 1 else 0
    return np.pad(rows, [(0, 0), (0, missing), *[(0, 0)] * (rows.ndim - 2)]) if missing else rows


def arrays_of(source: Source) -> Mapping[str, Rows]:
    """The arrays of a source; raises DiagnosticError as `read_arrays` does."""
    return source if isinstance(source, Mapping) else read_arrays(source)


def read_arrays(path: str | PathLike[str]) -> StoredArrays | StoreArrays:
    """The arrays of a file, of a feature store, of a folder of a format, or of files in a folder.

    Raises DiagnosticError where there is none, a header cannot be read, or two hold the same name.
    """
    if is_store(path):
        return StoreArrays(Store.open(path))
    return StoredArrays(read_headers(Path(path)))


def read_headers(path: Path) -> dict[str, ArrayHeader]:
    """The headers of what `read_arrays` would read; raises DiagnosticError as it does."""
    if is_store(path):
        return store_headers(path)
    if _folder_format(path):
        with _opened(path) as opened:
            return dict(opened.headers())
    found: list[tuple[Path, Mapping[str, ArrayHeader]]] = []
    for place in data_files(path):
        with _opened(place) as opened:
            inside = Path() if place == path else place.relative_to(path)
            found.append((inside, opened.headers()))
    return together(found)


def headers_of(arrays: Mapping[str, Rows]) -> Mapping[str, ArrayHeader]:
    """The headers of arrays, of which none is read that stands in a file."""
    if isinstance(arrays, ChainMap):
        parts = (headers_of(part) for part in reversed(arrays.maps))
        return {name: header for part in parts for name, header in part.items()}
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


def data_files(path: Path) -> Sequence[Path]:
    """The file that a path names, or those of a folder that hold its arrays, in order.

    Raises DiagnosticError for a folder without any.
    """
    if not is_folder(path):
        return [path]
    if reader := _folder_format(path):
        with diagnosed(f"`{path}`", reader.UNREADABLE):
            return reader.files(path)
    try:
        files = _files_in(path) or [f for deep in _folders(path) for f in _files_in(deep)]
    except OSError as error:
        raise fail("E504", f"`{path}` cannot be read: {reason(error)}") from None
    if not files:
        remedy = f"put {_EITHER} files there, an array for each feature"
        kinds = f"{remedy}; or a folder with {_MARKED}"
        raise fail("E504", f"the folder `{path}` has no data", help=kinds)
    return files


def _files_in(folder: Path) -> list[Path]:
    """The files of a folder that are data by their endings, in their order."""
    inside = (file for file in entries(folder) if not file.name.startswith("."))
    found = [file for file in inside if file.suffix.lower() in ENDINGS and not is_folder(file)]
    return sorted(found, key=lambda file: natural(file.name))


def _folders(folder: Path, depth: int = 2) -> Iterator[Path]:
    """The folders in a folder, and those in them, that are no links."""
    inside = sorted(entries(folder), key=lambda place: natural(place.name))
    for place in islice(inside, MOST_FOLDERS):
        if is_folder(place) and not place.is_symlink():
            yield place
            if depth > 1:
                yield from _folders(place, depth - 1)


# Formats


def _folder_format(path: Path) -> FolderFormat | None:
    """The format of a folder; None where it is none, or one of files."""
    marks = FOLDER_FORMATS if is_folder(path) else ()
    return next((FOLDER_FORMATS[mark] for mark in marks if is_file(path / mark)), None)


@dataclass(frozen=True, slots=True)
class _Opened:
    """What a format reads of a file that is open, or of a folder."""

    headers: Callable[[], Mapping[str, ArrayHeader]]
    array: Callable[[str], Array]
    blocks: Callable[[str, int], Iterator[Array]] | None = None


@contextmanager
def _opened(path: Path) -> Generator[_Opened]:
    """A data file that is open, or a folder of a format."""
    if folder := _folder_format(path):
        with diagnosed(f"`{path}`", folder.UNREADABLE):
            yield _Opened(partial(folder.headers, path), partial(folder.array, path))
        return
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        remedy = f"data is a {_EITHER} file, or a folder of them"
        raise fail("E504", f"`{path}` is not a data file", help=remedy)
    reader = FORMATS[ending]
    with open_file(path) as stream, diagnosed(f"`{path}`", reader.UNREADABLE):
        blocks = getattr(reader, "blocks", None)
        yield _Opened(
            partial(reader.headers, stream, path),
            partial(reader.array, stream),
            blocks and partial(blocks, stream),
        )
