"""Columns of Arrow tables, wherever they stand: numbers, texts, and lists of either of one length.

NOTE: what Arrow reads of a file is checked as a whole (`validate(full=True)`) before any of it is
used, since its buffers are what the file says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.system.memory import available_memory, memory_text
from ..extras import needed
from .columns import LONGEST_TEXT, PLURALS, Column, class_names, texts

EXTRA = "formats"
MOST_AXES = 8
UNREADABLE: tuple[type[Exception], ...] = (
    *(KeyError, IndexError, TypeError, NotImplementedError, OverflowError, RuntimeError),
)
"""What Arrow raises of broken files, beside ValueError and OSError."""
_METADATA = b"huggingface"
_CLASS_LABEL = "ClassLabel"


def pyarrow(part: str = "") -> Any:
    """The library, or a module of it; raises DiagnosticError where it is not installed."""
    return needed(f"pyarrow.{part}" if part else "pyarrow", EXTRA)


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


def columns_of(
    schema: Any, rows: int, first: Callable[[str], Any], read: Callable[[str], Iterable[Any]]
) -> dict[str, Column]:
    """The columns of a table with so many rows, by name.

    `first` gives an array of the first row of a column, and `read` the arrays that are a column,
    one after the other.
    """
    if len(set(schema.names)) < len(schema.names):
        raise ValueError("a column stands in it twice")
    columns = {field.name: _column(field.name, field.type, rows, first, read) for field in schema}
    return columns | class_names(_class_names(schema))


def columns_of_table(table: Any) -> dict[str, Column]:
    """The columns of a table in memory."""

    def first(name: str) -> Any:
        return table.column(name).slice(0, 1).combine_chunks()

    def read(name: str) -> Iterator[Any]:
        yield from table.column(name).chunks

    return columns_of(table.schema, table.num_rows, first, read)


def _column(
    name: str,
    of: Any,
    rows: int,
    first: Callable[[str], Any],
    read: Callable[[str], Iterable[Any]],
) -> Column:
    sizes, leaf = _apart(of)
    kind = _kind(leaf)
    if kind == "V":
        return Column((rows,), kind, lambda: _no_array(name, of))
    if None in sizes and rows:
        sizes = _sizes(_flat(first(name)), len(sizes))
    shape = (rows, *(size or 0 for size in sizes))

    def whole() -> NDArray[Any]:
        parts = [_values(part, name) for part in read(name) if len(part)]
        found = np.concatenate(parts) if len(parts) > 1 else (parts or [np.empty(shape)])[0]
        if found.shape != shape:
            raise ragged(name)
        return found

    return Column(shape, kind, whole)


def _no_array(name: str, of: Any) -> NDArray[Any]:
    raise ValueError(f"`{name}` holds {of}, which is no array of numbers or texts")


# Types


def _apart(of: Any) -> tuple[list[int | None], Any]:
    """The sizes of a type's axes behind the rows, None for what differs, and what is inside."""
    kinds = pyarrow("types")
    sizes: list[int | None] = []
    while len(sizes) <= MOST_AXES:
        if _is_tensor(of):
            return [*sizes, *of.shape], of.value_type
        if hasattr(of, "storage_type"):
            of = of.storage_type
        elif kinds.is_fixed_size_list(of):
            sizes, of = [*sizes, of.list_size], of.value_type
        elif kinds.is_list(of) or kinds.is_large_list(of):
            sizes, of = [*sizes, None], of.value_type
        elif kinds.is_dictionary(of) and not sizes:
            of = of.value_type
        else:
            break
    return sizes, of


def _is_tensor(of: Any) -> bool:
    """Whether a type is Arrow's own of tensors, whose elements are one after the other."""
    if not isinstance(of, pyarrow().FixedShapeTensorType):
        return False
    if of.permutation not in (None, [*range(len(of.shape))]):
        raise ValueError("a tensor in it has its axes in another order than its elements")
    return True


def _kind(leaf: Any) -> str:
    """numpy's letter for what a column holds; `V` for what is no array."""
    kinds = pyarrow("types")
    for is_kind, letter in (
        (kinds.is_boolean, "b"),
        (kinds.is_signed_integer, "i"),
        (kinds.is_unsigned_integer, "u"),
        (kinds.is_floating, "f"),
        (kinds.is_string, "U"),
        (kinds.is_large_string, "U"),
    ):
        if is_kind(leaf):
            return letter
    return "V"


def _sizes(array: Any, count: int) -> list[int | None]:
    """The sizes of so many axes, as the first row has them."""
    sizes: list[int | None] = []
    for _ in range(count):
        array = _flat(array)[:1]
        size = _length(array) if len(array) and array.is_valid()[0].as_py() else 0
        sizes.append(size)
        array = array.flatten() if len(array) else array
    return sizes


def _length(array: Any) -> int:
    fixed = pyarrow("types").is_fixed_size_list(array.type)
    return int(array.type.list_size if fixed else array.value_lengths()[0].as_py())


def _flat(array: Any) -> Any:
    """An array without types of its own around that of what is stored."""
    return array.storage if hasattr(array.type, "storage_type") else array


# Values


def _values(array: Any, name: str) -> NDArray[Any]:
    """An array of Arrow as one of numpy, (rows, …)."""
    kinds = pyarrow("types")
    of = array.type
    if hasattr(of, "storage_type"):
        inner = _values(array.storage, name)
        shape = (len(array), *of.shape) if _is_tensor(of) else inner.shape
        reshaped: NDArray[Any] = inner.reshape(shape)
        return reshaped
    if array.null_count:
        message = f"`{name}` has missing values"
        remedy = "fill them, and say in `MODALITY.present` which samples have the modality"
        raise fail("E502", message, help=remedy)
    if kinds.is_fixed_size_list(of):
        inner = _values(array.flatten(), name)
        return inner.reshape((len(array), int(of.list_size), *inner.shape[1:]))
    if kinds.is_list(of) or kinds.is_large_list(of):
        lengths = array.value_lengths().to_numpy(zero_copy_only=False)
        if len(lengths) and (lengths != lengths[0]).any():
            raise ragged(name)
        inner = _values(array.flatten(), name)
        return inner.reshape(len(array), int(lengths[0]) if len(lengths) else 0, *inner.shape[1:])
    if kinds.is_dictionary(of):
        words: NDArray[Any] = _values(array.dictionary, name)
        places: NDArray[Any] = array.indices.to_numpy(zero_copy_only=False)
        cells: NDArray[Any] = words[places]
        return cells
    if kinds.is_string(of) or kinds.is_large_string(of):
        longest = pyarrow("compute").max(pyarrow("compute").binary_length(array)).as_py()
        if longest and longest > 4 * LONGEST_TEXT:
            raise ValueError(f"`{name}` has a text of more than {LONGEST_TEXT} characters")
        return texts(array.to_pylist(), name)
    values: NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return values


def ragged(name: str) -> Exception:
    """What is raised where lists of a column have not one length."""
    message = f"lists of `{name}` differ in length"
    remedy = f"fill them up with zeros, and say in `{name}.lengths` how many count"
    return fail("E502", message, help=remedy)


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
