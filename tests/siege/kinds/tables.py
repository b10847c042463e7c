"""Data in the other formats that people hold them in: tensors, tables, saved datasets."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from fusewright.runtime.reproduce.rows import Rows

from ..mutations import Mutation, either
from ..mutations.archive import mutated_archive
from ..mutations.raw import flipped_bits, mutated_bytes
from ..mutations.text import mutated_text
from ..readers import Call, Command
from ..target import Case, Kind
from .runs import MUTATED_JSON, MUTATED_LINES

SAVED, SPLITS = "a-saved-dataset/saved", "saved-datasets-by-split/splits"
MUTATED_BYTES = either(mutated_bytes, mutated_bytes, flipped_bits)


def _readers(data: str) -> list[Command]:
    return [
        *[Command.of(f"predict network.onnx --data {data} -o out.npz")] * 2,
        *[Command.of(f"new --data {data}")] * 2,
        Command.of(f"evaluate network.onnx --data {data}"),
        Command.of(f"info network.fuse --data {data}"),
        Command.of(f"features import {data} --out imported"),
    ]


def _kind(name: str, mutation: Mutation, file: str, data: str = "") -> Kind:
    """A kind of file in the folder of its format, which is read by itself or as `data`."""
    return Kind(name, mutation, [Case(f"held/{file}", _readers(f"held/{data or file}"))])


def _rows(_: str) -> None:
    """Reads the rows of a table that is reproduced, and what their networks give."""
    rows = Rows(Path("reproduced"))
    for one in rows.done.values():
        rows.outputs(one, (4, 3))


def _sealed_rows(path: str) -> None:
    """The same, of outputs with a digest that somebody made fit."""
    digest, rows = sha256(Path(path).read_bytes()).hexdigest(), Rows(Path("reproduced"))
    for one in rows.done.values():
        rows.outputs(replace(one, outputs=digest), (4, 3))


_OUTPUT = "reproduced/outputs/0000000000000000.npy"
KINDS = (
    Kind("rows of a table", MUTATED_LINES, [Case("reproduced/rows.jsonl", [Call(_rows)])]),
    Kind("outputs of a row", MUTATED_BYTES, [Case(_OUTPUT, [Call(_rows), Call(_sealed_rows)])]),
    _kind("npy", MUTATED_BYTES, "numpy-memmaps/A.npy", "numpy-memmaps"),
    _kind("pt", either(mutated_archive, mutated_archive, mutated_bytes), "pt/data.pt"),
    _kind("HDF5", MUTATED_BYTES, "HDF5/data.h5"),
    _kind("HDF5, packed", MUTATED_BYTES, "HDF5-packed/data.hdf5"),
    _kind("Parquet", MUTATED_BYTES, "Parquet/data.parquet"),
    _kind("Arrow", MUTATED_BYTES, "Arrow/data.arrow"),
    _kind("Feather", MUTATED_BYTES, "Feather/data.feather"),
    _kind("CSV", either(mutated_text, mutated_bytes), "CSV/data.csv"),
    _kind("rows of a dataset", MUTATED_BYTES, f"{SAVED}/*.arrow", SAVED),
    _kind("a saved dataset", MUTATED_JSON, f"{SAVED}/state.json", SAVED),
    _kind("saved datasets", MUTATED_JSON, f"{SPLITS}/dataset_dict.json", SPLITS),
)
