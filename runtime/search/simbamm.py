"""A late-fusion transformer over a specification's features: our reading of SimBaMM.

What it is stands in the library `simbamm`, whose roles are the whole network.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ...compiler.language.expression import Call
from ...compiler.language.nodes import Definition, Predict, Reference, Use
from ...compiler.language.spec import Spec
from ...compiler.network.network import COMBINE
from ...compiler.network.vocabulary import library

LIBRARY, LAYER = "simbamm", "Layer"


def simbamm(spec: Spec, layers: int | None = None) -> Spec:
    """Every feature's tokens through an encoder of `layers`, the library's number by default.

    What the specification defines, its Cells and its requirements are left out; C, L, dropout and
    what is predicted stay. C is a multiple of the heads, which are four.
    """
    every = tuple(Reference(f.name) for m in spec.modalities for f in m.features)
    own = () if layers is None else (_encoder(layers),)
    return replace(
        spec, uses=(Use(LIBRARY),), definitions=own, pool=None, cells=(), outputs=every,
        requirements=(), heads=heads_reading(spec, [r.name for r in every]),
    )  # fmt: skip


def heads_reading(spec: Spec, names: Collection[str]) -> tuple[Predict, ...]:
    """The heads of a network that has these features alone: what reads none of them, or Cells,
    reads the output."""
    known = {*names, *(head.name for head in spec.heads)}
    return tuple(
        replace(head, reads=tuple(r for r in head.reads if r.name in known)) for head in spec.heads
    )


def _encoder(layers: int) -> Definition:
    """The library's combination of the outputs, through so many layers."""
    combine = next(d for d in library(LIBRARY).roles if d.name == COMBINE)
    result = combine.body.result
    while isinstance(result, Call) and result.function == LAYER:
        (result,) = result.arguments
    for _ in range(layers):
        result = Call(LAYER, (result,))
    return replace(combine, body=replace(combine.body, result=result))
