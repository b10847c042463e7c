"""The command line of the siege: `python -m tests.siege --minutes 3 --seed 0`."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path

import torch

from fusewright.compiler.system.drafts import draft_folder

from .campaign import FIRST, Figures, campaign, save, table, write_record
from .home import prepared
from .kills import USUAL, killed
from .kinds import kinds
from .target import Place, Target
from .workers import attacking, awaited, forked
from .works import WORKS

OUT = Path("build/siege")
PLACE = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()
"""Where inputs stand, in memory if that can be: a disk would take most of the time. What a siege
that was killed left there, the next one removes."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    torch.set_num_threads(1)
    torch.manual_seed(0)  # the weights of backbones at home, so that an input is the same again
    every: Mapping[str, Target] = {**kinds(), **WORKS}
    targets = killed(options.kills) if options.kills else every
    usual = USUAL if options.kills else targets
    chosen = [targets[name] for name in options.only or usual]
    with draft_folder(PLACE) as folder:
        place = prepared(Path(folder))
        if options.input is not None:
            return _one(chosen[0], place, options.seed, options.input, options.out)
        return _all(chosen, place, options)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.siege", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", choices=[*kinds(), *WORKS], metavar="TARGET")
    parser.add_argument("--first", type=int, default=FIRST, help="inputs of each target at least")
    parser.add_argument("--input", type=int, help="this input alone, of the one target")
    parser.add_argument("--kills", type=int, default=0, help="kill works so often, and no more")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT, help="where failures are written")
    return parser.parse_args(arguments)


def _one(target: Target, place: Place, seed: int, number: int, out: Path) -> int:
    """Attacks with one input, and shows what it ends in."""
    out = out.absolute()

    def work() -> None:
        with attacking(place) as own:
            save(target.attack(own, seed, number), target.name, seed, out / "one")

    status = awaited(forked(work))
    for file in sorted((out / "one").glob(f"*-{seed}-{number}.txt")):
        print(file.read_text(encoding="utf-8"))
    print(f"its process ended with {status}" if status else f"its bytes are in {out / 'one'}")
    return status


def _all(targets: Sequence[Target], place: Place, options: argparse.Namespace) -> int:
    every: dict[str, Figures] = {}
    saved: dict[str, int] = {}
    shutil.rmtree(options.out, ignore_errors=True)
    seconds = inf if options.kills else 60 * options.minutes
    turns = campaign(targets, place, options.seed, seconds, options.processes, options.first)
    for figures in turns:
        name = figures.target.name
        every[name] = figures
        for failure in figures.failures[saved.get(name, 0) :]:
            file = save(failure, name, options.seed, options.out)
            print(f"{failure.verdict.ending}: {file}", file=sys.stderr)
        saved[name] = len(figures.failures)
        write_record([*every.values()], options.seed, options.out / "figures.json")
    print(table([*every.values()], options.seed))
    return int(any(figures.failures for figures in every.values()))


if __name__ == "__main__":
    sys.exit(main())
