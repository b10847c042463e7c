"""Pickles that are small, and would take no end: refused at once."""

from __future__ import annotations

import pytest

from fusewright.runtime.data.tensor_pickle import read_tensor_pickle

_TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n("
_STORAGE = b"(\x8c\x07storagectorch\nFloatStorage\n\x8c\x010\x8c\x03cpuK\x0ctQ"
_LARGE = b"\x8a\x20" + b"\xff" * 31 + b"\x7f"


def tensor(shape: bytes, strides: bytes) -> bytes:
    return b"\x80\x02" + _TENSOR + _STORAGE + b"K\x00" + shape + strides + b"tR."


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\x80\x02}K\x01K\x02s.", "no text"),
        (b"\x80\x02)q\x00" + b"h\x00h\x00\x86q\x00" * 30 + b"}h\x00K\x01s.", "no text"),
        (b"\x80\x02)" + b"\x85" * 200_000 + b"q\x00}h\x00K\x01s.", "no text"),
        (b"\x80\x02)q\x00" + b"h\x00h\x00\x86q\x00" * 20 + b"h\x00\x93.", "cannot be read"),
        (b"\x80\x02X\x00\x10\x00\x00" + b"a" * 4096 + b"q\x00h\x00\x93.", "longer than"),
        (tensor(b"(" + _LARGE * 2 + b"t", b"(" + _LARGE * 2 + b"t"), "64 bits"),
        (tensor(b"(K\x01t", b"(" + _LARGE + b"t"), "64 bits"),
        (tensor(b"(" + b"K\x01" * 65 + b"t", b"(" + b"K\x01" * 65 + b"t"), "64 axes"),
    ],
)
def test_what_grows_without_end_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_tensor_pickle(content)


def test_a_tensor_is_still_read() -> None:
    read = read_tensor_pickle(tensor(b"(K\x03K\x04t", b"(K\x04K\x01t"))
    assert (read.shape, read.strides, read.storage.count) == ((3, 4), (4, 1), 12)
