"""What a page says of controls: on what they were scored, and how far they are behind."""

from __future__ import annotations

import pytest

from fusewright.runtime.report.scores import control_rows, controls_section
from fusewright.runtime.runs.controls import Control, Controls
from fusewright.runtime.runs.statistics import Interval

AHEAD = Interval(0.25, -0.125, 0.5)


def controls(folds: int = 1, bought: int = 0, score: float = 0.75) -> Controls:
    rows = (
        Control("found genotype", score, (score,), 8.0),
        Control("linear model", 0.5, (0.5,), 0.0, AHEAD),
    )
    return Controls("accuracy", 15, 40.0, bought, rows, (), folds)


@pytest.mark.parametrize(
    ("folds", "bought", "text"),
    [
        (1, 0, "on the training split and scored on validation, by accuracy; searches: 1.</p>"),
        (
            1,
            3,
            "on the training split and scored on validation, by accuracy; searches: 1. "
            "The cost of a search bought 3 random genotypes, the best of which competes.</p>",
        ),
        (
            4,
            0,
            "on all but one of 4 folds at a time and scored on that one, by accuracy; "
            "searches: 1.</p>",
        ),
    ],
)
def test_a_page_says_on_what_controls_were_scored(folds: int, bought: int, text: str) -> None:
    page = controls_section([controls(folds, bought)])
    assert f"<p>Every network was trained for 15 epochs {text}" in page
    assert ("random genotypes" in page) == bool(bought)


def test_one_search_has_the_intervals_of_its_controls() -> None:
    assert [row.ahead for row in control_rows([controls()])] == [None, AHEAD]
    page = controls_section([controls()])
    assert "+0.2500 [-0.1250, +0.5000]" in page
    assert "over samples" in page


def test_several_searches_are_compared_over_their_seeds() -> None:
    known = [controls(), controls(4, 2, score=1.0)]
    (_, linear) = control_rows(known)
    assert linear.ahead == (0.375, 0.25, 0.5)
    page = controls_section(known)
    assert "scored on validation, or on all but one of 4 folds" in page
    assert "bought 2 random" in page
    assert "over seeds" in page
