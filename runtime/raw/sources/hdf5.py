"""HDF5: a dataset of its top for each column, with the samples along its first axis."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ....compiler.diagnostics.diagnostic import fail
from ....compiler.system.files import is_file, open_file, reason
from ...extras import needed
from ..columns import Numbers, Values, of_texts
from ..data import Column, Content, RawData

FORM = "a file `.h5` or `.hdf5`"
MOST_IN_MEMORY = 1 << 24
"""Bytes of a column of numbers that is read whole."""


def claims(place: Path) -> bool:
    """Whether it is a file of that ending."""
    return place.suffix.lower() in (".h5", ".hdf5") and is_file(place)


def opened(place: Path, root: Path | None) -> RawData:
    """The file, open as long as its columns are; raises DiagnosticError where it cannot be read."""
    h5py = needed("h5py", "formats")
    with open_file(place):  # a regular file, or a diagnostic
        pass
    try:
        file = h5py.File(place, "r")
        datasets = {name: _dataset(h5py, file, name, place) for name in file}
        counts = {name: len(one) for name, one in datasets.items()}
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise fail("E504", f"`{place}` cannot be read: {reason(error)}") from None
    if len(set(counts.values())) > 1:
        shown = ", ".join(f"`{name}` {count}" for name, count in counts.items())
        raise fail("E504", f"the datasets of `{place}` differ in their samples: {shown}")
    home = root or place.parent
    columns = {name: _column(h5py, one, place, name, home) for name, one in datasets.items()}
    return RawData(str(place), max(counts.values(), default=0), columns, {})


def _dataset(h5py: Any, file: Any, name: str, place: Path) -> Any:
    """A dataset of this file; what a link or a dataset takes from another file is refused."""
    link = file.get(name, getlink=True)
    one = file[name] if isinstance(link, h5py.HardLink) else None
    if not isinstance(one, h5py.Dataset) or one.is_virtual or one.external or not one.shape:
        message = f"`{name}` of `{place}` is no dataset of samples that lies in this file"
        raise fail("E504", message, help="store each column as a dataset (samples, …) at the top")
    return one


def _column(h5py: Any, dataset: Any, place: Path, name: str, root: Path) -> Column:
    source = place.name
    if h5py.check_string_dtype(dataset.dtype) is not None and dataset.ndim == 1:
        try:
            texts = [str(text) for text in dataset.asstr()[:]]
        except (OSError, UnicodeDecodeError) as error:
            raise fail("E504", f"`{name}` of `{place}` cannot be read: {error}") from None
        return of_texts(source, name, texts, root)
    is_small = dataset.dtype.kind in "iufb" and dataset.nbytes <= MOST_IN_MEMORY
    if is_small and dataset.ndim <= 2:
        return Numbers(source, name, np.asarray(dataset[:]))
    return Values(source, name, _medium(dataset), partial(_value, dataset, place, name))


def _medium(dataset: Any) -> str | None:
    is_picture = dataset.dtype == np.uint8 and dataset.ndim == 4 and dataset.shape[-1] in (1, 3, 4)
    return "picture" if is_picture else None


def _value(dataset: Any, place: Path, name: str, sample: int) -> Content | None:
    """A row: an array as it is; a list of bytes of any length is a file's."""
    try:
        value = np.asarray(dataset[sample])
    except (OSError, ValueError, RuntimeError) as error:
        message = f"sample {sample + 1} of `{name}` in `{place}` cannot be read: {reason(error)}"
        raise fail("E504", message) from None
    is_file_content = dataset.ndim == 1 and value.dtype == np.uint8
    return value.tobytes() if is_file_content else value
