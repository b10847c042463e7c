"""Files of arrays: what is named is read, what is broken is diagnosed before memory is taken."""

from __future__ import annotations

import io
import json
import os
import random
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save, save_file

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.files import read_arrays, read_headers
from fusewright.runtime.data.new import Wishes, new_text

from ...support.running import FIXED, problem, same, spec

Arrays = Mapping[str, NDArray[Any]]
ARRAYS: Arrays = {
    "A": np.arange(12, dtype=np.float32).reshape(3, 4),
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "one": np.array(3),
    "none": np.zeros((0, 4), np.int16),
    "names": np.array(["a", "bcd"]),
    "flags": np.array([True, False]),
}


def npz(arrays: Arrays, *, compressed: bool = False) -> bytes:
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, allow_pickle=True, **arrays)
    return stream.getvalue()


# What is read


@pytest.mark.parametrize("compressed", [False, True])
def test_an_archive_is_read_as_numpy_reads_it(compressed: bool, tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    file.write_bytes(npz(ARRAYS, compressed=compressed))
    arrays = read_arrays(file)
    assert list(arrays) == list(ARRAYS)
    assert same(arrays, ARRAYS)
    assert [a.dtype for a in arrays.values()] == [a.dtype for a in ARRAYS.values()]


def test_tensors_are_read_as_the_library_wrote_them(tmp_path: Path) -> None:
    kinds = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?")
    arrays = {kind: np.arange(6).reshape(2, 3).astype(kind) for kind in kinds}
    arrays |= {"one": np.array(2.0), "none": np.zeros((3, 0), np.float32)}
    save_file(arrays, tmp_path / "a.safetensors", {"of": "nothing"})
    read = read_arrays(tmp_path / "a.safetensors")
    assert same(read, arrays)
    assert {n: a.dtype for n, a in read.items()} == {n: a.dtype for n, a in arrays.items()}


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_an_array_that_is_not_named_is_not_read(ending: str, tmp_path: Path) -> None:
    """A tensor of which a file with holes has 4 GiB; a member whose bytes are wrong."""
    data = problem(30)
    file = tmp_path / f"data.{ending}"
    if ending == "npz":
        content = npz({**data, "huge": np.full(1000, 7.0)})
        file.write_bytes(content.replace(np.float64(7).tobytes(), np.float64(8).tobytes()))
    else:
        header, _, tensors = _apart(save(dict(data)))
        end, size = len(tensors), 4 << 30
        header["huge"] = {"dtype": "U8", "shape": [size], "data_offsets": [end, end + size]}
        file.write_bytes(_together(header, tensors))
        os.truncate(file, file.stat().st_size + size)
    tracemalloc.start()
    read = load_data(file, checked(spec()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert same(read.features, load_data(data, checked(spec())).features)
    assert peak < 50_000_000
    if ending == "npz":
        with pytest.raises(fw.DiagnosticError, match="Bad CRC-32"):
            read_arrays(file)["huge"]


# What is refused


def _apart(content: bytes) -> tuple[dict[str, Any], int, bytes]:
    """The header of a `.safetensors` file, its length, and the bytes of the tensors."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), length, content[8 + length :]


def _together(header: object, tensors: bytes) -> bytes:
    text = header.encode() if isinstance(header, str) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + tensors


def tensors(data: bytes = b"\0" * 48, **changes: object) -> bytes:
    """A file of one tensor of 12 numbers, but for what is said of it."""
    entry = {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48], **changes}
    return _together({"A": entry}, data)


def member(
    content: bytes, compression: int = zipfile.ZIP_STORED, names: tuple[str, ...] = ("A.npy",)
) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name in names:
            archive.writestr(name, content)
    return stream.getvalue()


def npy(header: str, data: bytes = b"\0" * 48, version: bytes = b"\1\0") -> bytes:
    text = header.encode("latin-1")
    length = struct.pack("<H" if version == b"\1\0" else "<I", len(text))
    return b"\x93NUMPY" + version + length + text + data


def header(shape: str = "(3, 4)", descr: str = "'<f4'", order: str = "False") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


def corrupt(compression: int) -> bytes:
    """A member whose compressed bytes are wrong, though not their number."""
    noise = np.random.default_rng(0).bytes(480)
    content = bytearray(member(npy(header("(30, 4)"), noise), compression))
    start = content.index(b"A.npy") + 60
    content[start : start + 100] = b"\xff" * 100
    return bytes(content)


def encrypted() -> bytes:
    content = bytearray(member(npy(header())))
    content[content.index(b"PK\1\2") + 8] |= 1
    return bytes(content)


def larger(by: int) -> bytes:
    """A member that is said to be larger than its compressed bytes can give."""
    content = bytearray(member(npy(header(f"({by // 4},)")), zipfile.ZIP_DEFLATED))
    place = content.index(b"PK\1\2") + 24
    content[place : place + 4] = struct.pack("<I", by)
    return bytes(content)


NPZ: Mapping[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "corrupt deflate": lambda: corrupt(zipfile.ZIP_DEFLATED),
    "corrupt bzip2": lambda: corrupt(zipfile.ZIP_BZIP2),
    "corrupt LZMA": lambda: corrupt(zipfile.ZIP_LZMA),
    "LZMA": lambda: member(npy(header()), zipfile.ZIP_LZMA),
    "an encrypted member": encrypted,
    "a name twice": lambda: member(npy(header()), names=("A.npy", "B.npy")).replace(b"B.", b"A."),
    "more than deflate can give": lambda: larger(1 << 31),
    "no header": lambda: member(b""),
    "a header that is cut short": lambda: member(npy(header())[:30]),
    "a header of 4 GiB": lambda: member(b"\x93NUMPY\2\0\xff\xff\xff\xff" + b" " * 99),
    "another version": lambda: member(npy(header(), version=b"\3\0")),
    "more than 64 bits": lambda: member(npy(header("(4294967296, 4294967296)"), b"")),
    "as many as 0 in 64 bits": lambda: member(npy(header("(9223372036854775808, 2)"), b"")),
    "an axis beyond 64 bits": lambda: member(npy(header(f"(0, {2**70})"), b"")),
    "a negative axis": lambda: member(npy(header("(-3, -4)"))),
    "an axis that is true": lambda: member(npy(header("(True, 12)"))),
    "an axis of digits": lambda: member(npy(header(f"({'9' * 5000},)"))),
    "more axes than arrays have": lambda: member(npy(header(f"({'1, ' * 99})"), b"\0" * 4)),
    "fewer bytes": lambda: member(npy(header(), b"\0" * 40)),
    "more bytes": lambda: member(npy(header(), b"\0" * 56)),
    "objects": lambda: npz({"A": np.array([None], object)}),
    "no bytes for each": lambda: member(npy(header("(1000000000000,)", "'<U0'"), b"")),
    "a type that is none": lambda: member(npy(header(descr="'nonsense'"))),
    "a header that nests": lambda: member(npy("(" * 9000)),
    "a header that calls": lambda: member(npy(header(shape="(open('it'), 4)"))),
    "another object": lambda: member(npy("[]")),
}
SAFETENSORS: Mapping[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "less than a length": lambda: b"1234",
    "a length beyond the file": lambda: struct.pack("<Q", 1 << 63) + b"{}",
    "a header that is long": lambda: _together(" " * 16_000_001, b""),
    "no JSON": lambda: _together("{", b""),
    "JSON that nests": lambda: _together("[" * 100_000, b""),
    "no object": lambda: _together("[]", b""),
    "a name twice": lambda: _together('{"A": 1, "A": 2}', b""),
    "metadata that are none": lambda: _together({"__metadata__": {"a": 1}}, b""),
    "nothing said": lambda: _together({"A": {}}, b""),
    "a shape beyond 64 bits": lambda: tensors(shape=[2**40, 2**40]),
    "a negative shape": lambda: tensors(shape=[-3, -4]),
    "a shape that is true": lambda: tensors(shape=[True, 12]),
    "an axis beyond 64 bits": lambda: tensors(b"", shape=[0, 2**70], data_offsets=[0, 0]),
    "a place beyond the file": lambda: tensors(shape=[30, 4], data_offsets=[0, 480]),
    "a place before the data": lambda: tensors(data_offsets=[-8, 40]),
    "a place that ends first": lambda: tensors(data_offsets=[48, 0]),
    "a gap": lambda: tensors(b"\0" * 56, data_offsets=[8, 56]),
    "what is left over": lambda: tensors(b"\0" * 56),
    "an overlap": lambda: _together(
        {n: {"dtype": "F32", "shape": [12], "data_offsets": [0, 48]} for n in "AB"}, b"\0" * 48
    ),
    "fewer bytes": lambda: tensors(shape=[4, 4]),
    **{
        f"{kind}": lambda kind=kind: tensors(b"\0" * 12, dtype=kind, data_offsets=[0, 12])  # type: ignore[misc]
        for kind in ("F8_E4M3", "F8_E5M2", "F8_E8M0", "F4", "nonsense")
    },
    "too few of BF16": lambda: tensors(b"\0" * 22, dtype="BF16", data_offsets=[0, 22]),
}
BROKEN = {
    f"{ending}: {name}": (ending, make)
    for ending, cases in (("npz", NPZ), ("safetensors", SAFETENSORS))
    for name, make in cases.items()
}


@pytest.mark.parametrize(("ending", "make"), BROKEN.values(), ids=list(BROKEN))
def test_a_broken_file_is_diagnosed_in_little_memory(
    ending: str, make: Callable[[], bytes], tmp_path: Path
) -> None:
    file = tmp_path / f"data.{ending}"
    file.write_bytes(make())
    tracemalloc.start()
    try:
        with pytest.raises(fw.DiagnosticError) as caught:
            read_arrays(file)["A"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [d.code for d in caught.value.diagnostics] == ["E504"]
    assert peak < 50_000_000


@pytest.mark.parametrize("kind", ["F8_E4M3", "F8_E5M2"])
def test_a_type_that_numpy_lacks_is_named_with_a_remedy(kind: str, tmp_path: Path) -> None:
    content = tensors(b"\0" * 12, dtype=kind, data_offsets=[0, 12])
    (tmp_path / "a.safetensors").write_bytes(content)
    assert read_headers(tmp_path / "a.safetensors")["A"].kind == "V"
    with pytest.raises(fw.DiagnosticError, match=f"`A` holds {kind}") as caught:
        read_arrays(tmp_path / "a.safetensors")["A"]
    assert "float32" in str(caught.value.diagnostics[0].help)


def test_bfloat16_is_read_as_float32(tmp_path: Path) -> None:
    whole = np.arange(-6, 6, dtype=np.float32).reshape(3, 4)
    halves = (whole.view(np.uint32) >> 16).astype("<u2")  # small whole numbers lose nothing
    content = tensors(halves.tobytes(), dtype="BF16", data_offsets=[0, 24])
    (tmp_path / "a.safetensors").write_bytes(content)
    assert read_headers(tmp_path / "a.safetensors")["A"].kind == "f"
    read = read_arrays(tmp_path / "a.safetensors")["A"]
    assert read.dtype == np.float32
    assert np.array_equal(read[:], whole)


ALIKE: Mapping[str, Callable[[Path], object]] = {
    "a header that is cut short": lambda f: f.write_bytes(NPZ["a header that is cut short"]()),
    "an axis beyond 64 bits": lambda f: f.write_bytes(NPZ["more than 64 bits"]()),
    "LZMA": lambda f: f.write_bytes(NPZ["LZMA"]()),
    "a pipe": os.mkfifo,
    "a device": lambda f: f.symlink_to("/dev/zero"),
    "a link to nothing": lambda f: f.symlink_to("none"),
    "a folder without data": Path.mkdir,
    "no file": lambda f: None,
}


@pytest.mark.parametrize("make", ALIKE.values(), ids=list(ALIKE))
def test_train_predict_and_new_refuse_the_same(
    make: Callable[[Path], object], run: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data.npz"
    make(data)
    ways: list[Callable[[], object]] = [
        lambda: fw.train(spec(FIXED), data, out=tmp_path / "run"),
        lambda: fw.search(spec(), data, out=tmp_path / "run"),
        lambda: fw.predict(run, data),
        lambda: fw.evaluate(run, data),
        lambda: new_text(Wishes(data=data)),
    ]
    for way in ways:
        with pytest.raises(fw.DiagnosticError) as caught:
            way()
        assert [d.code for d in caught.value.diagnostics] == ["E504"]
    assert {f.name for f in tmp_path.iterdir()} <= {"data.npz"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("trained")
    fw.train(spec(FIXED), problem(30), epochs=1, threads=1, out=place)
    return place


def test_a_path_of_5000_characters_is_diagnosed_everywhere(run: Path) -> None:
    for name in ("n" * 5_000, f"{'n' * 5_000}.npz", f"{'n/' * 2_500}a.safetensors", "a\0.npz"):
        for way in (
            lambda name=name: fw.train(spec(FIXED), name),
            lambda name=name: fw.predict(run, name),
            lambda name=name: fw.train(spec(FIXED), problem(30), out=name, epochs=1),
            lambda name=name: fw.search(spec(), problem(30), out=name, epochs=1),
        ):
            with pytest.raises(fw.DiagnosticError) as caught:
                way()
            assert [d.code for d in caught.value.diagnostics] == ["E504"]


# Files with bytes that were changed

PIECES = (b"\xff" * 4, b"\0" * 4, b"\xff" * 8, b"\x7f", b"-1", b"9" * 8, b"True", b"((((", b"'|O'")
SEEDS = {
    "plain.npz": npz(ARRAYS),
    "deflated.npz": npz(ARRAYS, compressed=True),
    "a.safetensors": save({n: a for n, a in ARRAYS.items() if a.dtype.kind != "U"}),
}


def changed(content: bytes, chance: random.Random) -> bytes:
    """A file with some bytes changed, put in, taken out, or cut off."""
    made = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        place = chance.randrange(len(made) + 1)
        match chance.randrange(4):
            case 0:
                made[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                made[place : place + chance.randrange(9)] = chance.choice(PIECES)
            case 2:
                del made[place : place + chance.randrange(1, 9)]
            case _:
                del made[place : place + chance.choice((1, len(made)))]
    return bytes(made)


@pytest.mark.parametrize("name", SEEDS)
def test_a_file_with_changed_bytes_is_read_or_diagnosed(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    for number in range(300):
        file.write_bytes(changed(SEEDS[name], random.Random(number)))
        try:
            arrays = read_arrays(file)
            sizes = [np.asarray(arrays[array]).nbytes for array in arrays]
        except fw.DiagnosticError as error:
            assert [d.code for d in error.diagnostics] == ["E504"], number
        else:
            assert sum(sizes) < 2_000, number
