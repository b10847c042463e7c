"""A late-fusion transformer over a specification's features: our reading of SimBaMM.

What it is stands in the library `simbamm`, whose roles are the whole network.
"""

from __future__ import annotations

from dataclasses import replace

from ...compiler.language.nodes import Reference, Use
from ...compiler.language.spec import Spec
from ...compiler.syntax.parse import parse

LIBRARY = "simbamm"


def simbamm(spec: Spec, layers: int | None = None) -> Spec:
    """Every feature's tokens through an encoder of `layers`, the library's number by default.

    What the specification defines, its Cells and its requirements are left out; C, L, dropout and
    what is predicted stay. C is a multiple of the heads, which are four.
    """
    every = tuple(Reference(f.name) for m in spec.modalities for f in m.features)
    encoder = "" if layers is None else f"{'Layer(' * layers}Tokens(*h){')' * layers}"
    own = parse(f"role combine(*h) = {encoder}").definitions if encoder else ()
    return replace(
        spec, uses=(Use(LIBRARY),), definitions=own, pool=None, cells=(), outputs=every,
        requirements=(),
    )  # fmt: skip
