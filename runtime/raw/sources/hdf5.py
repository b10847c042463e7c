"""HDF5: a dataset of its top for each column, with the samples along its first axis."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....compiler.diagnostics.diagnostic import fail
from ....compiler.system.files import is_file, open_file
from ...data.formats import diagnosed, hdf5
from ...data.hdf5_texts import read_piece, read_references, read_texts
from ...extras import needed
from ..columns import Numbers, Values, of_texts
from ..data import Column, Content, RawData

FORM = "a file `.h5` or `.hdf5`"
MOST_IN_MEMORY = 1 << 24
"""Bytes of a column of numbers that is read whole."""


def claims(place: Path) -> bool:
    """Whether it is a file of that ending."""
    return place.suffix.lower() in hdf5.ENDINGS and is_file(place)


def opened(place: Path, root: Path | None) -> RawData:
    """The file, open as long as its columns are; raises DiagnosticError where it cannot be read."""
    h5py, home = needed("h5py", "formats"), root or place.parent
    with open_file(place) as stream, diagnosed(f"`{place}`", hdf5.UNREADABLE):
        file = h5py.File(place, "r")
        datasets = {name: dataset_of(h5py, file, name, place) for name in file}
        counts = {name: len(one) for name, one in datasets.items()}
        if len(set(counts.values())) > 1:
            shown = ", ".join(f"`{name}` {count}" for name, count in counts.items())
            raise fail("E504", f"the datasets of `{place}` differ in their samples: {shown}")
        columns = {n: _column(one, stream, place, n, home) for n, one in datasets.items()}
    return RawData(str(place), max(counts.values(), default=0), columns, {})


def dataset_of(h5py: Any, file: Any, name: str, place: Path) -> Any:
    """A dataset of this file; what a link or a dataset takes from another file is refused.

    Raises ValueError where it says that it is larger than what is stored of it can give.
    """
    link = file.get(name, getlink=True)
    one: Any = file[name] if isinstance(link, h5py.HardLink) else None
    is_dataset: bool = isinstance(one, h5py.Dataset)
    if not is_dataset or one.is_virtual or one.external or not one.shape:
        message = f"`{name}` of `{place}` is no dataset of samples that lies in this file"
        raise fail("E504", message, help="store each column as a dataset (samples, …) at the top")
    hdf5.require_here(one, name)
    return one


def _column(dataset: Any, stream: BufferedReader, place: Path, name: str, root: Path) -> Column:
    source = place.name
    if hdf5.is_text(dataset) and dataset.ndim == 1:
        return of_texts(source, name, _texts(dataset, stream), root)
    if dataset.dtype.hasobject:
        if needed("h5py", "formats").check_vlen_dtype(dataset.dtype) != np.uint8:
            raise ValueError(f"`{name}` holds {dataset.dtype}, which no decoder takes")
        references, base = read_references(stream, dataset), int(dataset.file.userblock_size)
        return Values(source, name, None, partial(_content, references, base, place, name))
    is_small = dataset.dtype.kind in "iufb" and dataset.nbytes <= MOST_IN_MEMORY
    if is_small and dataset.ndim <= 2:
        return Numbers(source, name, np.asarray(dataset[:]))
    return Values(source, name, _medium(dataset), partial(row_of, dataset, place, name))


def _texts(dataset: Any, stream: BufferedReader) -> list[str]:
    if dataset.dtype.kind == "O":
        return read_texts(stream, dataset)
    return [text.decode("utf-8") for text in dataset[:].tolist()]


def _medium(dataset: Any) -> str | None:
    is_picture = dataset.dtype == np.uint8 and dataset.ndim == 4 and dataset.shape[-1] in (1, 3, 4)
    return "picture" if is_picture else None


def _content(
    references: NDArray[Any], base: int, place: Path, name: str, sample: int
) -> Content | None:
    """The bytes of a row that has a list of any length: those of a file."""
    with _reading(place, name, sample), open_file(place) as stream:
        return read_piece(stream, base, references[sample])


def row_of(dataset: Any, place: Path, name: str, sample: int) -> NDArray[Any]:
    """A row: an array as it is."""
    with _reading(place, name, sample):
        return np.asarray(dataset[sample])


def _reading(place: Path, name: str, sample: int) -> AbstractContextManager[None]:
    """Within, what is raised of a row is a DiagnosticError."""
    return diagnosed(f"sample {sample + 1} of `{name}` in `{place}`", hdf5.UNREADABLE)
