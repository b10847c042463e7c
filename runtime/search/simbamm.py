"""A late-fusion transformer over a specification's features: our reading of SimBaMM.

What it is stands in the library `simbamm`, whose roles are the whole network.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ...compiler.language.nodes import Predict, Reference, Use
from ...compiler.language.spec import Spec

LIBRARY = "simbamm"


def simbamm(spec: Spec) -> Spec:
    """Every feature's tokens through the library's encoder.

    What the specification defines, its Cells and its requirements are left out; C, L, dropout and
    what is predicted stay. C is a multiple of the heads, which are four.
    """
    every = tuple(Reference(f.name) for m in spec.modalities for f in m.features)
    return replace(
        spec, uses=(Use(LIBRARY),), definitions=(), pool=None, cells=(), outputs=every,
        requirements=(), heads=heads_reading(spec, [r.name for r in every]),
    )  # fmt: skip


def heads_reading(spec: Spec, names: Collection[str]) -> tuple[Predict, ...]:
    """The heads of a network that has these features alone: what reads none of them, or Cells,
    reads the output."""
    known = {*names, *(head.name for head in spec.heads)}
    return tuple(
        replace(head, reads=tuple(r for r in head.reads if r.name in known)) for head in spec.heads
    )
