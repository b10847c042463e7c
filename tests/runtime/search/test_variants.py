"""Searching numbers, counts of families and roles: the variants of a specification."""

from __future__ import annotations

import json
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.graph.build import build
from fusewright.compiler.language.override import override
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.measure.sizes import count_parameters
from fusewright.compiler.network.choices import fill
from fusewright.compiler.resolve.unfill import unfill
from fusewright.runtime.genotypes.space import every_choice
from fusewright.runtime.report.build import report
from fusewright.runtime.report.pages import pages
from fusewright.runtime.search.consensus import consensus
from fusewright.runtime.search.controls import compare_with_controls
from fusewright.runtime.search.loop import SearchResult
from fusewright.runtime.search.variants import budgets_of
from fusewright.runtime.settings import Settings
from fusewright.runtime.strategies import STRATEGIES, VARYING

from ...support.running import problem, same, spec, without_cost
from ...support.stopping import stop_after

DATA = problem(60)
QUICK = Settings(
    batch=16, max_learning_rate=0.02, candidates=6, trial_epochs=2, rungs=2, first_restart=1,
    finalists=2, folds=2, together=4,
)  # fmt: skip
SPACE = fw.loads(
    str(spec("cell K[{1 | 2}](?, ?) { S[{1 | 2}] = ?(x, y) }")).replace("C = 8", "C = {8 | 6}")
    + """
op Plain(f) = resample(f) @ W[c, C] + b[C]
op Squashed(f) = tanh(resample(f) @ W[c, C] + b[C])
role adapt(f) = {Plain | Squashed}(f)
"""
)

ONE = fw.loads(str(spec("cell K(?, ?) { S = ?(x, y) }")).replace("C = 8", "C = {8 | 6}"))


def search(strategy: str, space: fw.Spec = SPACE, **options: Any) -> SearchResult:
    return fw.search(space, DATA, settings=QUICK, strategy=strategy, **options)


@pytest.mark.parametrize("strategy", VARYING)
def test_a_strategy_of_candidates_searches_variants(strategy: str, tmp_path: Path) -> None:
    found = search(strategy, out=tmp_path / "run")
    assert found.space == SPACE
    assert not checked(found.genotype).has_holes
    network = checked(SPACE)
    choices = unfill(network, found.genotype)
    assert len(choices.variant) == len(network.global_holes) == 4
    assert fill(network, choices) == found.genotype
    lines = (tmp_path / "run/history.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    found_too = {r["genotype"] for r in records if "genotype" in r}
    assert all(unfill(network, fw.loads(g)) for g in found_too)
    assert fw.read_run(tmp_path / "run").genotype == found.genotype


@pytest.mark.parametrize("strategy", sorted(STRATEGIES.keys() - set(VARYING)))
def test_a_strategy_that_shares_weights_says_what_it_cannot_choose(strategy: str) -> None:
    with pytest.raises(fw.DiagnosticError) as caught:
        search(strategy)
    (found,) = caught.value.diagnostics
    assert (found.code, found.span and found.span.text) == ("E405", "{8 | 6}")
    assert "`C`, `adapt(f)`, `count of K`, `count of K.S`" in found.message
    assert "`halving`" in str(found.help)
    assert "`--set C=64`" in str(found.help)


def test_every_variant_is_drawn() -> None:
    network = checked(SPACE)
    draws = budgets_of(network).draws(np.random.default_rng(0))
    drawn = list(islice(draws, 200))
    assert {choices.variant for choices in drawn} == set(product(range(2), repeat=4))
    for choices in drawn:
        assert unfill(network, fill(network, choices)) == choices


def test_a_variant_beyond_the_budgets_is_passed_over() -> None:
    wide = checked(override(ONE, {"C": 8}))
    networks = (checked(fill(wide, choices)) for choices in every_choice(wide))
    smallest = min(count_parameters(lower(build(network))) for network in networks)
    limited = fw.loads(f"{ONE} require parameters < {smallest}")
    network = checked(limited)
    budgets = budgets_of(network)
    budgets.require_possible()
    assert {c.variant for c in islice(budgets.draws(np.random.default_rng(0)), 20)} == {(1,)}
    assert budgets.near((0,)) == (1,)
    assert budgets.admits(budgets.choose({}, (0,)))
    none = fw.loads(f"{ONE} require parameters < 9")
    with pytest.raises(fw.DiagnosticError, match="E404"):
        budgets_of(checked(none)).require_possible()


def test_a_search_of_variants_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = search("evolution")
    with monkeypatch.context() as patched:
        stop_after(5, patched)
        with pytest.raises(fw.DiagnosticError, match="E510"):
            search("evolution", out=tmp_path / "run")
    resumed = search("evolution", out=tmp_path / "run", resume=True)
    assert without_cost(resumed.history) == without_cost(whole.history)
    assert resumed.genotype == whole.genotype
    assert same(resumed.weights, whole.weights)


def test_runs_of_variants_are_compared(tmp_path: Path) -> None:
    paths = [tmp_path / str(seed) for seed in range(2)]
    for seed, path in enumerate(paths):
        found = search("random", out=path, seed=seed)
        controls = compare_with_controls(
            SPACE, DATA, found, settings=QUICK, out=path, random=seed == 0
        )
        assert controls.rows[0].score >= 0
    agreed = consensus(paths)
    assert not checked(agreed.genotype).has_holes
    assert "{8 | 6}" in report(paths).page
    assert pages(paths[:1])
    with pytest.raises(fw.DiagnosticError, match="found other numbers or roles"):
        pages(paths)
    ensemble = search("halving", select="folds").ensemble
    assert ensemble is not None
    assert all(not checked(member.genotype).has_holes for member in ensemble.members)
