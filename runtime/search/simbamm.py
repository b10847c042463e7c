"""A late-fusion transformer over a specification's features: our reading of SimBaMM.

What it is stands in the library `simbamm`, whose roles are the whole network.
"""

from __future__ import annotations

from dataclasses import replace

from ...compiler.language.nodes import Use
from ...compiler.language.spec import Spec
from ...compiler.language.without_cells import without_cells

LIBRARY = "simbamm"


def simbamm(spec: Spec) -> Spec:
    """Every feature's tokens through the library's encoder.

    What the specification defines is left out; C, L, dropout and what is predicted stay. C is a
    multiple of the heads, which are four.
    """
    return replace(without_cells(spec), uses=(Use(LIBRARY),), definitions=())
