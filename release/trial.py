"""Tries a wheel where nothing else is: a fresh environment for every Python at hand.

    python -m release.trial dist [--demo]

Each has the wheel alone first, which writes, checks, draws and compiles, and says what a search
needs; then with the extra `torch`, which searches, trains, evaluates and exports data of its own.
The sdist is installed once. `--demo` runs the demo too, with the first Python.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from .build import ROOT

PINS = ROOT / "constraints.txt"
DATA = """
import numpy as np
draw = np.random.default_rng(0)
labels = draw.integers(0, 3, 240)
seen = np.eye(3, dtype=np.float32)[labels]
np.savez("data.npz", labels=labels, **{
    name: seen @ draw.normal(size=(3, size)).astype(np.float32)
    + draw.normal(size=(240, size)).astype(np.float32) for name, size in (("A", 12), ("B", 9))})
"""
FRONT = (
    "new --example ntu1 -o ntu1.fuse",
    "new --example ntu1_genotype -o genotype.fuse",
    "check ntu1.fuse genotype.fuse",
    "info ntu1.fuse",
    "draw ntu1.fuse -o ntu1.svg",
    "draw ntu1.fuse -o ntu1.html",
    "draw genotype.fuse -o genotype.png",
    "convert ntu1.fuse --to yaml",
    "compile genotype.fuse --initial -o genotype.onnx",
    "compile genotype.fuse -o genotype.py",
    "load genotype.onnx",
    "ops",
    "explain E203",
)
REFUSED = "search ntu1.fuse --data data.npz --out run"
TORCH = (
    "new --data data.npz -o own.fuse",
    "search own.fuse --data data.npz --out run --candidates 6 --trial-epochs 2 --folds 0 "
    "--no-ensemble --no-controls --threads 1",
    "draw run -o run.html",
    "report run -o report.html",
    "train run/genotype.fuse --data data.npz --out trained --epochs 4 --threads 1",
    "evaluate trained --data data.npz",
    "compile trained -o model.onnx",
    "predict model.onnx --data data.npz -o out.csv",
)


def pythons() -> Iterator[tuple[str, str]]:
    """Each version that the package takes and that is at hand, and its program."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    least = int(settings["project"]["requires-python"].rpartition(".")[2])
    for minor in range(least, least + 8):
        for program in _programs(f"python3.{minor}"):
            if not _output([program, "-c", "import venv"]).returncode:
                yield f"3.{minor}", program
                break


def _programs(name: str) -> Iterator[str]:
    """Where a program of that name may be: on the path, or with pyenv."""
    if found := shutil.which(name):
        yield found
    if shutil.which("pyenv"):
        root = Path(_output(["pyenv", "root"]).stdout.strip())
        yield from map(str, sorted(root.glob(f"versions/*/bin/{name}"), reverse=True))


def _output(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


class Environment:
    """A fresh virtual environment, and a folder outside the repository to work in."""

    def __init__(self, program: str, folder: Path) -> None:
        subprocess.run([program, "-m", "venv", str(folder / "venv")], check=True)
        self.bin = folder / "venv" / "bin"
        self.work = folder / "work"
        self.work.mkdir()
        hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
        self.environment = {k: v for k, v in os.environ.items() if k not in hidden}
        self.environment |= {"OMP_NUM_THREADS": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

    def install(self, *what: str) -> None:
        self._run([str(self.bin / "pip"), "install", "--quiet", *what])

    def python(self, code: str) -> None:
        self._run([str(self.bin / "python"), "-c", code])

    def fusewright(self, line: str, *, refused: str = "") -> None:
        """Runs a command; where it is to be refused, with that code."""
        self._run([str(self.bin / "fusewright"), *line.split()], refused)

    def _run(self, command: list[str], refused: str = "") -> None:
        done = subprocess.run(
            command,
            cwd=self.work,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        well = re.search(re.escape(refused), said) if refused else not done.returncode
        if not well or "Traceback" in said:
            sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{said}")


def tried(version: str, program: str, wheel: Path, *, demo: bool) -> None:
    """Everything with one Python; says how long it took."""
    start = perf_counter()
    with TemporaryDirectory() as scratch:
        place = Environment(program, Path(scratch))
        place.install(str(wheel))
        place.python(DATA)
        for line in FRONT:
            place.fusewright(line)
        place.fusewright(REFUSED, refused="error[E509]")
        front = perf_counter()
        place.install("-c", str(PINS), "torch")
        place.install("-c", str(PINS), f"{wheel}[torch]")
        for line in TORCH:
            place.fusewright(line)
        if demo:
            place.fusewright("demo --out demo")
    took = f"{front - start:.0f} s without torch, {perf_counter() - front:.0f} s with it"
    print(f"Python {version}: {len(FRONT) + len(TORCH)} commands and a refusal, {took}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--demo", action="store_true")
    options = parser.parse_args()
    (wheel,), (sdist,) = (sorted(options.folder.glob(p)) for p in ("*.whl", "*.tar.gz"))
    known = list(pythons())
    with TemporaryDirectory() as scratch:
        place = Environment(known[0][1], Path(scratch))
        place.install(str(sdist.absolute()))
        place.fusewright(FRONT[0])
        place.fusewright("check ntu1.fuse")
    print(f"sdist: installed and run with Python {known[0][0]}", flush=True)
    for at, (version, program) in enumerate(known):
        tried(version, program, wheel.absolute(), demo=options.demo and at == 0)


if __name__ == "__main__":
    main()
