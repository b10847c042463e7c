"""Data that people hold: every format and form gives the same features, and declares them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
import torch

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.runtime.data.dataset import Dataset, load_data
from fusewright.runtime.data.files import (
    ENDINGS,
    FOLDER_FORMATS,
    arrays_of,
    read_headers,
)
from fusewright.runtime.data.identity import data_identity, features_digest
from fusewright.runtime.data.new import Wishes, new_text
from fusewright.runtime.data.sources import source_of

from ...support import tables

ARRAYS = tables.arrays()


def loaded(data: Any) -> Dataset:
    return load_data(source_of(data), checked(fw.loads(tables.SPEC)))


def test_every_format_is_among_those_that_are_compared(tmp_path: Path) -> None:
    places = [write(ARRAYS, _folder(tmp_path, name)) for name, write in tables.FILES.items()]
    endings = {file.suffix for place in places for file in (place, *_inside(place))}
    assert set(ENDINGS) - endings == {".pq", ".pth", ".tsv"}
    marks = {file.name for place in places for file in _inside(place)}
    assert set(FOLDER_FORMATS) - marks == set()


def _folder(place: Path, name: str) -> Path:
    (folder := place / name).mkdir()
    return folder


def _inside(place: Path) -> list[Path]:
    return list(place.rglob("*")) if place.is_dir() else []


@pytest.mark.parametrize("name", tables.FILES)
def test_every_format_gives_the_same_features(name: str, tmp_path: Path) -> None:
    place = tables.FILES[name](ARRAYS, tmp_path)
    found = loaded(place)
    assert found.digest() == loaded(ARRAYS).digest()
    assert found.labels.tolist() == [0, 1, 2] * 4
    assert np.unique(found.split).tolist() == [0, 1, 2]
    if name != "saved datasets by split":
        assert found.split.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    assert features_digest(tables.stored(place)) == features_digest(ARRAYS)


@pytest.mark.parametrize("name", tables.FILES)
def test_headers_say_what_arrays_are(name: str, tmp_path: Path) -> None:
    place = tables.FILES[name](ARRAYS, tmp_path)
    headers, arrays = read_headers(place), tables.stored(place)
    assert {*ARRAYS} <= {*headers}
    assert {n: (h.shape, h.kind) for n, h in headers.items()} == {
        n: (arrays[n].shape, arrays[n].dtype.kind) for n in headers
    }


@pytest.mark.parametrize("name", sorted({*tables.FILES} - {*tables.FLAT}))
def test_more_axes_than_one(name: str, tmp_path: Path) -> None:
    volume = np.arange(12 * 24, dtype=np.float32).reshape(12, 4, 3, 2)
    place = tables.FILES[name]({**ARRAYS, "Video": volume}, tmp_path)
    found = tables.stored(place)
    assert np.array_equal(found["Video"], volume)
    assert found["Video"].dtype == np.float32


@pytest.mark.parametrize("name", tables.FORMS)
def test_every_form_in_python_gives_the_same_features(name: str) -> None:
    source = source_of(tables.FORMS[name](ARRAYS))
    assert load_data(source, checked(fw.loads(tables.SPEC))).digest() == loaded(ARRAYS).digest()
    assert features_digest(arrays_of(source)) == features_digest(ARRAYS)


def test_samples_are_read_once() -> None:
    samples = tables.Samples(ARRAYS)
    loaded(samples)
    assert samples.read == len(samples)
    batches: Any = tables.FORMS["a DataLoader"](ARRAYS)
    loaded(batches)
    assert batches.dataset.read == 12


@pytest.mark.parametrize("name", tables.FILES)
def test_new_declares_features_of_every_format(name: str, tmp_path: Path) -> None:
    text = new_text(Wishes(data=tables.FILES[name](tables.arrays(60), tmp_path)))
    assert "Image[c 4]" in text
    assert "Sound[c 3]" in text
    names = "" if name == "safetensors" else " { cat, dog, eel }"
    assert f"predict 3 classes{names}\n" in text


def test_datasets_are_read_as_the_library_saves_them(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    features = datasets.Features(
        {
            "Image": datasets.Sequence(datasets.Value("float32")),
            "Grid": datasets.Array2D((2, 2), "float32"),
            "label": datasets.ClassLabel(names=["one", "another"]),
        }
    )
    rows = {"Image": [[1.0, 2.0], [3.0, 4.0]], "Grid": np.ones((2, 2, 2)), "label": [1, 0]}
    whole = datasets.Dataset.from_dict(rows, features)
    datasets.DatasetDict({"train": whole, "test": whole.select([1])}).save_to_disk(tmp_path / "d")
    for arrays in (
        tables.stored(tmp_path / "d"),
        tables.held({"train": whole, "test": whole.select([1])}),
    ):
        assert arrays["labels.names"].tolist() == ["one", "another"]
        assert arrays["labels"].tolist() == [1, 0, 0]
        assert arrays["split"].tolist() == ["train", "train", "test"]
        assert arrays["Image"].tolist() == [[1, 2], [3, 4], [3, 4]]
        assert arrays["Grid"].shape == (3, 2, 2)
    one = tables.held(whole)
    assert one["labels.names"].tolist() == ["one", "another"]


def test_arrays_in_files_of_memmaps_stay_there(tmp_path: Path) -> None:
    place = tables.FILES["numpy memmaps"](ARRAYS, tmp_path)
    image = tables.stored(place)["Image"]
    assert not image.flags.writeable
    assert not image.flags.owndata


def test_the_identity_of_a_folder_is_that_of_its_files(tmp_path: Path) -> None:
    place = tables.FILES["saved datasets by split"](ARRAYS, tmp_path)
    names = {part.name for part in data_identity(place, ()).parts}
    assert {"dataset_dict.json", "train/state.json", "test/data-00001-of-00002.arrow"} <= names
    before = data_identity(place, ()).digest
    (place / "train" / "state.json").write_text('{"_data_files": [{"filename": "x.arrow"}]}')
    (place / "train" / "data-00000-of-00002.arrow").rename(place / "train" / "x.arrow")
    assert data_identity(place, ()).digest != before


# Columns


def test_numbered_columns_are_one_array() -> None:
    columns = {"A.0": [1.0, 2.0], "A.1": [3.0, 4.0], "B_1": [1, 2], "B_2": [3, 4], "C_0": [1, 2]}
    arrays = tables.held(pa.table({**columns, "D.0": ["x", "y"], "D.2": [1, 2]}))
    assert arrays["A"].tolist() == [[1, 3], [2, 4]]
    assert arrays["B"].tolist() == [[1, 3], [2, 4]]
    assert {"C_0", "D.0", "D.2"} <= {*arrays}


def test_one_number_for_each_sample_is_a_feature_of_one_channel() -> None:
    spec = fw.loads(tables.SPEC.replace("Sound[c 3]", "age[c 1]"))
    age = np.arange(12.0)
    found = load_data({**ARRAYS, "age": age}, checked(spec))
    assert np.array_equal(found.features["age"][:], age[:, None])


@pytest.mark.parametrize("kind", ["bfloat16", "float16", "float8_e5m2"])
def test_tensors_of_types_that_numpy_lacks_are_widened(kind: str) -> None:
    pytest.importorskip("ml_dtypes")  # registers the names of such types with numpy
    tensor = torch.arange(8).reshape(4, 2).to(getattr(torch, kind))
    found = tables.held({"A": tensor})["A"]
    assert found.tolist() == tensor.float().tolist()
    assert found.dtype.kind == "f"


def test_what_is_masked_is_missing() -> None:
    """It was read as if it were not masked."""
    masked = np.ma.masked_equal(np.arange(12).reshape(4, 3), 4)
    found = tables.held({"A": masked, "B": np.ma.asarray(np.ones(4))})
    assert np.argwhere(np.isnan(found["A"])).tolist() == [[1, 1]]
    assert found["B"].tolist() == [1, 1, 1, 1]


WRONG = {
    "tuples": ([(1.0, 2.0, 3.0)], "sample 0 of the data is no dict"),
    "a frame that waits": (pl.DataFrame({"A": [1]}).lazy(), "`LazyFrame` is neither a table"),
    "parts of other lengths": (
        {"train": {"A": np.ones((3, 2)), "labels": np.ones(2)}},
        "the arrays of `train` differ in their number of samples",
    ),
    "a number": (7, "`int` is neither a table, nor arrays or samples by name"),
    "samples without names": ([1, 2], "sample 0 of the data is no dict"),
    "no sample": ([], "the data has no sample"),
    "names that differ": ([{"A": 1.0}, {"B": 1.0}], "sample 1 of the data is no dict"),
    "shapes that differ": ([{"A": [1.0]}, {"A": [1.0, 2.0]}], "rows of `A` differ in shape"),
    "splits that differ": (
        {"train": pa.table({"A": [1]}), "test": pa.table({"B": [1]})},
        "the tables of the splits differ in their columns",
    ),
}


@pytest.mark.parametrize(("data", "said"), WRONG.values(), ids=list(WRONG))
def test_what_is_no_data_is_refused(data: Any, said: str) -> None:
    with pytest.raises(fw.DiagnosticError, match=said) as caught:
        source_of(data)
    assert [d.code for d in caught.value.diagnostics] == ["E502"]
