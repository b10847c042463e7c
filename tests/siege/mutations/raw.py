"""Bytes that are changed, cut, doubled and moved, whatever they mean."""

from __future__ import annotations

from random import Random

from . import TIMES

PIECES = (
    *(b"\x00", b"\xff", b"\xc3\xa9", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r\n", b"\t", b"\xf0"),
    *(b"\xff" * 8, b"\x00" * 8, b"\x80\x00\x00\x00", b"9" * 41, b"(" * 300, b"[" * 3000),
)


def mutated_bytes(original: bytes, random: Random) -> bytes:
    """The bytes with a few places changed; one in eight is cut off, and few are gone."""
    data = bytearray(original)
    for _ in range(random.choice(TIMES)):
        start = random.randint(0, len(data))
        end = min(len(data), start + random.choice((0, 1, 1, 2, 8, 40)))
        near = bytes(data[max(0, start - 40) : start])
        far = random.randint(0, len(data))
        other = bytes(data[far : far + random.choice((1, 4, 60))])
        data[start:end] = random.choice(
            (random.randbytes(1), random.choice(PIECES), b"", near, other)
        )
    if random.random() < 1 / 8:
        del data[random.randint(0, len(data)) :]
    return bytes(data) if random.random() < 0.99 else b""


def flipped_bits(original: bytes, random: Random) -> bytes:
    """The bytes with some bits turned over, so that lengths stay."""
    data = bytearray(original)
    for _ in range(random.choice(TIMES) if data else 0):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(data)
