"""Hugging Face's files of named tensors."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from ....ops.types import NUMBERS
from . import ArrayHeader, require_few

UNREADABLE = (SafetensorError,)


def headers(path: Path) -> dict[str, ArrayHeader]:
    """The headers of the tensors."""
    with safe_open(path, framework="numpy") as tensors:
        names = list(tensors.keys())
        require_few(len(names))
        slices = {name: tensors.get_slice(name) for name in names}
        return {
            name: ArrayHeader(name, tuple(s.get_shape()), _kind(s.get_dtype()), path)
            for name, s in slices.items()
        }


def arrays(path: Path, names: Collection[str] = ()) -> dict[str, NDArray[Any]]:
    """The tensors of these names, else all; raises ValueError for a type that numpy has not."""
    with safe_open(path, framework="numpy") as tensors:
        by_name: dict[str, NDArray[Any]] = {}
        for name in names or tensors.keys():
            dtype = tensors.get_slice(name).get_dtype()
            if _kind(dtype) not in NUMBERS:
                shown = "bfloat16" if dtype == "BF16" else dtype
                raise ValueError(f"`{name}` holds {shown}, which numpy cannot compute with")
            by_name[name] = tensors.get_tensor(name)
        return by_name


def _kind(dtype: str) -> str:
    """numpy's letter for a type of safetensors: `F32` is `f`; numpy has no `BF16` and `F8`."""
    if dtype.startswith(("BF", "F4", "F6_", "F8")):
        return "V"
    return {"F": "f", "I": "i", "U": "u", "B": "b"}.get(dtype[:1], "V")
