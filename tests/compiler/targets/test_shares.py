"""Probabilities and logits, of every kind of head."""

from __future__ import annotations

import numpy as np
import pytest

from fusewright.compiler.language.nodes import HeadKind
from fusewright.compiler.targets.numpy.network import logits_of, probabilities_of

LOGITS = np.random.default_rng(0).normal(size=(5, 3))


@pytest.mark.parametrize("kind", ["classes", "labels", "values"])
def test_logits_give_back_their_probabilities(kind: HeadKind) -> None:
    shares = probabilities_of(LOGITS, kind)
    assert probabilities_of(logits_of(shares, kind), kind) == pytest.approx(shares)
    assert np.array_equal(shares, LOGITS) == (kind == "values")
    assert (shares.sum(-1) == pytest.approx(np.ones(5))) == (kind == "classes")
