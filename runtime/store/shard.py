"""Shards: the arrays of a modality for consecutive samples, as a `.safetensors` file.

The header says of which plan the shard is, and the digest of what follows, so that a shard is known
to be whole before there is a manifest. Equal arrays give equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import file_digest, sha256
from io import BufferedReader
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import DiagnosticError, fail
from ...compiler.system.files import open_file, reason, write_durably
from ...compiler.system.tensors import Tensor, Tensors, read_tensors
from .manifest import Manifest, Shard, StoredArray
from .numbers import encoded
from .types import NUMBER_TYPES

KEY, NUMBER, CONTENT = "fusewright.key", "fusewright.number", "fusewright.sha256"
_ALIGNED, _LENGTH = 8, 8


def write_shard(
    folder: Path,
    plan: Manifest,
    modality: str | None,
    number: int,
    arrays: Mapping[str, NDArray[Any]],
) -> Shard:
    """Writes the arrays of a modality, each (samples, …), and says what was written.

    The file is there whole or not at all, whatever happens to the process or the machine. Raises
    DiagnosticError where arrays do not fit the plan or the file cannot be written.
    """
    samples = plan.count(number)
    bits: dict[str, tuple[StoredArray, NDArray[Any]]] = {}
    for array in sorted(plan.arrays_of(modality), key=_place):
        given = arrays[array.name]
        require_shape(array, given.shape, samples)
        bits[array.name] = array, encoded(given, array.dtype, array.name)
    content = sha256()
    for _, numbers in bits.values():
        content.update(_bytes(numbers))
    facts = {KEY: plan.key(modality), NUMBER: str(number), CONTENT: content.hexdigest()}
    header = _header(bits, facts)
    shard = Shard(modality, number, samples, 0, "")
    return _written(folder / shard.file, [header, *(_bytes(n) for _, n in bits.values())], shard)


def _place(array: StoredArray) -> tuple[int, str]:
    """Wider numbers stand first, so that all lie at multiples of their size."""
    return -NUMBER_TYPES[array.dtype].size, array.name


def require_shape(array: StoredArray, shape: tuple[int, ...], samples: int) -> None:
    """Raises DiagnosticError where an array of a shard has not its samples, or another shape."""
    fits = len(shape) == len(array.shape) + 1 and all(
        size >= 1 if array.is_open(axis) else size == array.shape[axis]
        for axis, size in enumerate(shape[1:])
    )
    if not fits or shape[0] != samples:
        expected = ", ".join("*" if size is None else str(size) for size in array.shape)
        message = f"`{array.name}` is {shape}, not ({samples}, {expected})"
        raise fail("E513", message.replace(", )", ",)"))


def _header(
    bits: Mapping[str, tuple[StoredArray, NDArray[Any]]], facts: Mapping[str, str]
) -> bytes:
    entries: dict[str, Any] = {"__metadata__": facts}
    start = 0
    for name, (array, numbers) in bits.items():
        end = start + numbers.nbytes
        kind = NUMBER_TYPES[array.dtype].tensor
        entries[name] = {"dtype": kind, "shape": numbers.shape, "data_offsets": [start, end]}
        start = end
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNED)
    return len(text).to_bytes(_LENGTH, "little") + text


def _bytes(numbers: NDArray[Any]) -> memoryview:
    return numbers.reshape(-1).view(np.uint8).data


def _written(path: Path, parts: Sequence[bytes | memoryview], shard: Shard) -> Shard:
    write_durably(path, parts)
    whole = sha256()
    for part in parts:
        whole.update(part)
    size = sum(map(len, parts))
    return Shard(shard.modality, shard.number, shard.samples, size, whole.hexdigest())


# Reading


def read_header(stream: BufferedReader, path: Path) -> Tensors:
    """What the header of a shard says; raises DiagnosticError where it cannot be read."""
    try:
        return read_tensors(stream)
    except (OSError, ValueError, MemoryError) as error:
        raise damaged(path, reason(error)) from None


def tensors_of(
    folder: Path, manifest: Manifest, modality: str | None, number: int
) -> dict[str, Tensor]:
    """Where the arrays of a shard lie in its file, by name.

    Raises DiagnosticError where the file is not there, or its header is not that of the shard.
    """
    path = folder / Shard(modality, number, 0, 0, "").file
    try:
        stream = open_file(path)
    except DiagnosticError:
        raise fail("E513", f"`{path}` is missing", help="extract or import it again") from None
    with stream:
        tensors = read_header(stream, path)
    arrays = {array.name: array for array in manifest.arrays_of(modality)}
    if arrays.keys() != tensors.by_name.keys():
        raise damaged(path, "it does not hold the arrays that the manifest says")
    for name, tensor in tensors.by_name.items():
        _require_tensor(path, arrays[name], tensor, manifest.count(number))
    return dict(tensors.by_name)


def _require_tensor(path: Path, array: StoredArray, tensor: Tensor, samples: int) -> None:
    kind = NUMBER_TYPES[array.dtype]
    try:
        require_shape(array, tensor.shape, samples)
    except DiagnosticError as error:
        raise damaged(path, error.diagnostics[0].message) from None
    taken = tensor.end - tensor.start
    if tensor.type != kind.tensor or taken != prod(tensor.shape) * kind.size:
        raise damaged(path, f"`{array.name}` is not {array.dtype}")


def whole_shard(folder: Path, plan: Manifest, modality: str | None, number: int) -> Shard | None:
    """The shard of a plan that is in a folder; None where it is not, or is not whole.

    Every byte is read.
    """
    shard = Shard(modality, number, plan.count(number), 0, "")
    path = folder / shard.file
    try:
        tensors_of(folder, plan, modality, number)
        with open_file(path) as stream:
            metadata = read_tensors(stream).metadata
            content = file_digest(stream, "sha256").hexdigest()
            stream.seek(0)
            whole = file_digest(stream, "sha256").hexdigest()
            size = stream.tell()
    except (DiagnosticError, OSError, ValueError):
        return None
    expected = {KEY: plan.key(modality), NUMBER: str(number), CONTENT: content}
    if dict(metadata) != expected:
        return None
    return Shard(modality, number, shard.samples, size, whole)


def damaged(path: Path, why: str) -> DiagnosticError:
    """The diagnostic for a shard that is not as it was written."""
    return fail("E513", f"`{path}` is damaged: {why}", help="extract or import it again")
