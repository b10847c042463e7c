"""A perceptron over all features: what a table of the pooled features would be given.

Maxima and means over L windows of each feature, averaged, are standardised over the batch (Ioffe
and Szegedy, 2015); two hidden layers of 4 C follow, with dropout (Srivastava and others, 2014).
"""

from __future__ import annotations

from dataclasses import replace

from ...compiler.language.spec import Spec
from ...compiler.language.without_cells import without_cells
from ...compiler.syntax.parse import parse

ROLES = parse(
    """
role adapt(f) = concat(resample(f), resample(f, by = mean))
role combine(*h) {
  pooled = batchnorm(mean(concat(*h), over = length))
  hidden = dropout(relu(pooled @ W[_, 4 * C] + b[4 * C]), rate = 0.3)
  return dropout(relu(hidden @ V[_, 4 * C] + d[4 * C]), rate = 0.3)
}
role head(h) = flatten(h) @ W[_, K] + b[K]
""",
    "<perceptron>",
).definitions
"""What surrounds Cells, of which it has none; `adapt` keeps all channels of a feature, twice."""


def perceptron(spec: Spec) -> Spec:
    """Every feature through these roles, in place of what the specification defines."""
    return replace(without_cells(spec), definitions=ROLES)
