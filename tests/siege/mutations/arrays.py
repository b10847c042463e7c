"""Named arrays: dropped, renamed, of another type, shape or value; and the files that hold them."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from io import BytesIO
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from . import TIMES
from .tree import mutated_tree

Array = NDArray[Any]
TYPES = ("f2", "f4", "f8", "i1", "i8", "u1", "u8", "?", "c8", "S3", "U3", "M8[s]")
FIT_FOR_SAFETENSORS = "fiub"
NAMES = ("labels", "split", "groups", "A", "", "x.y", "../x", "A.lengths", "no\x00name")
VALUES = (np.nan, np.inf, -np.inf, 1e38, -1.0, 0.0, 3.0, 1e-40, 0.5)


def changed_arrays(arrays: Mapping[str, Array], random: Random) -> dict[str, Array]:
    """Named arrays of which a few are changed."""
    found = dict(arrays)
    for _ in range(random.choice(TIMES)):
        if not found:
            break
        name = random.choice([*found])
        match random.choice(("drop", "rename", "change", "change", "change", "copy")):
            case "drop":
                del found[name]
            case "rename":
                found[random.choice((*found, *NAMES))] = found.pop(name)
            case "copy":
                found[random.choice((*found, *NAMES))] = found[name]
            case _:
                found[name] = _changed(found[name], random)
    return found


def _changed(array: Array, random: Random) -> Array:
    match random.choice(
        ("type", "value", "value", "row", "axis", "turn", "scalar", "empty", "all")
    ):
        case "type":
            with np.errstate(all="ignore"):
                kind = random.choice(TYPES)
                return array.astype(kind if array.dtype.kind in "fiub" else "S40")
        case "value" if array.size and array.dtype.kind == "f":
            changed = array.copy()
            changed.flat[random.randrange(array.size)] = random.choice(VALUES)
            return changed
        case "value" if array.size and array.dtype.kind in "iu":
            changed = array.copy()
            changed.flat[random.randrange(array.size)] = random.choice((0, 1, 3, 100))
            return changed
        case "row":
            return np.concatenate([array, array[:1]]) if array.ndim else array
        case "axis":
            return array[..., None] if random.random() < 0.5 else array.reshape(-1)
        case "turn":
            return np.ascontiguousarray(array.T)
        case "scalar":
            return np.asarray(array.flat[0]) if array.size else array
        case "empty":
            return array[:0] if array.ndim else array
        case _:
            return np.full_like(array, random.choice((0, 1)))


def mutated_npz(original: bytes, random: Random) -> bytes:
    """An archive of numpy with arrays that are changed."""
    with np.load(BytesIO(original)) as archive:
        arrays = changed_arrays(dict(archive), random)
    kept: dict[str, Any] = {k.replace("\x00", ""): v for k, v in arrays.items() if k != "file"}
    stream = BytesIO()
    pack = np.savez_compressed if random.random() < 0.3 else np.savez
    pack(stream, **kept)
    return stream.getvalue()


def mutated_tensors(original: bytes, random: Random) -> bytes:
    """A safetensors file with arrays that are changed, as far as it has their types."""
    arrays = changed_arrays(load(original), random)
    kept = {k: v for k, v in arrays.items() if v.dtype.kind in FIT_FOR_SAFETENSORS}
    return save(kept, _metadata(original))


def _metadata(original: bytes) -> dict[str, str] | None:
    metadata: dict[str, str] | None = _header(original)[0].get("__metadata__")
    return metadata


def _header(original: bytes) -> tuple[Any, bytes]:
    """The header of a safetensors file as a document, and what comes after it."""
    (length,) = struct.unpack("<Q", original[:8])
    return json.loads(original[8 : 8 + length]), original[8 + length :]


def mutated_header(original: bytes, random: Random) -> bytes:
    """A safetensors file whose header is changed, and at times no longer as long as it says."""
    header, rest = _header(original)
    text = json.dumps(mutated_tree(header, random)).encode()
    length = len(text)
    if random.random() < 0.1:
        length = random.choice((0, 1, length - 1, length + 1, 2**40, 2**63, 100_000_001))
    return struct.pack("<Q", length) + text + rest
