"""Passes: Program to Program, the same result to rounding.

Every module here is one pass; it has `ORDER`, its place in the pipeline, `INFERENCE`, whether it
keeps the result in evaluation mode alone, and `run(program)`.
A pass may leave a parameter unread but never removes, renames or reshapes one, so that names and
shapes of weights do not depend on which passes ran.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module

from ..program import Program, validate

Pass = Callable[[Program], Program]


@cache
def passes(inference: bool = False) -> Mapping[str, Pass]:
    """The passes by name, in the order in which they run; with those for inference alone."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    modules = {name: import_module(f".{name}", __name__) for name in names}
    chosen = [name for name in names if inference or not modules[name].INFERENCE]
    return {name: modules[name].run for name in sorted(chosen, key=lambda n: modules[n].ORDER)}


def optimise(program: Program, inference: bool = False) -> Program:
    """The program after every pass, validated after each; equal in evaluation mode alone
    for `inference`."""
    for name, run in passes(inference).items():
        program = validate(run(program), name)
    return program
