"""The floor under a hypernet's step: what its matrix products alone cost on this machine.

`python -m benchmarks.limits`: for rows of Table 8, every product of the prepared Program is timed
by itself, forward and backward as a weight step and an architecture step need it, by torch's own
matmul (MKL) and by oneDNN. Beside it the step as it is, and how much of it the products are.
`rung` is that floor for networks that train together; `benchmarks.population` prints how far a step
of theirs is from it.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from statistics import median
from time import perf_counter

import torch
from torch import Tensor

from fusewright.compiler.compile import to_program
from fusewright.compiler.network.network import Network
from fusewright.compiler.passes import optimise
from fusewright.compiler.program.hoist import hoist
from fusewright.compiler.program.program import PARAMETER, Program
from fusewright.compiler.targets.torch.kernels import product

from .hypernet_step import NETWORKS, WARM, ours, timed
from .machine import machine
from .spaces import batch_size, space

Product = tuple[int, int, int]
"""Rows, inner size and columns of a product of two matrices."""


def products(network: Network, architecture: bool) -> Counter[Product]:
    """The products of one step: forward, and backward for the parameters that move."""
    program = hoist(optimise(to_program(network.spec))).program
    moving = _moving(program, "architecture" if architecture else "weight")
    found: Counter[Product] = Counter()
    for value in program.values:
        if value.primitive != "linear":
            continue
        x, w = (program.values[a].type for a in value.arguments)
        rows = batch_size(network) * x.elements() // x.channels()
        inner, columns = x.channels(), w.channels()
        found[rows, inner, columns] += 1
        if moving[value.arguments[0]]:
            found[rows, columns, inner] += 1
        if moving[value.arguments[1]]:
            found[inner, rows, columns] += 1
    return found


def _moving(program: Program, kind: str) -> list[bool]:
    """Whether each value depends on a parameter of a kind."""
    kinds = {p.name: p.kind for p in program.parameters}
    found: list[bool] = []
    for value in program.values:
        own = value.primitive == PARAMETER and kinds[value.name] == kind
        found.append(own or any(found[a] for a in value.arguments))
    return found


def rung(program: Program, batch: int) -> Callable[[], None]:
    """The matrix products of a step of a population: each forward, and for both its gradients."""
    products: list[tuple[Tensor, Tensor]] = []
    for value in program.values:
        attributes = dict(value.attributes)
        name = attributes.get("primitive", value.primitive)
        if name != "linear":
            continue
        x, w = (program.values[a].type for a in value.arguments)
        *rows, inner, columns = (axis.size or 1 for axis in w.axes)
        count = rows[0] if rows else 1
        each = batch * x.elements() // inner // (count if x.axes[0].name == "candidates" else 1)
        products.append((torch.randn(count, each, inner), torch.randn(count, inner, columns)))

    def step() -> None:
        for x, w in products:
            result = torch.bmm(x, w)
            torch.bmm(result, w.transpose(1, 2))
            torch.bmm(x.transpose(1, 2), result)

    return step


def cost(shapes: Counter[Product], multiply: Callable[[Tensor, Tensor], Tensor], n: int) -> float:
    """Milliseconds of all products, each the median of repetitions."""
    total = 0.0
    for (rows, inner, columns), count in shapes.items():
        x, w = torch.randn(rows, inner), torch.randn(inner, columns)
        multiply(x, w)
        taken = []
        for _ in range(n):
            start = perf_counter()
            multiply(x, w)
            taken.append(perf_counter() - start)
        total += 1000 * count * median(taken)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(machine("torch"))
    print(f"{'ms':<26}{'products MKL':>14}{'oneDNN':>9}{'the step':>10}{'share':>8}")
    for name in options.networks:
        network = space(name, 0.2)
        one = ours(network, batch_size(network), "cpu", False, "float32")
        steps = {"weights": one.weights, "architecture": one.architecture}
        for _ in range(WARM):
            for step in steps.values():
                step()
        for kind, step in steps.items():
            shapes = products(network, kind == "architecture")
            mkl = cost(shapes, torch.matmul, options.repetitions)
            onednn = cost(shapes, product, options.repetitions)
            whole = median(timed(step, "cpu") for _ in range(options.repetitions))
            share = f"{100 * onednn / whole:>6.0f} %"
            print(f"{name:<10}{kind:<16}{mkl:>14.1f}{onednn:>9.1f}{whole:>10.1f}{share}")


if __name__ == "__main__":
    main()
