"""Passes: Program to Program, the same result to rounding.

Every module here is one pass; it has `run(program)`, and `STAGES` that it serves: `training`,
where each operation runs by itself; `compiled`, where torch.compile fuses what follows; and
`inference`, where a pass may keep the result in evaluation mode alone, and leaves values in their
Cells and Steps. A network that trains beside others is a `member`, whose passes leave what several
networks can share, and those joined are a `population`. `ORDER` says which runs when.
A pass may leave a parameter unread but never removes, renames or reshapes one, so that names and
shapes of weights do not depend on which passes ran; but those of a population make parameters rows
of one another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Literal

from ..program.program import InvalidProgram, Program, validate
from ..system.collector import COLLECTOR_OFF

Pass = Callable[[Program], Program]
Stage = Literal["training", "compiled", "inference", "member", "population"]
NETWORK_STAGES: Sequence[Stage] = ("training", "compiled", "inference", "member")
"""The stages of a network by itself, which keep its parameters."""
ORDER = (
    "prune",
    "remove_dropout",
    "fold_zero",
    "fold_batchnorm",
    "common_subexpressions",
    "merge_candidates",  # what is computed twice stands twice in a mixture only now
    "halve_concat",  # a value joined with itself is one value only now
    "repeat_late",
    "absorb_bias",
    "widen",  # after the maps have their final weights, and batch norms their biases
    "contract_mixtures",
    "relu_dropout",
    "batch",  # what is left is what runs
    "deal",
)
"""Every pass by the name of its module, in the order in which they run."""


@cache
def passes(stage: Stage) -> Mapping[str, Pass]:
    """The passes of a stage by name, in the order in which they run."""
    modules = {name: import_module(f".{name}", __name__) for name in ORDER}
    return {name: m.run for name, m in modules.items() if stage in m.STAGES}


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
