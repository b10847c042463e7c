"""What a training takes of memory, beside what was estimated before it.

`python -m benchmarks.memory`: the bundled network at several widths and batch sizes. Each training
runs in a process of its own, once with one step of the smallest network, whose peak is that of
Python, torch and the data, and once as it is; the difference of the peaks is what it took.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys

import numpy as np

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.compile import to_program
from fusewright.compiler.measure.memory import learned, training_memory

from .machine import machine

CASES = ((512, 512), (2048, 64), (2048, 1024), (4096, 256))
"""Widths, and samples in a batch."""
TEXT = """network n(C = {width}, L = 8, dropout = 0.1)
use bmnas
modality image {{ I1[c 64, h 8, w 8] I2[c 128, h 4, w 4] }}
modality text {{ T1[t 8, c 48] T2[c 64] }}
cell Cell_1(I1, T1) {{ Step_1 = ConcatFC(x, y) }}
cell Cell_2(I2, T2) {{ Step_1 = LinearGLU(x, y) Step_2 = Attention(x, Step_1) }}
predict 8 classes
"""
SHAPES = {"I1": (64, 8, 8), "I2": (128, 4, 4), "T1": (8, 48), "T2": (64,)}
SAMPLES = 1024
MEBIBYTE = 1 << 20


def train(width: int, batch: int) -> None:
    """One epoch; prints the peak of this process, in bytes."""
    generator = np.random.default_rng(0)
    data = {
        name: generator.normal(size=(SAMPLES, *shape)).astype(np.float32)
        for name, shape in SHAPES.items()
    }
    data["labels"] = np.arange(SAMPLES) % 8
    data["split"] = np.zeros(SAMPLES, np.int64)
    fw.train(fw.loads(TEXT.format(width=width)), data, epochs=1, batch=batch, threads=1)
    sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}\n")


def peak(width: int, batch: int) -> int:
    """The peak of a process that trains, in bytes."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.memory"]
    command += ["--width", str(width), "--batch", str(batch)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int)
    parser.add_argument("--batch", type=int)
    options = parser.parse_args()
    if options.width:
        train(options.width, options.batch)
        return
    least = peak(4, 16)
    for width, batch in CASES:
        network = checked(fw.loads(TEXT.format(width=width)))
        memory = training_memory(learned(to_program(network.spec)), batch)
        took = peak(width, batch) - least
        uses = ", ".join(f"{n} {count / MEBIBYTE:.0f}" for n, count in memory.uses.items())
        print(
            f"C = {width}, batch {batch}: estimated {memory.total / MEBIBYTE:.0f} MiB ({uses}), "
            f"took {took / MEBIBYTE:.0f} MiB, ratio {memory.total / took:.2f}"
        )
    print(machine("torch", "numpy"))


if __name__ == "__main__":
    main()
