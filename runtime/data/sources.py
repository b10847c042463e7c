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
from .arrow_columns import columns_of_table, pyarrow
from .canonical import PER_SAMPLE
from .columns import Column
from .files import Arrays, Source, StoredArrays
from .rows import Array
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
            return _of_splits(by_name)
        return _Named(by_name)
    return _of_samples(data)


def array_of(name: str, value: Any) -> Array:
    """An array, tensor, column or list as an array; one of arrays or lists of one shape is stacked.

    Raises DiagnosticError where it is none.
    """
    if isinstance(value, np.ndarray):
        array = cast(Array, value)
        return _stacked(name, array.tolist()) if array.dtype.hasobject else array
    if isinstance(getattr(value, "dtype", None), np.dtype) and not hasattr(value, "to_numpy"):
        return cast(Array, value)
    if _is_of(value, "torch"):
        tensor = value.detach().cpu()
        return cast(Array, (tensor if _has_numpy(tensor) else tensor.float()).numpy())
    if hasattr(value, "to_numpy"):
        return array_of(name, np.asarray(value.to_numpy()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _stacked(name, value)
    array = np.asarray(value)
    if array.dtype.hasobject:
        raise _no_array(name, value)
    return array


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


def _is_of(value: Any, library: str) -> bool:
    """Whether a value's class, or one that it is made from, is of a library."""
    return any(of.__module__.partition(".")[0] == library for of in type(value).__mro__)


def _has_numpy(tensor: Any) -> bool:
    """Whether numpy has the type of a tensor; it has no bfloat16."""
    return str(tensor.dtype).removeprefix("torch.") in np.sctypeDict


def _stacked(name: str, items: Sequence[Any]) -> Array:
    """Items as one array: texts, numbers, or arrays of one shape."""
    if all(isinstance(item, str) for item in items):
        return np.array(items, np.str_)
    if any(item is None for item in items):
        raise _no_array(name, None)
    try:
        rows = [item if np.isscalar(item) else array_of(name, item) for item in items]
        array: Array = np.array(rows)
    except ValueError:
        message = f"rows of `{name}` differ in shape"
        remedy = f"fill them up with zeros, and say in `{name}.lengths` how many count"
        raise fail("E502", message, help=remedy) from None
    if array.dtype.hasobject:
        raise _no_array(name, next(item for item in items if not np.isscalar(item)))
    return array


def _no_array(name: str, value: Any) -> Exception:
    kind = type(value).__name__
    message = f"`{name}` has `{kind}`, which is no array of numbers or texts"
    code = "E503" if name in PER_SAMPLE else "E502"
    return fail(code, message, help="missing values are to be filled, or their samples left out")


# Tables


def _is_table(data: Any) -> bool:
    of = type(data).__name__
    frame = any(_is_of(data, library) for library in _FRAMES) and of == "DataFrame"
    return frame or (_is_of(data, "datasets") and of == "Dataset") or _speaks_arrow(data)


def _speaks_arrow(data: Any) -> bool:
    return hasattr(data, "__arrow_c_stream__") and not hasattr(data, "to_numpy")


def _columns(table: Any) -> dict[str, Column]:
    if any(_is_of(table, library) for library in _FRAMES):
        names = [str(name) for name in table.columns]
        if len(set(names)) < len(names):
            raise fail("E502", "two columns of a table have one name")
        return {
            name: _cells(name, table[own]) for name, own in zip(names, table.columns, strict=True)
        }
    if _is_of(table, "datasets"):
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


def _of_splits(by_name: Mapping[str, Any]) -> Arrays:
    """Tables of the same columns, one after the other, with the `split` that each of them is."""
    parts = {name: _Columns(_columns(table)) for name, table in by_name.items()}
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
    for sample in _each(data):
        if not isinstance(sample, Mapping) or (count and sample.keys() != parts.keys()):
            message = f"sample {count} of the data is no dict with the names of the others"
            raise fail("E502", message, help="give `{'Image': …, 'labels': …}` for each sample")
        for name, value in cast("Mapping[str, Any]", sample).items():
            parts.setdefault(str(name), []).append(value)
        count += 1
    if not count:
        raise fail("E502", "the data has no sample")
    whole = _joined if is_batched else _stacked
    arrays = {name: whole(name, parts.pop(name)) for name in [*parts]}
    return _Columns({name: Column.of(array) for name, array in arrays.items()})


def _each(data: Any) -> Iterator[Any]:
    if hasattr(data, "__iter__"):
        yield from data
    elif hasattr(data, "__len__") and hasattr(data, "__getitem__"):
        for place in range(len(data)):
            yield data[place]
    else:
        message = f"`{type(data).__name__}` is neither a table, nor arrays or samples by name"
        raise fail("E502", message, help="give arrays by name, or the path of a file or folder")


def _joined(name: str, batches: Sequence[Any]) -> NDArray[Any]:
    """Batches of an array, one after the other."""
    try:
        return np.concatenate([array_of(name, batch) for batch in batches])
    except ValueError:
        raise fail("E502", f"batches of `{name}` differ in shape") from None
