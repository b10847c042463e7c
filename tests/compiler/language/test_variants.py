"""Numbers, counts and roles that are chosen for a whole specification."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.language.override import override
from fusewright.compiler.language.variants import (
    MOST_LISTED,
    global_holes,
    picks_of,
    some_picks,
    variant,
)
from fusewright.compiler.load import Notation, spell
from fusewright.compiler.measure.architectures import count_architectures
from fusewright.compiler.network.choices import fill
from fusewright.compiler.network.count import Count
from fusewright.compiler.resolve.unfill import unfill
from fusewright.compiler.tools.describe import describe, summary
from fusewright.compiler.tools.difference import difference
from fusewright.compiler.tools.stages import graph_text, network_text
from fusewright.runtime.genotypes.space import every_choice

TEXT = """
network n(C = {4 | 8}, L = 2, dropout = {0.1 | 0.3}, width = {1 | 2})
use fusion
op Mixed(x, *s, rate = 0.1) = x + dropout(mean(x, *s), rate = rate)
modality m { A[t 3, c 3] B[c 5] }
modality k { D[c 4] }
pool Sum, GMU
cell K[{1 | 2}](?, ?) { S[width] = ?(x, y) }
cell Last(K_1, A) { T[{1 | 3}] = Sum(x, y) }
role adapt(f) = {MaxPool | MeanPool | MaxMeanPool}(f)
role adapt(f) for k = {MaxPool | MeanPool}(f)
role merge(x, *s) = {Sum | Mixed(rate = 0.3)}(x, *s)
predict 3 classes
"""
SPACE = fw.loads(TEXT)
PLACES = [
    "C",
    "dropout",
    "width",
    "adapt(f)",
    "adapt(f) for k",
    "merge(x, *s)",
    "count of K",
    "count of Last.T",
]
SMALL = fw.loads(
    "network n(C = {4 | 8}, L = 2) use paper modality m { A[c 3] B[c 5] } pool Sum, ConcatFC "
    "op One(f) = resample(f) @ W[c, C] op Two(f) = tanh(resample(f) @ W[c, C]) "
    "role adapt(f) = {One | Two}(f) cell K[{1 | 2}](?, ?) { S[{1 | 2}] = ?(x, y) } "
    "predict 3 classes"
)


def test_global_holes_stand_in_the_order_of_the_text() -> None:
    holes = global_holes(SPACE)
    assert [hole.place for hole in holes] == PLACES
    assert [hole.span and hole.span.text for hole in holes][:2] == ["{4 | 8}", "{0.1 | 0.3}"]
    assert str(holes[5]) == "merge(x, *s) = {Sum | Mixed(rate = 0.3)}"


@pytest.mark.parametrize("notation", ["fuse", "json", "yaml", "graphml", "node-link"])
def test_every_notation_says_them(notation: Notation) -> None:
    text = spell(SPACE, notation)
    if notation in ("fuse", "json", "yaml"):
        assert fw.loads(text) == SPACE
    assert "{MaxPool | MeanPool}(f)" in text


def test_a_graph_says_the_specification_that_it_was_built_from() -> None:
    assert fw.spec(fw.graph(SPACE)) == SPACE


def test_a_variant_has_everything_filled_and_is_read_back() -> None:
    every = list(product(*(range(len(hole.candidates)) for hole in global_holes(SMALL))))
    assert list(some_picks(global_holes(SMALL))) == every
    for picks in every:
        filled = variant(SMALL, picks)
        assert not global_holes(filled)
        assert fw.loads(str(filled)) == filled
        assert picks_of(SMALL, fill(checked(filled), next(every_choice(checked(filled))))) == picks


def test_of_many_variants_each_candidate_is_looked_at() -> None:
    holes = global_holes(SPACE)
    picks = list(some_picks(holes))
    assert len(picks) < MOST_LISTED
    assert picks[0] == (0,) * len(holes)
    for place, hole in enumerate(holes):
        assert {p[place] for p in picks} == set(range(len(hole.candidates)))


def test_a_number_is_fixed_from_outside() -> None:
    fixed = override(SPACE, {"C": 8})
    assert [hole.place for hole in global_holes(fixed)] == PLACES[1:]
    assert checked(fixed).channels == 8


def test_a_space_has_the_genotypes_of_all_its_variants() -> None:
    network = checked(SMALL)
    genotypes: set[str] = set()
    total = 0
    for picks in some_picks(network.global_holes):
        within = network.variant(picks)
        found = [fill(within, choices) for choices in every_choice(within)]
        total += len(found)
        genotypes |= set(map(str, found))
        for genotype in found[:5]:
            choices = unfill(network, genotype)
            assert choices.variant == picks
            assert fill(network, choices) == genotype
    assert count_architectures(network) == Count(total, total)
    assert len(genotypes) == total


def test_too_many_sizes_have_bounds() -> None:
    counts = " | ".join(map(str, range(1, 12)))
    space = fw.loads(
        "network n(C = 4, L = 2) modality m { A[c 3] B[c 5] } pool Sum, ConcatFC "
        f"cell K[{{{counts}}}](?, ?) {{ S[{{{counts}}}] = ?(x, y) }} predict 3 classes"
    )
    found = count_architectures(checked(space))
    assert 0 < found.low < found.high


def test_a_genotype_of_another_number_is_none_of_the_space() -> None:
    foreign = variant(override(SMALL, {"C": 16}), (0, 0, 0))
    genotype = fill(checked(foreign), next(every_choice(checked(foreign))))
    with pytest.raises(fw.DiagnosticError, match="what it has as `C` is no candidate"):
        unfill(checked(SMALL), genotype)


def test_what_is_printed_shows_them() -> None:
    described = describe(SMALL)
    assert described["kind"] == "search space"
    assert described["numbers"]["C"] == {"any": [4, 8]}
    assert described["choices"]["adapt(f)"] == ["One", "Two"]
    shown = summary(described)
    assert "C = {4 | 8}, L = 2" in shown
    assert "count of K = {1 | 2}" in shown
    assert "role adapt(f) = {One | Two}(f)" in network_text(SMALL)
    assert "choice   count of K.S = {1 | 2}\n" in graph_text(SMALL)


def test_a_difference_names_them() -> None:
    other = str(SMALL).replace("{4 | 8}", "{8 | 16}").replace("{One | Two}", "{Two | One}")
    assert [str(c) for c in difference(SMALL, fw.loads(other))] == [
        "~ number C: {4 | 8} -> {8 | 16}"
    ]
    fixed = fw.loads(str(SMALL).replace("K[{1 | 2}]", "K[1]"))
    assert [str(c) for c in difference(SMALL, fixed)] == ["- choice count of K: {1 | 2}"]


@pytest.mark.parametrize("target", ["torch", "onnx", "numpy", "python"])
def test_several_networks_are_not_compiled(target: str) -> None:
    compiler: Any = fw.compile
    with pytest.raises(fw.DiagnosticError, match=r"several networks, since `C`"):
        compiler(SMALL, target)
