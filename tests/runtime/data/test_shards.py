"""Arrays in several files, and the parts of a split that paths and names say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.syntax.parse import parse
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.identity import data_identity, features_digest
from fusewright.runtime.data.importing import import_features
from fusewright.runtime.data.new import Wishes, new_text
from fusewright.runtime.search.search import search

from ...support import tables
from ...support.tables import Arrays

ARRAYS: Arrays = {n: a for n, a in tables.arrays(60).items() if n not in ("split", "groups")}
BOUNDS = {"train": slice(0, 36), "validation": slice(36, 48), "test": slice(48, 60)}
SHARDS = range(12)
WRITERS = {
    name: write
    for name, write in tables.FILES.items()
    if name in ("npz", "safetensors", "pt", "HDF5", "Parquet", "Arrow", "CSV")
}


def shard(number: int) -> Arrays:
    """Five samples, as many as each shard has: of twelve, the last stand behind `part-9`."""
    return {name: array[5 * number : 5 * number + 5] for name, array in ARRAYS.items()}


def moved(write: Callable[[Arrays, Path], Path], of: Arrays, place: Path, name: str) -> Path:
    """A file of a format under another name."""
    place.mkdir(parents=True, exist_ok=True)
    file = write(of, place)
    return file.rename(file.with_name(name + file.suffix))


def same(place: Path) -> Arrays:
    """The arrays of a place, which are those of all."""
    arrays = tables.stored(place)
    assert features_digest(arrays) == features_digest({**ARRAYS, **split_in(arrays)})
    return arrays


def split_in(arrays: Arrays) -> Arrays:
    return {"split": arrays["split"]} if "split" in arrays else {}


@pytest.mark.parametrize("write", WRITERS.values(), ids=list(WRITERS))
def test_shards_of_a_folder_are_read_in_the_order_of_numbers(
    write: Callable[[Arrays, Path], Path], tmp_path: Path
) -> None:
    for number in SHARDS:
        moved(write, shard(number), tmp_path, f"part-{number}")
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / ".part-1.csv").write_text("x")
    assert "split" not in same(tmp_path)
    import_features(tmp_path, tmp_path / "store")
    assert features_digest(tables.stored(tmp_path / "store")) == features_digest(ARRAYS)
    assert len(data_identity(tmp_path, ()).parts) == len(SHARDS)


def test_lists_of_other_lengths_in_other_shards_are_filled_up(tmp_path: Path) -> None:
    for number, longest in enumerate((2, 5)):
        steps = np.ones((3, longest, 2), np.float32)
        lengths = np.full(3, longest)
        arrays: dict[str, Any] = {"A": steps, "A.lengths": lengths, "B": steps}
        np.savez(tmp_path / f"{number}.npz", **arrays)
    with pytest.raises(fw.DiagnosticError, match=r"`B` is \(3, 2, 2\) in `0.npz` and"):
        tables.stored(tmp_path)
    for number, longest in enumerate((2, 5)):
        steps = np.ones((3, longest, 2), np.float32)
        lengths = np.full(3, longest)
        arrays = {"A": steps, "A.lengths": lengths}
        np.savez(tmp_path / f"{number}.npz", **arrays)
    found = tables.stored(tmp_path)
    assert found["A"].shape == (6, 5, 2)
    assert found["A.lengths"].tolist() == [2, 2, 2, 5, 5, 5]
    assert found["A"].sum() == 3 * 2 * 2 + 3 * 5 * 2


def _of(word: str) -> Arrays:
    return {name: array[BOUNDS[word]] for name, array in ARRAYS.items()}


def _files(place: Path, words: Mapping[str, str]) -> Path:
    for word, called in words.items():
        moved(WRITERS["Parquet"], _of(word), place, called)
    return place


def _folders_of_arrays(place: Path) -> Path:
    for word, called in {"train": "train", "validation": "dev", "test": "test"}.items():
        (place / called).mkdir()
        tables.FILES["numpy memmaps"](_of(word), place / called)
    return place


def _named_arrays(place: Path, form: str) -> dict[str, Any]:
    return {form.format(word, name): a for word in BOUNDS for name, a in _of(word).items()}


def _npy(place: Path) -> Path:
    for name, array in _named_arrays(place, "{1}_{0}").items():
        np.save(place / f"{name}.npy", array)
    return place


def _npz(place: Path) -> Path:
    np.savez(file := place / "data.npz", **_named_arrays(place, "{1}_{0}"))
    return file


def _hdf5(place: Path) -> Path:
    with h5py.File(file := place / "data.h5", "w") as stream:
        for name, array in _named_arrays(place, "{0}/{1}").items():
            stream[name] = array.tolist() if array.dtype.kind == "U" else array
    return file


PARTS: Mapping[str, Callable[[Path], Path]] = {
    "files": lambda p: _files(p, {"train": "train", "validation": "val", "test": "test"}),
    "files of a hub": lambda p: _files(
        p / "data", {word: f"{word}-00000-of-00001" for word in BOUNDS}
    ).parent,
    "folders": _folders_of_arrays,
    "files of one array": _npy,
    "names of members": _npz,
    "groups of HDF5": _hdf5,
}  # fmt: skip


@pytest.mark.parametrize("write", PARTS.values(), ids=list(PARTS))
def test_the_split_is_what_paths_or_names_say(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    place = write(tmp_path)
    found = load_data(place, checked(parse(new_text(Wishes(data=place)))))
    assert np.bincount(found.split).tolist() == [36, 12, 12]
    assert np.array_equal(found.features["Image"][:], ARRAYS["Image"])
    assert found.labels.tolist() == [0, 1, 2] * 20
    same(place)


def test_columns_of_the_parts_may_stand_in_another_order(tmp_path: Path) -> None:
    for word, turn in {"train": 1, "test": -1}.items():
        moved(WRITERS["CSV"], dict([*_of(word).items()][::turn]), tmp_path, word)
    found = tables.stored(tmp_path)
    assert found["labels"].tolist() == [*_of("train")["labels"], *_of("test")["labels"]]
    assert found["split"].tolist() == ["train"] * 36 + ["test"] * 12


def test_numbered_files_of_one_array_are_shards_where_labels_are(tmp_path: Path) -> None:
    for number in SHARDS:
        for name, array in shard(number).items():
            np.save(tmp_path / f"{name}_{number}.npy", array)
    same(tmp_path)
    for file in tmp_path.glob("labels_*"):
        file.unlink()
    assert len(tables.stored(tmp_path)) == 2 * len(SHARDS)


def test_a_folder_for_each_array_holds_its_shards(tmp_path: Path) -> None:
    for number in SHARDS:
        for name, array in shard(number).items():
            (tmp_path / name).mkdir(exist_ok=True)
            np.save(tmp_path / name / f"{number}.npy", array)
    same(tmp_path)


WRONG: Mapping[str, tuple[Callable[[Path], object], str]] = {
    "not called alike": (
        lambda p: _files(p, {"train": "first", "test": "second"}),
        "not called alike: `first.parquet`, `second.parquet`",
    ),
    "other arrays": (
        lambda p: [
            moved(WRITERS["npz"], dict([*ARRAYS.items()][:count]), p, f"a{count}")
            for count in (1, 2)
        ],
        "have the same arrays, but for `Sound`",
    ),
    "one without a word": (
        lambda p: _files(p, {"train": "train", "test": "test", "validation": "more"}),
        "`more.parquet` says no part of a split",
    ),
    "no labels in the test": (
        lambda p: (
            moved(WRITERS["CSV"], _of("train"), p, "train"),
            moved(WRITERS["CSV"], {"Image": ARRAYS["Image"], "Sound": ARRAYS["Sound"]}, p, "test"),
        ),
        "`test.csv` has no `labels`",
    ),
    "one in two formats": (
        lambda p: [moved(WRITERS[n], shard(0), p, "part-0") for n in ("CSV", "Parquet")],
        "not called alike",
    ),
}


@pytest.mark.parametrize(("write", "said"), WRONG.values(), ids=list(WRONG))
def test_files_that_are_no_shards_are_refused_with_a_way_on(
    write: Callable[[Path], object], said: str, tmp_path: Path
) -> None:
    write(tmp_path)
    with pytest.raises(fw.DiagnosticError, match=said) as caught:
        tables.stored(tmp_path)
    assert [d.code for d in caught.value.diagnostics] == ["E502"]
    assert caught.value.diagnostics[0].help is not None


# Without validation samples


@pytest.mark.parametrize("groups", [None, np.arange(60) // 3])
def test_without_validation_samples_a_fifth_of_those_for_training_is_drawn(
    groups: np.ndarray | None,
) -> None:
    split = np.where(np.arange(60) < 45, "train", "test")
    arrays = {**ARRAYS, "split": split, **({} if groups is None else {"groups": groups})}
    network = checked(fw.loads(tables.SPEC))
    found = load_data(arrays, network)
    assert found.drawn
    assert np.bincount(found.split).tolist() == [36, 9, 15]
    assert (found.split[45:] == 2).all()
    if groups is None:
        assert np.bincount(found.labels[found.split == 1]).tolist() == [3, 3, 3]
    else:
        of = [{*found.split[groups == group]} for group in np.unique(groups)]
        assert all(len(parts) == 1 for parts in of)
    assert np.array_equal(load_data(arrays, network).split, found.split)
    assert not np.array_equal(load_data(arrays, network, 1).split, found.split)
    assert not load_data(ARRAYS, network).drawn


def test_a_search_takes_it_and_says_so() -> None:
    arrays = {**ARRAYS, "split": np.where(np.arange(60) < 45, "train", "test")}
    with pytest.warns(fw.DataWarning, match="9 of 45 for training are taken"):
        search(fw.loads(tables.SPEC), arrays, strategy="random", candidates=1, epochs=1, folds=0)
