"""What each stage of the compiler costs as a specification grows, by its edges.

`python -m benchmarks.compile_scale`: features, Cells and Steps are grown one at a time, the rest
stays small. An edge is one of the Graph's: a candidate of a slot. For each stage the seconds, and
for all together microseconds for each edge, as a multiple of what they are at 1,000 edges, and
the memory of a process of its own at its peak.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from fusewright.compiler.check.check import checked
from fusewright.compiler.graph.build import build
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.passes import optimise
from fusewright.compiler.syntax.parse import parse

from .machine import machine

EDGES = (10, 100, 1_000, 10_000, 100_000)
MOST = 1_000_000
STAGES = ("parse", "check", "build", "lower", "passes")
REFERENCE = 1_000
HEAD = "network n(C = 4, L = 2)\nuse bmnas\npool Sum, LinearGLU\n"


def features(edges: int) -> str:
    """One Cell over many features: two open inputs share their candidates."""
    count = max(2, edges // 3)
    declared = "\n".join(f"  F{i}[c 4]" for i in range(count))
    return (
        f"{HEAD}modality m {{\n{declared}\n}}\ncell K(?, ?) {{ S = ?(x, y) }}\npredict 2 classes\n"
    )


def cells(edges: int) -> str:
    """Many Cells, each over the features and the Cell before it."""
    count = max(1, edges // 11)
    lines = [
        f"cell K{i}({{A | {f'K{i - 1}' if i else 'B'}}}, {{A | B}}) {{ S = ?(x, y) }}"
        for i in range(count)
    ]
    body = "\n".join(lines)
    return f"{HEAD}modality m {{ A[c 4] B[c 4] }}\n{body}\noutput K{count - 1}\npredict 2 classes\n"


def steps(edges: int) -> str:
    """One Cell of many Steps, each over x and the Step before it."""
    count = max(1, edges // 5)
    lines = [f"  S{i} = ?({{x | {f'S{i - 1}' if i else 'y'}}}, {{x | y}})" for i in range(count)]
    body = "\n".join(lines)
    cell = f"cell K(A, B) {{\n{body}\n  return S{count - 1}\n}}\n"
    return f"{HEAD}modality m {{ A[c 4] B[c 4] }}\n{cell}predict 2 classes\n"


GROWN: Mapping[str, Callable[[int], str]] = {"features": features, "cells": cells, "steps": steps}


def measure(kind: str, edges: int) -> dict[str, float]:
    """Seconds of each stage, the edges there are, and bytes at the peak of this process."""
    text = GROWN[kind](edges)
    found: dict[str, float] = {}

    def stage(name: str, call: Callable[[], Any]) -> Any:
        start = perf_counter()
        result = call()
        found[name] = perf_counter() - start
        return result

    spec = stage("parse", lambda: parse(text))
    network = stage("check", lambda: checked(spec))
    graph = stage("build", lambda: build(network))
    program = stage("lower", lambda: lower(graph))
    stage("passes", lambda: optimise(program))
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {**found, "edges": graph.number_of_edges(), "peak": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=MOST, help="edges to go up to")
    parser.add_argument("--one", nargs=2, metavar=("KIND", "EDGES"))
    options = parser.parse_args()
    if options.one:
        kind, edges = options.one
        measure(kind, min(int(edges), REFERENCE))  # imports and caches are not what is measured
        print(*(f"{key}={value}" for key, value in measure(kind, int(edges)).items()))
        return
    print(machine("networkx"))
    columns = "".join(f"{name:>9}" for name in STAGES)
    for kind in GROWN:
        print(
            f"{kind:<10}{'edges':>10}{columns}{'all s':>9}{'µs/edge':>9}{'ratio':>7}{'peak MB':>9}"
        )
        reference = 0.0
        for edges in (*(e for e in EDGES if e <= options.most), *([MOST] * (options.most >= MOST))):
            command = [sys.executable, "-m", "benchmarks.compile_scale", "--one", kind, str(edges)]
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            if run.returncode:
                print(f"{'':<10}{edges:>10,}  {run.stderr.strip().splitlines()[-1][:100]}")
                continue
            found = {k: float(v) for k, v in (pair.split("=") for pair in run.stdout.split())}
            total = sum(found[name] for name in STAGES)
            each = 1e6 * total / found["edges"]
            if edges == REFERENCE:
                reference = each
            ratio = f"{each / reference:>7.2f}" if reference else f"{'':>7}"
            shown = "".join(f"{found[name]:>9.3f}" for name in STAGES)
            print(
                f"{'':<10}{found['edges']:>10,.0f}{shown}{total:>9.2f}{each:>9.1f}{ratio}"
                f"{found['peak'] / 1e6:>9.0f}"
            )


if __name__ == "__main__":
    main()
