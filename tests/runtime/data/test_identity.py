"""What identifies data: every byte counts, and a file that is as it was is not read again."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.runtime.data import identity
from fusewright.runtime.data.dataset import load_data, names_read
from fusewright.runtime.data.files import Arrays
from fusewright.runtime.data.identity import (
    DataIdentity,
    arrays_identity,
    data_identity,
    stated_identity,
)
from fusewright.runtime.runs.folder import RunFolder

from ...support.running import as_npz, problem, spec

NAMES = names_read(checked(spec()))
DATA = problem(90)


@pytest.mark.parametrize("name", DATA)
def test_any_number_that_changes_is_noticed(name: str) -> None:
    before = data_identity(DATA, NAMES)
    array = DATA[name].copy()
    array.flat[17] += 1
    after = data_identity({**DATA, name: array}, NAMES)
    with pytest.raises(fw.DiagnosticError, match=f"`{name}` changed") as caught:
        before.require_same(after)
    assert [d.code for d in caught.value.diagnostics] == ["E507"]


def test_every_sample_that_a_search_reads_counts_in_its_study() -> None:
    network = checked(spec())
    a = DATA["A"].copy()
    a[7] += 1  # not among sixteen that are spread over all
    assert load_data(DATA, network).digest() != load_data({**DATA, "A": a}, network).digest()


def test_types_shapes_and_names_count_as_elements_do() -> None:
    array = np.arange(6, dtype=np.int64)
    others: list[Arrays] = [
        {"a": array.reshape(2, 3)},
        {"a": array.view(np.uint64)},
        {"b": array},
        {},
    ]
    digests = {arrays_identity(arrays).digest for arrays in ({"a": array}, *others)}
    assert len(digests) == 5
    same = {"a": np.stack([array, array])[:, ::2], "b": np.array(["x"], object)}
    again = {"a": np.ascontiguousarray(same["a"]), "b": np.array(["x"])}
    assert arrays_identity(same) == arrays_identity(again)


def test_arrays_that_are_not_read_do_not_count() -> None:
    more = {**DATA, "unnamed": np.zeros(3)}
    assert data_identity(more, NAMES) == data_identity(DATA, NAMES)


def test_a_file_is_known_by_its_bytes_whatever_its_name(tmp_path: Path) -> None:
    file = as_npz(DATA, tmp_path)
    found = data_identity(file, NAMES)
    assert found.digest == sha256(file.read_bytes()).hexdigest()
    moved = file.rename(tmp_path / "moved.npz")
    found.require_same(data_identity(moved, NAMES))


def test_a_folder_is_known_by_the_names_and_bytes_of_its_data(tmp_path: Path) -> None:
    for name in ("a", "b"):
        np.savez(tmp_path / f"{name}.npz", allow_pickle=False, **{name: np.zeros(3)})
    found = data_identity(tmp_path, ())
    (tmp_path / "notes.txt").write_text("no data", encoding="utf-8")
    assert data_identity(tmp_path, ()) == found
    (tmp_path / "b.npz").rename(tmp_path / "c.npz")
    np.savez(tmp_path / "a.npz", a=np.ones(3))
    said = "`a.npz` changed; `b.npz` is gone; `c.npz` is new"
    with pytest.raises(fw.DiagnosticError, match=said):
        found.require_same(data_identity(tmp_path, ()))


def test_a_file_is_digested_again_where_its_size_or_time_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = as_npz(DATA, tmp_path)
    known = data_identity(file, NAMES)
    digested: list[object] = []

    def digest(stream: object, name: str) -> object:
        digested.append(name)
        return sha256(b"again")

    monkeypatch.setattr(identity, "file_digest", digest)
    assert data_identity(file, NAMES, known) == known
    assert not digested
    os.utime(file, (1, 1))
    assert data_identity(file, NAMES, known).digest == sha256(b"again").hexdigest()
    assert digested == ["sha256"]


def test_a_record_is_read_back(tmp_path: Path) -> None:
    for source in (as_npz(DATA, tmp_path), DATA):
        found = data_identity(source, NAMES)
        assert stated_identity(found.record(times=True)) == found
        folder = RunFolder(tmp_path / "run")
        folder.write_data(found.record(times=True))
        assert stated_identity(folder.data()) == found
        without = stated_identity(found.record())
        assert isinstance(without, DataIdentity)
        assert without.digest == found.digest
        assert {part.modified for part in without.parts} == {None}


@pytest.mark.parametrize(
    "record", [None, [], {}, {"source": "a"}, {"source": "a", "files": [1]}, "a", 3]
)
def test_a_record_of_something_else_says_nothing(record: object, tmp_path: Path) -> None:
    assert stated_identity(record) is None
    folder = RunFolder(tmp_path)
    assert folder.data() is None
    for text in (json.dumps(record), "[" * 100_000):
        (tmp_path / "data.json").write_text(text, encoding="utf-8")
        with pytest.raises(fw.DiagnosticError, match="is damaged") as caught:
            folder.data()
        assert [d.code for d in caught.value.diagnostics] == ["E507"]
