"""What a weight step and an architecture step of a hypernet cost, beside the published code.

`python -m benchmarks.hypernet_step --published CHECKOUT`: for rows of Table 8, with features that
are at the inner length already, dropout on. All contenders take the same features, batch and
labels in one run, their steps interleaved; medians in milliseconds, and the published time as a
multiple of each. CHECKOUT is a clone of Somedaywilldo/BM-NAS. `--compile` adds torch.compile, with
the seconds that its first steps take; `--device cuda` runs on a GPU. Peak memory is that of a
process of its own for each contender, above what it holds between steps.
"""

from __future__ import annotations

import argparse
import ctypes
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch

from fusewright.compiler.network.network import Network
from fusewright.runtime.data.batches import Batch
from fusewright.runtime.data.dataset import Dataset
from fusewright.runtime.settings import Settings
from fusewright.runtime.training.objective import Objective, loss_of
from fusewright.runtime.training.optimisers import ArchitectureOptimiser, Optimiser, WeightOptimiser
from fusewright.runtime.training.prepare import prepare

from .machine import machine
from .published import published_hypernet, published_layout
from .spaces import batch_of, batch_size, space

NETWORKS = ("ntu1", "ego1", "mmimdb1")
CONTENDERS = ("published", "eager", "compiled")
WARM = 3


@dataclass(frozen=True)
class Contender:
    """The two steps of one way to run a hypernet."""

    weights: Callable[[], None]
    architecture: Callable[[], None]


def ours(network: Network, size: int, device: str, compile: bool, precision: str) -> Contender:
    """Fusewright's steps, on data prepared as a search prepares it."""
    settings = Settings(batch=size, device=device, compile=compile, precision=precision)
    features, labels = batch_of(network, size)
    data = Dataset({n: f.numpy() for n, f in features.items()}, labels.numpy(), np.zeros(size))
    module, data = prepare(network, data, settings, torch.device(device))
    tensors = {n: torch.from_numpy(f).to(device) for n, f in data.features.items()}
    batch = Batch(tensors, labels.to(device))
    module.train()

    def step(optimiser: Optimiser) -> Callable[[], None]:
        def run() -> None:
            with optimiser.stepping():
                optimiser.step(optimiser.loss(Objective(network.head), batch))

        return run

    return Contender(
        step(WeightOptimiser(module, settings, 100)), step(ArchitectureOptimiser(module, settings))
    )


def published(network: Network, size: int, device: str, checkout: Path) -> Contender:
    """The published code's steps: two Adams, and a whole backward for either."""
    features, labels = batch_of(network, size)
    given = {n: f.to(device) for n, f in published_layout(features, network).items()}
    labels = labels.to(device)
    module: Any = published_hypernet(checkout, network).to(device).train()
    for parameter in module.architecture_parameters():
        parameter.data = parameter.data.to(device)
    adam = torch.optim.Adam
    weights = adam(module.parameters(), 1e-3, weight_decay=1e-4)
    logits = module.architecture_parameters()
    architecture = adam(logits, 3e-4, (0.5, 0.999), weight_decay=1e-3)

    def step(optimiser: torch.optim.Optimizer) -> Callable[[], None]:
        def run() -> None:
            optimiser.zero_grad()
            loss: Any = loss_of(network.head, module(given), labels)
            loss.backward()
            optimiser.step()

        return run

    return Contender(step(weights), step(architecture))


def contender(name: str, network: Network, options: argparse.Namespace) -> Contender:
    size = options.batch or batch_size(network)
    if name == "published":
        return published(network, size, options.device, options.published)
    return ours(network, size, options.device, name == "compiled", options.precision)


def names(options: argparse.Namespace) -> list[str]:
    chosen = ["published"] if options.published else []
    return [*chosen, "eager", *(["compiled"] if options.compile else [])]


def timed(call: Callable[[], None], device: str) -> float:
    """Milliseconds of a call, with all that it started on the device."""
    start = perf_counter()
    call()
    if device != "cpu":
        torch.cuda.synchronize()
    return 1000 * (perf_counter() - start)


def measure(network: Network, options: argparse.Namespace) -> Mapping[str, tuple[float, float]]:
    """Medians of both steps, interleaved, by contender."""
    found: dict[str, Contender] = {}
    for name in names(options):
        found[name] = contender(name, network, options)
        start = perf_counter()
        for _ in range(WARM):
            found[name].weights()
            found[name].architecture()
        if name == "compiled":
            print(f"  {network.name}: {perf_counter() - start:.0f} s to compile both steps")
    taken: dict[str, tuple[list[float], list[float]]] = {n: ([], []) for n in found}
    for _ in range(options.repetitions):
        for name, one in found.items():
            taken[name][0].append(timed(one.weights, options.device))
            taken[name][1].append(timed(one.architecture, options.device))
    return {name: (median(w), median(a)) for name, (w, a) in taken.items()}


def peak(name: str, network: str, options: argparse.Namespace) -> int:
    """Bytes at the peak of two steps of a contender, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.hypernet_step", "--peak", name, network]
    command += ["--threads", str(options.threads), "--dropout", str(options.dropout)]
    command += ["--device", options.device, "--precision", options.precision]
    if options.published:
        command += ["--published", str(options.published)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def own_peak(name: str, network: Network, options: argparse.Namespace) -> int:
    one = contender(name, network, options)
    one.weights()
    one.architecture()
    if options.device != "cpu":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        one.weights()
        one.architecture()
        return int(torch.cuda.max_memory_allocated() - before)
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak so far
    before = _resident("VmRSS")
    one.weights()
    one.architecture()
    return _resident("VmHWM") - before


def _resident(what: str) -> int:
    """Bytes of memory that Linux counts for this process: now, or at the most."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    line = next(line for line in status if line.startswith(what))
    return 1024 * int(line.split()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--published", type=Path)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=15)
    parser.add_argument("--peak")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.peak:
        print(own_peak(options.peak, space(options.networks[0], options.dropout), options))
        return
    print(machine("torch"))
    on = torch.cuda.get_device_name() if options.device != "cpu" else "the CPU"
    print(f"{options.threads} threads, dropout {options.dropout}, on {on}, {options.precision}")
    ratios: dict[str, list[float]] = {}
    for row in options.networks:
        found = measure(space(row, options.dropout), options)
        memory = {n: peak(n, row, options) for n in found if n != "compiled"}
        first = next(iter(found))
        print(f"{row:<10}{'weights':>10}{'architecture':>14}{'both':>8}{'times':>8}{'peak MB':>10}")
        for name, (weights, architecture) in found.items():
            ratio = sum(found[first]) / (weights + architecture)
            ratios.setdefault(name, []).append(ratio)
            held = f"{memory[name] / 1e6:>10.0f}" if name in memory else ""
            both = f"{weights + architecture:>8.1f}{ratio:>8.2f}{held}"
            print(f"  {name:<10}{weights:>8.1f}{architecture:>14.1f}{both}")
    for name, found in ratios.items():
        print(f"{name}: {median(found):.2f} times as fast as {next(iter(ratios))}, median")


if __name__ == "__main__":
    main()
