"""Initial values of parameters: they depend on the seed and the parameter's name alone."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .program import ParameterSpec, Program

Arrays: TypeAlias = dict[str, NDArray[np.floating]]


def initial_values(program: Program, seed: int = 0) -> Arrays:
    """A float32 array for every parameter of the program, by name."""
    return {p.name: _initial(p, seed) for p in program.parameters}


def _initial(parameter: ParameterSpec, seed: int) -> NDArray[np.floating]:
    if parameter.rows:
        sizes = parameter.sizes[1:]
        alone = (replace(parameter, name=row, sizes=sizes, rows=()) for row in parameter.rows)
        return np.stack([_initial(row, seed) for row in alone])
    if isinstance(parameter.initial, float):
        return np.full(parameter.sizes, parameter.initial, np.float32)
    digest = hashlib.sha256(f"{seed}:{parameter.name}".encode()).digest()
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))
    if parameter.initial == "uniform":
        values = generator.uniform(-parameter.bound, parameter.bound, parameter.sizes)
    else:
        values = generator.normal(0, parameter.bound, parameter.sizes)
    return values.astype(np.float32)
