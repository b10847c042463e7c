"""Whether candidates are ranked alike, trained together or one by one, with one thread or two.

`python -m benchmarks.agreement --data CACHE`: random genotypes of a set of the study are trained in
float32, with every draw the same. Sums that run in another order move near-ties: Kendall's tau of
the ranks by validation loss is printed for together against one by one, and for one thread against
two, on the same candidates in one run.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torchmetrics.functional.regression import kendall_rank_corrcoef

import fusewright as fw

from .machine import machine
from .study.data import SETS, load

EPOCHS = 15


def losses(name: str, cache: Path, members: int, together: int, threads: int) -> torch.Tensor:
    """The validation loss of every candidate of a search that draws them at random."""
    found = fw.search(
        fw.load(SETS[name].spec),
        load(name, cache),
        strategy="random",
        candidates=members,
        together=together,
        threads=threads,
        trial_epochs=EPOCHS,
        batch=SETS[name].batch,
    )
    return torch.tensor([float(record["validation_loss"]) for record in found.history])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=["digits"])
    parser.add_argument("--data", type=Path, default=Path.home() / ".cache/fusewright-study")
    parser.add_argument("--members", type=int, default=48)
    options = parser.parse_args()
    print(machine("torch"))
    for name in options.sets:
        alone, two, together = (
            losses(name, options.data, options.members, together, threads)
            for together, threads in ((1, 1), (1, 2), (options.members, 1))
        )
        for what, other in (("two threads", two), ("together", together)):
            tau = float(kendall_rank_corrcoef(alone, other))
            apart = float((alone - other).abs().max())
            print(f"{name:<8} one by one and {what:<12} tau {tau:.4f}, losses within {apart:.1e}")


if __name__ == "__main__":
    main()
