"""Raw data: columns of samples in a stable order, from everything that holds them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import fusewright as fw
from fusewright.runtime.data.files import read_arrays
from fusewright.runtime.raw.data import RawData, content_digest
from fusewright.runtime.raw.decoders import decoder
from fusewright.runtime.raw.open import open_raw

from ...support.raw import picture, png, table

SAMPLES = 6


def hugging_face(folder: Path) -> Path:
    datasets = pytest.importorskip("datasets")
    rows = {
        "image": [{"bytes": png(picture(n)), "path": None} for n in range(SAMPLES)],
        "text": [f"text {n}" for n in range(SAMPLES)],
        "labels": [n % 2 for n in range(SAMPLES)],
    }
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "text": datasets.Value("string"),
            "labels": datasets.ClassLabel(names=["cat", "dog"]),
        }
    )
    whole = datasets.Dataset.from_dict(rows, features=features)
    datasets.DatasetDict(
        {
            "train": whole.select(range(4)).flatten_indices(),
            "test": whole.select(range(4, 6)).flatten_indices(),
        }
    ).save_to_disk(folder / "saved")
    return folder / "saved"


def hdf5(folder: Path) -> Path:
    with h5py.File(folder / "data.h5", "w") as file:
        file["image"] = np.stack([picture(n) for n in range(SAMPLES)])
        file["text"] = [f"text {n}" for n in range(SAMPLES)]
        file["labels"] = np.arange(SAMPLES) % 2
    return folder / "data.h5"


def parquet(folder: Path) -> Path:
    columns = {
        "image": [png(picture(n)) for n in range(SAMPLES)],
        "text": [f"text {n}" for n in range(SAMPLES)],
        "labels": [n % 2 for n in range(SAMPLES)],
    }
    pq.write_table(pa.table(columns), folder / "data.parquet")
    return folder / "data.parquet"


def comma_separated(folder: Path) -> Path:
    lines = ["image,text,labels"]
    for n in range(SAMPLES):
        (folder / f"{n}.png").write_bytes(png(picture(n)))
        lines.append(f"{n}.png,text {n},{n % 2}")
    (folder / "data.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder / "data.csv"


class Items(torch.utils.data.Dataset[dict[str, Any]]):
    def __len__(self) -> int:
        return SAMPLES

    def __getitem__(self, n: int) -> dict[str, Any]:
        return {"image": torch.tensor(picture(n)), "text": f"text {n}", "labels": n % 2}


@pytest.mark.parametrize(
    "source", [hugging_face, hdf5, parquet, comma_separated, lambda folder: Items()]
)
def test_every_source_gives_the_same_samples(source: Callable[[Path], Any], tmp_path: Path) -> None:
    raw = open_raw(source(tmp_path))
    assert raw.samples == SAMPLES
    labels = raw.columns["labels"].whole()
    assert labels is not None
    assert labels.tolist() == [n % 2 for n in range(SAMPLES)]
    kind = decoder("picture")
    for n in range(SAMPLES):
        assert raw.columns["text"].read(n) == f"text {n}"
        decoded = kind.decode(raw.columns["image"].read(n), "it", kind.Transform())
        expected = picture(n).transpose(2, 0, 1) / np.float32(255)
        assert np.array_equal(decoded, expected)


def test_datasets_on_disk_have_splits_and_class_names(tmp_path: Path) -> None:
    raw = open_raw(hugging_face(tmp_path))
    split = raw.columns["split"].whole()
    assert split is not None
    assert split.tolist() == ["train"] * 4 + ["test"] * 2
    assert raw.names == {"labels": ("cat", "dog")}
    assert raw.columns["image"].medium == "picture"


def test_a_folder_of_pictures_has_classes_and_splits(tmp_path: Path) -> None:
    for split in ("val", "train"):
        for number, category in enumerate(("dog", "cat")):
            (tmp_path / split / category).mkdir(parents=True)
            (tmp_path / split / category / "1.png").write_bytes(png(picture(number)))
            (tmp_path / split / category / "notes.md").write_text("not a picture", encoding="utf-8")
    raw = open_raw(tmp_path)
    assert [raw.columns[name].whole().tolist() for name in ("split", "labels")] == [  # type: ignore[union-attr]
        ["train", "train", "val", "val"],
        ["cat", "dog", "cat", "dog"],
    ]
    assert raw.columns["file"].read(1) == png(picture(0))
    (tmp_path / "other").mkdir()
    with pytest.raises(fw.DiagnosticError, match="folders of a split"):
        open_raw(tmp_path)


def test_a_folder_of_pictures_that_cannot_be_read_is_diagnosed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for category in ("circle", "square"):
        (tmp_path / category).mkdir()
        (tmp_path / category / "0.png").write_bytes(png(picture(0)))
    entries = Path.iterdir

    def denied(place: Path) -> Any:
        if place.name == "square":
            raise PermissionError(13, "Permission denied")
        return entries(place)

    monkeypatch.setattr(Path, "iterdir", denied)
    with pytest.raises(fw.DiagnosticError, match="square` cannot be read: permission denied"):
        open_raw(str(tmp_path))


def test_what_is_missing_is_nothing(tmp_path: Path) -> None:
    raw = open_raw(table(tmp_path, 6, missing=(1, 2)))
    image = raw.columns["image"]
    assert [image.read(n) is None for n in range(4)] == [False, True, True, False]
    assert image.place(2) == "sample 3 of `data.csv`, column `image` (`pictures/2.png`)"
    assert image.medium == "picture"
    assert raw.columns["numbers"].medium == "numbers"


def test_no_file_outside_of_the_folder_is_read(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "secret.png").write_bytes(png(picture(0)))
    (home / "link.png").symlink_to(tmp_path / "secret.png")
    lines = ["image", "../secret.png", str(tmp_path / "secret.png"), "link.png", "\0.png"]
    (home / "data.csv").write_text("\n".join(lines), encoding="utf-8")
    image = open_raw(home / "data.csv").columns["image"]
    for sample in range(4):
        with pytest.raises(fw.DiagnosticError, match=r"leads out of|is no path") as error:
            image.read(sample)
        assert f"sample {sample + 1} of `data.csv`" in str(error.value)
    wider = open_raw(home / "data.csv", tmp_path).columns["image"]
    assert wider.read(1) == png(picture(0))


def external(folder: Path) -> None:
    with h5py.File(folder / "data.h5", "w") as file:
        file["image"] = h5py.ExternalLink("other.h5", "image")


def _h5(folder: Path, **created: Any) -> None:
    with h5py.File(folder / "data.h5", "w") as file:
        file.create_dataset("image", **created)


def _one_text_many_times(folder: Path) -> None:
    """Texts of a megabyte that all stand in one place, and are as many lengths of it."""
    with h5py.File(folder / "data.h5", "w") as file:
        file.create_dataset("text", data=["x" * 1_000_000, *["y"] * 999])
        place = file["text"].id.get_offset()
    content = bytearray((folder / "data.h5").read_bytes())
    first = bytes(content[place + 4 : place + 16])
    for number in range(1000):
        length = (1_000_000 - number).to_bytes(4, "little")
        content[place + 16 * number : place + 16 * (number + 1)] = length + first
    (folder / "data.h5").write_bytes(bytes(content))


def test_lists_of_bytes_in_hdf5_are_files(tmp_path: Path) -> None:
    contents = [png(picture(n)) for n in range(3)]
    with h5py.File(tmp_path / "data.h5", "w") as file:
        image = file.create_dataset("image", (3,), h5py.vlen_dtype(np.uint8))
        for n, content in enumerate(contents):
            image[n] = np.frombuffer(content, np.uint8)
    column = open_raw(tmp_path / "data.h5").columns["image"]
    assert [column.read(n) for n in range(3)] == contents


WRONG: list[tuple[str, Callable[[Path], object], str]] = [
    (
        "data.csv",
        lambda home: (home / "data.csv").write_text("a,b\n1\n"),
        "row 2 has 1 cells, and the header 2",
    ),
    (
        "data.csv",
        lambda home: (home / "data.csv").write_text("a,a\n1,2\n"),
        "its first line names `a` twice",
    ),
    ("data.csv", lambda home: (home / "data.csv").write_text(""), "does not name its columns"),
    ("data.csv", lambda home: (home / "data.csv").write_text("a\n"), "holds no sample"),
    ("data.parquet", lambda home: (home / "data.parquet").write_bytes(b"PAR1"), "cannot be read"),
    (
        "data.h5",
        lambda home: (home / "data.h5").write_bytes(b"\x89HDF\r\n\x1a\n"),
        "cannot be read",
    ),
    (
        "data.h5",
        lambda home: _h5(home, shape=(10**12,), dtype="f4", chunks=(1 << 20,)),
        "cannot be as large as it says",
    ),
    (
        "data.h5",
        lambda home: _h5(home, shape=(2, 10**12), dtype="f4", chunks=(1, 1 << 20)),
        "cannot be as large as it says",
    ),
    (
        "data.h5",
        lambda home: _h5(home, shape=(10**10,), dtype=h5py.string_dtype(), chunks=(1 << 20,)),
        "cannot be as large as it says",
    ),
    (
        "data.h5",
        lambda home: _h5(home, shape=(2,), dtype=h5py.vlen_dtype("f4")),
        "no decoder takes|cannot be as large",
    ),
    ("data.h5", _one_text_many_times, "longer than it is"),
    ("data.h5", external, "no dataset of samples that lies in this file"),
    (
        "saved",
        lambda home: _saved(home, '{"_data_files": [{"filename": "../x"}]}'),
        "does not name what",
    ),
    ("saved", lambda home: _saved(home, '{"_data_files": [{"filename": "x"}]}'), "cannot be read"),
    ("other", lambda home: (home / "other").mkdir(), "no raw data that is known"),
    ("pipe.csv", lambda home: os.mkfifo(home / "pipe.csv"), "no raw data that is known"),
]


def _saved(home: Path, state: str) -> None:
    (home / "saved").mkdir()
    (home / "saved/state.json").write_text(state)


def arrow(home: Path, *, files: int = 1, **columns: Any) -> Path:
    """A folder as `datasets` saves it, of files with these columns; the last has one more."""
    place, names = home / "saved", [f"{n}.arrow" for n in range(files)]
    _saved(home, json.dumps({"_data_files": [{"filename": name} for name in names]}))
    for number, name in enumerate(names):
        whole = pa.table({**columns, **({"more": [1, 1]} if number else {})})
        with pa.ipc.new_stream(place / name, whole.schema) as writer:
            writer.write_table(whole)
    return place


def _changed(file: Path, before: bytes, after: bytes) -> None:
    content = file.read_bytes()
    assert content.count(before) == 1
    file.write_bytes(content.replace(before, after))


def _beyond(home: Path) -> None:
    """Bytes whose places are beyond those of the file."""
    file = arrow(home, image=[b"abcd", b"efghijk"]) / "0.arrow"
    places, beyond = (np.array([0, 4, end], np.int32).tobytes() for end in (11, 1 << 30))
    _changed(file, places, beyond)


BROKEN_ARROW: list[tuple[Callable[[Path], object], str]] = [
    (_beyond, "cannot be read"),
    (
        lambda home: _changed(arrow(home, text=["caption", "x"]) / "0.arrow", b"capt", b"\xff" * 4),
        "UTF8",
    ),
    (lambda home: arrow(home, files=2, text=["a", "b"]), "differ in their columns"),
]


@pytest.mark.parametrize(("write", "why"), BROKEN_ARROW, ids=["places", "text", "columns"])
def test_arrow_is_checked_before_it_is_used(
    write: Callable[[Path], object], why: str, tmp_path: Path
) -> None:
    write(tmp_path)
    with pytest.raises(fw.DiagnosticError, match=why) as error:
        open_raw(tmp_path / "saved")
    assert [d.code for d in error.value.diagnostics] == ["E504"]


def test_parquet_is_checked_before_it_is_used(tmp_path: Path) -> None:
    file = tmp_path / "data.parquet"
    pq.write_table(
        pa.table({"text": ["caption"]}),
        file,
        compression="none",
        use_dictionary=False,
        write_statistics=False,
    )
    _changed(file, b"capt", b"\xff" * 4)
    with pytest.raises(fw.DiagnosticError, match="UTF8"):
        open_raw(file)


@pytest.mark.parametrize("name", ["data.csv", "data.CSV", "data.tsv"])
@pytest.mark.parametrize("apart", [",", "; ", "\t"])
def test_a_table_reads_the_same_as_raw_data_and_as_data(
    name: str, apart: str, tmp_path: Path
) -> None:
    rows = [("age", "word"), ("1", "a cat "), (), ("2", "dog")]
    file = tmp_path / name
    file.write_text("\n".join(apart.join(row) for row in rows), encoding="utf-8")
    raw, arrays = open_raw(file), read_arrays(file)
    assert [*raw.columns] == [*arrays] == ["age", "word"]
    for column, values in {"age": [1, 2], "word": ["a cat", "dog"]}.items():
        whole = raw.columns[column].whole()
        assert whole is not None
        assert whole.tolist() == np.asarray(arrays[column]).tolist() == values


def test_a_path_without_bytes_is_that_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(picture(0)))
    paths = ("a.png", "none.png", "../a.png", None)
    pq.write_table(
        pa.table({"image": [{"bytes": None, "path": path} for path in paths]}),
        tmp_path / "data.parquet",
    )
    image = open_raw(tmp_path / "data.parquet").columns["image"]
    assert [image.read(n) for n in (0, 1, 3)] == [png(picture(0)), None, None]
    with pytest.raises(fw.DiagnosticError, match="leads out of"):
        image.read(2)


def test_a_selection_of_a_saved_dataset_is_refused_by_every_reader(tmp_path: Path) -> None:
    place = arrow(tmp_path, labels=[0, 1])
    state = {"_data_files": [{"filename": "0.arrow"}], "_indices_files": [{"filename": "i.arrow"}]}
    (place / "state.json").write_text(json.dumps(state))
    for read in (open_raw, read_arrays):
        with pytest.raises(fw.DiagnosticError, match="is a selection") as error:
            read(place)
        assert error.value.diagnostics[0].help == "save it after `flatten_indices()`"


@pytest.mark.parametrize("names", [5, [1, 2], None])
def test_names_of_classes_are_texts(names: object, tmp_path: Path) -> None:
    said = {"info": {"features": {"label": {"_type": "ClassLabel", "names": names}}}}
    place = arrow(tmp_path, label=[0, 1])
    whole = pa.table({"label": [0, 1]}).replace_schema_metadata({"huggingface": json.dumps(said)})
    with pa.ipc.new_stream(place / "0.arrow", whole.schema) as writer:
        writer.write_table(whole)
    (place / "dataset_info.json").write_text(json.dumps(said["info"]))
    assert open_raw(place).names == {}


@pytest.mark.parametrize(("name", "write", "why"), WRONG)
def test_bad_sources_are_diagnosed(
    name: str, write: Callable[[Path], object], why: str, tmp_path: Path
) -> None:
    write(tmp_path)
    with pytest.raises(fw.DiagnosticError, match=why):
        open_raw(tmp_path / name)


def test_digests_tell_contents_apart() -> None:
    contents: list[Any] = [
        None,
        b"",
        b"a",
        "a",
        np.zeros(2),
        np.zeros(2, np.float32),
        np.zeros((1, 2)),
    ]
    assert len({content_digest(content) for content in contents}) == len(contents)


def test_raw_data_know_their_columns(tmp_path: Path) -> None:
    raw = open_raw(table(tmp_path, 3))
    assert isinstance(raw, RawData)
    assert open_raw(raw) is raw
    with pytest.raises(fw.DiagnosticError, match="no column `imag`"):
        raw.column("imag")
