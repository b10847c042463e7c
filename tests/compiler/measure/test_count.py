"""Counting and deciding against brute force: every assignment of every hole, one by one.

The enumeration here is written from the rules of the language alone and shares nothing with the
compiler but the resolved network, of which it reads slots and candidates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from math import comb, prod
from unittest.mock import patch

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fusewright.compiler.check.check import check, checked
from fusewright.compiler.measure import architectures as count
from fusewright.compiler.measure.architectures import count_architectures, count_inputs
from fusewright.compiler.network.count import Count
from fusewright.compiler.network.network import Network, Slot
from fusewright.compiler.network.rules import completable
from fusewright.compiler.resolve.resolve import resolve
from fusewright.compiler.syntax.parse import parse

Choice = tuple[str, ...]
RULES = ("distinct_pairs", "fresh_input")
MOST_ASSIGNMENTS = 30_000
OPERATIONS = " ".join(
    f"op {name}(x) = {function}(x) op {name}(x, *s) = {function}(x, *s)"
    for name, function in (("Sum", "sum"), ("Max", "max"), ("Mean", "mean"))
)
HEAD = f"network n(C = 4, L = 1) {OPERATIONS}"

# Brute force


def choices(slots: Sequence[Slot]) -> list[Choice]:
    """Every choice for the slots of one Cell or Step, each once.

    An open slot takes what no other slot has; open slots with equal candidates are unordered.
    """
    found: dict[Choice, None] = {}
    for names in product(*(s.candidates for s in slots)):
        opened = [i for i, s in enumerate(slots) if s.open]
        if any(names[i] == names[j] for i in opened for j in range(len(slots)) if i != j):
            continue
        ordered = list(names)
        for group in {frozenset(slots[i].candidates) for i in opened}:
            members = [i for i in opened if frozenset(slots[i].candidates) == group]
            for i, name in zip(members, sorted(names[i] for i in members), strict=True):
                ordered[i] = name
        found[tuple(ordered)] = None
    return list(found)


def allowed(network: Network, chosen: Sequence[Choice]) -> bool:
    """Whether choices for all Cells keep the rule, which binds what holes choose."""
    features = {f.name for f in network.features}
    opened = [any(s.open for s in c.slots) for c in network.cells]
    for k, (cell, choice) in enumerate(zip(network.cells, chosen, strict=True)):
        if not opened[k]:
            continue
        if network.rule == "distinct_pairs":
            others = [c for i, c in enumerate(chosen) if i != k]
            if any(set(choice) == set(c) for c in others):
                return False
        else:
            holes = {c for c, s in zip(choice, cell.slots, strict=True) if s.open}
            taken = {c for earlier in chosen[:k] for c in earlier}
            if not holes <= features or not (set(choice) & features) - taken:
                return False
    return True


def all_inputs(network: Network, each: Sequence[Sequence[Choice]]) -> Iterator[tuple[Choice, ...]]:
    return (chosen for chosen in product(*each) if allowed(network, chosen))


def step_fillings(network: Network) -> int:
    """In how many ways the Steps can be filled, which no rule ties together."""
    steps = [s for c in network.cells for s in c.steps]
    return prod(len(choices(s.slots)) * len(s.operations) for s in steps)


# Small spaces


@st.composite
def slot_texts(draw: st.DrawFn, visible: Sequence[str]) -> str:
    some = st.lists(st.sampled_from(visible), min_size=1, max_size=3, unique=True)
    fixed = st.sampled_from(visible)
    restricted = some.map(lambda names: "{" + " | ".join(names) + "}")
    return draw(st.one_of(st.just("?"), restricted, restricted, fixed))


@st.composite
def step_texts(draw: st.DrawFn, inputs: Sequence[str]) -> str:
    lines, visible = [], list(inputs)
    for number in range(1, draw(st.integers(1, 2)) + 1):
        count = draw(st.integers(1, 3))
        slots = ", ".join(draw(slot_texts(visible)) for _ in range(count))
        operation = draw(st.sampled_from(("?", "Sum", "{Sum | Max | Mean}")))
        lines.append(f"  S{number} = {operation}({slots})")
        visible.append(f"S{number}")
    return "\n".join(lines)


@st.composite
def small_spaces(draw: st.DrawFn) -> str:
    """One to three features and one to three Cells, with holes of every kind under both rules."""
    features = [f"F{i}" for i in range(1, draw(st.integers(1, 3)) + 1)]
    cells: list[str] = []
    visible = list(features)
    while len(cells) < 3 and (not cells or draw(st.booleans())):
        number, family = len(cells) + 1, draw(st.sampled_from((0, 0, 0, 2, 3)))
        arity = draw(st.sampled_from((1, 2, 2, 2, 3)))
        same = draw(st.booleans())
        first = draw(slot_texts(visible))
        slots = [first if same else draw(slot_texts(visible)) for _ in range(arity - 1)]
        body = draw(step_texts("xyz"[:arity]))
        count = f"[{family}]" if family else ""
        cells.append(f"cell K{number}{count}({', '.join([first, *slots])}) {{\n{body}\n}}")
        visible += [f"K{number}_{i}" for i in range(1, family + 1)] or [f"K{number}"]
    declared = " ".join(f"{f}[c 2]" for f in features)
    rule = draw(st.sampled_from(RULES))
    return "\n".join(
        [
            f"{HEAD} modality m {{ {declared} }} pool Sum, Max",
            *cells,
            f"require {rule} predict 2 classes",
        ]
    )


def within_reach(network: Network) -> list[list[Choice]]:
    """The choices of every Cell; gives up an example that has too many assignments."""
    each = [choices(c.slots) for c in network.cells]
    assume(prod(len(c) for c in each) <= MOST_ASSIGNMENTS)
    return each


@given(small_spaces())
def test_counts_are_those_of_brute_force(text: str) -> None:
    network = resolve(parse(text))
    inputs = sum(1 for _ in all_inputs(network, within_reach(network)))
    total = inputs * step_fillings(network)
    assert_counted(count_inputs(network), inputs, text)
    assert_counted(count_architectures(network), total, text)


@given(small_spaces(), st.sampled_from((0, 1, 3, 10)))
def test_bounds_hold_where_little_can_be_listed(text: str, most: int) -> None:
    network = resolve(parse(text))
    inputs = sum(1 for _ in all_inputs(network, within_reach(network)))
    with patch.object(count, "MOST_LISTED", most):
        assert_counted(count_inputs(network), inputs, text)
        assert_counted(count_architectures(network), inputs * step_fillings(network), text)


def assert_counted(found: Count, truth: int, text: str) -> None:
    assert found.low <= truth <= found.high, f"{truth} is not {found}:\n{text}"
    assert found.exact == (found.low == found.high)
    assert ("bounds" in str(found)) != found.exact


@given(small_spaces())
def test_check_finds_what_cannot_be_filled_and_nothing_else(text: str) -> None:
    network = resolve(parse(text))
    possible = next(all_inputs(network, within_reach(network)), None) is not None
    fillable = possible and step_fillings(network) > 0
    codes = {d.code for d in check(parse(text)) if d.is_error}
    assert codes <= {"E401", "E402"}, text
    assert (not codes) == fillable, text


@given(small_spaces())
def test_a_start_can_be_completed_exactly_if_brute_force_completes_it(text: str) -> None:
    network = resolve(parse(text))
    each = within_reach(network)
    complete = list(all_inputs(network, each))
    for length in range(len(network.cells)):
        starts = {chosen[:length] for chosen in complete}
        followed = {chosen[: length + 1] for chosen in complete}
        for start in starts:
            assert completable(network, start).possible is True
            for choice in each[length]:
                if admitted(network, start, choice):
                    verdict = completable(network, (*start, choice))
                    assert verdict.possible is ((*start, choice) in followed), text


def admitted(network: Network, start: Sequence[Choice], choice: Choice) -> bool:
    """Whether the next Cell may take a choice, as far as what is chosen and what is fixed says."""
    index = len(start)
    fixed = {
        i: tuple(s.candidates[0] for s in c.slots)
        for i, c in enumerate(network.cells)
        if i > index and not any(s.open for s in c.slots)
    }
    if network.rule == "fresh_input":
        fixed = {}
    cells = [*range(index + 1), *fixed]
    part = replace(network, cells=tuple(network.cells[i] for i in cells))
    return allowed(part, [*start, choice, *fixed.values()])


# Closed formulas and cases by hand


def open_space(features: int, cells: int, rest: str = "") -> str:
    declared = " ".join(f"F{i}[c 2]" for i in range(features))
    return (
        f"network n(C = 4, L = 1) modality m {{ {declared} }} pool Sum "
        f"cell K[{cells}](?, ?) {{ S = ?(x, y) }} {rest} predict 2 classes"
    )


@pytest.mark.parametrize(("features", "cells"), [(2, 1), (3, 1), (2, 2), (3, 2), (3, 3), (4, 3)])
def test_the_closed_formula_of_the_language_is_brute_force(features: int, cells: int) -> None:
    network = checked(parse(open_space(features, cells)))
    each = [choices(c.slots) for c in network.cells]
    formula = prod(comb(features + k, 2) - k for k in range(cells))
    assert sum(1 for _ in all_inputs(network, each)) == formula
    assert count_inputs(network) == Count(formula, formula)


@pytest.mark.parametrize(("features", "cells"), [(2, 3), (8, 2), (8, 6), (12, 20), (300, 40)])
def test_all_open_spaces_are_counted_exactly_at_any_size(features: int, cells: int) -> None:
    network = checked(parse(open_space(features, cells)))
    formula = prod(comb(features + k, 2) - k for k in range(cells))
    assert count_architectures(network) == Count(formula, formula)


@pytest.mark.parametrize(("features", "cells"), [(2, 1), (3, 2), (4, 3), (6, 4), (8, 2)])
def test_fresh_inputs_are_counted_over_the_sets_of_features_taken(
    features: int, cells: int
) -> None:
    """A Cell that finds t of F features taken has C(F, 2) − C(t, 2) choices."""
    network = checked(parse(open_space(features, cells, "require fresh_input")))
    ways = {0: 1}
    for _ in range(cells):
        following: dict[int, int] = {}
        for taken, n in ways.items():
            fresh = features - taken
            for more, choices_of in ((1, fresh * taken), (2, comb(fresh, 2))):
                following[taken + more] = following.get(taken + more, 0) + n * choices_of
        ways = following
    total = sum(ways.values())
    assert count_inputs(network) == Count(total, total)


@pytest.mark.parametrize(
    ("slots", "expected"),
    [
        ("?, ?", 3),
        ("A, ?", 2),
        ("A, B", 1),
        ("A, A", 1),
        ("?", 3),
        ("?, ?, ?", 1),
        ("{A | B}, {A | B}", 1),
        ("{A | B}, {B | A}", 1),
        ("?, {C | B | A}", 3),
        ("{A | B}, {B | C}", 3),
        ("{A | B}, ?", 4),
        ("{A}, {B}", 1),
        ("A, {A | B}", 1),
    ],
)
def test_one_cell(slots: str, expected: int) -> None:
    body = f"cell K({slots}) {{ S = Sum(x) }}"
    features = "modality m { A[c 1] B[c 2] C[c 3] }"
    network = checked(parse(f"{HEAD} {features} {body} predict 2 classes"))
    assert len(choices(network.cells[0].slots)) == expected
    assert count_architectures(network) == Count(expected, expected)


def test_operations_multiply_and_their_parameters_distinguish_them() -> None:
    text = """
    network n(C = 8, L = 2) use fusion
    modality m { A[c 1] B[c 2] C[c 3] }
    pool Sum, GMU, MHA(heads = 2), MHA(heads = 4)
    cell K(?, ?) { S = ?(x, ?) T = {Sum | Max}(?, ?) }
    predict 2 classes
    """
    assert count_architectures(checked(parse(text))) == Count(3 * 4 * 2 * 3, 3 * 4 * 2 * 3)


def test_a_large_space_that_cannot_be_listed_has_bounds_that_say_so() -> None:
    features = " ".join(f"F{i}[c 2]" for i in range(80))
    some = " | ".join(f"F{i}" for i in range(60))
    others = " | ".join(f"F{i}" for i in range(20, 80))
    text = (
        f"network n(C = 4, L = 1) use fusion modality m {{ {features} }} pool Sum "
        f"cell K1({{{some}}}, {{{others}}}) {{ S = ?(x, y) }} "
        f"cell K2(?, {{{others}}}) {{ S = ?(x, y) }} predict 2 classes"
    )
    found = count_architectures(checked(parse(text)))
    first, second = 60 * 60 - 40, 81 * 60 - 60
    assert not found.exact
    assert found.low <= first * second - first <= found.high
    assert str(found).startswith("between ")


def test_bounds_count_what_fixed_cells_have_taken() -> None:
    """Two Cells of 20 · 20 sets, too many to list; ten fixed Cells have taken ten of them."""
    features = " ".join(f"{letter}{i}[c 2]" for letter in "AB" for i in range(21))
    right = "{" + " | ".join(f"B{i}" for i in range(20)) + "}"
    low, high = ("{" + " | ".join(f"A{i}" for i in r) + "}" for r in (range(20), range(1, 21)))
    fixed = " ".join(f"cell X{i}(A{i}, B0) {{ S = Sum(x, y) }}" for i in range(1, 11))
    opened = " ".join(
        f"cell {name}({left}, {right}) {{ S = Sum(x, y) }}"
        for name, left in (("P", low), ("Q", high))
    )
    text = f"{HEAD} modality m {{ {features} }} {fixed} {opened} predict 2 classes"
    each, shared = 20 * 20 - 10, 19 * 20 - 10
    found = count_inputs(checked(parse(text)))
    assert found.low <= each * each - shared <= found.high


@pytest.mark.parametrize("rule", RULES)
def test_a_hole_is_bound_by_what_is_fixed_before_it(rule: str) -> None:
    text = (
        f"{HEAD} modality m {{ A[c 2] }} cell K(A) {{ S = Sum(x) }} cell J({{A}}) {{ S = Sum(x) }}"
    )
    (found,) = check(parse(f"{text} require {rule} predict 2 classes"))
    assert found.code == "E401"
    assert found.span is not None
    assert found.span.source.text[found.span.start :].startswith("J(")


@pytest.mark.parametrize("rule", RULES)
def test_what_is_fixed_is_bound_by_no_rule(rule: str) -> None:
    text = f"{HEAD} modality m {{ A[c 2] }} cell K(A) {{ S = Sum(x) }} cell J(A) {{ S = Sum(x) }}"
    assert count_architectures(checked(parse(f"{text} require {rule} predict 2 classes"))) == Count(
        1, 1
    )


@pytest.mark.parametrize(("features", "cells", "code"), [(40, 39, None), (40, 40, "E401")])
def test_fresh_inputs_of_many_cells_are_decided_at_once(
    features: int, cells: int, code: str | None
) -> None:
    """The first Cell takes two features, and each further one takes at least one more."""
    found = check(parse(open_space(features, cells, "require fresh_input")))
    assert [d.code for d in found if d.is_error] == ([code] if code else [])


def test_slots_of_unequal_candidates_that_give_a_set_twice_are_not_counted_as_short() -> None:
    """Three Cells of (?, {A | B}) over three features: AB, AC, BC, and those with a Cell."""
    features = "modality m { A[c 1] B[c 2] C[c 3] }"
    cells = "cell K[3](?, {A | B}) { S = Sum(x) }"
    network = checked(parse(f"{HEAD} {features} {cells} predict 2 classes"))
    each = [choices(c.slots) for c in network.cells]
    total = sum(1 for _ in all_inputs(network, each))
    assert total > 0
    assert count_inputs(network) == Count(total, total)
