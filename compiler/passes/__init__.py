"""Passes: Program to Program, the same result to rounding.

Every module here is one pass; it has `ORDER`, its place in the pipeline, `run(program)`, and
`STAGES` that it serves: `training`, where each operation runs by itself; `compiled`, where
torch.compile fuses what follows; and `inference`, where a pass may keep the result in evaluation
mode alone, and leaves values in their Cells and Steps.
A pass may leave a parameter unread but never removes, renames or reshapes one, so that names and
shapes of weights do not depend on which passes ran.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Literal

from ..collector import COLLECTOR_OFF
from ..program import InvalidProgram, Program, validate

Pass = Callable[[Program], Program]
Stage = Literal["training", "compiled", "inference"]


@cache
def passes(stage: Stage) -> Mapping[str, Pass]:
    """The passes of a stage by name, in the order in which they run."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    modules = {name: import_module(f".{name}", __name__) for name in names}
    chosen = [name for name in names if stage in modules[name].STAGES]
    return {name: modules[name].run for name in sorted(chosen, key=lambda n: modules[n].ORDER)}


def optimise(program: Program, stage: Stage = "training") -> Program:
    """The program after every pass of a stage; InvalidProgram names the pass that broke it."""
    with COLLECTOR_OFF:
        found = program
        for run in passes(stage).values():
            found = run(found)
        try:
            return validate(found, "the passes")
        except InvalidProgram:
            for name, run in passes(stage).items():
                program = validate(run(program), name)
            raise
