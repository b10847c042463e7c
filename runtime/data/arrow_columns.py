"""Columns of Arrow tables, wherever they stand: numbers, texts, and lists of either.

NOTE: what Arrow reads of a file is checked as a whole (`validate(full=True)`) before any of it is
used, since its buffers are what the file says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.network.names import lengths_name
from ...compiler.system.memory import available_memory, memory_text
from .arrow_types import apart, instead, is_tensor, is_text, kind_of, pyarrow
from .columns import BESIDE, LONGEST_TEXT, PLURALS, Column, Unreadable, class_names, texts
from .ragged import differing, filled_up, missing_type, nothing

Read: TypeAlias = Callable[[str], Iterable[Any]]
"""What reads the arrays of a column by its name."""
UNREADABLE: tuple[type[Exception], ...] = (
    *(KeyError, IndexError, TypeError, NotImplementedError, OverflowError, RuntimeError),
)
"""What Arrow raises of broken files, beside ValueError and OSError."""
_METADATA = b"huggingface"
_CLASS_LABEL = "ClassLabel"


@contextmanager
def reading() -> Generator[None]:
    """Within, what Arrow raises of a file is a ValueError, where it is none of Python's own."""
    arrow = pyarrow()
    try:
        yield
    except arrow.ArrowException as error:
        if isinstance(error, (ValueError, MemoryError, OSError)):
            raise
        raise ValueError(str(error)) from None


def within_memory(
    batches: Iterable[Any], taken: Callable[[Any], int] = lambda batch: int(batch.nbytes)
) -> Iterator[Any]:
    """Batches of rows as they are read, which `taken` says the memory of.

    Raises DiagnosticError where they take more than there is, with a batch more read by then.
    """
    there, total = available_memory(), 0
    for batch in batches:
        total += taken(batch)
        if there is not None and total > there:
            message = f"a table that is packed takes more memory than {memory_text(there)}"
            raise fail("E512", message, help="make a feature store of it where there is more")
        yield batch


def columns_of(schema: Any, rows: int, looked: Read, read: Read) -> dict[str, Column]:
    """The columns of a table with so many rows, by name, and the lengths of lists that differ.

    `read` gives the arrays that are a column, one after the other, and `looked` those by which
    the lengths of its lists are known. Lists of plain numbers that differ are steps of one channel.
    """
    if len(set(schema.names)) < len(schema.names):
        raise ValueError("a column stands in it twice")
    columns: dict[str, Column] = {}
    for field in schema:
        sizes, column = _column(field.name, field.type, rows, looked, read)
        columns[field.name] = column
        lengths = lengths_name(field.name)
        if sizes.lengths is not None and lengths not in schema.names:
            columns[lengths] = Column.of(sizes.lengths)
    return columns | class_names(_class_names(schema))


def columns_of_table(table: Any) -> dict[str, Column]:
    """The columns of a table in memory."""

    def read(name: str) -> Iterator[Any]:
        yield from table.column(name).chunks

    return columns_of(table.schema, table.num_rows, read, read)


@dataclass(frozen=True, slots=True)
class _Sizes:
    """The sizes of axes behind the rows, and how long each row is along the first, if they differ.

    A row that is missing counts as long as the longest.
    """

    sizes: tuple[int, ...]
    lengths: NDArray[np.int64] | None = None


def _column(name: str, of: Any, rows: int, looked: Read, read: Read) -> tuple[_Sizes, Column]:
    sizes, leaf = apart(of)
    kind = kind_of(leaf)
    if kind == "V":
        what, remedy = instead(leaf)
        message = f"`{name}` holds {of}, which is {what}"
        why = f"it holds {what}; {remedy}"
        return _Sizes(()), Column.none((rows,), lambda: Unreadable(message, remedy), why)
    found = _Sizes(tuple(size or 0 for size in sizes))
    if None in sizes and rows:
        found = _measured(looked(name), sizes)
    vary = found.lengths is not None
    plain = vary and len(found.sizes) == 1
    shape = (rows, *found.sizes, *((1,) if plain else ()))
    if vary and (kind == "U" or name.lower() in BESIDE):
        why = "its lists differ in length"
        return _Sizes(()), Column.none(shape, lambda: _no_rows(name), f"{why}; {_ROWS}")

    def whole() -> NDArray[Any]:
        parts = [_values(part, name, found.sizes, vary=vary) for part in read(name) if len(part)]
        array = np.concatenate(parts) if len(parts) > 1 else (parts or [np.empty(shape)])[0]
        array = array[:, :, None] if plain else array
        if array.shape != shape:
            raise differing(name)
        return array

    return found, Column(shape, kind, whole)


_ROWS = "give rows of one length, as of 0 and 1 for each label"


def _no_rows(name: str) -> Exception:
    return fail("E503", f"lists of `{name}` differ in length", help=_ROWS)


# Sizes


def _measured(arrays: Iterable[Any], sizes: list[int | None]) -> _Sizes:
    """The sizes of axes, of which the first is the longest of the lists, as arrays have them."""
    lengths: list[NDArray[np.int64]] = []
    inner: list[int] = []
    for array in arrays:
        rows = _plain(array)
        known = rows.drop_null()
        if sizes[0] is None:
            counts = rows.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
            lengths.append(counts.astype(np.int64))
            known = rows.filter(pyarrow().array(counts > 0))
        if not inner and len(known):
            inner = _first_sizes(known, len(sizes))
    found = [known if known is not None else (*inner, 0)[i] for i, known in enumerate(sizes)]
    if not inner:
        found = [size or 0 for size in sizes]
    if not lengths:
        return _Sizes(tuple(found))
    whole = np.concatenate(lengths)
    if len(whole) and whole.min() < 0:
        raise ValueError("a list in it has less than no length")
    longest = int(whole.max()) if len(whole) else 0
    differ = bool((whole[whole > 0] != longest).any())
    lacking = np.where(whole > 0, whole, longest) if differ else None
    return _Sizes((longest, *found[1:]), lacking)


def _first_sizes(array: Any, count: int) -> list[int]:
    """The sizes of so many axes, as the first row has them that is not missing."""
    sizes: list[int] = []
    for _ in range(count):
        array = _plain(array).drop_null()[:1]
        sizes.append(int(_lengths(array)[0]) if len(array) else 0)
        array = array.flatten() if len(array) else array
    return sizes


def _lengths(array: Any) -> NDArray[np.int64]:
    """How long each list is of an array in which none is missing."""
    if pyarrow("types").is_fixed_size_list(array.type):
        return np.full(len(array), array.type.list_size, np.int64)
    lengths: NDArray[Any] = array.value_lengths().to_numpy(zero_copy_only=False)
    return lengths.astype(np.int64)


def _plain(array: Any) -> Any:
    """An array as it is stored, without types of its own around that."""
    while hasattr(array.type, "storage_type"):
        array = array.storage
    return array


# Values


def _values(array: Any, name: str, sizes: tuple[int, ...], *, vary: bool = False) -> NDArray[Any]:
    """An array of Arrow as one of numpy, (rows, sizes…); what is missing is NaN or an empty text.

    Lists that `vary` in length are filled up; raises DiagnosticError where others do.
    """
    kinds = pyarrow("types")
    if is_tensor(array.type):
        rows = _values(array.storage, name, (prod(array.type.shape),))
        return rows.reshape(len(array), *sizes)
    array = _plain(array)
    of = array.type
    if sizes:
        there = array.drop_null() if array.null_count else array
        lengths = _lengths(there)
        steps = _values(there.flatten(), name, sizes[1:])
        if vary:
            counts = np.zeros(len(array), np.int64)
            counts[array.is_valid().to_numpy(zero_copy_only=False)] = lengths
            return filled_up(steps, counts, (len(array), *sizes))
        if (lengths != sizes[0]).any():
            raise differing(name)
        return _spread(steps.reshape(len(there), *sizes), array)
    if kinds.is_dictionary(of):
        cells = array.drop_null() if array.null_count else array
        words: NDArray[Any] = _values(cells.dictionary, name, ())
        return _spread(words[cells.indices.to_numpy(zero_copy_only=False)], array)
    if is_text(of):
        array = array.cast(pyarrow().large_string())
        longest = pyarrow("compute").max(pyarrow("compute").binary_length(array)).as_py()
        if longest and longest > 4 * LONGEST_TEXT:
            raise ValueError(f"`{name}` has a text of more than {LONGEST_TEXT} characters")
        return texts([text or "" for text in array.to_pylist()], name)
    if kinds.is_decimal(of) or kinds.is_null(of):
        array = array.cast(pyarrow().float64())
    elif kinds.is_boolean(of) and array.null_count:
        array = array.cast(pyarrow().uint8())
    values: NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return values


def _spread(there: NDArray[Any], array: Any) -> NDArray[Any]:
    """Rows of an array of which some are missing, from those that are there."""
    if len(there) == len(array):
        return there
    dtype = missing_type(there.dtype)
    rows = np.full((len(array), *there.shape[1:]), nothing(dtype), dtype)
    rows[array.is_valid().to_numpy(zero_copy_only=False)] = there
    return rows


# Class names


def class_labels(schema: Any) -> dict[str, list[str]]:
    """What classes are called by column, as `datasets` says it; no names that are not texts."""
    names = {
        name: feature.get("names")
        for name, feature in features_of(schema).items()
        if feature.get("_type") == _CLASS_LABEL
    }
    return {
        name: known
        for name, known in names.items()
        if isinstance(known, list) and all(isinstance(one, str) for one in known)
    }


def features_of(schema: Any) -> dict[str, Mapping[str, Any]]:
    """What Hugging Face's `datasets` says of columns in the metadata of a schema."""
    try:
        said = json.loads((schema.metadata or {}).get(_METADATA, b"{}"))
        features = said["info"]["features"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return {}
    known: dict[str, Any] = features if isinstance(features, dict) else {}
    return {name: feature for name, feature in known.items() if isinstance(feature, dict)}


def _class_names(schema: Any) -> list[str]:
    labels = next((n for n in ("labels", *_singular("labels")) if n in schema.names), "")
    return class_labels(schema).get(labels, [])


def _singular(plural: str) -> list[str]:
    return [name for name, many in PLURALS.items() if many == plural]
