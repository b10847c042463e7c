"""Passes: Program to Program, the same result to rounding.

Every module here is one pass; it has `ORDER`, its place in the pipeline, and `run(program)`.
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
def passes() -> Mapping[str, Pass]:
    """All passes by name, in the order in which they run."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    modules = {name: import_module(f".{name}", __name__) for name in names}
    ordered = sorted(names, key=lambda name: modules[name].ORDER)
    return {name: modules[name].run for name in ordered}


def optimise(program: Program) -> Program:
    """The program after every pass, validated after each."""
    for name, run in passes().items():
        program = validate(run(program), name)
    return program
