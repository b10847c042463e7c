"""Files of formats that do harm elsewhere: no code is run, no other file read, memory is kept."""

from __future__ import annotations

import json
import os
import pickle
import random
import tracemalloc
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import torch

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.runtime.data import arrow_columns
from fusewright.runtime.data.files import read_headers
from fusewright.runtime.data.memory import held
from fusewright.runtime.raw.open import open_raw

from ...support import tables
from .test_files import changed

ARRAYS = tables.arrays()


def refused(place: Path, name: str = "A") -> str:
    """What is said of a file that is refused, with E504 and in little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(fw.DiagnosticError) as caught:
            tables.stored(place)[name]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [d.code for d in caught.value.diagnostics] == ["E504"]
    assert peak < 50_000_000
    return caught.value.diagnostics[0].message


# Tensors


class Payload:
    """What a pickle calls when it is loaded."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def pt(value: Any, storage: bytes = bytes(48), *, key: str = "0", **more: bytes) -> bytes:
    """An archive as `torch.save` writes it, of whatever a pickle can say."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        pickled = value if isinstance(value, bytes) else pickle.dumps(value, 2)
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr(f"archive/data/{key}", storage)
        for name, content in more.items():
            archive.writestr(f"archive/{name}", content)
    return stream.getvalue()


def rebuilt(shape: str, strides: str, count: str = "K\x0c", offset: str = "K\0") -> bytes:
    """The pickle of a dict with a tensor `A` of 12 numbers, but for what is said of it."""
    storage = "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\x000X\3\0\0\0cpu" + count + "tQ"
    hooks = "\x89ccollections\nOrderedDict\n)R"
    tensor = f"ctorch._utils\n_rebuild_tensor_v2\n({storage}{offset}{shape}{strides}{hooks}tR"
    return ("\x80\2}X\1\0\0\0A" + tensor + "s.").encode("latin-1")


MARKED: list[str] = []
SYSTEM: Any = getattr(os, "system")  # noqa: B009  (by its name: it is deprecated, not for payloads)
HARM: Mapping[str, Any] = {
    "a command": Payload(SYSTEM, "touch harmed"),
    "code": Payload(exec, "open('harmed', 'w')"),
    "an attribute": Payload(getattr, "x", "join"),
    "an import": Payload(__import__, "this"),
    "a file": Payload(open, "harmed", "w"),
    "memory": Payload(bytearray, 1 << 40),
    "a storage of any size": Payload(torch.FloatStorage, 1 << 40),
    "a list that is called": Payload(MARKED.append, "harmed"),
    "a tensor class": torch.nn.Linear(2, 2),
}


@pytest.mark.parametrize("place", ["a value", "a name", "all of it", "in a list", "behind it"])
@pytest.mark.parametrize("harm", HARM)
def test_a_pickle_with_code_in_it_runs_none(
    harm: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    payload = HARM[harm]
    values: Mapping[str, Callable[[], Any]] = {
        "a value": lambda: {"A": payload},
        "a name": lambda: {payload: 1},
        "all of it": lambda: payload,
        "in a list": lambda: {"A": ["a", payload]},
        "behind it": lambda: pickle.dumps({"A": ["a"]}, 2)[:-1] + pickle.dumps(payload, 2)[2:],
    }
    (tmp_path / "a.pt").write_bytes(pt(values[place]()))
    refused(tmp_path / "a.pt")
    assert [*tmp_path.iterdir()] == [tmp_path / "a.pt"]
    assert not MARKED


def test_what_torch_saves_with_code_in_it_is_named(tmp_path: Path) -> None:
    torch.save({"A": Payload(SYSTEM, "false")}, tmp_path / "a.pt")
    assert "it calls `posix.system`, and no code of a file is run" in refused(tmp_path / "a.pt")


SHAPE, STRIDES = "K\3K\4\x86", "K\4K\1\x86"
TENSORS: Mapping[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "the format before torch 1.6": lambda: _legacy(),
    "no dict": lambda: pt([1, 2]),
    "no text as a name": lambda: pt({1: [1]}),
    "dicts in dicts without an end": lambda: pt({"A": {"B": {"C": {"D": {"E": {"F": [1]}}}}}}),
    "a list of lists": lambda: pt({"A": [[1]]}),
    "an empty list": lambda: pt({"A": []}),
    "a long text": lambda: pt({"A": ["x" * 300]}),
    "a pickle that ends early": lambda: pt(rebuilt(SHAPE, STRIDES)[:-9]),
    "an empty stack": lambda: pt(b"\x80\2sR."),
    "a number that nothing remembers": lambda: pt(b"\x80\2h\7."),
    "an extension": lambda: pt(b"\x80\2\x82\1."),
    "an object that is built": lambda: pt(b"\x80\2}}b."),
    "more than its storage": lambda: pt(rebuilt("K\3K\5\x86", "K\5K\1\x86")),
    "one number many times": lambda: pt(rebuilt("J\0\0\0\x7fK\4\x86", "K\0K\0\x86")),
    "strides beyond its storage": lambda: pt(rebuilt(SHAPE, "K\7K\1\x86")),
    "an offset beyond its storage": lambda: pt(rebuilt(SHAPE, STRIDES, offset="K\1")),
    "negative strides": lambda: pt(rebuilt(SHAPE, "J\xff\xff\xff\xffK\1\x86")),
    "a negative shape": lambda: pt(rebuilt("J\xff\xff\xff\xffK\4\x86", STRIDES)),
    "more axes than strides": lambda: pt(rebuilt(SHAPE, "K\1\x85")),
    "a storage that is not there": lambda: pt(rebuilt(SHAPE, STRIDES), key="7"),
    "a storage that is short": lambda: pt(rebuilt(SHAPE, STRIDES), bytes(40)),
    "the highest byte first": lambda: pt(rebuilt(SHAPE, STRIDES), byteorder=b"big"),
    "a packed storage": lambda: _packed(pt(rebuilt(SHAPE, STRIDES), bytes(1 << 20))),
    "a part twice": lambda: _twice(pt(rebuilt(SHAPE, STRIDES))),
    "a type that numpy lacks": lambda: _saved({"A": torch.zeros(2, dtype=torch.uint16)}),
    "numpy's arrays": lambda: _saved({"A": np.zeros(2)}),
    "a sparse tensor": lambda: _saved({"A": torch.eye(2).to_sparse()}),
    "TorchScript": lambda: _script(),
}


def _saved(value: Any, **options: Any) -> bytes:
    torch.save(value, stream := BytesIO(), **options)
    return stream.getvalue()


def _legacy() -> bytes:
    return _saved({"A": torch.zeros(2)}, _use_new_zipfile_serialization=False)


def _script() -> bytes:
    """An archive as `torch.jit.save` writes it: its pickle names a class of its own code."""
    return pt(b"\x80\2c__torch__.torch.nn\nLinear\n)\x81}b.", constants=b"")


def _packed(content: bytes) -> bytes:
    stream = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(content)) as archive,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in archive.namelist():
            packed.writestr(name, archive.read(name))
    return stream.getvalue()


_ANOTHER: Mapping[str, Any] = {"data/1": bytes(48)}


def _twice(content: bytes) -> bytes:
    content = pt(rebuilt(SHAPE, STRIDES), **_ANOTHER)
    return content.replace(b"data/1", b"data/0")


@pytest.mark.parametrize("make", TENSORS.values(), ids=list(TENSORS))
def test_tensors_that_are_wrong_are_refused(make: Callable[[], bytes], tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(make())
    refused(tmp_path / "a.pt")


def test_a_pickle_by_hand_is_right_but_for_what_is_wrong(tmp_path: Path) -> None:
    numbers = np.arange(12, dtype=np.float32)
    (tmp_path / "a.pt").write_bytes(pt(rebuilt(SHAPE, STRIDES), numbers.tobytes()))
    assert np.array_equal(tables.stored(tmp_path / "a.pt")["A"], numbers.reshape(3, 4))


def test_what_torch_saves_is_read_as_it_reads_it(tmp_path: Path) -> None:
    whole = torch.arange(24.0).reshape(2, 3, 4)
    saved = OrderedDict(
        turned=whole.permute(2, 0, 1),
        part=whole[1, 1:, ::2],
        none=whole[:0],
        one=torch.tensor(3),
        flags=whole[0, 0] > 1,
        halves=whole.half(),
        brain=whole.bfloat16(),
        learned=torch.nn.Parameter(whole),
        shared=whole,
    )
    torch.save(saved, tmp_path / "a.pth")
    read = tables.stored(tmp_path / "a.pth")
    for name, tensor in saved.items():
        usual = tensor.detach().float() if tensor.dtype == torch.bfloat16 else tensor.detach()
        assert np.array_equal(read[name], usual.numpy()), name
        assert read_headers(tmp_path / "a.pth")[name].kind == usual.numpy().dtype.kind


# HDF5


def hdf5(place: Path, write: Callable[[Any], object]) -> Path:
    with h5py.File(file := place / "a.h5", "w") as stream:
        write(stream)
    return file


def _virtual(stream: Any) -> None:
    layout = h5py.VirtualLayout((2, 3), "f4")
    layout[0] = h5py.VirtualSource("secret.h5", "A", (3,))
    stream.create_virtual_dataset("A", layout)


def _of_another_filter(stream: Any) -> None:
    created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    created.set_chunk((3,))
    created.set_filter(32_123, h5py.h5z.FLAG_OPTIONAL, ())
    space = h5py.h5s.create_simple((3,))
    h5py.h5d.create(stream.id, b"A", h5py.h5t.IEEE_F32LE, space, created)


DATASETS: Mapping[str, Callable[[Any], object]] = {
    "another file's numbers": lambda f: f.create_dataset(
        "A", (3,), "f4", external=[("secret", 0, 12)]
    ),
    "a dataset of others": _virtual,
    "a filter that would be loaded": _of_another_filter,
    "more than is stored": lambda f: f.create_dataset("A", (1 << 40,), "f4", chunks=(1 << 20,)),
    "a chunk that is larger": lambda f: f.create_dataset(
        "A", (0,), "f4", chunks=(1 << 28,), maxshape=(None,), compression="gzip"
    ),
    "nothing": lambda f: f.create_dataset("A", data=h5py.Empty("f4")),
    "a record": lambda f: f.create_dataset("A", data=np.zeros(2, [("x", "f4")])).attrs,
    "records with texts": lambda f: f.create_dataset(
        "A", data=np.array([("a",), ("b",)], [("x", h5py.string_dtype())])
    ),
    "references": lambda f: f.create_dataset("A", data=[f.ref], dtype=h5py.ref_dtype),
    "lists of any length": lambda f: f.create_dataset("A", (2,), h5py.vlen_dtype("f4")),
    "a long text": lambda f: f.create_dataset("A", data=["x" * 300]),
    "texts with axes": lambda f: f.create_dataset("A", data=[["a"], ["b"]]),
}


@pytest.mark.parametrize("write", DATASETS.values(), ids=list(DATASETS))
def test_datasets_that_are_elsewhere_or_no_arrays_are_refused(
    write: Callable[[Any], object], tmp_path: Path
) -> None:
    file = hdf5(tmp_path, write)
    if read_headers(file)["A"].kind == "V" and write is DATASETS["a record"]:
        assert tables.stored(file)["A"].dtype.kind == "V"
        return
    refused(file)


def test_links_to_elsewhere_are_no_arrays(tmp_path: Path) -> None:
    hdf5(tmp_path, lambda stream: stream.create_dataset("A", data=[1.0])).rename(tmp_path / "s.h5")

    def write(stream: Any) -> None:
        stream["soft"], stream["outside"] = h5py.SoftLink("/x"), h5py.ExternalLink("s.h5", "A")
        stream["group/x"] = [1.0]
        stream["group/ring"] = stream["/"]

    assert [*read_headers(hdf5(tmp_path, write))] == ["group/x"]


def test_texts_of_any_length_are_read_by_the_format_alone(tmp_path: Path) -> None:
    words = [*tables.NAMES, "", "ünï", "x" * 200] * 40
    ways: Mapping[str, dict[str, Any]] = {
        "plain": {},
        "chunks": {"chunks": (7,)},
        "packed": {"compression": "gzip", "shuffle": True},
        "bytes": {"dtype": "S210"},
    }
    for way, options in ways.items():
        data = [word.encode() for word in words] if way == "bytes" else words
        with h5py.File(file := tmp_path / "a.h5", "w") as stream:
            stream.create_dataset("A", data=data, **options)
        assert tables.stored(file)["A"].tolist() == words, way


def test_broken_chunks_of_texts_are_diagnosed(tmp_path: Path) -> None:
    words = np.array(["cat", "dog"] * 50, object)
    file = hdf5(tmp_path, lambda stream: stream.create_dataset("A", data=words, compression="gzip"))
    with h5py.File(file) as stream:
        chunk = stream["A"].id.get_chunk_info(0)
    content = bytearray(file.read_bytes())
    content[chunk.byte_offset + 2 : chunk.byte_offset + chunk.size] = bytes(chunk.size - 2)
    file.write_bytes(content)
    refused(file)


def test_a_ring_in_the_heap_of_texts_ends(tmp_path: Path) -> None:
    file = hdf5(tmp_path, lambda stream: stream.create_dataset("A", data=["cat", "dog"]))
    content = file.read_bytes()
    place = content.index(b"GCOL")
    for size in (0, 1, 1 << 62):
        broken = bytearray(content)
        broken[place + 24 : place + 32] = size.to_bytes(8, "little")
        file.write_bytes(bytes(broken))
        refused(file)


# Tables


def _two_columns(place: Path) -> None:
    whole = pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["A", "A"])
    with pa.ipc.new_file(place, whole.schema) as writer:
        writer.write_table(whole)


def _lists_beyond(place: Path) -> None:
    """Lists whose places are beyond the numbers."""
    whole = pa.table({"A": [[1.0] * 7, [1.0] * 4]})
    with pa.ipc.new_file(place, whole.schema) as writer:
        writer.write_table(whole)
    places, beyond = (np.array([0, 7, end], np.int32).tobytes() for end in (11, 9_999))
    assert places in place.read_bytes()
    place.write_bytes(place.read_bytes().replace(places, beyond))


TABLES: Mapping[str, tuple[str, Callable[[Path], object]]] = {
    "nothing": ("arrow", lambda p: p.write_bytes(b"")),
    "no Arrow": ("arrow", lambda p: p.write_bytes(b"ARROW1 not")),
    "no Feather": ("feather", lambda p: p.write_bytes(b"FEA1")),
    "no Parquet": ("parquet", lambda p: p.write_bytes(b"PAR1PAR1")),
    "two columns of a name": ("arrow", _two_columns),
    "lists beyond their numbers": ("arrow", _lists_beyond),
    "a record": (
        "parquet",
        lambda p: pyarrow.parquet.write_table(pa.table({"A": [{"x": 1}]}), p),
    ),
    "a long text": (
        "parquet",
        lambda p: pyarrow.parquet.write_table(pa.table({"A": ["x" * 2000]}), p),
    ),
    "an empty table": ("csv", lambda p: p.write_bytes(b"")),
    "no row": ("csv", lambda p: p.write_bytes(b"A\n")),
    "a column twice": ("csv", lambda p: p.write_bytes(b"A,A\n1,2\n")),
    "a row that is short": ("csv", lambda p: p.write_bytes(b"A,B\n1,2\n1\n")),
    "a word among numbers": ("csv", lambda p: p.write_bytes(b"A\n1\nx\n")),
    "a quote that does not end": ("csv", lambda p: p.write_bytes(b'A\n"1\n')),
    "a long cell": ("csv", lambda p: p.write_bytes(b"A\n" + b"x" * 200_000)),
    "no UTF-8": ("csv", lambda p: p.write_bytes(b"A\n\xff\n")),
    "one array that is short": ("npy", lambda p: p.write_bytes(b"\x93NUMPY\1\0")),
}


@pytest.mark.parametrize(("ending", "write"), TABLES.values(), ids=list(TABLES))
def test_tables_that_are_wrong_are_refused(
    ending: str, write: Callable[[Path], object], tmp_path: Path
) -> None:
    write(tmp_path / f"A.{ending}")
    refused(tmp_path / f"A.{ending}")


def test_a_million_rows_of_a_kilobyte_take_no_memory_before_they_are_asked_for(
    tmp_path: Path,
) -> None:
    """Parquet says a run of equal numbers in a few bytes."""
    numbers = pa.array(np.zeros(1_000_000, np.float32))
    whole = pa.table({f"A.{i}": numbers for i in range(8)})
    pyarrow.parquet.write_table(whole, tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 100_000
    assert read_headers(tmp_path / "a.parquet")["A"].shape == (1_000_000, 8)
    network = checked(fw.loads(TOO_LARGE))
    assert held(tmp_path / "a.parquet", network, 4).memory.total == 4 * 8_000_000


def _packed_parquet(whole: Any, file: Path) -> None:
    pyarrow.parquet.write_table(whole, file)


def _packed_arrow(whole: Any, file: Path) -> None:
    packed = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(file, whole.schema, options=packed) as writer:
        writer.write_table(whole)


@pytest.mark.parametrize(
    ("name", "write"), [("a.parquet", _packed_parquet), ("a.arrow", _packed_arrow)]
)
def test_a_packed_table_is_read_within_memory(
    name: str,
    write: Callable[[Any, Path], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(pa.table({"A": np.zeros(500_000)}), tmp_path / name)
    assert (tmp_path / name).stat().st_size < 20_000
    readers: list[Callable[[Path], Any]] = [lambda place: tables.stored(place)["A"]]
    readers += [open_raw] if name == "a.parquet" else []
    assert all(read(tmp_path / name) is not None for read in readers)
    monkeypatch.setattr(arrow_columns, "available_memory", lambda: 1_000_000)
    for read in readers:
        with pytest.raises(fw.DiagnosticError, match="more memory than 1 MB") as caught:
            read(tmp_path / name)
        assert [d.code for d in caught.value.diagnostics] == ["E512"]


def test_what_is_mapped_takes_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = pa.table({"A": np.zeros(10_000)})
    with pa.ipc.new_file(tmp_path / "a.arrow", whole.schema) as writer:
        writer.write_table(whole)
    monkeypatch.setattr(arrow_columns, "available_memory", lambda: 1_000)
    assert len(tables.stored(tmp_path / "a.arrow")["A"]) == 10_000


TOO_LARGE = """
network n(C = 4, L = 2)
modality a { A[c 8] }
cell K(A, A) { S = Sum(x, y) }
predict 2 classes
"""

NAMES_OF_FILES = ("../up.arrow", "/etc/passwd", "a/b.arrow", "..", "", 7, None)


@pytest.mark.parametrize("name", NAMES_OF_FILES)
def test_a_saved_dataset_names_what_stands_in_its_folder(name: object, tmp_path: Path) -> None:
    place = tables.FILES["a saved dataset"](ARRAYS, tmp_path)
    (place / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))
    assert "`state.json` does not name what stands beside it" in refused(place, "Image")
    place = tables.FILES["saved datasets by split"](ARRAYS, tmp_path)
    (place / "dataset_dict.json").write_text(json.dumps({"splits": [name]}))
    assert "`dataset_dict.json` does not name what stands beside it" in refused(place, "Image")


# Changed bytes

CHANGED = ("pt", "Parquet", "Arrow", "Feather", "CSV", "HDF5", "numpy memmaps")


@pytest.mark.parametrize("name", CHANGED)
def test_a_file_with_changed_bytes_is_read_or_diagnosed(name: str, tmp_path: Path) -> None:
    place = tables.FILES[name](ARRAYS, tmp_path)
    file = place / "Image.npy" if place.is_dir() else place
    content = file.read_bytes()
    for number in range(40):
        file.write_bytes(changed(content, random.Random(number)))
        try:
            arrays = tables.stored(file)
            sizes = [arrays[array].nbytes for array in arrays]
        except fw.DiagnosticError as error:
            assert {d.code for d in error.diagnostics} <= {"E502", "E504"}, number
        else:
            assert sum(sizes) < 20_000, number
