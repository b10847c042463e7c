"""Lists that differ in length, what is missing, and the types of tables that numpy has not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import torch

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.runtime.data.dataset import Dataset, load_data
from fusewright.runtime.data.formats import parquet
from fusewright.runtime.data.identity import features_digest
from fusewright.runtime.data.new import Wishes, new_text
from fusewright.runtime.data.sources import source_of

from ...support import tables

SPEC = """
network n(C = 4, L = 2)
modality image optional { Image[c 2] }
modality sound { Sound[t *, c 3] }
pool Sum, ConcatFC
cell K(?, ?) { S = ?(x, y) }
predict 3 classes { cat, dog, eel }
"""
LENGTHS = [3, 1, 2, *[3] * 9]


def _filled() -> dict[str, Any]:
    """Steps of sound that are filled up with zeros, beside pictures and labels."""
    arrays = tables.arrays()
    sound = np.arange(1.0, 109.0, dtype=np.float32).reshape(12, 3, 3)
    sound[np.arange(3) >= np.array(LENGTHS)[:, None]] = 0
    return {
        "Image": arrays["Image"][:, :2],
        "Sound": sound,
        "Sound.lengths": np.array(LENGTHS),
        **{name: arrays[name] for name in ("labels", "split", "groups")},
    }


FILLED = _filled()


def _lists() -> list[list[list[float]]]:
    """The steps of each sample that count."""
    pairs = zip(FILLED["Sound"], LENGTHS, strict=True)
    return [rows[:length].tolist() for rows, length in pairs]


def _table(lists: Any, **more: Any) -> Any:
    rest = {n: a for n, a in FILLED.items() if not n.startswith("Sound")}
    columns = {name: tables.table({name: array})[name] for name, array in rest.items()}
    return pa.table({**columns, "Sound": lists, **more})


def _parquet(whole: Any, place: Path) -> Path:
    pyarrow.parquet.write_table(whole, file := place / "a.parquet", row_group_size=5)
    return file


def _arrow(whole: Any, place: Path) -> Path:
    with pa.ipc.new_file(file := place / "a.arrow", whole.schema) as writer:
        writer.write_table(whole, max_chunksize=5)
    return file


def _saved(whole: Any, place: Path) -> Path:
    return tables.dataset_folder(whole, place / "saved")


WRITERS: Mapping[str, Callable[[Any, Path], Path]] = {
    "Parquet": _parquet,
    "Arrow": _arrow,
    "a saved dataset": _saved,
}
STEPS: Mapping[str, Any] = {
    "lists of lists": pa.list_(pa.list_(pa.float32())),
    "large lists": pa.large_list(pa.large_list(pa.float32())),
    "lists of fixed size": pa.list_(pa.list_(pa.float32(), 3)),
    "tensors": pa.list_(pa.list_(pa.float64(), 3)),
}


def _loaded(data: Any) -> Dataset:
    return load_data(source_of(data), checked(fw.loads(SPEC)))


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("writer", WRITERS)
def test_lists_that_differ_are_filled_up(writer: str, steps: str, tmp_path: Path) -> None:
    place = WRITERS[writer](_table(pa.array(_lists(), STEPS[steps])), tmp_path)
    found = tables.stored(place)
    assert found["Sound.lengths"].tolist() == LENGTHS
    assert features_digest(found) == features_digest(FILLED)
    assert _loaded(place).digest() == _loaded(FILLED).digest()


def test_views_of_lists_and_of_texts_are_read(tmp_path: Path) -> None:
    steps = pa.array(_lists(), pa.list_view(pa.list_(pa.float32(), 3)))
    whole = _table(steps).drop_columns(["labels"])
    whole = whole.append_column("labels", pa.array(FILLED["labels"].tolist(), pa.string_view()))
    assert features_digest(tables.stored(_arrow(whole, tmp_path))) == features_digest(FILLED)
    assert features_digest(tables.held(whole)) == features_digest(FILLED)


def test_new_declares_the_axes_of_lists_that_differ(tmp_path: Path) -> None:
    numbers = pa.array([[1.0] * (1 + place % 2) for place in range(12)])
    whole = _table(pa.array(_lists()), Wave=numbers)
    text = new_text(Wishes(data=_parquet(pa.concat_tables([whole] * 5), tmp_path)))
    assert "Sound[t *, c 3]" in text
    assert "Wave[t *, c 1]" in text


def test_lists_of_as_many_numbers_as_equal_ones_have_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the first row and the count of numbers alone say that all are alike, none is wrong."""
    cells = [[1.0, 2.0], [3.0], [4.0, 5.0, 6.0]]
    file = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pa.table({"A": cells}), file)
    assert tables.stored(file)["A.lengths"].tolist() == [2, 1, 3]
    monkeypatch.setattr(parquet, "MOST_COUNTED", 5)
    with pytest.raises(fw.DiagnosticError, match="differ in length"):
        tables.stored(file)["A"]


# Missing


def _images(missing: Mapping[int, Any]) -> Any:
    rows = FILLED["Image"].tolist()
    return pa.array([missing.get(i, row) for i, row in enumerate(rows)], pa.list_(pa.float32(), 2))


@pytest.mark.parametrize("writer", WRITERS)
def test_a_sample_without_a_list_lacks_its_modality(writer: str, tmp_path: Path) -> None:
    whole = _table(pa.array(_lists())).drop_columns(["Image"])
    whole = whole.append_column("Image", _images({0: None, 7: [None, None]}))
    found = _loaded(WRITERS[writer](whole, tmp_path))
    assert np.flatnonzero(found.features["image.present"][:] == 0).tolist() == [0, 7]
    assert not found.features["Image"][:1].any()


MISSING = {
    "a number": (
        {"Image": _images({2: [1.0, None]})},
        r"`Image` has 1 value that is not finite in float32: the first is nan in sample 2 at \[1\]",
        "fill what is missing",
    ),
    "steps": (
        {"Sound": pa.array([None if i == 4 else row for i, row in enumerate(_lists())])},
        r"9 values in 1 sample .* the first is nan in sample 4 at \[0, 0\]",
        "declare it `optional`",
    ),
    "no steps": (
        {"Sound": pa.array([[] if i == 4 else row for i, row in enumerate(_lists())])},
        "the first is nan in sample 4",
        "declare it `optional`",
    ),
    "a label": (
        {"labels": pa.array([None, 3, None, *[0, 1, 2] * 3])},
        "`labels` are missing of 2 of 12 samples",
        "",
    ),
    "a struct": (
        {"Image": pa.array([{"x": 1.0, "y": 2.0}] * 12)},
        "`Image` holds struct<x: double, y: double>, which is fields",
        "table.flatten",
    ),
    "bytes": ({"Image": pa.array([b"x"] * 12)}, "which is bytes", "fusewright extract"),
    "labels that are several": (
        {"labels": pa.array([[0], [1, 2]] * 6)},
        "lists of `labels` differ in length",
        "0 and 1 for each label",
    ),
}


@pytest.mark.parametrize("what", MISSING)
def test_what_is_missing_or_no_array_is_said_with_a_way_on(what: str, tmp_path: Path) -> None:
    columns, said, remedy = MISSING[what]
    whole = _table(pa.array(_lists())).drop_columns([*columns])
    for name, column in columns.items():
        whole = whole.append_column(name, column)
    for source in (_parquet(whole, tmp_path), whole):
        with pytest.raises(fw.DiagnosticError, match=said) as caught:
            _loaded(source)
        assert remedy in str(caught.value)


def test_decimals_and_columns_of_nothing_are_numbers(tmp_path: Path) -> None:
    cells = pa.array([[Decimal("1.50"), None], [Decimal("2.25"), Decimal("0.75")]])
    found = tables.stored(_parquet(pa.table({"A": cells, "B": pa.nulls(2)}), tmp_path))
    np.testing.assert_array_equal(found["A"], [[1.5, np.nan], [2.25, 0.75]])
    assert np.isnan(found["B"]).all()


# What torch saves


def _tensors(rows: Any = slice(None)) -> dict[str, Any]:
    """Rows of the arrays, with one tensor for each sample of sound."""
    sound = [
        torch.from_numpy(s[:n])
        for s, n in zip(FILLED["Sound"][rows], FILLED["Sound.lengths"][rows], strict=True)
    ]
    return {
        "Image": [*torch.from_numpy(FILLED["Image"][rows])],
        "Sound": sound,
        "labels": FILLED["labels"][rows].tolist(),
        "groups": [*torch.from_numpy(FILLED["groups"][rows])],
    }


def _samples() -> list[dict[str, Any]]:
    columns = {**_tensors(), "split": FILLED["split"].tolist()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


SAVED: Mapping[str, Callable[[], Any]] = {
    "lists of tensors": lambda: {**_tensors(), "split": FILLED["split"].tolist()},
    "dicts by split": lambda: {
        word: _tensors(FILLED["split"] == word) for word in ("train", "validation", "test")
    },
    "samples": _samples,
    "samples by split": lambda: {
        word: [
            {n: v for n, v in s.items() if n != "split"} for s in _samples() if s["split"] == word
        ]
        for word in ("train", "validation", "test")
    },
}


@pytest.mark.parametrize("what", SAVED)
def test_tensors_are_read_as_people_nest_them(what: str, tmp_path: Path) -> None:
    torch.save(SAVED[what](), tmp_path / "a.pt")
    assert features_digest(tables.stored(tmp_path / "a.pt")) == features_digest(FILLED)
    assert _loaded(tmp_path / "a.pt").digest() == _loaded(FILLED).digest()


def test_a_tensor_alone_is_called_as_its_file(tmp_path: Path) -> None:
    for name in ("Image", "Sound"):
        torch.save(torch.from_numpy(FILLED[name]), tmp_path / f"{name}.pt")
    found = tables.stored(tmp_path)
    assert all(np.array_equal(found[name], FILLED[name]) for name in ("Image", "Sound"))


NO_ARRAYS: Mapping[str, tuple[Any, str]] = {
    "a pair": ((torch.ones(2), torch.ones(2)), "save `{'Image': tensor, 'labels': tensor}`"),
    "a number": ({"A": torch.ones(2), "epoch": 3}, "save only what is data"),
    "steps of two widths": ({"A": [torch.ones(2, 3), torch.ones(1, 2)]}, "fill them up"),
    "two types": ({"A": [torch.ones(2), torch.ones(2).int()]}, "save all as float32"),
    "several labels": ({"labels": [torch.ones(2), torch.ones(1)]}, "fill them up"),
}


@pytest.mark.parametrize("what", NO_ARRAYS)
def test_what_is_no_array_of_torch_is_refused_with_a_way_on(what: str, tmp_path: Path) -> None:
    value, remedy = NO_ARRAYS[what]
    torch.save(value, tmp_path / "a.pt")
    with pytest.raises(fw.DiagnosticError) as caught:
        tables.stored(tmp_path / "a.pt")
    assert remedy in str(caught.value)


def test_dicts_that_share_their_parts_are_counted(tmp_path: Path) -> None:
    value: dict[str, Any] = {f"{i}": [1] for i in range(100)}
    for _ in range(3):
        value = {f"{i}": value for i in range(100)}
    torch.save(value, tmp_path / "a.pt")
    with pytest.raises(fw.DiagnosticError, match="more than 10,000 arrays"):
        tables.stored(tmp_path / "a.pt")
