"""Stores: what is written is read, whoever wrote it and in whatever order, and nothing else is."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors import safe_open

import fusewright as fw
from fusewright.compiler.language.nodes import AXES
from fusewright.runtime.store.manifest import (
    Manifest,
    StoredArray,
    read_manifest,
    shard_file,
    usual_in_shard,
)
from fusewright.runtime.store.numbers import decoded, encoded
from fusewright.runtime.store.read import Store
from fusewright.runtime.store.types import FEATURE_TYPES
from fusewright.runtime.store.write import StoreWriter

from ...support.paths import ROOT, SRC
from ...support.stores import contents, shard_of, small_arrays, small_plan, write_store

Arrays = dict[str, NDArray[Any]]
Held = tuple[Manifest, Arrays]


@st.composite
def stores(draw: st.DrawFn) -> Held:
    """Plans of features of all types and axes, with arrays whose numbers these types hold."""
    samples, in_shard = draw(st.integers(1, 9)), draw(st.integers(1, 4))
    generator = np.random.default_rng(draw(st.integers(0, 2**16)))
    stored: list[StoredArray] = []
    arrays: Arrays = {}
    for place in range(draw(st.integers(1, 3))):
        modality = draw(st.sampled_from(("image", "text", "../x", "samples", "Bild ö")))
        names = draw(st.lists(st.sampled_from([*AXES]), min_size=1, max_size=4, unique=True))
        sizes = [draw(st.integers(1, 3)) for _ in names]
        is_open = "t" in names and draw(st.booleans())
        axes = [(n, "*" if n == "t" and is_open else s) for n, s in zip(names, sizes, strict=True)]
        feature = StoredArray.of_feature(
            f"F{place}", axes, modality, draw(st.sampled_from(FEATURE_TYPES))
        )
        stored.append(feature)
        arrays[feature.name] = generator.integers(-9, 9, (samples, *sizes)).astype(np.float32)
    present = {f"{m}.present": m for m in {a.modality for a in stored} if draw(st.booleans())}
    stored += [StoredArray(name, None, (), "int64", modality) for name, modality in present.items()]
    arrays |= {name: generator.integers(0, 2, samples) for name in present}
    if draw(st.booleans()):
        stored.append(StoredArray("labels", None, (2,), "float32"))
        arrays["labels"] = generator.integers(-9, 9, (samples, 2)).astype(np.float32)
    return Manifest(samples, in_shard, tuple(stored)), arrays


def write(folder: Path, held: Held, order: list[int]) -> Manifest:
    plan, arrays = held
    for number in order:
        writer = StoreWriter(folder, plan)
        first, last = plan.bounds(number)
        writer.write(number, {name: array[first:last] for name, array in arrays.items()})
    return StoreWriter(folder, plan).finish()


@settings(max_examples=settings().max_examples // 2)
@given(stores(), st.data())
def test_rows_are_those_that_were_written(held: Held, data: st.DataObject) -> None:
    plan, arrays = held
    with TemporaryDirectory() as name:
        manifest = write(Path(name), held, [*plan.numbers])
        assert read_manifest(Path(name)) == manifest
        store = Store.open(name)
        store.require_whole()
        for array in plan.arrays:
            rows, expected = store.array(array.name), arrays[array.name]
            assert (rows.shape, len(rows)) == (expected.shape, plan.samples)
            assert np.array_equal(np.asarray(rows), expected)
            places = data.draw(st.lists(st.integers(0, plan.samples - 1), max_size=12))
            indices = np.array(places, np.int64)
            assert np.array_equal(rows.rows(indices), expected[indices])
            first, last = sorted(data.draw(st.tuples(*[st.integers(0, plan.samples)] * 2)))
            assert np.array_equal(rows[first:last], expected[first:last])
            assert rows[:].dtype == rows.dtype == (np.int64 if "." in array.name else np.float32)


@settings(max_examples=settings().max_examples // 4)
@given(stores(), st.randoms(use_true_random=False))
def test_processes_in_any_order_write_the_same_bytes(held: Held, random: Any) -> None:
    order = [*held[0].numbers]
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        write(Path(one), held, order)
        random.shuffle(order)
        write(Path(other), held, order)
        assert contents(Path(one)) == contents(Path(other))


def test_samples_of_several_lengths_are_filled_with_zeros(tmp_path: Path) -> None:
    arrays = small_arrays()
    arrays["B.lengths"][4:8] = 1
    arrays["B"][4:8, 1:] = 0
    write_store(tmp_path, arrays=arrays)
    store = Store.open(tmp_path)
    assert store.array("B").shape == (10, 5, 2)
    assert np.array_equal(store.array("B"), arrays["B"])
    with safe_open(tmp_path / "sound-00001.safetensors", "numpy") as shard:
        assert shard.get_slice("B").get_shape() == [4, 1, 2]


def test_a_manifest_says_what_stands_there_and_no_time(tmp_path: Path) -> None:
    write_store(tmp_path, small_plan(weights="ab" * 32))
    record = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert [*record] == "format samples in_shard classes arrays origins shards".split()
    assert record["classes"] == ["cat", "dog", "owl"]
    assert record["arrays"][1] == {
        "name": "B",
        "axes": [["t", "*"], ["c", 2]],
        "shape": [5, 2],
        "dtype": "float16",
        "modality": "sound",
    }
    assert record["origins"][0]["weights"] == "ab" * 32
    assert [shard["samples"] for shard in record["shards"]] == [4, 4, 2] * 3


# Numbers


@pytest.mark.parametrize("dtype", FEATURE_TYPES)
def test_numbers_are_rounded_as_torch_does(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    bits = np.random.default_rng(0).integers(0, 2**32, 20_000, np.uint32)
    edges = np.array([0.0, -0.0, 1e-40, 1.00390625, 65504.0, np.inf], np.float32)
    numbers = np.concatenate([bits.view(np.float32), edges])
    largest = 65504 if dtype == "float16" else 3.38e38
    numbers = numbers[~(np.abs(numbers) > largest) | np.isinf(numbers)]
    expected = torch.from_numpy(numbers).to(getattr(torch, dtype)).to(torch.float32).numpy()
    assert np.array_equal(decoded(encoded(numbers, dtype, "A"), dtype), expected, equal_nan=True)


@pytest.mark.parametrize(
    ("dtype", "number", "message"),
    [
        ("float16", 1e5, "too large for float16"),
        ("bfloat16", 3.4e38, "too large for bfloat16"),
        ("float32", 1e39, "too large for float32"),
        ("int64", 0.5, "not whole"),
    ],
)
def test_numbers_that_a_type_does_not_hold_are_refused(
    dtype: str, number: float, message: str
) -> None:
    with pytest.raises(fw.DiagnosticError, match=f"`A` has numbers .*{message}") as caught:
        encoded(np.array([number, 1.0]), dtype, "A")
    assert caught.value.diagnostics[0].code == "E513"


# Plans and folders


def test_names_of_modalities_cannot_lead_out_of_the_folder() -> None:
    modalities = [None, "image", "samples", "../x", "/etc", "..x", "a" * 999, "a" * 998, "Ö", "ö"]
    files = [shard_file(modality, 7) for modality in modalities]
    assert files[:2] == ["samples-00007.safetensors", "image-00007.safetensors"]
    assert len(set(files)) == len(files)
    assert all(Path(file).name == file and len(file) < 100 for file in files)


A = StoredArray.of_feature("A", [("c", 2)], "image")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ((A, A), "stands in it twice"),
        ((replace(A, dtype="float64"),), "the type `float64`"),
        ((replace(A, shape=(3,)),), "axes of `A` are not those of its shape"),
        ((replace(A, axes=None, shape=(None,)),), "shape of `A` is not known"),
        ((replace(A, modality="a`b"),), "backtick"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(
    arrays: tuple[StoredArray, ...], message: str, tmp_path: Path
) -> None:
    with pytest.raises(fw.DiagnosticError, match=message):
        StoreWriter(tmp_path, Manifest(3, 2, arrays))


@pytest.mark.parametrize("what", ["short", "long", "turned", "missing"])
def test_arrays_that_are_not_the_plan_s_are_refused(what: str, tmp_path: Path) -> None:
    plan = Manifest(3, 2, (A, StoredArray("A.lengths", None, (), "int64", "image")))
    shapes = {"short": (1, 2), "long": (2, 2, 1), "turned": (2, 3), "missing": (2, 2)}
    arrays: Arrays = {"A": np.zeros(shapes[what]), "A.lengths": np.ones(2, np.int64)}
    if what == "missing":
        del arrays["A.lengths"]
    with pytest.raises(fw.DiagnosticError) as caught:
        StoreWriter(tmp_path, plan).write(0, arrays)
    assert caught.value.diagnostics[0].code == "E513"
    assert not contents(tmp_path)


def test_a_folder_of_other_things_is_no_place_for_a_store(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine", encoding="utf-8")
    with pytest.raises(fw.DiagnosticError, match=r"holds `thesis.tex`"):
        StoreWriter(tmp_path, small_plan())


def test_shards_are_of_a_size_that_is_handled_well() -> None:
    wide = StoredArray.of_feature("A", [("c", 2048), ("h", 7), ("w", 7)], "image")
    assert 100 < usual_in_shard([wide]) < 1000
    assert usual_in_shard([replace(wide, shape=(2**31, 2**31, 2**31))]) == 1


# What stays when a process stops, or an origin changes


def test_a_store_without_a_shard_is_not_finished(tmp_path: Path) -> None:
    plan = small_plan()
    writer = StoreWriter(tmp_path, plan)
    writer.write(0, shard_of(plan, small_arrays(), 0))
    with pytest.raises(fw.DiagnosticError, match=r"image-00001.safetensors` is not written"):
        writer.finish()
    with pytest.raises(fw.DiagnosticError, match=r"no feature store: it has no `manifest.json`"):
        Store.open(tmp_path)


def test_a_changed_backbone_makes_its_own_part_anew(tmp_path: Path) -> None:
    write_store(tmp_path, small_plan(weights="1" * 64))
    before = {file.name: file.stat().st_ino for file in tmp_path.iterdir()}
    changed = small_plan(weights="2" * 64)
    done = StoreWriter(tmp_path, changed).done
    assert {m: len(numbers) for m, numbers in done.items()} == {"image": 0, "sound": 3, None: 3}
    write_store(tmp_path, changed)
    after = {file.name: file.stat().st_ino for file in tmp_path.iterdir()}
    kept = {name for name in before if before[name] == after[name]}
    assert kept == {f"{m}-0000{n}.safetensors" for m, n in product(("sound", "samples"), range(3))}


def test_a_shard_that_is_damaged_is_written_anew(tmp_path: Path) -> None:
    write_store(tmp_path)
    whole = contents(tmp_path)
    for name in ("image-00000.safetensors", "sound-00002.safetensors"):
        damaged = bytearray(whole[name])
        damaged[-1] ^= 1
        (tmp_path / name).write_bytes(damaged)
    (tmp_path / "samples-00001.safetensors").write_bytes(b"")
    assert write_store(tmp_path) == read_manifest(tmp_path)
    assert contents(tmp_path) == whole


def test_shards_of_before_that_the_store_has_no_more_go(tmp_path: Path) -> None:
    write_store(tmp_path / "old")
    for name in ("old", "new"):
        write_store(tmp_path / name, small_plan(5), small_arrays(5))
    assert contents(tmp_path / "old") == contents(tmp_path / "new")


def test_faults_at_every_call_and_then_the_same_bytes(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.support.store_kills", str(tmp_path)],
        cwd=ROOT,
        env={"PYTHONPATH": str(SRC), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert not ended.returncode, ended.stderr
    told = json.loads(ended.stdout)
    calls = told.pop("calls")
    assert told.pop("kill killed") == calls > 20
    assert min(told.pop("torn killed"), told.pop("ENOSPC diagnosed")) > calls / 4
    assert not {ending for ending in told if not ending.endswith("finished")}


def test_a_store_with_more_shards_than_can_be_read_is_not_begun(tmp_path: Path) -> None:
    array = StoredArray.of_feature("A", [("c", 1)], "image")
    with pytest.raises(fw.DiagnosticError, match=r"50,001 shards, and at most are 50,000"):
        StoreWriter(tmp_path / "store", Manifest(100_001, 2, (array,)))
    assert not (tmp_path / "store").exists()
    StoreWriter(tmp_path / "store", Manifest(100_000, 2, (array,)))
