"""Features in memory and where they are read from: the same numbers, whichever way they are had."""

from __future__ import annotations

import tracemalloc
from hashlib import file_digest
from mmap import ACCESS_READ, mmap
from pathlib import Path
from threading import active_count, current_thread, main_thread
from time import sleep
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.runtime.data.batches import Batches
from fusewright.runtime.data.checks import data_warnings
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.kept import Kept
from fusewright.runtime.data.memory import Extent, held, left_apart
from fusewright.runtime.data.parts import Parts
from fusewright.runtime.data.pooled import pooled
from fusewright.runtime.data.reading import AHEAD, read_ahead
from fusewright.runtime.data.rows import SingleRows, chunks, gathered, in_memory, is_rows, rows_of
from fusewright.runtime.store.read import Store
from fusewright.runtime.training.prepare import prepare

from ...support.running import FIXED, OPEN, QUICK, problem, same, spec, without_cost
from ...support.stored import stored

CPU = torch.device("cpu")
VARYING = "modality left optional { A[c 3] B[t *, c 5] } modality right { D[c 4] }"
"""Features along an open axis, of a modality that may be absent."""
LARGE = "modality left { A[c 30, h 16, w 16] B[t 2, c 5] } modality right { D[c 4] }"
LINEAR = "role adapt(f) for left = resample(f, by = linear) @ W[c, C] + b[C]"


def varying(samples: int = 90) -> dict[str, Any]:
    """A problem whose samples differ in length, and lack a modality now and then."""
    arrays = problem(samples)
    generator = np.random.default_rng(1)
    arrays["B"] = generator.normal(size=(samples, 7, 5)).astype(np.float32)
    arrays["B.lengths"] = generator.integers(1, 8, samples)
    arrays["left.present"] = (generator.random(samples) < 0.8).astype(np.int64)
    arrays["A"][arrays["left.present"] == 0] = np.nan
    return arrays


@pytest.fixture
def nothing_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is room for no feature."""
    monkeypatch.setattr("fusewright.runtime.data.memory.HELD_SHARE", 0.0)


# The same numbers


SEARCHES = {
    "darts": (spec(), problem(), QUICK),
    "together": (
        spec(),
        problem(),
        QUICK.with_options(strategy="random", candidates=3, trial_epochs=2, together=3),
    ),
    "folds": (
        spec(),
        problem(),
        QUICK.with_options(
            strategy="halving",
            select="folds",
            candidates=3,
            trial_epochs=2,
            rungs=2,
            folds=3,
            finalists=2,
        ),
    ),
    "open axes": (
        spec(OPEN + " " + LINEAR, features=VARYING),
        varying(),
        QUICK.with_options(modality_dropout=0.3),
    ),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_finds_the_same_wherever_features_stand(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space, arrays, settings = SEARCHES[name]
    expected = fw.search(space, arrays, settings=settings)
    monkeypatch.setattr("fusewright.runtime.data.memory.HELD_SHARE", 0.0)
    found = fw.search(space, stored(arrays, tmp_path / "store"), settings=settings)
    assert found.genotype == expected.genotype
    assert without_cost(found.history) == without_cost(expected.history)
    assert same(found.weights, expected.weights)


@pytest.mark.usefixtures("nothing_held")
@pytest.mark.parametrize("features", ["fixed", "open"])
def test_a_training_gives_the_same_weights_and_outputs(features: str, tmp_path: Path) -> None:
    network, arrays = spec(FIXED), problem()
    if features == "open":
        network, arrays = spec(FIXED + " " + LINEAR, features=VARYING), varying()
    folder = stored(arrays, tmp_path / "store")
    assert not in_memory(load_data(folder, checked(network)).features["A"])
    trained = [fw.train(network, data, epochs=2, batch=16) for data in (arrays, folder)]
    weights = trained[0].weights
    assert same(weights, trained[1].weights)
    outputs = [fw.predict(network, data, weights=weights) for data in (arrays, folder)]
    assert np.array_equal(outputs[0], outputs[1])
    metrics = [fw.evaluate(network, data, weights=weights) for data in (arrays, folder)]
    assert metrics[0] == metrics[1]


@pytest.mark.usefixtures("nothing_held")
def test_checks_pooled_features_and_digests_are_the_same(tmp_path: Path) -> None:
    arrays = problem()
    arrays["A"][:, 1] = 4
    for name in ("A", "B", "D"):
        arrays[name][60:] = arrays[name][:30]
    network = checked(spec())
    data = [load_data(one, network) for one in (arrays, stored(arrays, tmp_path / "store"))]
    assert [in_memory(one.features["B"]) for one in data] == [True, False]
    messages = [[d.message for d in data_warnings(one, network)] for one in data]
    assert messages[0] == messages[1]
    assert any("are constant" in message for message in messages[0])
    assert any("equal one of train" in message for message in messages[0])
    samples = np.array([3, 70, 20, 5])
    here, there = (pooled(one, network, samples) for one in data)
    assert np.array_equal(here, there)
    assert data[0].digest() == data[1].digest()


@pytest.mark.usefixtures("nothing_held")
def test_numbers_that_are_not_finite_are_found_where_they_stand(tmp_path: Path) -> None:
    arrays = problem(40)
    arrays["B"][33, 1, 2] = np.inf
    with pytest.raises(fw.DiagnosticError, match="`B` has 1 value that is not finite in float32"):
        load_data(stored(arrays, tmp_path / "store"), checked(spec()))


@pytest.mark.usefixtures("nothing_held")
def test_parts_gather_what_they_hold_in_memory(tmp_path: Path) -> None:
    network, arrays = checked(spec()), problem()
    halves = [np.arange(0, 60, 2), np.arange(1, 90, 3)]
    batches = [
        Parts(prepare(network, load_data(data, network), QUICK, CPU)[1], halves, 8, CPU)
        for data in (arrays, stored(arrays, tmp_path / "store"))
    ]
    assert not any(one.resident for one in batches)
    for a, b in zip(*(one.shuffled(3) for one in batches), strict=True):
        assert torch.equal(a.labels, b.labels)
        assert a.features.keys() == b.features.keys()
        assert all(torch.equal(feature, b.features[name]) for name, feature in a.features.items())


# How much is held


def large(samples: int = 600) -> dict[str, Any]:
    """Some 18 MB of features, of which what a network reads is 0.6 MB."""
    arrays = problem(samples)
    means = arrays["A"][:, :1, None, None]
    arrays["A"] = np.broadcast_to(means, (samples, 30, 16, 16)).astype(np.float32)
    return arrays


def test_whole_features_are_never_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search takes no more than a few batches and chunks, and what is computed beforehand."""
    monkeypatch.setattr("fusewright.runtime.data.rows.CHUNK_BYTES", 1 << 18)
    arrays = large()
    size = arrays["A"].nbytes
    folder = stored(arrays, tmp_path / "store", in_shard=64)
    del arrays
    space = spec(features=LARGE)
    fw.search(space, large(30), settings=QUICK)  # imports
    tracemalloc.start()
    fw.search(space, folder, settings=QUICK, memory="6MB")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 18_000_000
    assert peak < size / 3


def test_features_that_fit_are_held_and_the_estimate_knows_which(tmp_path: Path) -> None:
    folder, network = (
        stored(large(90), tmp_path / "store"),
        checked(spec(features=LARGE)),
    )
    samples = load_data(folder, network, memory="1MB").features
    assert {name for name, rows in samples.items() if not in_memory(rows)} == {"A"}
    assert all(map(in_memory, load_data(folder, network).features.values()))
    assert held(folder, network, 8).memory.uses == {"data": 4 * 90 * (30 * 256 + 14)}
    apart = held(folder, network, 8, "1MB").memory
    assert apart.uses == {"data": 4 * 90 * 14, "batches": 4 * 30 * 256 * 8 * (AHEAD + 2)}
    assert apart.certain == 4 * 90 * 14


def test_what_cannot_be_read_apart_takes_its_room_first() -> None:
    extents = {"A": Extent((10, 5), False), "B": Extent((10, 4), True), "C": Extent((10,), True)}
    assert left_apart(extents, 400) == set()
    assert left_apart(extents, 399) == {"B"}
    assert left_apart(extents, 100) == {"B", "C"}


# What is computed from features


class Doubled:
    """Rows that count how often they are computed."""

    def __init__(self, rows: NDArray[Any]) -> None:
        self.sources, self.asked = [rows], 0
        self.shape, self.dtype = rows.shape, rows.dtype

    def __len__(self) -> int:
        return len(self.sources[0])

    def __getitem__(self, samples: slice | NDArray[np.int64]) -> NDArray[Any]:
        self.asked += 1
        doubled: NDArray[Any] = 2 * self.sources[0][samples]
        return doubled


def test_what_is_computed_is_kept_while_there_is_room() -> None:
    kept = Kept(room=80)
    rows, others = (Doubled(np.arange(10, dtype=np.float32)) for _ in range(2))
    first = kept.held("a", rows)
    assert isinstance(first, np.ndarray)
    assert first.tolist() == list(range(0, 20, 2))
    asked = rows.asked
    assert kept.held("a", rows) is first
    assert rows.asked == asked
    again = kept.held("a", others)  # of other features
    assert again is not first
    assert kept.held("b", rows) is rows  # there is room for two
    del first
    third = kept.held("b", rows)
    assert isinstance(third, np.ndarray)
    del again
    assert isinstance(kept.held("c", rows), np.ndarray)
    assert third.tolist() == list(range(0, 20, 2))


def test_networks_of_a_search_share_what_is_computed() -> None:
    network = checked(spec())
    data = load_data(problem(), network)
    (_, first), (_, second) = (prepare(network, data, QUICK, CPU) for _ in range(2))
    assert first.features.keys() == second.features.keys()
    assert all(rows is second.features[name] for name, rows in first.features.items())


# Reading


def test_what_is_read_ahead_comes_in_order_and_by_other_threads() -> None:
    threads = set[str]()

    def read(item: int) -> int:
        threads.add(current_thread().name)
        return item * item

    assert list(read_ahead(read, range(50))) == [n * n for n in range(50)]
    assert main_thread().name not in threads


def test_reading_raises_in_its_place_and_leaves_no_thread() -> None:
    before = active_count()
    found = read_ahead(lambda item: 1 // (3 - item), range(9))
    assert [next(found) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(found)
    begun = list[int]()
    left = read_ahead(begun.append, range(100))
    next(left)
    left.close()
    assert len(begun) <= AHEAD + 1
    assert active_count() == before


def test_samples_are_gathered_in_any_order_and_shape(tmp_path: Path) -> None:
    arrays = problem(50)
    rows = stored(arrays, tmp_path / "store", in_shard=7)
    features = load_data(rows, checked(spec())).features["B"]
    mapped = np.lib.format.open_memmap(tmp_path / "b.npy", "w+", np.float32, (50, 2, 5))
    mapped[:] = arrays["B"]
    for wanted in (np.array([4, 4, 49, 0]), np.array([[3, 1], [1, 30]]), np.arange(50)):
        for one in (features, mapped, SingleRows(mapped), arrays["B"]):
            assert np.array_equal(gathered(one, wanted), arrays["B"][wanted])
    assert np.array_equal(np.concatenate([*chunks(mapped, most=8)]), arrays["B"])
    assert not in_memory(mapped)
    with (tmp_path / "b.npy").open("rb") as stream:
        content = mmap(stream.fileno(), 0, access=ACCESS_READ)
    assert not in_memory(np.frombuffer(content, np.float32, 500, 128).reshape(50, 2, 5)[3:])
    assert in_memory(mapped[np.arange(3)])


def test_a_pass_that_is_left_stops_reading() -> None:
    data = load_data(problem(), checked(spec()))
    before = active_count()
    batches = Batches(data, np.arange(90), 8, CPU)
    batches._read = dict(data.features)  # pyright: ignore[reportPrivateUsage]
    passing = batches.shuffled(0)
    next(passing)
    assert active_count() > before
    del passing
    assert active_count() == before


def test_threads_that_read_a_shard_take_its_digest_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = list[str]()

    def slowly(stream: Any, kind: str) -> Any:
        taken.append(stream.name)
        sleep(0.02)
        return file_digest(stream, kind)

    folder = stored(problem(48), tmp_path / "store", in_shard=16)
    monkeypatch.setattr("fusewright.runtime.store.whole.file_digest", slowly)
    rows = Store.open(folder).array("A")
    assert len(np.concatenate([*chunks(rows, most=2)])) == 48
    assert len(taken) == len(set(taken)) == 3


def test_a_column_of_a_table_is_no_rows() -> None:
    """It gives samples by their labels, and as a column."""
    pandas = pytest.importorskip("pandas")
    column = pandas.Series([1.0, 2.0, 3.0], index=[2, 0, 1])
    assert not is_rows(column)
    assert not is_rows(np.float32(3))
    assert rows_of(column)[np.array([0])].tolist() == [1.0]
