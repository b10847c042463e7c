"""A network that is a library's roles alone: every feature of a specification, without a Cell."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from .nodes import Predict, Reference, Use
from .spec import Spec


def by_library(spec: Spec, library: str) -> Spec:
    """Every feature through the roles of a library, such as `simbamm` or `perceptron`.

    What the specification defines, its Cells and its requirements are left out; its numbers and
    what is predicted stay.
    """
    every = tuple(Reference(f.name) for m in spec.modalities for f in m.features)
    return replace(
        spec, uses=(Use(library),), definitions=(), pool=None, cells=(), outputs=every,
        requirements=(), heads=heads_reading(spec, [r.name for r in every]),
    )  # fmt: skip


def is_beside(spec: Spec, space: Spec) -> bool:
    """Whether a network found in a search space is by another library, and no point of it."""
    return not spec.cells and spec.uses != space.uses


def heads_reading(spec: Spec, names: Collection[str]) -> tuple[Predict, ...]:
    """The heads of a network that has these features alone: what reads none of them, or Cells,
    reads the output."""
    known = {*names, *(head.name for head in spec.heads)}
    return tuple(
        replace(head, reads=tuple(r for r in head.reads if r.name in known)) for head in spec.heads
    )
