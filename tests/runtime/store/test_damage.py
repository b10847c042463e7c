"""Stores that are damaged: each is diagnosed by `features check`, and none is searched on."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import file_digest
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusewright as fw
from fusewright.runtime.store import whole
from fusewright.runtime.store.check import check_store
from fusewright.runtime.store.read import Store

from ...support.stores import small_arrays, small_plan, write_store

Damage = Callable[[Path], object]


def flip(folder: Path, name: str, place: int) -> None:
    content = bytearray((folder / name).read_bytes())
    content[place] ^= 0x10
    (folder / name).write_bytes(content)


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "manifest.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    change(record)
    path.write_text(json.dumps(record), encoding="utf-8")


def cut(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])


SHARD = "image-00001.safetensors"
DAMAGES: dict[str, tuple[Damage, str]] = {
    "a flipped byte": (lambda f: flip(f, SHARD, -3), "its bytes are not those"),
    "a flipped byte of the padding": (lambda f: flip(f, SHARD, 8), "is damaged"),
    "a missing shard": (lambda f: (f / SHARD).unlink(), "image-00001.safetensors` is missing"),
    "a shard that is cut short": (lambda f: cut(f, SHARD), "is damaged"),
    "another shard's place": (
        lambda f: (f / "image-00000.safetensors").write_bytes((f / SHARD).read_bytes()),
        "its bytes are not those",
    ),
    "a truncated manifest": (lambda f: cut(f, "manifest.json"), "is damaged"),
    "no manifest": (lambda f: (f / "manifest.json").unlink(), "has no `manifest.json`"),
    "an extra file": (
        lambda f: (f / "notes.txt").write_text("x"),
        "notes.txt` is not of the store",
    ),
    "an extra shard": (
        lambda f: (f / "image-00009.safetensors").write_bytes(b"x"),
        "image-00009.safetensors` is not of the store",
    ),
    "more samples": (lambda f: edit(f, lambda r: r.update(samples=11)), "shards are not those"),
    "very many samples": (
        lambda f: edit(f, lambda r: r.update(samples=10**12, in_shard=1)),
        "shards are not those",
    ),
    "another type": (
        lambda f: edit(f, lambda r: r["arrays"][0].update(dtype="float16")),
        "`A` is not float16",
    ),
    "another name": (
        lambda f: edit(f, lambda r: r["arrays"][0].update(name="C")),
        "does not hold the arrays",
    ),
    "a longer time": (
        lambda f: edit(f, lambda r: r["arrays"][1].update(shape=[10**9, 2])),
        "samples of `B` as long as it says",
    ),
    "another digest": (
        lambda f: edit(f, lambda r: r["shards"][0].update(sha256="0" * 64)),
        "its bytes are not those",
    ),
    "a manifest that names a file": (
        lambda f: edit(f, lambda r: r["shards"][0].update(file="/etc/passwd")),
        "`file`, which is not known here",
    ),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_what_is_damaged_is_diagnosed(what: str, tmp_path: Path) -> None:
    write_store(tmp_path)
    assert not check_store(tmp_path)
    damage, message = DAMAGES[what]
    damage(tmp_path)
    try:
        found = check_store(tmp_path)
    except fw.DiagnosticError as error:
        found = tuple(error.diagnostics)
    assert found
    assert {diagnostic.code for diagnostic in found} == {"E513"}
    assert any(message in diagnostic.message for diagnostic in found), found


@pytest.mark.parametrize(
    ("name", "number", "message"),
    [
        ("labels", 3, "E503: `labels` of sample 6 is 3, not from 0 to 2"),
        ("labels", -1, "E503: `labels` of sample 6 is -1, not from 0 to 2"),
        ("split", 3, "E503: `split` of sample 6 is 3, not from 0 to 2"),
        ("sound.present", 2, "E502: `sound.present` of sample 6 is 2, not from 0 to 1"),
        ("B.lengths", 0, "E502: `B.lengths` of sample 6 is 0, not from 1 to 5"),
    ],
)
def test_numbers_out_of_range_are_diagnosed(
    name: str, number: int, message: str, tmp_path: Path
) -> None:
    arrays = small_arrays()
    arrays[name][6] = number
    write_store(tmp_path, small_plan(), arrays)
    assert [f"{d.code}: {d.message}" for d in check_store(tmp_path)] == [message]


def test_a_shard_is_read_once_and_again_where_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counted(stream: BufferedReader, kind: str) -> Any:
        read.append(stream.name)
        return file_digest(stream, kind)

    monkeypatch.setattr(whole, "file_digest", counted)
    write_store(tmp_path)
    for _ in range(3):
        assert np.array_equal(Store.open(tmp_path).array("A"), small_arrays()["A"])
    assert len(read) == 3  # the shards of pictures, and no other
    flip(tmp_path, SHARD, -1)
    with pytest.raises(fw.DiagnosticError, match=f"{SHARD}` is damaged"):
        Store.open(tmp_path).array("A")[:]
    assert len(read) == 4
    assert len(Store.open(tmp_path).array("B")[:]) == 10


def test_a_store_that_is_shorter_than_it_says_is_not_mapped(tmp_path: Path) -> None:
    write_store(tmp_path)
    store = Store.open(tmp_path)
    cut(tmp_path, SHARD)
    with pytest.raises(fw.DiagnosticError, match="bytes, not"):
        store.array("A").rows(np.array([5]))
