"""A rule is one record: a new one is checked, counted, sampled and derived with at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import comb, prod
from unittest.mock import patch

import pytest

from fusewright.compiler.check.check import check, checked
from fusewright.compiler.graph.build import build
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.measure.architectures import count_inputs
from fusewright.compiler.network.count import Count
from fusewright.compiler.network.fillings import Choice, fixed_choice
from fusewright.compiler.network.network import Network
from fusewright.compiler.network.rules import RULES, Rule, Verdict, admits
from fusewright.compiler.syntax.parse import parse
from fusewright.runtime.genotypes.derive import derive
from fusewright.runtime.genotypes.sample import random_genotype
from fusewright.runtime.genotypes.space import every_choice

from ...support.programs import random_weights

FEATURES = 3


def _takes_the_last(
    network: Network, index: int, choice: Choice, earlier: Sequence[Choice]
) -> bool:
    return index == 0 or network.cells[index - 1].name in choice


def _can_take_the_last(network: Network, chosen: Sequence[Choice]) -> Verdict:
    for before, cell in zip(network.cells, network.cells[1:], strict=False):
        if all(before.name not in slot.candidates for slot in cell.slots):
            return Verdict(False, f"{cell.name} does not see {before.name}")
    return Verdict(True)


def _count_chains(network: Network, most: int) -> Count | None:
    """C(F, 2) choices for the first Cell, then the Cell before and any other name."""
    if len(network.cells) < 4:
        return None
    total = comb(FEATURES, 2) * prod(range(FEATURES, FEATURES + len(network.cells) - 1))
    return Count(total, total)


CHAIN = Rule(
    "each Cell takes the Cell before it", "test", _takes_the_last, _can_take_the_last, _count_chains
)


@pytest.fixture(autouse=True)
def planted() -> Iterator[None]:
    with patch.dict(RULES, chain=CHAIN):
        yield


def space(cells: str) -> str:
    features = " ".join(f"F{i}[c 2]" for i in range(FEATURES))
    return (
        f"network n(C = 4, L = 1) use fusion modality m {{ {features} }} pool Sum, Max "
        f"{cells} require chain predict 2 classes"
    )


def chain(cells: int) -> Network:
    return checked(parse(space(f"cell K[{cells}](?, ?) {{ S = ?(x, y) }}")))


def test_a_rule_is_checked() -> None:
    assert not [d for d in check(parse(space("cell K[2](?, ?) { S = ?(x, y) }"))) if d.is_error]
    blind = "cell K(?, ?) { S = Sum(x, y) } cell J({F0 | F1}, F2) { S = Sum(x, y) } output K, J"
    (found,) = (d for d in check(parse(space(blind))) if d.is_error)
    assert (found.code, found.message) == ("E401", "`chain` cannot be met: J does not see K")
    assert found.notes[0].message == "`chain` says: each Cell takes the Cell before it"


def test_a_rule_that_knows_no_formula_is_counted_by_listing() -> None:
    assert count_inputs(chain(3)) == Count(3 * 3 * 4, 3 * 3 * 4)
    assert len(list(every_choice(chain(3)))) == 3 * 3 * 4 * 2**3


def test_a_rule_is_counted_by_its_formula() -> None:
    total = 3 * prod(range(3, 42))
    assert count_inputs(chain(40)) == Count(total, total)


@pytest.mark.parametrize("seed", range(5))
def test_a_rule_is_sampled_and_derived_with(seed: int) -> None:
    network = chain(3)
    weights = random_weights(lower(build(network), "shared"), seed)
    for genotype in (random_genotype(network, seed), derive(network, weights, "shared")):
        cells = checked(genotype).cells
        choices = [fixed_choice(cell) for cell in cells]
        assert all(admits(network, i, c, choices[:i]) for i, c in enumerate(choices))
        assert "K_1" in choices[1]
        assert "K_2" in choices[2]
