"""HDF5 files: a dataset for each array; those in groups are called `GROUP/NAME`.

NOTE: a file may name others, and have datasets that say they are larger than it can hold. Links to
what is elsewhere, and datasets that lie in other files or are put together from others, are not
read; an array has no more bytes than what is stored of it can give. Filters are those of HDF5 and
h5py alone, since for another one the library looks for a program to load.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from io import BufferedReader
from math import prod
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...extras import needed
from ..columns import texts
from ..hdf5_texts import read_texts
from . import ArrayHeader, require_few
from .npz import MOST_INFLATED

ENDINGS = (".h5", ".hdf5")
UNREADABLE = (
    *(KeyError, TypeError, RuntimeError, OverflowError, NotImplementedError),
    zlib.error,  # of texts, whose chunks are inflated here
)
MOST_DEPTH = 4
"""Groups inside of groups that are looked into."""
_GZIP, _SHUFFLE, _FLETCHER32, _LZF = 1, 2, 3, 32000
_FILTERS = (_GZIP, _SHUFFLE, _FLETCHER32, _LZF)
T = TypeVar("T")


def headers(stream: BufferedReader, file: Path) -> Mapping[str, ArrayHeader]:
    """The headers of the datasets that are arrays."""
    return _reading(
        stream,
        lambda datasets: {
            name: ArrayHeader(name, tuple(dataset.shape or ()), _kind(dataset), file)
            for name, dataset in datasets.items()
        },
    )


def array(stream: BufferedReader, name: str) -> NDArray[Any]:
    """The dataset of this name."""
    return _reading(stream, lambda datasets: _array(stream, datasets[name], name))


def _reading(stream: BufferedReader, read: Callable[[Mapping[str, Any]], T]) -> T:
    """What is read of the datasets of a file by name."""
    library = needed("h5py", "formats")
    with library.File(stream, "r") as file:
        datasets: dict[str, Any] = {}
        for name, dataset in _datasets(library, file, "", set()):
            datasets[name] = dataset
            require_few(len(datasets))
        return read(datasets)


def _datasets(library: Any, group: Any, above: str, known: set[int]) -> Iterator[tuple[str, Any]]:
    """The datasets that a group holds, and those of the groups in it that are not known yet."""
    place = library.h5o.get_info(group.id).addr
    if place in known or above.count("/") > MOST_DEPTH:
        return
    known.add(place)
    require_few(len(group))
    for name in group:
        if not isinstance(group.get(name, getlink=True), library.HardLink):
            continue
        member = group[name]
        if isinstance(member, library.Dataset):
            yield f"{above}{name}", member
        elif isinstance(member, library.Group):
            yield from _datasets(library, member, f"{above}{name}/", known)


def _kind(dataset: Any) -> str:
    """numpy's letter for what a dataset holds; texts are `U`, however they are stored."""
    kind = str(dataset.dtype.kind)
    if kind == "S" or (kind == "O" and is_text(dataset)):
        return "U"
    return "V" if kind == "O" else kind


def is_text(dataset: Any) -> bool:
    """Whether it holds texts, of one length or of any."""
    return needed("h5py", "formats").check_string_dtype(dataset.dtype) is not None


def _array(stream: BufferedReader, dataset: Any, name: str) -> NDArray[Any]:
    require_here(dataset, name)
    if dataset.dtype.hasobject:
        if not is_text(dataset):
            raise ValueError(f"`{name}` holds {dataset.dtype}, which is no array of numbers")
        return texts(read_texts(stream, dataset), name)
    values: NDArray[Any] = np.asarray(dataset[()])
    return np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values


def require_here(dataset: Any, name: str) -> None:
    """Raises ValueError where what a dataset holds is elsewhere, or cannot be as large as it is."""
    created = dataset.id.get_create_plist()
    if dataset.shape is None:
        raise ValueError(f"`{name}` is empty")
    if dataset.is_virtual or created.get_external_count():
        raise ValueError(f"`{name}` lies in other places, which are not read")
    filters = [created.get_filter(place)[0] for place in range(created.get_nfilters())]
    if not set(filters) <= {*_FILTERS}:
        raise ValueError(f"`{name}` is packed in a way that is not read: use gzip or lzf")
    most = MOST_INFLATED if {_GZIP, _LZF} & {*filters} else 1
    taken = max(prod(dataset.shape), prod(dataset.chunks or ())) * dataset.dtype.itemsize
    if taken > most * dataset.id.get_storage_size():
        raise ValueError(f"`{name}` cannot be as large as it says, or was not written as a whole")
