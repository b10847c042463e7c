"""Arrays by name in what `torch.save` wrote: dicts within dicts, tensors, lists of either.

NOTE: a pickle's values may share parts, so what is walked through is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from ...compiler.network.names import lengths_name
from .columns import BESIDE, LONGEST_TEXT, Unreadable
from .ragged import differing
from .tensor_pickle import StridedTensor

ALONE = ""
"""What a tensor is called that is all of a file."""
MOST_DEPTH = 4
MOST_VALUES = 10_000
_DICT = "save `{'Image': tensor, 'labels': tensor}`"


@dataclass(frozen=True, slots=True)
class TensorList:
    """Tensors that are the rows of an array: its shape, and how long each is, if they differ."""

    rows: tuple[StridedTensor, ...]
    shape: tuple[int, ...]
    lengths: NDArray[np.int64] | None = None


Value: TypeAlias = StridedTensor | TensorList | NDArray[Any]


def arrays_in(value: Any) -> dict[str, Value]:
    """Tensors and lists by name, those of dicts in a dict as `train/Image`.

    Raises ValueError, or DiagnosticError, where a file holds anything else.
    """
    if isinstance(value, StridedTensor):
        return {ALONE: value}
    if _are_dicts(value):
        value = _by_name(cast("Sequence[Mapping[Any, Any]]", value))
    if not isinstance(value, dict):
        raise Unreadable("it holds no dict", _DICT)
    arrays: dict[str, Value] = {}
    for count, (name, entry) in enumerate(_leaves(value, "", 0)):
        if count >= MOST_VALUES:
            raise ValueError(f"it has more than {MOST_VALUES:,} arrays")
        if entry is None:
            continue
        if name in arrays:
            raise ValueError(f"`{name}` stands in it twice")
        arrays[name] = _array(name, entry)
    return _with_lengths(arrays)


def _with_lengths(arrays: Mapping[str, Value]) -> dict[str, Value]:
    """Arrays, with the lengths of those that differ in them, or do in another part of a split."""
    lists = {name: of for name, of in arrays.items() if isinstance(of, TensorList)}
    vary = {_leaf(name) for name, of in lists.items() if of.lengths is not None}
    found = dict(arrays)
    for name, listed in lists.items():
        if _leaf(name) in vary:
            found[name] = varying = _varying(name, listed.rows)
            if varying.lengths is not None:
                found.setdefault(lengths_name(name), varying.lengths)
    return found


def _leaf(name: str) -> str:
    return name.rpartition("/")[2]


def _leaves(value: Mapping[Any, Any], above: str, depth: int) -> Iterator[tuple[str, Any]]:
    """What dicts hold by name; None for a dict itself, which counts too."""
    for name, entry in value.items():
        if not isinstance(name, str):
            raise Unreadable("a name in it is no text", _DICT)
        if _are_dicts(entry):
            entry = _by_name(entry)
        if not isinstance(entry, dict):
            yield f"{above}{name}", entry
            continue
        if depth >= MOST_DEPTH:
            raise ValueError(f"it has dicts in dicts, more than {MOST_DEPTH} deep")
        yield f"{above}{name}", None
        yield from _leaves(cast("Mapping[Any, Any]", entry), f"{above}{name}/", depth + 1)


def _are_dicts(value: Any) -> bool:
    """Whether a value is samples one by one, with the same names each."""
    if not isinstance(value, (list, tuple)) or not value:
        return False
    items = cast("list[Any]", value)
    first = items[0]
    return isinstance(first, dict) and all(
        isinstance(item, dict) and item.keys() == first.keys() for item in items
    )


def _by_name(samples: Sequence[Mapping[Any, Any]]) -> dict[Any, list[Any]]:
    return {name: [sample[name] for sample in samples] for name in samples[0]}


def _array(name: str, value: Any) -> Value:
    if isinstance(value, StridedTensor):
        return value
    if isinstance(value, (list, tuple)):
        items = cast("list[Any]", value)
        kinds = {type(item) for item in items}
        if kinds == {str} and max(map(len, items)) <= LONGEST_TEXT:
            return np.array(items)
        if kinds and kinds <= {bool, int, float}:
            return np.array(items)
        if kinds == {StridedTensor}:
            return _listed(name, tuple(items))
    message = f"`{name}` is neither a tensor nor a list of tensors, of texts or of numbers"
    raise Unreadable(message, "save only what is data, as tensors or lists, by name")


def _listed(name: str, rows: tuple[StridedTensor, ...]) -> TensorList:
    """Tensors as rows; those that differ along their first axis are filled up."""
    shapes, types = {row.shape for row in rows}, {row.storage.type for row in rows}
    if len(types) > 1:
        raise Unreadable(f"tensors of `{name}` differ in their type", "save all as float32")
    if len(shapes) == 1:
        return TensorList(rows, (len(rows), *rows[0].shape))
    return _varying(name, rows)


def _varying(name: str, rows: tuple[StridedTensor, ...]) -> TensorList:
    """Tensors that may differ along their first axis; plain numbers are steps of one channel."""
    shapes = {row.shape for row in rows}
    inner = {shape[1:] for shape in shapes}
    if () in shapes or len(inner) > 1 or _leaf(name) in BESIDE:
        raise differing(name)
    lengths = np.array([row.shape[0] for row in rows], np.int64)
    longest = int(lengths.max())
    shape = (len(rows), longest, *(inner.pop() or (1,)))
    return TensorList(rows, shape, np.where(lengths > 0, lengths, longest))
