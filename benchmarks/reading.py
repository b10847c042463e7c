"""A search of features that are larger than memory: what it takes of memory, and how fast it reads.

`python -m benchmarks.reading --gigabytes 20 --memory 1500MB`: a store of simulated features is
written (pictures of 7 by 7 places, a vector, and words), searched in a process of its own whose
anonymous memory is looked at throughout, and read without a search. The ratio is that of samples
that are read in a second, in random order, to those that a training step of as many networks takes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.network.choices import fill
from fusewright.compiler.system.memory import memory_text
from fusewright.runtime.data.batches import Batches
from fusewright.runtime.data.dataset import Dataset, load_data
from fusewright.runtime.data.rows import gathered, in_memory
from fusewright.runtime.data.split import TRAIN
from fusewright.runtime.genotypes.sample import draw
from fusewright.runtime.parallel.interrupt import Interrupt
from fusewright.runtime.store.manifest import Manifest, StoredArray, is_store
from fusewright.runtime.store.write import StoreWriter
from fusewright.runtime.training.course import weight_pass
from fusewright.runtime.training.epoch import Epoch
from fusewright.runtime.training.objective import Objective
from fusewright.runtime.training.population import Population, PopulationOptimiser, member_program
from fusewright.runtime.training.prepare import prepared

from .machine import machine

SPEC = """network reading(C = 64, L = 8, dropout = 0.1)
use bmnas
modality image { Places[c 512, h 7, w 7] Whole[c 1024] }
modality text { Words[t 16, c 256] }
pool Sum, Attention, LinearGLU, ConcatFC
cell Cell[2](?, ?) { Step[2] = ?(?, ?) }
predict 8 classes
"""
SHAPES = {"Places": (512, 7, 7), "Whole": (1024,), "Words": (16, 256)}
AXES = {"Places": "chw", "Whole": "c", "Words": "tc"}
CLASSES, IN_SHARD, BATCH = 8, 1024, 96
SAMPLE_BYTES = 4 * sum(int(np.prod(shape)) for shape in SHAPES.values())
SETTINGS = fw.Settings(
    strategy="random", candidates=4, together=4, trial_epochs=1, batch=BATCH, threads=1
)
EVERY = 0.05
"""Seconds between looks at a process."""


# The store


def write(folder: Path, gigabytes: float) -> None:
    """A store of so many bytes of features, which know the class somewhat."""
    samples = int(gigabytes * 1e9 / SAMPLE_BYTES)
    features = [
        StoredArray.of_feature(name, zip(AXES[name], shape, strict=True), name.lower())
        for name, shape in SHAPES.items()
    ]
    plain = [StoredArray(name, None, (), "int64") for name in ("labels", "split")]
    writer = StoreWriter(folder, Manifest(samples, IN_SHARD, (*features, *plain)))
    generator = np.random.default_rng(0)
    noise = {n: generator.standard_normal((IN_SHARD, *s), np.float32) for n, s in SHAPES.items()}
    means = {n: generator.standard_normal((CLASSES, *s), np.float32) for n, s in SHAPES.items()}
    for number in range(-(-samples // IN_SHARD)):
        count = min(IN_SHARD, samples - number * IN_SHARD)
        labels = generator.integers(0, CLASSES, count)
        scale = np.float32(generator.uniform(1, 5))  # so that no samples of two shards are equal
        shard = {n: scale * means[n][labels] + noise[n][:count] for n in SHAPES}
        split = np.arange(count) % 5 // 3
        writer.write(number, {**shard, "labels": labels, "split": split})
    writer.finish()


# What a search takes


def search(folder: Path, memory: str) -> None:
    fw.search(fw.loads(SPEC), folder, settings=SETTINGS, memory=memory)


def watched(folder: Path, memory: str) -> tuple[int, float]:
    """The peak of anonymous memory of a process that searches, in bytes, and its seconds."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.reading", "--search", str(folder)]
    start, peak = time.perf_counter(), 0
    with subprocess.Popen([*command, "--memory", memory]) as process:
        while process.poll() is None:
            peak = max(peak, anonymous(process.pid))
            time.sleep(EVERY)
    if process.returncode:
        raise SystemExit(f"the search ended with {process.returncode}")
    return peak, time.perf_counter() - start


def anonymous(process: int) -> int:
    """Bytes of a process that stand in no file."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


# How fast it reads


class Speeds(NamedTuple):
    """Samples a second: read for the first time, again, learned from memory, and while reading."""

    cold: float
    again: float
    near: float
    far: float


def speeds(folder: Path, networks: int, samples: int) -> Speeds:
    """How fast samples of a store are read, and learned by so many networks."""
    network = checked(fw.loads(SPEC))
    settings = fw.Settings(threads=1, batch=BATCH, epochs=1)
    whole = load_data(folder, network, memory="1MB")
    generator = np.random.default_rng(0)
    programs = [
        member_program(checked(fill(network, draw(network, generator)))) for _ in range(networks)
    ]
    device = torch.device("cpu")
    data = prepared(programs, whole, device)
    some = np.sort(generator.choice(whole.indices(TRAIN), samples, replace=False))
    far = Batches(data, some, BATCH, device)
    near = Batches(held(data, some), np.arange(samples), BATCH, device)

    def learn(batches: Batches) -> None:
        population = Population([one.program for one in programs], [settings] * networks, device)
        optimiser = PopulationOptimiser(population, len(batches), [0] * networks)
        Epoch([0], Interrupt()).run([weight_pass(optimiser, Objective(network.head), batches)])

    def read() -> None:
        for _ in far.shuffled(0):
            pass

    forget(folder)
    cold, again = seconds(read), seconds(read)
    learn(Batches(held(data, some), np.arange(2 * BATCH), BATCH, device))  # what is compiled once
    return Speeds(
        *(samples / one for one in (cold, again, seconds(learn, near), seconds(learn, far)))
    )


def held(data: Dataset, samples: NDArray[np.int64]) -> Dataset:
    """Some of the samples, in memory."""
    features = {name: gathered(rows, samples) for name, rows in data.features.items()}
    assert all(map(in_memory, features.values()))
    return replace(data, features=features, labels=data.labels[samples], split=data.split[samples])


def seconds(run: Callable[..., object], *arguments: object) -> float:
    start = time.perf_counter()
    run(*arguments)
    return time.perf_counter() - start


def forget(folder: Path) -> None:
    """Lets the system forget what it has read of a store."""
    for file in folder.iterdir():
        with file.open("rb") as stream:
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--memory", default="1500MB")
    parser.add_argument("--samples", type=int, default=9600)
    parser.add_argument("--store", type=Path, help="where it is written, or stands; it is kept")
    parser.add_argument("--search", type=Path)
    options = parser.parse_args()
    if options.search:
        search(options.search, options.memory)
        return
    with tempfile.TemporaryDirectory() as folder:
        report(options.store or Path(folder, "store"), options)


def report(folder: Path, options: argparse.Namespace) -> None:
    if not is_store(folder):
        print(f"written in {seconds(write, folder, options.gigabytes):.0f} s")
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"a store of {memory_text(size)}, {SAMPLE_BYTES:,} bytes a sample")
    peak, lasted = watched(folder, options.memory)
    print(f"searched in {lasted:.0f} s, with at most {memory_text(peak)} of anonymous memory")
    for networks in (1, 4):
        one = speeds(folder, networks, options.samples)
        print(
            f"{networks} networks: {one.cold:.0f} samples a second are read for the first time, "
            f"{one.again:.0f} again, {one.near:.0f} are learned from memory, {one.far:.0f} while "
            f"reading: {one.cold / one.near:.1f}, {one.again / one.near:.1f} and "
            f"{one.far / one.near:.2f} times as many as are learned"
        )
    print(machine("torch", "numpy"))


if __name__ == "__main__":
    main()
