"""Budgets: what a search finds keeps within them, and latency is predicted from a profile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import fusewright as fw
from fusewright.compiler.check.check import check, checked
from fusewright.compiler.compile import to_program
from fusewright.compiler.documents.spellings import Spelling, loads
from fusewright.compiler.language.nodes import Budget
from fusewright.compiler.load import spell
from fusewright.compiler.measure.parts import Parts
from fusewright.compiler.measure.sizes import count_macs, count_parameters
from fusewright.compiler.network.choices import fill
from fusewright.compiler.network.holes import Relaxation
from fusewright.compiler.network.names import architecture_name
from fusewright.compiler.network.network import Network
from fusewright.compiler.passes import optimise
from fusewright.compiler.syntax.format import format_text
from fusewright.compiler.tools.describe import describe
from fusewright.runtime.genotypes.derive import choose, one_hot, preference
from fusewright.runtime.genotypes.space import every_choice
from fusewright.runtime.latency.profile import LONGEST_PROFILE, Profile, read_profile
from fusewright.runtime.search.budgets import Budgets
from fusewright.runtime.search.hypernet.penalty import Penalty
from fusewright.runtime.strategies import FOLLOWED_BY as STRATEGIES

from ...support.running import QUICK, command, problem, spec

SPACES = {
    "two Cells": spec(),
    "half open": spec("cell K(A, ?) { S = {Sum | ConcatFC}(x, y) T = LinearGLU(x, y) return S }"),
    "a Cell that may go unread": spec("cell K[2](?, ?) { S = ?(x, y) } output K_2, B"),
}
DATA = problem(30)
FAST = QUICK.with_options(candidates=2, trial_epochs=2)
VALUES = {"two Cells": 3, "half open": 8, "a Cell that may go unread": 3}
"""Random budgets of each strategy on each space."""


def invented(network: Network) -> Profile:
    """A profile in which every part takes some time, the same for equal parts."""
    parts = list(Parts(network).every())
    taken = {p.key: 0.001 * (1 + int(p.key[:4], 16) % 40) for p in parts}
    return Profile("laptop", 0.01, taken, {p.key: p.name for p in parts})


def limited(space: fw.Spec, *limits: Budget) -> fw.Spec:
    return replace(space, requirements=(*space.requirements, *limits))


ALL = tuple(Budget(q, 10**9) for q in ("parameters", "macs", "latency"))


def every_cost(space: fw.Spec) -> list[dict[str, float]]:
    """What each network of a space costs, of every quantity."""
    network = checked(limited(space, *ALL))
    counted = Budgets(network, "shared", invented(network))
    return [dict(counted.cost(c)) for c in every_choice(network)]


COSTS = {name: every_cost(space) for name, space in SPACES.items()}


def keeps(costs: Any, limits: Sequence[Budget]) -> bool:
    return all(
        costs[b.quantity] <= b.limit if b.inclusive else costs[b.quantity] < b.limit for b in limits
    )


def cost_of(genotype: fw.Spec, profile: Profile) -> dict[str, float]:
    program = to_program(genotype)
    return {
        "parameters": count_parameters(program),
        "macs": count_macs(optimise(program, "inference")),
        "latency": profile.predicted(checked(genotype)),
    }


def random_limits(name: str, generator: np.random.Generator) -> tuple[Budget, ...]:
    """One budget or two, from below the smallest network to above the largest."""
    found = []
    for quantity in generator.choice(("parameters", "macs", "latency"), generator.integers(1, 3)):
        known = sorted(c[quantity] for c in COSTS[name])
        low, high = 0.9 * known[0], 1.1 * float(np.quantile(known, 0.5))
        limit: float = float(generator.uniform(low, high))
        if generator.random() < 0.3:
            limit = float(generator.choice(known[: 1 + len(known) // 2]))  # a value that is reached
        limit = limit if quantity == "latency" else round(limit)
        found.append(Budget(str(quantity), limit, bool(generator.integers(2))))
    return tuple(found)


def costs_as_limits(name: str, generator: np.random.Generator) -> tuple[Budget, ...]:
    """Budgets of every quantity that one network just keeps."""
    one = COSTS[name][int(generator.integers(len(COSTS[name])))]
    return tuple(Budget(quantity, limit, True) for quantity, limit in one.items())


# What a search finds


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_genotype_is_over_its_budget(strategy: str, name: str, tmp_path: Path) -> None:
    """Over a hundred random budgets; where a search gives up, brute force agrees."""
    space, file = SPACES[name], tmp_path / "laptop.json"
    profile = invented(checked(space))
    file.write_text(profile.text(), encoding="utf-8")
    generator = np.random.default_rng([len(name), *strategy.encode()])
    outcomes = set()
    for number in range(VALUES[name]):
        limits = random_limits(name, generator) if number else costs_as_limits(name, generator)
        relax = get_args(Relaxation)[number % 2]
        chosen = FAST.with_options(strategy=strategy, relax=relax, profile=str(file), seed=number)
        possible = any(keeps(costs, limits) for costs in COSTS[name])
        try:
            found = fw.search(limited(space, *limits), DATA, settings=chosen)
        except fw.DiagnosticError as error:
            assert [d.code for d in error.diagnostics] == ["E404"]
            assert not possible
        else:
            assert keeps(cost_of(found.genotype, profile), limits)
            verdicts = describe(found.genotype, profile)["budgets"]
            assert all(v["verdict"].startswith("met by") for v in verdicts)
        outcomes.add(possible)
    assert True in outcomes


def test_there_are_over_a_hundred_of_them() -> None:
    assert len(STRATEGIES) * sum(VALUES.values()) > 100


def test_without_a_choice_the_smallest_value_is_said() -> None:
    least = min(c["parameters"] for c in COSTS["two Cells"])
    with pytest.raises(fw.DiagnosticError) as caught:
        fw.search(limited(SPACES["two Cells"], Budget("parameters", 10)), DATA, settings=FAST)
    (found,) = caught.value.diagnostics
    assert found.code == "E404"
    assert found.help == f"allow more: the smallest has {least:,.0f}"


def test_budgets_that_only_together_cannot_be_kept(tmp_path: Path) -> None:
    costs = COSTS["two Cells"]
    fewest = min(costs, key=lambda c: (c["parameters"], c["latency"]))
    least = min(costs, key=lambda c: (c["latency"], c["parameters"]))
    assert least["parameters"] > fewest["parameters"]
    limits = [Budget(q, c[q], True) for q, c in (("parameters", fewest), ("latency", least))]
    file = tmp_path / "profile.json"
    file.write_text(TEXT, encoding="utf-8")
    space = limited(SPACES["two Cells"], *limits)
    with pytest.raises(fw.DiagnosticError, match="within all budgets at once"):
        fw.search(space, DATA, settings=FAST, profile=str(file))


def test_a_large_space_is_searched_too() -> None:
    space = fw.load("examples/ntu4.fuse")
    rows = [Budget("parameters", 1_400_000), Budget("macs", 4_000_000)]
    budgets = Budgets(checked(limited(space, *rows)))
    budgets.require_possible()
    assert budgets.admits(budgets.choose({}))
    assert budgets.admits(budgets.draw(np.random.default_rng(0)))
    with pytest.raises(fw.DiagnosticError, match="was found to keep within parameters < 1k"):
        Budgets(checked(limited(space, Budget("parameters", 1000)))).require_possible()


# Costs and choices


@pytest.mark.parametrize("name", SPACES)
def test_costs_are_those_that_info_says(name: str) -> None:
    network = checked(limited(SPACES[name], *ALL))
    profile = invented(network)
    budgets = Budgets(network, "shared", profile)
    for choices in list(every_choice(network))[:40]:
        genotype = fill(network, choices)
        said = describe(genotype, profile)
        assert {q: said[q] for q in ("parameters", "macs", "latency")} == budgets.cost(choices)


@pytest.mark.parametrize("name", SPACES)
def test_parts_add_up_to_the_parameters(name: str) -> None:
    network = checked(limited(SPACES[name], Budget("parameters", 10**9)))
    budgets = Budgets(network)
    for choices in every_choice(network):
        assert budgets.table.cost(choices) == budgets.cost(choices)


def test_where_nothing_is_over_the_choice_is_what_it_was() -> None:
    network = checked(limited(SPACES["two Cells"], Budget("parameters", 10**6)))
    logits = random_logits(network, "shared", 0)
    assert Budgets(network).choose(logits) == choose(network, logits, "shared")


@given(st.integers(0, 10**6), st.floats(0.0, 0.6))
@settings(max_examples=12, deadline=None)
def test_deriving_comes_near_to_what_is_preferred(seed: int, share: float) -> None:
    """Never past the budget, and as good as most of what is admitted."""
    known = sorted(c["parameters"] for c in COSTS["two Cells"])
    limit = int(known[0] + share * (known[-1] - known[0]))
    network = checked(limited(SPACES["two Cells"], Budget("parameters", limit, True)))
    budgets, logits = Budgets(network), random_logits(network, "shared", seed)
    found = budgets.choose(logits)
    assert budgets.admits(found)

    liked = preference(network, logits, "shared")
    admitted = [liked(c) for c in every_choice(network) if budgets.admits(c)]
    assert sum(value > liked(found) + 1e-9 for value in admitted) <= 0.5 * len(admitted)


def test_large_logits_are_brought_within_too() -> None:
    network = checked(limited(SPACES["two Cells"], Budget("parameters", 345)))
    budgets = Budgets(network)
    logits = {n: 1e6 * a for n, a in random_logits(network, "shared", 3).items()}
    assert budgets.admits(budgets.choose(logits))


def test_draws_reach_all_that_is_admitted() -> None:
    limit = float(np.quantile([c["parameters"] for c in COSTS["half open"]], 0.6))
    network = checked(limited(SPACES["half open"], Budget("parameters", limit)))
    budgets, generator = Budgets(network), np.random.default_rng(0)
    drawn = {budgets.draw(generator) for _ in range(200)}
    assert drawn == {c for c in every_choice(network) if budgets.admits(c)}


def random_logits(network: Network, relax: Relaxation, seed: int) -> dict[str, Any]:
    generator = np.random.default_rng(seed)
    program = to_program(network.spec, relax)
    return {
        p.name: generator.normal(size=p.sizes)
        for p in program.parameters
        if p.kind == "architecture"
    }


# The penalty


@pytest.mark.parametrize("name", SPACES)
def test_one_hot_weights_cost_what_their_choice_does(name: str) -> None:
    network = checked(limited(SPACES[name], *ALL))
    budgets = Budgets(network, "per_input", invented(network))
    penalty = Penalty(budgets, 1.0, torch.device("cpu"))
    for choices in list(every_choice(network))[::5]:
        weights = one_hot(network, choices, "per_input")
        expected = penalty.expected({n: torch.from_numpy(w) for n, w in weights.items()})
        for quantity, value in budgets.table.cost(choices).items():
            assert float(expected[quantity]) == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize("relax", get_args(Relaxation))
def test_the_penalty_falls_towards_cheaper_candidates(relax: Relaxation) -> None:
    network = checked(limited(SPACES["two Cells"], Budget("parameters", 300)))
    budgets = Budgets(network, relax)
    penalty = Penalty(budgets, 1.0, torch.device("cpu"))
    logits = {
        name: torch.zeros(array.shape, requires_grad=True)
        for name, array in random_logits(network, relax, 0).items()
    }

    def weights() -> dict[str, torch.Tensor]:
        soft = {n: torch.softmax(p, -1) for n, p in logits.items()}
        return {n: w[:, 1] if w.dim() == 2 else w for n, w in soft.items()}

    given = torch.autograd.grad(
        penalty(weights()), list(logits.values()), allow_unused=True, materialize_grads=True
    )
    gradients = dict(zip(logits, given, strict=True))
    gamma = gradients[architecture_name(("K_1", "S"), "gamma")]
    costs = [c["parameters"] for c in budgets.table.steps["K_1", "S"]]
    assert np.argsort(gamma.numpy(), kind="stable").tolist() == np.argsort(costs).tolist()
    before = penalty.expected(weights())["parameters"].item()
    for name, parameter in logits.items():
        parameter.data -= 0.5 * gradients[name]
    assert penalty.expected(weights())["parameters"].item() < before


def test_there_is_no_penalty_below_the_limit() -> None:
    network = checked(limited(SPACES["two Cells"], Budget("parameters", 10**6)))
    logits = random_logits(network, "shared", 0)
    weights = {n: torch.full(a.shape[:1], 0.5) for n, a in logits.items()}
    assert float(Penalty(Budgets(network), 1.0, torch.device("cpu"))(weights)) == 0


@pytest.mark.parametrize(
    "options", [{"strategy": "darts"}, {"strategy": "gdas"}, {"second_order": True}], ids=str
)
def test_a_penalty_moves_a_search_to_cheaper_mixtures(options: dict[str, Any]) -> None:
    space = limited(SPACES["two Cells"], Budget("parameters", 400))
    budgets = Budgets(checked(space))
    taken = []
    for strength in (0.0, 100.0):
        chosen = FAST.with_options(budget_penalty=strength, arch_learning_rate=0.1, **options)
        found = fw.search(space, DATA, settings=chosen)
        logits = {n: torch.from_numpy(a) for n, a in found.weights.items() if _is_mixture(n)}
        soft = {n: torch.softmax(p, -1) for n, p in logits.items()}
        weights = {n: w[:, 1] if w.dim() == 2 else w for n, w in soft.items()}
        penalty = Penalty(budgets, 1.0, torch.device("cpu"))
        taken.append(float(penalty.expected(weights)["parameters"]))
    assert taken[1] < taken[0]


def _is_mixture(name: str) -> bool:
    return name.rpartition(".")[2] in ("alpha", "beta", "gamma")


# Profiles


def test_a_profile_is_measured_written_and_read(tmp_path: Path) -> None:
    (tmp_path / "n.fuse").write_text(str(SPACES["two Cells"]), encoding="utf-8")
    shown = command(tmp_path, "profile", "n.fuse", "-o", "pc.json", "--repetitions", "2", "--json")
    found = read_profile(tmp_path / "pc.json")
    assert json.loads(shown)["parts"] == len(found.milliseconds)
    assert found.name == "pc"
    assert found.check is not None
    assert {"processor", "cores"} <= found.machine.keys()
    assert found.text() == (tmp_path / "pc.json").read_text(encoding="utf-8")
    space = limited(SPACES["two Cells"], Budget("latency", 1000, on="pc"))
    result = fw.search(space, DATA, settings=FAST, profile=str(tmp_path / "pc.json"))
    (tmp_path / "g.fuse").write_text(str(result.genotype), encoding="utf-8")
    described = json.loads(command(tmp_path, "info", "g.fuse", "--profile", "pc.json", "--json"))
    assert described["latency"] > 0
    assert described["budgets"][0]["verdict"].startswith("met by")
    assert "latency" in command(tmp_path, "info", "g.fuse", "--profile", "pc.json")


def test_optional_modalities_and_open_axes_are_measured() -> None:
    from fusewright.runtime.latency.measure import profile

    space = spec(features="modality left optional { A[c 3] B[t *, c 5] } modality right { D[c 4] }")
    found = profile(space, "pc", repetitions=1, sizes={"t": 3})
    assert found.sizes["t"] == 3
    network = checked(space)
    genotype = fill(network, next(every_choice(network)))
    assert found.predicted(checked(genotype)) > 0


TEXT = invented(checked(SPACES["two Cells"])).text()
WRONG = {
    "no JSON": "hello",
    "nothing": "",
    "a list": "[]",
    "another format": TEXT.replace('"format": 1', '"format": 2'),
    "a format that is none": TEXT.replace('"format": 1', '"format": true'),
    "an unknown key": TEXT.replace('"threads"', '"thread"'),
    "a negative time": TEXT.replace('"overhead": 0.01', '"overhead": -0.01'),
    "no number": TEXT.replace('"overhead": 0.01', '"overhead": NaN'),
    "a key twice": TEXT.replace('"batch": 1', '"format": 1'),
    "a huge number": TEXT.replace('"overhead": 0.01', '"overhead": 1e300'),
    "the end is missing": TEXT[: len(TEXT) // 2],
    "a deep text": "[" * 100_000,
    "a huge text": TEXT + " " * LONGEST_PROFILE,
    "a specification": '{"fuse": 1, "network": {"name": "n"}}',
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_what_is_no_profile_is_diagnosed(text: str, tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(fw.DiagnosticError) as caught:
        read_profile(file)
    assert caught.value.diagnostics[0].code in ("E004", "E511")
    assert len(str(caught.value)) < 2000


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_change_ends_in_a_profile_or_a_diagnostic(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(TEXT)))
    end = at + data.draw(st.integers(0, 20))
    put = data.draw(st.text(max_size=5))
    file = tmp_path_factory.getbasetemp() / "changed.json"
    file.write_bytes((TEXT[:at] + put + TEXT[end:]).encode("utf-8", "surrogatepass"))
    try:
        assert isinstance(read_profile(file), Profile)
    except fw.DiagnosticError as error:
        assert error.diagnostics


def test_a_profile_of_another_specification_is_diagnosed(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    file.write_text(invented(checked(spec(length=3))).text(), encoding="utf-8")
    space = limited(SPACES["two Cells"], Budget("latency", 1000))
    with pytest.raises(fw.DiagnosticError, match="does not have the adapter of `A`") as caught:
        fw.search(space, DATA, settings=FAST, profile=str(file))
    assert caught.value.diagnostics[0].code == "E511"


@pytest.mark.parametrize("profile", ["", "missing.json"])
def test_latency_needs_a_profile(profile: str) -> None:
    space = limited(SPACES["two Cells"], Budget("latency", 2))
    assert not check(space)
    with pytest.raises(fw.DiagnosticError) as caught:
        fw.search(space, DATA, settings=FAST, profile=profile)
    assert caught.value.diagnostics[0].code == ("E504" if profile else "E506")


def test_a_budget_names_its_profile(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    file.write_text(TEXT, encoding="utf-8")
    fw.search(
        limited(SPACES["two Cells"], Budget("latency", 1000, on="laptop")),
        DATA,
        settings=FAST,
        profile=str(file),
    )
    space = limited(SPACES["two Cells"], Budget("latency", 1000, on="phone"))
    with pytest.raises(fw.DiagnosticError, match="on the profile `phone`, and this is `laptop`"):
        fw.search(space, DATA, settings=FAST, profile=str(file))


# The language

NAMES = ("laptop", "my machine", "on", "require", "ms")
LIMITS = tuple(
    Budget("latency", limit, inclusive, on)
    for limit, inclusive, on in product((2, 0.5, 1e-7), (True, False), (None, *NAMES))
)


@pytest.mark.parametrize("spelling", get_args(Spelling))
def test_budgets_survive_every_spelling(spelling: Spelling) -> None:
    written = limited(SPACES["two Cells"], *LIMITS)
    assert loads(spell(written, spelling), "n", spelling) == written


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("latency < 2 ms on laptop", Budget("latency", 2, on="laptop")),
        ("latency <= 2s", Budget("latency", 2000, True)),
        ("latency<2\tms on`my pc`", Budget("latency", 2, on="my pc")),
        ("macs < 50 M", Budget("macs", 50_000_000)),
        ("latency < 2 on on", Budget("latency", 2, on="on")),
    ],
)
def test_a_budget_is_read(text: str, budget: Budget) -> None:
    assert fw.loads(f"require {text}").requirements == (budget,)


def test_comments_stay_behind_a_budget() -> None:
    text = "require latency  <  2 ms  on laptop  # the demo machine\n"
    assert format_text(text) == "require latency < 2ms on laptop  # the demo machine\n"


def test_only_latency_is_stated_on_a_machine() -> None:
    found = check(limited(SPACES["two Cells"], Budget("macs", 10**6, on="laptop")))
    assert [d.code for d in found] == ["E306"]
