"""Names, numbers and pairs that know where they stand are plain values in all else."""

from __future__ import annotations

import json
import pickle
from copy import deepcopy

import pytest

from fusewright.compiler.diagnostics.source import Name, Source, Span, Whole, span_of
from fusewright.compiler.language.nodes import Setting

PLACE = Span(Source("text", "heads = 4"), 0, 5)
VALUES = [
    (Name("heads", PLACE), "heads"),
    (Whole(4, PLACE), 4),
    (Setting(("heads", 4), PLACE), ("heads", 4)),
]


@pytest.mark.parametrize(("placed", "plain"), VALUES, ids=repr)
def test_a_value_with_a_place_is_the_plain_value(placed: object, plain: object) -> None:
    assert placed == plain
    assert {plain: 1}[placed] == 1
    assert (str(placed), repr(placed), f"{placed}") == (str(plain), repr(plain), f"{plain}")
    assert json.dumps(placed) == json.dumps(plain)
    assert (span_of(placed), span_of(plain)) == (PLACE, None)


@pytest.mark.parametrize(("placed", "plain"), VALUES, ids=repr)
def test_a_copy_stands_where_the_original_does(placed: object, plain: object) -> None:
    for copy in (deepcopy(placed), pickle.loads(pickle.dumps(placed))):
        assert (copy, span_of(copy)) == (plain, PLACE)
