"""Zip archives, as `.npz` files and checkpoints are: members changed, dropped, doubled, marked."""

from __future__ import annotations

import warnings
import zipfile
from io import BytesIO
from random import Random

from .raw import flipped_bits, mutated_bytes

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
NAMES = ("../up.npy", "/etc/x.npy", "A.npy", "a.txt", "", "archive/data.pkl", "x" * 300)
BOMB = 2_000_000


def mutated_archive(original: bytes, random: Random) -> bytes:
    """An archive with a member that is changed; checksums fit, so that it is read."""
    with zipfile.ZipFile(BytesIO(original)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    at = random.randrange(len(members))
    name, content = members[at]
    match random.choice(("bytes", "bytes", "bits", "drop", "double", "rename", "bomb", "swap")):
        case "bytes":
            members[at] = name, mutated_bytes(content, random)
        case "bits":
            members[at] = name, flipped_bits(content[:400], random) + content[400:]
        case "drop":
            del members[at]
        case "double":
            members.append((name, mutated_bytes(content, random)))
        case "rename":
            members[at] = random.choice((*(m[0] for m in members), *NAMES)), content
        case "bomb":
            members[at] = name, content + b"\x00" * BOMB
        case _:
            members[at] = name, random.choice(members)[1]
    return _packed(members, random)


def _packed(members: list[tuple[str, bytes]], random: Random) -> bytes:
    stream = BytesIO()
    method = random.choice((zipfile.ZIP_STORED, *METHODS))
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name or "x"), content, method)
    data = bytearray(stream.getvalue())
    if random.random() < 0.1:
        _mark(data, random)
    return bytes(data)


def _mark(data: bytearray, random: Random) -> None:
    """Says of a member in the directory that it is encrypted, or packed in an unknown way."""
    at = data.find(b"PK\x01\x02")
    place, value = random.choice(((8, 1), (10, 99), (24, 255), (42, 7)))
    if at >= 0:
        data[at + place] = value
