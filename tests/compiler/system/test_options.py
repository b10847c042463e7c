"""What limits admit is what their text says."""

from __future__ import annotations

from math import inf, nan

import pytest

from fusewright.compiler.system.options import Limits


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (Limits(1), "at least 1"),
        (Limits(0, without_least=True), "above 0"),
        (Limits(0, 1000), "from 0 to 1,000"),
        (Limits(0.1, 1), "from 0.1 to 1"),
        (Limits(0, 1, without_most=True), "from 0 to below 1"),
        (Limits(0, 10, without_least=True), "above 0, to 10"),
        (Limits(0, 2**63, without_most=True), "from 0 to below 2^63"),
    ],
)
def test_limits_say_which_numbers_they_admit(limits: Limits, text: str) -> None:
    assert limits.text == text


@pytest.mark.parametrize("without_least", [False, True])
@pytest.mark.parametrize("without_most", [False, True])
def test_both_ends_are_admitted_unless_it_is_said(without_least: bool, without_most: bool) -> None:
    limits = Limits(0, 10, without_least=without_least, without_most=without_most)
    assert [limits.admit(n) for n in (-1, 0, 5, 10, 11)] == [
        False,
        not without_least,
        True,
        not without_most,
        False,
    ]
    assert not limits.admit(nan)
    assert not limits.admit(inf)
