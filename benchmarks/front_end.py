"""How fast specifications are parsed and checked, by their length, and how fast `check` starts.

`python -m benchmarks.front_end`: medians of interleaved repetitions, in MB/s of specification text,
and as a ratio to the text of 1,000 lines: 1 is linear.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

from fusewright.compiler.check.check import check
from fusewright.compiler.syntax.parse import parse

from .machine import machine

LINES = (10, 100, 1_000, 10_000, 30_000)
REFERENCE = 1_000
SMALL = """network n(C = 64, L = 8)
modality a { A[c 512] }
modality b { B[t 8, c 256] }
pool Sum, Attention, LinearGLU, ConcatFC
cell Cell[2](?, ?) {
  Step[2] = ?(?, ?)
}
predict 10 classes
"""
CELL = """cell Cell_{n}(Image_2, Text_0) {{  # the Cell of that number
  Step_1 = ?(x, y)
  Step_2 = {{Sum | LinearGLU}}(x, Step_1)
  Step_3 = Attention(Step_1, Step_2)
  Step_4 = ConcatFC(Step_3, y)
  return Step_2, Step_4
}}

"""
HEAD = """network benchmark(C = 192, L = 16, dropout = 0.1)
use bmnas
modality image { Image_2[c 512, h 14, w 14] }
modality text { Text_0[c 64] }
pool Sum, LinearGLU, ConcatFC
predict 23 labels
"""


def program(lines: int) -> str:
    """A specification of about so many lines, most of them Steps of Cells."""
    count = max(1, (lines - HEAD.count("\n")) // CELL.count("\n"))
    return HEAD + "".join(CELL.format(n=n) for n in range(1, count + 1))


def timed(action: Callable[[], object]) -> float:
    started = perf_counter()
    action()
    return perf_counter() - started


def curve(repetitions: int) -> Iterator[str]:
    """One line for each length of text: what parsing and checking it takes."""
    texts = {lines: program(lines) for lines in LINES}
    specs = {lines: parse(text) for lines, text in texts.items()}
    parsing: dict[int, list[float]] = {lines: [] for lines in LINES}
    checking: dict[int, list[float]] = {lines: [] for lines in LINES}
    for spec in specs.values():
        assert not any(d.is_error for d in check(spec))
    for _ in range(repetitions):
        for lines in LINES:
            parsing[lines].append(timed(lambda: parse(texts[lines])))  # noqa: B023
            checking[lines].append(timed(lambda: check(specs[lines])))  # noqa: B023
    size = {lines: len(text.encode()) / 1e6 for lines, text in texts.items()}
    speeds = [
        [size[lines] / median(taken[lines]) for taken in (parsing, checking)] for lines in LINES
    ]
    reference = speeds[LINES.index(REFERENCE)]
    yield "lines     MB       parse MB/s  ratio   check MB/s  ratio   both MB/s"
    for lines, (parsed, checked) in zip(LINES, speeds, strict=True):
        ratios = reference[0] / parsed, reference[1] / checked
        both = 1 / (1 / parsed + 1 / checked)
        yield (
            f"{lines:<9,} {size[lines]:<8.4f} {parsed:>10.3f} {ratios[0]:>6.2f} "
            f"{checked:>12.3f} {ratios[1]:>6.2f} {both:>11.3f}"
        )


def starts(repetitions: int) -> Iterator[str]:
    """What `fusewright check` on a small file takes beside an empty interpreter.

    The package's bytecode is cached by a first run, as installing a wheel caches it.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "small.fuse")
        file.write_text(SMALL, encoding="utf-8")
        main = "from fusewright.cli import main; main()"
        commands = {
            "empty interpreter": [sys.executable, "-c", ""],
            "fusewright check": [sys.executable, "-c", main, "check", str(file)],
        }
        _run(commands["fusewright check"])
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(repetitions):
            for name, command in commands.items():
                taken[name].append(timed(lambda: _run(command)))  # noqa: B023
    first = median(taken["empty interpreter"])
    for name, seconds in taken.items():
        ratio = median(seconds) / first
        yield f"{name:<18} {1000 * median(seconds):>6.0f} ms  {ratio:>5.2f} times"


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--starts", type=int, default=15)
    options = parser.parse_args()
    print(machine())
    for line in (*curve(options.repetitions), *starts(options.starts)):
        print(line)


if __name__ == "__main__":
    main()
