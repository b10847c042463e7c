"""A whole search on the demo's features: ours and the published code's, same epochs, same data.

`python -m benchmarks.search_to_genotype --published CHECKOUT`: seconds from features to the
genotype of the last epoch, the contenders' epochs interleaved. Each epoch is a pass of weight steps
over the training samples, one of architecture steps over the validation samples, and a measurement;
the published code measures in that second pass, by another forward of each batch.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.runtime.data.batches import Batch, Batches
from fusewright.runtime.data.dataset import Dataset, load_data
from fusewright.runtime.data.split import TRAIN, VALIDATION
from fusewright.runtime.demo.extract import extract
from fusewright.runtime.settings import Settings
from fusewright.runtime.training.objective import loss_of

from .machine import machine
from .published import published_hypernet, published_layout

CPU = torch.device("cpu")
DEMO = Path(fw.__file__).parent / "runtime" / "demo" / "emoji.fuse"


def published_epoch(checkout: Path, spec: fw.Spec, data: Dataset, batch: int) -> Callable[[], None]:
    """One epoch of the published search, on features in its own layout."""
    network = checked(spec)
    tensors = {n: torch.from_numpy(a) for n, a in data.features.items()}
    arrays = {n: t.numpy() for n, t in published_layout(tensors, network).items()}
    given = Dataset(arrays, data.labels, data.split)
    module: Any = published_hypernet(checkout, network).train()
    logits = module.architecture_parameters()
    weights = torch.optim.Adam(module.parameters(), 1e-3, weight_decay=1e-4)
    architecture = torch.optim.Adam(logits, 3e-4, (0.5, 0.999), weight_decay=1e-3)
    train = Batches(given, data.indices(TRAIN), batch, CPU)
    validation = Batches(given, data.indices(VALIDATION), batch, CPU)

    def step(optimiser: torch.optim.Optimizer, one: Batch) -> None:
        optimiser.zero_grad()
        loss: Any = loss_of(network.head, module(one.features), one.labels)
        loss.backward()
        optimiser.step()

    def epoch() -> None:
        for one in train.shuffled(0):
            step(weights, one)
        for one in validation.shuffled(0):
            step(architecture, one)
            with torch.no_grad():
                module(one.features).argmax(1)

    return epoch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--published", type=Path)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(machine("torch"))
    extracted = extract(seed=0)
    arrays: Mapping[str, Any] = {
        **extracted.features,
        "labels": extracted.labels,
        "split": extracted.split,
    }
    spec = fw.load(DEMO)
    samples = load_data(arrays, checked(spec))
    theirs: list[float] = []
    ours: list[float] = []
    published = options.published and published_epoch(
        options.published, spec, samples, options.batch
    )
    last = perf_counter()

    def between(record: object) -> None:
        nonlocal last
        ours.append(perf_counter() - last)
        if published:
            start = perf_counter()
            published()
            theirs.append(perf_counter() - start)
        last = perf_counter()

    settings = Settings(epochs=options.epochs, batch=options.batch)
    result = fw.search(spec, arrays, settings=settings, report=between)
    print(f"{len(samples.labels):,} samples, {options.epochs} epochs")
    print(f"ours       {median(ours):>7.2f} s for an epoch, {sum(ours):>7.1f} s for the search")
    if published:
        ratio = median(theirs) / median(ours)
        print(f"published  {median(theirs):>7.2f} s for an epoch: {ratio:.2f} times ours")
    print(f"genotype:\n{result.genotype}")


if __name__ == "__main__":
    main()
