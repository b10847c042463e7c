"""Data that people hold in Python: arrays, tensors, tables, and samples one by one, as arrays.

Nothing is imported for it that is not imported already, but pyarrow for its tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import DiagnosticError, fail
from ...compiler.network.names import CLASS_NAMES
from . import columns as tables
from .arrow_columns import columns_of_table
from .arrow_types import pyarrow
from .columns import Column
from .files import Arrays, Source, StoredArrays
from .held_arrays import array_of, is_of, stacked
from .rows import Array
from .split import WORDS
from .stores import StoreArrays


class Indexed(Protocol):
    """A table by the names of its columns, or samples by their numbers."""

    def __getitem__(self, key: Any, /) -> Any: ...


Data: TypeAlias = str | PathLike[str] | Mapping[str, Any] | Indexed | Iterable[Any]
"""A path; arrays, tensors or lists by name; a table of pandas, polars, Arrow or `datasets`; tables
by the names of their splits; a torch `Dataset` of dicts, or a `DataLoader` of batches of them."""
_FRAMES = ("pandas", "polars")


def source_of(data: Data) -> Source:
    """A path as it is, and what is in memory as arrays by name, which are read in one pass.

    Raises DiagnosticError for what is neither a table, nor arrays or samples by name.
    """
    if isinstance(data, (str, PathLike, StoredArrays, StoreArrays)):
        return data
    if _is_table(data):
        return _Columns(_columns(data))
    if isinstance(data, Mapping):
        by_name = cast("Mapping[str, Any]", data)
        if by_name and all(map(_is_table, _plain_values(by_name))):
            return _of_splits({name: _Columns(_columns(of)) for name, of in by_name.items()})
        if _are_parts(by_name):
            return _of_splits({name: cast(Arrays, source_of(of)) for name, of in by_name.items()})
        return _Named(by_name)
    return _of_samples(data)


class _Named(Mapping[str, Array]):
    """Arrays by name, each of which becomes one when it is asked for."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Array:
        return array_of(name, self._values[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values


def _plain_values(by_name: Mapping[str, Any]) -> Iterator[Any]:
    """The values of what is a dict; other mappings read them from files."""
    return iter(by_name.values() if isinstance(by_name, dict) else [None])


# Tables


def _is_table(data: Any) -> bool:
    of = type(data).__name__
    frame = any(is_of(data, library) for library in _FRAMES) and of == "DataFrame"
    return frame or (is_of(data, "datasets") and of == "Dataset") or _speaks_arrow(data)


def _speaks_arrow(data: Any) -> bool:
    return hasattr(data, "__arrow_c_stream__") and not hasattr(data, "to_numpy")


def _columns(table: Any) -> dict[str, Column]:
    if any(is_of(table, library) for library in _FRAMES):
        names = [str(name) for name in table.columns]
        if len(set(names)) < len(names):
            raise fail("E502", "two columns of a table have one name")
        return {
            name: _cells(name, table[own]) for name, own in zip(names, table.columns, strict=True)
        }
    if is_of(table, "datasets"):
        return columns_of_table(table.with_format("arrow")[:])
    return columns_of_table(pyarrow().table(table))


def _cells(name: str, cells: Any) -> Column:
    """A column of a frame; one that is no array says so when it is read."""
    try:
        return Column.of(array_of(name, cells))
    except DiagnosticError as error:
        return _unreadable(error)


def _unreadable(error: DiagnosticError) -> Column:
    def read() -> Array:
        raise error

    return Column((0,), "V", read)


class _Columns(Mapping[str, Array]):
    """The arrays of a table, which are read once; one that is none says so when it is asked for."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._arrays, self._others = dict[str, Array](), dict[str, Column]()
        for name, column in tables.arrays_of(columns).items():
            try:
                self._arrays[name] = column.read()
            except DiagnosticError as error:
                self._others[name] = _unreadable(error)
            except ValueError as error:
                remedy = error.remedy if isinstance(error, tables.Unreadable) else None
                self._others[name] = _unreadable(fail("E502", str(error), help=remedy))

    def __getitem__(self, name: str) -> Array:
        return self._others[name].read() if name in self._others else self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __contains__(self, name: object) -> bool:
        return name in self._arrays or name in self._others


def _are_parts(by_name: Mapping[str, Any]) -> bool:
    """Whether a dict has arrays, samples or batches for each part of a split."""
    if not isinstance(by_name, dict) or not all(str(name).lower() in WORDS for name in by_name):
        return False
    return bool(by_name) and not any(_is_plain(value) for value in by_name.values())


def _is_plain(value: Any) -> bool:
    """Whether it is an array, or can be one."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return not (value and isinstance(value[0], Mapping))
    return np.isscalar(value) or hasattr(value, "dtype")


def _of_splits(parts: Mapping[str, Arrays]) -> Arrays:
    """Arrays of the same names, one after the other, with the `split` that each of them is."""
    first = next(iter(parts.values()))
    if any(part.keys() != first.keys() for part in parts.values()):
        raise fail("E502", "the tables of the splits differ in their columns")
    whole = {
        name: np.concatenate([part[name] for part in parts.values()])
        if name != CLASS_NAMES
        else first[name]
        for name in first
    }
    counts = [len(next(iter(part.values()))) for part in parts.values()]
    for name, part in parts.items():
        if any(len(part[of]) != len(next(iter(part.values()))) for of in part if of != CLASS_NAMES):
            raise fail("E502", f"the arrays of `{name}` differ in their number of samples")
    return {"split": np.repeat(np.array([*parts], np.str_), counts), **whole}


# Samples


def _of_samples(data: Any) -> Arrays:
    """Samples, or batches of them, as whole arrays: each is read once."""
    is_batched = any(
        of.__module__.startswith("torch.utils.data") and of.__name__ == "DataLoader"
        for of in type(data).__mro__
    )
    parts: dict[str, list[Any]] = {}
    count = 0
    for sample in map(_named, _each(data)):
        if not isinstance(sample, Mapping) or (count and sample.keys() != parts.keys()):
            message = f"sample {count} of the data is no dict with the names of the others"
            raise fail(
                "E502", message, help=_PLAIN if isinstance(sample, (tuple, list)) else _DICTS
            )
        for name, value in cast("Mapping[str, Any]", sample).items():
            parts.setdefault(str(name), []).append(value)
        count += 1
    if not count:
        raise fail("E502", "the data has no sample")
    whole = _joined if is_batched else stacked
    arrays = {name: whole(name, parts.pop(name)) for name in [*parts]}
    return _Columns({name: Column.of(array) for name, array in arrays.items()})


_DICTS = "give `{'Image': …, 'labels': …}` for each sample"
_PLAIN = "tuples do not say what is what: give `{'Image': data.tensors[0], 'labels': …}`, or dicts"


def _named(sample: Any) -> Any:
    """A sample as a dict, where it is one with its label."""
    match sample:
        case (Mapping() as features, label) if "labels" not in features:
            return {**features, "labels": label}
        case _:
            return sample


def _each(data: Any) -> Iterator[Any]:
    if hasattr(data, "__iter__"):
        yield from data
    elif hasattr(data, "__len__") and hasattr(data, "__getitem__"):
        for place in range(len(data)):
            yield data[place]
    else:
        message = f"`{type(data).__name__}` is neither a table, nor arrays or samples by name"
        remedy = "give arrays by name, or the path of a file or folder"
        raise fail("E502", message, help="`collect()` it" if hasattr(data, "collect") else remedy)


def _joined(name: str, batches: Sequence[Any]) -> NDArray[Any]:
    """Batches of an array, one after the other."""
    try:
        return np.concatenate([array_of(name, batch) for batch in batches])
    except ValueError:
        raise fail("E502", f"batches of `{name}` differ in shape") from None
