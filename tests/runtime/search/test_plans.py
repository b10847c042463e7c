"""What of a search is given up first where time is short, as laws of its plans."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fusewright.runtime.search.plans import FEWEST, WORTHWHILE, Plan, Work, cut, said


@st.composite
def searches(draw: st.DrawFn) -> tuple[Work, Plan, int]:
    """A search, what is done of it, and the rung that it is in: as many as there are after all."""
    rungs = tuple(sorted(draw(st.lists(st.integers(1, 60), min_size=1, max_size=4)), reverse=True))
    count = len(rungs)
    epochs = tuple(sorted(draw(st.sets(st.integers(1, 30), min_size=count, max_size=count))))
    whole = Plan(rungs, draw(st.integers(0, 12)), draw(st.integers(0, 8)))
    work = Work(whole, epochs, draw(st.integers(1, 99)), draw(st.integers(99, 400)))
    level = draw(st.integers(0, count))
    done = Plan((0,) * count, 0, 0)
    for place in range(min(level + 1, count)):
        most = work.most(done, place).rungs[place]
        trained = (*done.rungs[:place], draw(st.integers(1, most)), *done.rungs[place + 1 :])
        done = Plan(trained, 0, 0)
    if level == count:
        done = Plan(done.rungs, draw(st.integers(0, whole.finalists)), 0)
    return work, done, level


@given(searches())
def test_folds_go_before_candidates_and_candidates_before_controls(
    search: tuple[Work, Plan, int],
) -> None:
    work, done, level = search
    most, *_ = plans = [*work.plans(done, level)]
    *_, least = plans
    fewest = min(FEWEST, work.whole.finalists) if done.finalists else 0
    for plan in plans:
        if plan.rungs != most.rungs:
            assert plan.finalists == max(done.finalists, fewest)
        if plan.controls < most.controls:
            assert (plan.rungs, plan.finalists) == (least.rungs, max(done.finalists, fewest))
    assert least.controls == 0
    assert all(work.cost(one) >= work.cost(other) for one, other in pairwise(plans))


@given(searches())
def test_what_is_done_stays_and_one_candidate_is_trained_to_the_end(
    search: tuple[Work, Plan, int],
) -> None:
    work, done, level = search
    for plan in work.plans(done, level):
        assert plan.rungs[:level] == done.rungs[:level]
        pairs = zip(plan.rungs, done.rungs, work.whole.rungs, strict=True)
        assert all(max(1, trained) <= count <= most for count, trained, most in pairs)
        assert plan.finalists >= done.finalists
        assert plan.finalists in (0, work.whole.finalists) or plan.finalists >= FEWEST


@given(searches(), st.floats(0, 1e6))
def test_the_most_is_done_that_there_is_time_for(
    search: tuple[Work, Plan, int], left: float
) -> None:
    work, done, level = search
    plans = [*work.plans(done, level)]
    chosen = work.first_within(done, level, left)
    costs = [work.cost(plan) - work.cost(done) for plan in plans]
    place = plans.index(chosen)
    assert all(cost > left for cost in costs[:place])
    assert costs[place] <= left or place == len(plans) - 1


@given(searches())
def test_without_a_limit_nothing_is_given_up(search: tuple[Work, Plan, int]) -> None:
    work, _, _ = search
    nothing = Plan((0,) * len(work.whole.rungs), 0, 0)
    assert work.first_within(nothing, 0, float("inf")) == work.whole


def test_rungs_after_one_that_is_cut_are_cut_alike() -> None:
    assert cut((240, 80, 26, 8), 0, 240) == (240, 80, 26, 8)
    assert cut((240, 80, 26, 8), 0, 60) == (60, 20, 6, 2)
    assert cut((240, 80, 26, 8), 1, 20) == (240, 20, 6, 2)
    assert cut((240, 80, 26, 8), 0, 8) == (8, 2, 1, 1)


def test_a_rung_goes_on_where_that_is_worthwhile() -> None:
    work = Work(Plan((40, 10), 0, 0), (1, 3), 1, 0)
    begun = {plan.rungs[0] for plan in work.plans(Plan((20, 0), 0, 0), 0)}
    assert begun == {20, *range(20 + WORTHWHILE, 41)}
    begun = {plan.rungs[0] for plan in work.plans(Plan((4, 0), 0, 0), 0)}
    assert begun == {4, *range(6, 41)}


def test_a_cost_is_that_of_every_part() -> None:
    work = Work(Plan((4, 2), 3, 5), (1, 3), 10, 30)
    trained, compared, controls = (4 * 1 + 2 * 2) * 10, 3 * 3 * 30, 5 * 3 * 30
    assert work.cost(work.whole) == trained + compared + controls
    alone = Plan((4, 2), 0, 5)
    assert work.cost(alone) == trained + 1.5 * (5 + 1) * 3 * 10
    assert work.cost(Plan((4, 2), 0, 0)) == trained


def test_what_was_given_up_is_one_text() -> None:
    assert said({"folds": "a", "candidates": "b"}, 1.5) == (
        "given up to keep 0:01:30: folds: a; candidates: b"
    )
    assert not said({}, 5)
