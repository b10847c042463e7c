"""Output that a search finds: what strategies choose, and what they make of it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fusewright as fw
from fusewright.compiler.check.check import check, checked
from fusewright.compiler.measure.architectures import count_architectures
from fusewright.compiler.measure.parts import Parts
from fusewright.compiler.network.choices import fill
from fusewright.compiler.network.fillings import fillings, in_order
from fusewright.compiler.network.network import NOTHING, Slot
from fusewright.compiler.resolve.unfill import unfill
from fusewright.runtime.genotypes.derive import choose
from fusewright.runtime.genotypes.sample import draw
from fusewright.runtime.genotypes.space import every_choice, neighbours
from fusewright.runtime.search.candidates.starts import taking

from ...support.running import QUICK, problem, spec

DATA = problem()
OPEN = spec("cell K[2](?, ?) { S = ?(x, y) } output K_2?, {A | B}, *?")
WAYS = [
    ("darts", "shared", ""),
    ("darts", "per_input", "perturbation"),
    ("gdas", "per_input", ""),
    ("single-path", "shared", "halving"),
    ("halving", "per_input", "folds"),
    ("random", "per_input", ""),
    ("evolution", "per_input", ""),
    ("tpe", "shared", ""),
    ("mfas", "per_input", ""),
    ("dc", "per_input", ""),
]


@pytest.mark.parametrize(("strategy", "relax", "select"), WAYS)
def test_what_is_found_is_of_the_space(strategy: str, relax: str, select: str) -> None:
    settings = QUICK.with_options(
        strategy=strategy, relax=relax, select=select, candidates=6, trial_epochs=2, finalists=2
    )
    found = fw.search(OPEN, DATA, settings=settings)
    network = checked(OPEN)
    assert not checked(found.genotype).has_holes
    chosen = unfill(network, found.genotype)
    assert fill(network, chosen) == found.genotype
    assert any(chosen.outputs)


def test_budgets_count_the_outputs_that_are_taken() -> None:
    text = str(OPEN).replace("predict", "require parameters < 600\n\npredict")
    for strategy in ("darts", "halving", "evolution"):
        found = fw.search(
            fw.loads(text), DATA, settings=QUICK, strategy=strategy, candidates=4, trial_epochs=1
        )
        program = fw.compile(found.genotype, "torch")
        assert sum(p.numel() for p in program.parameters()) < 600


def test_every_way_is_listed_once_and_counted() -> None:
    network = checked(spec("cell K(A, B) { S = Sum(x, y) } output K?, {A | D}, {B | D}?"))
    every = list(every_choice(network))
    assert len({tuple(one.outputs) for one in every}) == len(every)
    assert count_architectures(network).low == count_architectures(network).high == len(every)
    drawn = {draw(network, np.random.default_rng(seed)) for seed in range(300)}
    assert drawn == set(every)
    for one in every:
        assert {*neighbours(network, one)} <= set(every)


@given(st.lists(st.tuples(st.sets(st.sampled_from("ABC"), min_size=1), st.booleans()), max_size=4))
def test_fillings_are_those_of_brute_force(places: list[tuple[set[str], bool]]) -> None:
    """Each set of names that slots can take, with who took it, but for slots that are alike."""
    slots = [Slot(tuple(sorted(c)), True, optional=optional) for c, optional in places]
    ways = product(*((*s.candidates, *([NOTHING] if s.optional else [])) for s in slots))
    expected: set[tuple[object, ...]] = set()
    for way in ways:
        names = [name for name in way if name]
        if len(set(names)) == len(names) and (names or not slots):
            expected.add(_unordered(slots, way))
    listed_ways = list(fillings(slots))
    assert {_unordered(slots, way) for way in listed_ways} == expected
    assert len(listed_ways) == len(expected)


def _unordered(slots: list[Slot], way: tuple[str, ...]) -> tuple[object, ...]:
    groups: dict[tuple[str, ...], set[str]] = {}
    for slot, name in zip(slots, way, strict=True):
        groups.setdefault(slot.candidates, set()).add(name)
    return tuple((key, frozenset(names - {NOTHING})) for key, names in sorted(groups.items()))


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("K[*], K_1", "E202"),
        ("A, A?", "E202"),
        ("{A | A}", "E202"),
        ("Q?", "E201"),
        ("Q[*]", "E201"),
        ("A, {A}", "E402"),
        ("K[*], A, B, D, *", "E402"),
    ],
)
def test_what_cannot_stand_in_an_output(output: str, code: str) -> None:
    found = check(fw.loads(str(spec()).replace("predict", f"output {output}\n\npredict")))
    assert code in [one.code for one in found]


def test_as_many_outputs_as_are_left_are_combined_by_what_takes_them() -> None:
    """A role of two inputs serves two outputs, the library's any other number."""
    text = str(spec("cell K(A, B) { S = Sum(x, y) } output K?, A?, D?"))
    roles = "role combine(a, b) = a * b\nrole head(h) = flatten(h) @ W[_, K]\n\nmodality left"
    network = checked(fw.loads(text.replace("modality left", roles, 1)))
    parts, rows = Parts(network), {1: 16, 2: 16, 3: 48}
    programs = {count: parts.head(count).program for count in rows}
    weights = {c: {p.name: p.sizes for p in one.parameters} for c, one in programs.items()}
    assert {count: sizes["head.W"][0] for count, sizes in weights.items()} == rows


@given(st.lists(st.tuples(st.sets(st.sampled_from("ABC"), min_size=1), st.booleans()), max_size=4))
def test_every_way_is_in_the_order_of_the_listing(places: list[tuple[set[str], bool]]) -> None:
    slots = [Slot(tuple(sorted(c)), True, optional=optional) for c, optional in places]
    for way in fillings(slots):
        assert in_order(slots, way) == way


def test_alike_places_may_all_stay_empty() -> None:
    """Under `shared`, where the Zero of every row is the stronger."""
    cells = "cell K(A, B) { S = Sum(x, y) } output K, {A | B | D}?, {A | B | D}?"
    network = checked(spec(cells))
    for zero, expected in ((9.0, ("K", "", "")), (-9.0, ("K", "A", "B"))):
        logits = {"output.alpha": np.array([[zero, -zero]] * 3)}
        assert choose(network, logits, "shared").outputs == expected


@pytest.mark.parametrize(
    ("output", "names", "expected"),
    [
        ("{A | B}, {A | D}", ["A", "B"], ("B", "A")),
        ("{A | B}?, A?, D?", ["A", "B"], ("B", "A", "")),
        ("*?", ["B", "D"], ("", "B", "D", "")),
        ("K, *?", ["A"], ("K", "A", "", "")),
        ("{A | B}, D?", ["D"], None),
        ("A, B", ["A"], None),
    ],
)
def test_names_find_a_place_where_there_is_one(
    output: str, names: list[str], expected: tuple[str, ...] | None
) -> None:
    network = checked(spec(f"cell K(A, B) {{ S = Sum(x, y) }} output {output}"))
    assert taking(network.outputs, names) == expected
