"""torch's files: tensors, dicts and lists of them, as `torch.save` writes them.

torch is not needed, and no code of a file is run: see `tensor_pickle.py`. Tensors stay in the file
until they are used.
"""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedReader
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....compiler.system.archives import BROKEN_ARCHIVE
from ....compiler.system.tensors import widened
from ..mapped import mapped
from ..ragged import filled_up
from ..tensor_pickle import LONGEST, StridedTensor, read_tensor_pickle
from ..tensor_values import ALONE, TensorList, Value, arrays_in
from . import ArrayHeader

ENDINGS = (".pt", ".pth")
UNREADABLE = BROKEN_ARCHIVE
_TYPES: Mapping[str, str] = {
    "HalfStorage": "<f2",
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "ByteStorage": "u1",
    "CharStorage": "i1",
    "ShortStorage": "<i2",
    "IntStorage": "<i4",
    "LongStorage": "<i8",
    "BFloat16Storage": "<u2",
    "BoolStorage": "?",
}
"""numpy's types of torch's storages; bfloat16 is the upper half of a float32."""
_BFLOAT16 = "BFloat16Storage"
_PICKLE, _NAME_LENGTHS, _LOCAL_HEADER = "data.pkl", 26, 30


@dataclass(frozen=True, slots=True)
class _Content:
    """What a file holds by name, and where its storages stand."""

    values: Mapping[str, Value]
    members: Mapping[str, zipfile.ZipInfo]
    folder: str


def headers(stream: BufferedReader, file: Path) -> Mapping[str, ArrayHeader]:
    """The headers of the tensors and lists; one tensor alone is called as its file."""
    named = {name or file.stem: value for name, value in _content(stream).values.items()}
    return {
        name: ArrayHeader(name, value.shape, _kind(value), file, _is_apart(value))
        for name, value in named.items()
    }


def array(stream: BufferedReader, name: str) -> NDArray[Any]:
    """The tensor or the list of this name."""
    content = _content(stream)
    value = content.values[ALONE if ALONE in content.values else name]
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, TensorList):
        return _rows(stream, content, value, name)
    return _tensor(stream, content, value, name)


def _kind(value: Value) -> str:
    if isinstance(value, np.ndarray):
        return value.dtype.kind
    of = value.rows[0] if isinstance(value, TensorList) else value
    if of.storage.type == _BFLOAT16:
        return "f"
    return np.dtype(_TYPES[of.storage.type]).kind if of.storage.type in _TYPES else "V"


def _is_apart(value: Value) -> bool:
    """Whether samples are read without the rest, as they are but of bfloat16."""
    is_mapped = isinstance(value, StridedTensor) and value.storage.type != _BFLOAT16
    return is_mapped and bool(prod(value.shape))


def _content(stream: BufferedReader) -> _Content:
    stream.seek(0)
    if not zipfile.is_zipfile(stream):
        raise ValueError("it is no archive; save it again with torch 1.6 or later")
    with zipfile.ZipFile(stream) as archive:
        members = {member.filename: member for member in archive.infolist()}
        if len(members) < len(archive.infolist()):
            raise ValueError("a part stands in it twice")
        pickled = [name for name in members if name.split("/", 1)[-1] == _PICKLE]
        if len(pickled) != 1 or members[pickled[0]].file_size > LONGEST:
            raise ValueError(f"it has no `{_PICKLE}` as `torch.save` writes it")
        folder = pickled[0].removesuffix(_PICKLE)
        order = f"{folder}byteorder"
        if order in members and archive.read(_plain(members[order])) != b"little":
            raise ValueError("its numbers have their highest byte first")
        value = read_tensor_pickle(archive.read(_plain(members[pickled[0]])))
    return _Content(arrays_in(value), members, folder)


def _plain(member: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """A member, as torch writes them; raises ValueError where it is packed."""
    if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
        raise ValueError(f"`{member.filename}` is packed, which torch does not do")
    if member.file_size != member.compress_size:
        raise ValueError(f"`{member.filename}` cannot be as large as it says")
    return member


def _rows(stream: BufferedReader, content: _Content, listed: TensorList, name: str) -> NDArray[Any]:
    """The rows of a list as one array."""
    rows = (_tensor(stream, content, row, name) for row in listed.rows)
    if listed.lengths is None:
        return np.stack([*rows])
    axes = listed.shape[2:]
    steps = [row.reshape(len(row), *axes) for row in rows]
    lengths = np.array([len(row) for row in steps], np.int64)
    return filled_up(np.concatenate(steps), lengths, listed.shape)


def _tensor(
    stream: BufferedReader, content: _Content, tensor: StridedTensor, name: str
) -> NDArray[Any]:
    storage = tensor.storage
    if storage.type not in _TYPES:
        raise ValueError(f"`{name}` holds {storage.type}, which numpy has not: save it as float32")
    dtype = np.dtype(_TYPES[storage.type])
    member = _plain(content.members[f"{content.folder}data/{storage.key}"])
    if member.file_size < storage.count * dtype.itemsize:
        raise ValueError(f"`{name}` does not have the bytes that its shape takes")
    if not storage.count:
        return np.empty(tensor.shape, dtype)
    start = _start(stream, member)
    if start + member.file_size > os.fstat(stream.fileno()).st_size:
        raise ValueError("it is cut short")
    values = mapped(stream, dtype, start, (storage.count,))
    array = np.lib.stride_tricks.as_strided(
        values[tensor.offset :],
        tensor.shape,
        [stride * dtype.itemsize for stride in tensor.strides],
        subok=True,
        writeable=False,
    )
    return widened(array) if storage.type == _BFLOAT16 else array


def _start(stream: BufferedReader, member: zipfile.ZipInfo) -> int:
    """Where the bytes of a member begin."""
    stream.seek(member.header_offset + _NAME_LENGTHS)
    name, extra = struct.unpack("<HH", stream.read(4))
    return member.header_offset + _LOCAL_HEADER + int(name) + int(extra)
