"""The same arrays in every format and form in which people hold them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import h5py
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from fusewright.runtime.data.files import arrays_of, read_arrays
from fusewright.runtime.data.importing import import_features
from fusewright.runtime.data.sources import source_of

Arrays = Mapping[str, NDArray[Any]]
NAMES = ("cat", "dog", "eel")

SPEC = """
network n(C = 4, L = 2)
modality image { Image[c 4] }
modality sound { Sound[c 3] }
pool Sum, ConcatFC
cell K(?, ?) { S = ?(x, y) }
predict 3 classes { cat, dog, eel }
"""


def arrays(samples: int = 12) -> dict[str, NDArray[Any]]:
    """Two features, labels and a split that are words, and groups."""
    generator = np.random.default_rng(0)
    places = np.arange(samples) % 3
    return {
        "Image": generator.normal(size=(samples, 4)).astype(np.float32),
        "Sound": generator.normal(size=(samples, 3)).astype(np.float32),
        "labels": np.array(NAMES)[places],
        "split": np.array(["train", "validation", "test"])[np.arange(samples) // 4 % 3],
        "groups": np.arange(samples) // 2,
    }


def numbers(of: Arrays) -> dict[str, NDArray[Any]]:
    """The arrays with numbers instead of words, for what holds numbers alone."""
    count = {"train": 0, "validation": 1, "test": 2}
    words: dict[str, dict[str, int]] = {
        "labels": dict(zip(NAMES, range(3), strict=True)),
        "split": count,
    }
    return {
        name: np.array([words[name][str(word)] for word in array])
        if array.dtype.kind == "U"
        else array
        for name, array in of.items()
    }


def table(of: Arrays) -> Any:
    """The arrays as columns: those with axes as fixed-size lists."""
    return pa.table({name: _column(array) for name, array in of.items()})


def _column(array: NDArray[Any]) -> Any:
    column = pa.array(array.reshape(-1))
    for size in array.shape[:0:-1]:
        column = pa.FixedSizeListArray.from_arrays(column, size)
    return column


def stored(place: Path) -> Arrays:
    """The arrays of a file or folder, each of which is read when it is asked for."""
    return cast(Arrays, read_arrays(place))


def held(data: Any) -> Arrays:
    """The arrays of data of Python."""
    return cast(Arrays, arrays_of(source_of(data)))


# Files and folders


def _npz(of: Arrays, place: Path) -> Path:
    np.savez(file := place / "data.npz", **of)  # type: ignore[arg-type]
    return file


def _safetensors(of: Arrays, place: Path) -> Path:
    save_file(numbers(of), file := place / "data.safetensors")
    return file


def _npy(of: Arrays, place: Path) -> Path:
    for name, array in of.items():
        np.save(place / f"{name}.npy", array)
    return place


def _pt(of: Arrays, place: Path) -> Path:
    saved = {
        name: array.tolist() if array.dtype.kind == "U" else torch.from_numpy(array)
        for name, array in of.items()
    }
    torch.save(saved, file := place / "data.pt")
    return file


def _hdf5(of: Arrays, place: Path) -> Path:
    with h5py.File(file := place / "data.h5", "w") as stream:
        for name, array in of.items():
            stream[name] = array.tolist() if array.dtype.kind == "U" else array
    return file


def _packed_hdf5(of: Arrays, place: Path) -> Path:
    with h5py.File(file := place / "data.hdf5", "w") as stream:
        for name, array in of.items():
            data = array.tolist() if array.dtype.kind == "U" else array
            stream.create_dataset(name, data=data, compression="gzip", shuffle=True)
    return file


def _parquet(of: Arrays, place: Path) -> Path:
    pyarrow.parquet.write_table(table(of), file := place / "data.parquet", row_group_size=5)
    return file


def _pandas_parquet(of: Arrays, place: Path) -> Path:
    frame(of).to_parquet(file := place / "data.parquet")
    return file


def _arrow(of: Arrays, place: Path) -> Path:
    whole = table(of)
    with pa.ipc.new_file(file := place / "data.arrow", whole.schema) as writer:
        writer.write_table(whole, max_chunksize=5)
    return file


def _feather(of: Arrays, place: Path) -> Path:
    pyarrow.feather.write_feather(table(of), str(file := place / "data.feather"))
    return file


def csv_table(of: Arrays, mark: str = ".") -> dict[str, NDArray[Any]]:
    """The arrays as columns of one number or text each."""
    columns: dict[str, NDArray[Any]] = {}
    for name, array in of.items():
        if array.ndim == 1:
            columns[name] = array
        else:
            columns |= {f"{name}{mark}{i}": array[:, i] for i in range(array.shape[1])}
    return columns


def _csv(of: Arrays, place: Path) -> Path:
    columns = csv_table(of)
    with (file := place / "data.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([columns, *zip(*columns.values(), strict=True)])
    return file


def dataset_folder(whole: Any, place: Path) -> Path:
    """A folder as `Dataset.save_to_disk` writes it."""
    place.mkdir(exist_ok=True)
    files = []
    for number, rows in enumerate((whole.slice(0, 7), whole.slice(7))):
        name = f"data-{number:05}-of-00002.arrow"
        with pa.ipc.new_stream(place / name, whole.schema) as writer:
            writer.write_table(rows)
        files.append({"filename": name})
    (place / "state.json").write_text(json.dumps({"_data_files": files}))
    (place / "dataset_info.json").write_text("{}")
    return place


def class_label(whole: Any, name: str, names: tuple[str, ...]) -> Any:
    """A table whose metadata name classes as `datasets` does."""
    features = {name: {"names": [*names], "_type": "ClassLabel"}}
    said = json.dumps({"info": {"features": features}})
    return whole.replace_schema_metadata({"huggingface": said})


def _dataset(of: Arrays, place: Path) -> Path:
    named = table({**of, "labels": numbers(of)["labels"]}).rename_columns({"labels": "label"})
    return dataset_folder(class_label(named, "label", NAMES), place / "saved")


def _splits(of: Arrays, place: Path) -> Path:
    folder = place / "splits"
    folder.mkdir()
    whole, splits = table(of), np.unique(of["split"])[[1, 2, 0]].tolist()
    for split in splits:
        rows = whole.filter(pa.array(of["split"] == split)).drop_columns(["split"])
        dataset_folder(rows, folder / split)
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": splits}))
    return folder


def _store(of: Arrays, place: Path) -> Path:
    import_features(of, place / "store")
    return place / "store"


FILES: Mapping[str, Callable[[Arrays, Path], Path]] = {
    "npz": _npz,
    "safetensors": _safetensors,
    "numpy memmaps": _npy,
    "pt": _pt,
    "HDF5": _hdf5,
    "HDF5, packed": _packed_hdf5,
    "Parquet": _parquet,
    "Parquet of pandas": _pandas_parquet,
    "Arrow": _arrow,
    "Feather": _feather,
    "CSV": _csv,
    "a saved dataset": _dataset,
    "saved datasets by split": _splits,
    "a store": _store,
}
"""By what they are called, what writes the arrays to a folder, and says where they stand."""
FLAT = ("CSV", "Parquet of pandas")
"""Formats whose features have one axis: pandas writes no arrays of more."""


# In Python


def frame(of: Arrays) -> pd.DataFrame:
    """The arrays as columns, with an array in each cell of those that have axes."""
    return pd.DataFrame({n: list(a) if a.ndim > 1 else a for n, a in of.items()})


class Samples(torch.utils.data.Dataset[dict[str, Any]]):
    """Samples one by one, each read once."""

    def __init__(self, of: Arrays) -> None:
        self.arrays, self.read = of, 0

    def __len__(self) -> int:
        return len(self.arrays["labels"])

    def __getitem__(self, place: int) -> dict[str, Any]:
        self.read += 1
        return {
            name: str(array[place]) if array.dtype.kind == "U" else torch.tensor(array[place])
            for name, array in self.arrays.items()
        }


FORMS: Mapping[str, Callable[[Arrays], Any]] = {
    "arrays": dict,
    "tensors and lists": lambda of: {
        name: array.tolist() if array.dtype.kind == "U" else torch.from_numpy(array)
        for name, array in of.items()
    },
    "pandas": frame,
    "pandas with plain columns": lambda of: pd.DataFrame(csv_table(of, "_")),
    "pandas by split": lambda of: dict(list(frame(of).groupby("split", sort=False))),
    "polars": lambda of: pl.DataFrame(dict(of)),
    "polars with lists": lambda of: pl.DataFrame({n: a.tolist() for n, a in of.items()}),
    "Arrow": table,
    "a Dataset": Samples,
    "samples": lambda of: [*map(Samples(of).__getitem__, range(len(of["labels"])))],
    "tensors of another width": lambda of: {
        name: torch.from_numpy(array).double() if array.dtype.kind == "f" else array
        for name, array in of.items()
    },
    "arrays of Arrow": lambda of: {name: table(of)[name] for name in of},
    "arrays by split": lambda of: {
        word: {n: a[of["split"] == word] for n, a in of.items() if n != "split"}
        for word in dict.fromkeys(of["split"].tolist())
    },
    "samples by split": lambda of: {
        word: [
            s for s in map(Samples(of).__getitem__, range(len(of["split"]))) if s["split"] == word
        ]
        for word in dict.fromkeys(of["split"].tolist())
    },
    "loaders by split": lambda of: {
        word: torch.utils.data.DataLoader(
            torch.utils.data.Subset(Samples(of), np.flatnonzero(of["split"] == word).tolist()), 3
        )
        for word in dict.fromkeys(of["split"].tolist())
    },
    "pairs": lambda of: [
        ({n: v for n, v in sample.items() if n != "labels"}, sample["labels"])
        for sample in map(Samples(of).__getitem__, range(len(of["labels"])))
    ],
    "a DataLoader": lambda of: torch.utils.data.DataLoader(Samples(of), batch_size=5),
}
"""By what they are called, what makes data of Python from arrays."""
