"""Networks trained as one Program, beside the same networks trained one by one.

`python -m benchmarks.population`: for spaces of the study and rows of Table 8, random genotypes or
one genotype many times (folds, seeds) take steps over the same batch. Contenders take turns in one
run, on the same inputs: one by one, together, `torch.func.vmap` over the parameters of equal
networks, and as many processes as there are cores, each of which trains its share one by one, or
(`& joined`) together. Folds are one genotype many times, each with samples of its own.
`floor` is the time of the matrix products alone, as one step needs them, and `together / floor` how
far the step is from it. Medians of milliseconds for one step of all networks; what counts are the
ratios. Operations are those that the profiler sees launched, views left out, for a network's step.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.network.network import Network
from fusewright.compiler.program.draws import with_draws
from fusewright.compiler.program.program import Program
from fusewright.runtime.data.batches import Batch
from fusewright.runtime.data.dataset import Dataset
from fusewright.runtime.genotypes.sample import random_genotype
from fusewright.runtime.settings import Settings
from fusewright.runtime.training.memory import bytes_of
from fusewright.runtime.training.objective import Objective, loss_of
from fusewright.runtime.training.optimisers import WeightOptimiser
from fusewright.runtime.training.population import (
    Population,
    PopulationOptimiser,
    member_program,
)
from fusewright.runtime.training.prepare import prepare, prepared

from .limits import rung
from .machine import machine
from .spaces import batch_of, batch_size, space

STUDY = Path(__file__).parent / "study" / "data"
STUDY_BATCH = 64
RANDOM, IDENTICAL, FOLDS = "random", "identical", "folds"
MOST_ALONE = 16
"""Networks that are timed one by one; where there are more, their mean stands for the others."""
WARM = 6
CPU = torch.device("cpu")
VIEWS = ("view", "as_strided", "select", "slice", "expand", "reshape", "unsqueeze", "squeeze",
         "transpose", "permute", "t", "unflatten", "flatten", "detach", "alias", "narrow", "split",
         "unbind", "movedim", "result_type", "empty", "empty_strided", "empty_like", "to",
         "zeros", "zeros_like", "ones_like", "lift_fresh", "item")  # fmt: skip
"""What launches nothing, or is counted by what it calls."""
Step = Callable[[], Any]


@dataclass(frozen=True)
class Problem:
    """Networks over one batch."""

    networks: Sequence[Network]
    data: Dataset
    settings: Settings
    apart: bool = False
    """Whether each network has samples of its own, as a fold."""

    @classmethod
    def of(cls, name: str, members: int, structures: str) -> Problem:
        network = _space(name)
        size = STUDY_BATCH if _is_study(name) else batch_size(network)
        seeds = range(members) if structures == RANDOM else [0] * members
        networks = [checked(random_genotype(network, seed)) for seed in seeds]
        features, labels = batch_of(network, size)
        arrays = {key: tensor.numpy() for key, tensor in features.items()}
        data = Dataset(arrays, labels.numpy(), np.zeros(size))
        return cls(networks, data, Settings(batch=size), structures == FOLDS)

    def batch(self, data: Dataset) -> Batch:
        features = {name: torch.from_numpy(a) for name, a in data.features.items()}
        return Batch(features, torch.from_numpy(data.labels))

    def batches(self, data: Dataset) -> Batch:
        """A batch for each network: the same samples in other orders."""
        one, count = self.batch(data), len(self.networks)
        orders = torch.stack([torch.randperm(len(one.labels)) for _ in range(count)])
        features = {name: feature[orders] for name, feature in one.features.items()}
        return Batch(features, one.labels[orders], len(one.labels))


def _is_study(name: str) -> bool:
    return (STUDY / f"{name}.fuse").exists()


def _space(name: str) -> Network:
    if not _is_study(name):
        return space(name, 0.2)
    return checked(fw.load(STUDY / f"{name}.fuse"))


def together(problem: Problem) -> tuple[Step, Program]:
    """A step of all networks as one Program, and that Program."""
    hoisted = [member_program(network) for network in problem.networks]
    programs, members = [one.program for one in hoisted], range(len(problem.networks))
    rows = [*members] if problem.apart else None
    population = Population(programs, [problem.settings] * len(programs), CPU, rows)
    optimiser = PopulationOptimiser(population, 100, members)
    data = prepared(hoisted, problem.data, CPU)
    batch = problem.batches(data) if problem.apart else problem.batch(data)
    return _stepping(problem, optimiser, batch), population.module.program


def alone(problem: Problem) -> list[Step]:
    """A step of each network by itself."""
    steps: list[Step] = []
    for number, network in enumerate(problem.networks[:MOST_ALONE]):
        module, data = prepare(network, problem.data, problem.settings, CPU)
        optimiser = WeightOptimiser(module, problem.settings, 100, number)
        steps.append(_stepping(problem, optimiser, problem.batch(data)))
    return steps


def _stepping(problem: Problem, optimiser: WeightOptimiser, batch: Batch) -> Step:
    head = problem.networks[0].head
    optimiser.module.train()

    def step() -> None:
        with optimiser.stepping():
            optimiser.step(optimiser.loss(Objective(head), batch))

    return step


def vmapped(problem: Problem) -> Step:
    """Equal networks by `torch.func`, over stacks of their parameters; dropout left out of them.

    It knows no rule for the attention that runs on a CPU in one operation, and loops over it.
    """
    network = problem.networks[0]
    text = str(network.spec).replace("dropout = 0.2", "dropout = 0")
    plain = checked(fw.loads(text))
    settings = problem.settings.with_options(compile=False)
    module, data = prepare(plain, problem.data, settings, CPU)
    module._kernels = {}  # pyright: ignore[reportPrivateUsage]
    module._trace()  # pyright: ignore[reportPrivateUsage]
    batch, count = problem.batch(data), len(problem.networks)
    stacks = {
        n: torch.stack([p.detach()] * count).requires_grad_() for n, p in module.named_parameters()
    }
    buffers = {n: torch.stack([b] * count) for n, b in module.named_buffers()}
    adam = torch.optim.Adam(stacks.values(), 1e-3, fused=True)
    module.train()

    def logits(parameters: Mapping[str, Tensor], held: Mapping[str, Tensor]) -> Tensor:
        result: Tensor = torch.func.functional_call(module, (parameters, held), (batch.features,))
        return result

    mapped = torch.func.vmap(logits, randomness="different")

    def step() -> None:
        loss = loss_of(network.head, mapped(stacks, buffers), batch.labels).sum()
        adam.zero_grad()
        loss.backward()
        adam.step()

    return step


def workers(name: str, members: int, structures: str, steps: int, *, joined: bool) -> float:
    """Seconds of a step of all networks, by as many processes as there are cores.

    Each trains its share one by one, or `joined`.
    """
    cores = os.cpu_count() or 1
    shares = [range(i, members, cores) for i in range(min(cores, members))]
    context = multiprocessing.get_context("spawn")
    with context.Pool(len(shares)) as pool:
        tasks = [(name, members, structures, [*share], steps, joined) for share in shares]
        return max(pool.starmap(_worker, tasks))


def _worker(
    name: str, members: int, structures: str, share: Sequence[int], steps: int, joined: bool
) -> float:
    torch.set_num_threads(1)
    whole = Problem.of(name, members, structures)
    own = replace(whole, networks=[whole.networks[i] for i in share])
    ready = [together(own)[0]] if joined else alone(own)
    for step in ready * 2:
        step()
    taken = []
    for _ in range(steps):
        start = perf_counter()
        for step in ready:
            step()
        taken.append((perf_counter() - start) * (1 if joined else len(share) / len(ready)))
    return median(taken)


def operations(step: Step) -> int:
    """The operations that a step launches."""
    with profile(activities=[ProfilerActivity.CPU]) as found:
        step()
    names = (event.key.partition("::") for event in found.key_averages())
    counts = [event.count for event in found.key_averages()]
    return sum(
        count
        for (space, _, name), count in zip(names, counts, strict=True)
        if space in ("aten", "mkldnn") and name not in VIEWS
    )


def grouped(problem: Problem, program: Program) -> float:
    """The share of the networks' operations that run in groups of two or more."""
    own = sum(
        value.record is not None and value.record.batched is not None
        for network in problem.networks
        for value in with_draws(member_program(network).program).values
    )
    rows = sum(v.type.axes[0].size or 0 for v in program.values if v.primitive == "batched")
    return rows / own


def interleaved(contenders: Mapping[str, Sequence[Step]], repetitions: int) -> dict[str, float]:
    """Milliseconds of each contender's steps, the median of repetitions that take turns."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(WARM + repetitions):
        for name, steps in contenders.items():
            start = perf_counter()
            for step in steps:
                step()
            if turn >= WARM:
                taken[name].append(1000 * (perf_counter() - start))
    return {name: median(times) for name, times in taken.items()}


def row(name: str, members: int, structures: str, options: argparse.Namespace) -> dict[str, Any]:
    """Everything that is measured of one population."""
    problem = Problem.of(name, members, structures)
    whole, program = together(problem)
    single = alone(problem)
    contenders: dict[str, Sequence[Step]] = {"one by one": single, "together": [whole]}
    contenders["floor"] = [rung(program, problem.settings.batch)]
    if structures == IDENTICAL and members > 1:
        contenders["vmap"] = [vmapped(problem)]
    found = interleaved(contenders, options.repetitions)
    found["one by one"] *= members / len(single)
    if options.workers and members > 1:
        for kind, joined in (("workers", False), ("workers together", True)):
            seconds = workers(name, members, structures, options.repetitions, joined=joined)
            found[kind] = 1000 * seconds
    ops = operations(whole) / members, sum(map(operations, single)) / len(single)
    planned = sum(bytes_of(member_program(n).program, problem.settings) for n in problem.networks)
    return {
        **found,
        "operations": ops,
        "grouped": grouped(problem, program),
        "planned": planned / 2**20,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spaces", nargs="*", default=["digits", "ntu1"])
    parser.add_argument("--members", type=int, nargs="+", default=[1, 5, 16, 64, 256])
    parser.add_argument("--structures", nargs="+", default=[RANDOM, IDENTICAL, FOLDS])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--workers", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(machine("torch"), f"{options.threads} thread(s)")
    print(f"{'space':<8}{'structures':<11}{'n':>4}{'one by one':>12}{'together':>10}{'ratio':>7}"
          f"{'vmap':>7}{'workers':>9}{'& joined':>10}{'/ floor':>9}{'ops alone':>11}"
          f"{'ops':>7}{'grouped':>9}"
          f"{'planned MB':>12}{'peak MB':>9}")  # fmt: skip
    for name in options.spaces:
        for structures in options.structures:
            for members in options.members:
                one = row(name, members, structures, options)
                base, own = one["one by one"], one["together"]
                others = [
                    f"{base / one[k]:.2f}" if k in one else ""
                    for k in ("vmap", "workers", "workers together")
                ]
                count, before = one["operations"]
                print(f"{name:<8}{structures:<11}{members:>4}{base:>12.1f}{own:>10.1f}"
                      f"{base / own:>7.2f}{others[0]:>7}{others[1]:>9}{others[2]:>10}"
                      f"{own / one['floor']:>9.2f}"
                      f"{before:>11.0f}{count:>7.1f}{one['grouped']:>9.1%}"
                      f"{one['planned']:>12.0f}{one['peak']:>9.0f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
