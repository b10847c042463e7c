"""Perceptrons over all features: what a table of the pooled features would be given.

Maxima and means over L windows of each feature, averaged, are standardised over the batch (Ioffe
and Szegedy, 2015). Two hidden layers follow: of 4 C with dropout (Srivastava and others, 2014), or
of 8 C without.
"""

from __future__ import annotations

from dataclasses import replace

from ...compiler.language.nodes import Definition
from ...compiler.language.spec import Spec
from ...compiler.language.without_cells import without_cells
from ...compiler.syntax.parse import parse


def _roles(first: str, second: str) -> tuple[Definition, ...]:
    """What surrounds Cells, of which a perceptron has none, by its two layers.

    `adapt` keeps all channels of a feature, twice.
    """
    text = f"""
role adapt(f) = concat(resample(f), resample(f, by = mean))
role combine(*h) {{
  pooled = batchnorm(mean(concat(*h), over = length))
  hidden = {first}
  return {second}
}}
role head(h) = flatten(h) @ W[_, K] + b[K]
"""
    return parse(text, "<perceptron>").definitions


NARROW = _roles(
    "dropout(relu(pooled @ W[_, 4 * C] + b[4 * C]), rate = 0.3)",
    "dropout(relu(hidden @ V[_, 4 * C] + d[4 * C]), rate = 0.3)",
)
WIDE = _roles("relu(pooled @ W[_, 8 * C] + b[8 * C])", "relu(hidden @ V[_, 8 * C] + d[8 * C])")
PERCEPTRONS = (NARROW, WIDE)


def perceptron(spec: Spec, roles: tuple[Definition, ...] = NARROW) -> Spec:
    """Every feature through these roles, in place of what the specification defines."""
    return replace(without_cells(spec), definitions=roles)
