"""Probabilities and logits, of every kind of head."""

from __future__ import annotations

import numpy as np
import pytest

from fusewright.compiler.language.nodes import HeadKind
from fusewright.compiler.network.network import Head, joined
from fusewright.compiler.targets.numpy.network import logits_of, probabilities_of

LOGITS = np.random.default_rng(0).normal(size=(5, 3))


@pytest.mark.parametrize("kind", ["classes", "labels", "values"])
def test_logits_give_back_their_probabilities(kind: HeadKind) -> None:
    head = Head(3, kind, None)
    shares = probabilities_of(LOGITS, head)
    assert probabilities_of(logits_of(shares, head), head) == pytest.approx(shares)
    assert np.array_equal(shares, LOGITS) == (kind == "values")
    assert (shares.sum(-1) == pytest.approx(np.ones(5))) == (kind == "classes")


def test_those_of_several_heads_stand_side_by_side() -> None:
    classes, values = Head(2, "classes", None, "a"), Head(1, "values", None, "b")
    shares = probabilities_of(LOGITS, joined([classes, values]))
    assert np.array_equal(shares[:, :2], probabilities_of(LOGITS[:, :2], classes))
    assert np.array_equal(shares[:, 2:], LOGITS[:, 2:])
    given = logits_of(shares, joined([classes, values]))
    assert probabilities_of(given, joined([classes, values])) == pytest.approx(shares)
