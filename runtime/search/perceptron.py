"""Perceptrons over all features: what a table of the pooled features would be given.

Maxima and means over L windows of each feature, averaged, are standardised over the batch (Ioffe
and Szegedy, 2015). Two hidden layers follow: of 4 C with dropout (Srivastava and others, 2014), or
of 8 C without; or none, which is a linear model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...compiler.language.nodes import Definition
from ...compiler.language.spec import Spec
from ...compiler.language.without_cells import without_cells
from ...compiler.syntax.parse import parse


@dataclass(frozen=True)
class Perceptron:
    """What surrounds no Cell, and how many times the least rate it learns by."""

    roles: tuple[Definition, ...]
    speed: float = 1.0


def _roles(*combined: str) -> tuple[Definition, ...]:
    """What surrounds Cells, of which a perceptron has none, by what it makes of what is `pooled`.

    `adapt` keeps all channels of a feature, twice.
    """
    lines = "\n  ".join(combined)
    text = f"""
role adapt(f) = concat(resample(f), resample(f, by = mean))
role combine(*h) {{
  pooled = batchnorm(mean(concat(*h), over = length))
  {lines}
}}
role head(h) = flatten(h) @ W[_, K] + b[K]
"""
    return parse(text, "<perceptron>").definitions


NARROW = Perceptron(
    _roles(
        "hidden = dropout(relu(pooled @ W[_, 4 * C] + b[4 * C]), rate = 0.3)",
        "return dropout(relu(hidden @ V[_, 4 * C] + d[4 * C]), rate = 0.3)",
    )
)
WIDE = Perceptron(
    _roles(
        "hidden = relu(pooled @ W[_, 8 * C] + b[8 * C])",
        "return relu(hidden @ V[_, 8 * C] + d[8 * C])",
    )
)
LINEAR = Perceptron(_roles("return pooled"), speed=10)
HIDDEN = (NARROW, WIDE)
"""Those with hidden layers."""
PERCEPTRONS = (*HIDDEN, LINEAR)


def perceptron(spec: Spec, one: Perceptron = NARROW) -> Spec:
    """Every feature through its roles, in place of what the specification defines."""
    return replace(without_cells(spec), definitions=one.roles)


def called(network: Spec) -> str:
    """What a reader calls a perceptron: one without a hidden layer is a linear model."""
    return "linear model" if network.definitions == LINEAR.roles else "perceptron"
