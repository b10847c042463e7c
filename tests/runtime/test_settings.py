"""Settings of a run: their limits, the schedule, relaxations and rules."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given

import fusewright as fw
from fusewright.compiler.check.check import check, checked
from fusewright.compiler.network.fillings import fixed_choice
from fusewright.compiler.network.rules import admits
from fusewright.runtime.fields import KEPT, NOT_DECIDING, PER_PROCESS, TUNED
from fusewright.runtime.settings import LONGEST_SETTINGS, Settings, read_settings
from fusewright.runtime.strategies import FOLLOWED_BY, SELECTIONS, STRATEGIES

from ..support.running import FIXED, OPEN, QUICK, as_npz, changed, command, problem, settings, spec

# Relaxations and rules


@pytest.mark.parametrize("relax", ["shared", "per_input"])
@pytest.mark.parametrize("rule", ["paper", "published", "distinct_pairs", "fresh_input"])
def test_a_search_keeps_the_rule(relax: str, rule: str) -> None:
    cells = "cell K(?, ?) { S[2] = ?(?, ?) } cell H(?, K) { S = {Sum | ConcatFC}(x, ?) }"
    space = spec(cells)
    found = fw.search(space, problem(45), settings=QUICK, relax=relax, rule=rule)
    genotype = checked(found.genotype)
    assert not genotype.has_holes
    named = {"paper": "distinct_pairs", "published": "fresh_input"}.get(rule, rule)
    under = checked(fw.loads(str(space) + f"require {named}"))
    choices = [fixed_choice(cell) for cell in genotype.cells]
    assert all(admits(under, i, c, choices[:i]) for i, c in enumerate(choices))
    if named == "fresh_input":
        assert {*choices[0], choices[1][0]} == {"A", "B", "D"}


def test_the_rule_of_the_settings_takes_the_place_of_the_specifications() -> None:
    space = fw.loads(str(spec("cell K[3](?, ?) { S = ?(x, y) }")) + "require fresh_input")
    assert [d.code for d in check(space)] == ["E401"]
    found = fw.search(space, problem(30), settings=QUICK, epochs=1, rule="paper")
    assert len(found.genotype.cells) == 3


def test_a_network_and_a_space_are_told_apart() -> None:
    with pytest.raises(fw.DiagnosticError, match="has no hole") as searched:
        fw.search(spec(FIXED), problem(30))
    with pytest.raises(fw.DiagnosticError, match="has holes") as trained:
        fw.train(spec(), problem(30))
    for caught in (searched, trained):
        assert [d.code for d in caught.value.diagnostics] == ["E403"]


def test_holes_that_the_output_does_not_reach_are_filled_all_the_same() -> None:
    space = spec(OPEN + " output A, D")
    found = fw.search(space, problem(30), settings=QUICK)
    assert not checked(found.genotype).has_holes


def test_a_network_without_parameters_is_measured() -> None:
    text = """
    network n(C = 3, L = 1) modality m { A[c 3] } predict 3 classes
    role adapt(f) = resample(f)  role head(h) = flatten(h)  output A
    """
    network = fw.loads(text)
    trained = fw.train(network, problem(30), settings=QUICK)
    assert trained.weights == {}
    assert fw.evaluate(network, problem(30), weights={}).keys() >= {"accuracy"}


# The schedule


def test_learning_rates_anneal_and_restart() -> None:
    """One, two, then four epochs of five batches, each from the highest rate to the lowest."""
    rates: list[float] = []

    def step(self: torch.optim.Adam, *_: Any) -> None:
        rates.append(self.param_groups[0]["lr"])

    data = changed(problem(60), split=np.repeat([0, 1, 2], (40, 10, 10)))
    with patch.object(torch.optim.Adam, "step", step):
        fw.train(
            spec(FIXED), data, epochs=7, batch=10, max_learning_rate=0.1, min_learning_rate=0.001
        )
    expected = [
        0.001 + 0.5 * (0.1 - 0.001) * (1 + math.cos(math.pi * i / (5 * epochs)))
        for epochs in (1, 2, 4)
        for i in range(5 * epochs)
    ]
    assert rates == pytest.approx(expected)
    restarts = [i for i, (a, b) in enumerate(pairwise(rates), start=1) if b > a]
    assert restarts == [5, 15]


def test_architecture_parameters_have_a_rate_of_their_own() -> None:
    seen: list[tuple[float, tuple[float, float], float]] = []
    create = torch.optim.Adam.__init__

    def init(self: torch.optim.Adam, *arguments: Any, **options: Any) -> None:
        create(self, *arguments, **options)
        group = self.param_groups[0]
        seen.append((group["lr"], group["betas"], group["weight_decay"]))

    with patch.object(torch.optim.Adam, "__init__", init):
        fw.search(
            spec(),
            problem(30),
            strategy="darts",
            epochs=1,
            arch_learning_rate=0.02,
            arch_weight_decay=0.03,
        )
    assert seen == [(1e-3, (0.9, 0.999), 1e-4), (0.02, (0.5, 0.999), 0.03)]


# Settings


@pytest.mark.parametrize("device", ['"', "\\", "a\nb", "é", "😀"])
def test_a_text_of_any_kind_goes_through_toml(device: str, tmp_path: Path) -> None:
    given_settings = fw.Settings(device=device)
    (tmp_path / "run.toml").write_text(given_settings.to_toml(), encoding="utf-8")
    assert read_settings(tmp_path / "run.toml") == given_settings


@given(settings())
def test_settings_go_through_toml(given_settings: fw.Settings) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.toml"
        path.write_text(given_settings.to_toml(), encoding="utf-8")
        assert read_settings(path) == given_settings


def test_the_ends_that_limits_name_are_possible() -> None:
    ends = fw.Settings(loss="focal", focus=10, weight_decay=1000, seed=2**63 - 1)
    assert (ends.focus, ends.weight_decay) == (10, 1000)
    assert fw.Settings(threads=1024, validation_weight=100, min_learning_rate=0).threads == 1024


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch = 3", "unknown setting `epoch`"),
        ("epochs = 0", "`epochs` is the number `0`"),
        ("epochs = 2.5", "`epochs` is the number `2.5`, not a whole number"),
        ("epochs = true", "`epochs` is `true`"),
        ('batch = "many"', "`batch` is the string `many`"),
        ("max_learning_rate = 0", "`max_learning_rate` is the number `0`"),
        ("max_learning_rate = nan", "`max_learning_rate` is the number `nan`, not above 0"),
        ("weight_decay = inf", "`weight_decay` is the number `inf`"),
        ("weight_decay = -1", "`weight_decay` is the number `-1`"),
        ('relax = "sharde"', "unknown relax `sharde`"),
        ('rule = "none"', "unknown rule `none`"),
        ('strategy = "luck"', "unknown strategy `luck`"),
        ("seed = -1", "`seed` is the number `-1`"),
        ("seed = 36893488147419103232", "`seed` is the number `36893488147419103232`"),
        ("seed = 9223372036854775808", "not from 0 to below 2^63"),
        ("weight_decay = 1000.1", "not from 0 to 1,000"),
        ("smoothing = 1", "not from 0 to below 1"),
        ('loss = "focal"\nfocus = 10.1', "not above 0, to 10"),
        ("[epochs]", "`epochs` is an empty object"),
        ("epochs 3", "is not TOML"),
    ],
)
def test_bad_settings_are_diagnosed(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(fw.DiagnosticError) as caught:
        read_settings(path)
    (found,) = caught.value.diagnostics
    assert found.code == "E506"
    assert message in found.message


LONG: Mapping[str, tuple[str, str]] = {
    "digits": ("epochs = " + "9" * 5000, "is not TOML"),
    "hexadecimal digits": (
        "epochs = 0x" + "f" * 50_000,
        "is a number of too many digits, not a whole number of 64",
    ),
    "65 bits": ("epochs = 9223372036854775809", "not a whole number of 64 bits"),
    "a large exponent": ("max_learning_rate = 1e999999", "`max_learning_rate` is the number `inf`"),
    "hexadecimal digits of a rate": (
        "max_learning_rate = 0x" + "f" * 5000,
        "is a number of too many digits",
    ),
    "a deep table": (f"epochs{'.a' * 5000} = 1", "`epochs` is an object with `a`"),
    "a deep list": ("epochs = " + "[" * 50_000, "is not TOML"),
    "a key twice": ("seed = 1\nseed = 2", "is not TOML"),
    "a long text": (f'device = "{"x" * 20_000}"', "not a text of at most 10,000 characters"),
    "a long name": (f"{'x' * 5000} = 1", "unknown setting `xxx"),
    "digits in tune": ('tune = "clipping = ' + "9" * 9000 + '"', "in `tune` is no number"),
}


@pytest.mark.parametrize("case", LONG.values(), ids=LONG)
def test_settings_of_any_size_are_diagnosed(case: tuple[str, str], tmp_path: Path) -> None:
    text, message = case
    (tmp_path / "run.toml").write_text(text, encoding="utf-8")
    with pytest.raises(fw.DiagnosticError) as caught:
        read_settings(tmp_path / "run.toml")
    (found,) = caught.value.diagnostics
    assert found.code == "E506"
    assert message in found.message
    assert len(str(caught.value)) < 1000


def test_a_long_file_of_settings_is_not_read_whole(tmp_path: Path) -> None:
    for text in ("#" * (LONGEST_SETTINGS + 1), "é" * (3 * LONGEST_SETTINGS)):
        (tmp_path / "run.toml").write_text(text, encoding="utf-8")
        with pytest.raises(fw.DiagnosticError, match="is longer than 1,000,000 char") as caught:
            read_settings(tmp_path / "run.toml")
        assert [one.code for one in caught.value.diagnostics] == ["E004"]


def test_settings_that_are_no_text_are_diagnosed(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_bytes(b"\xff")
    with pytest.raises(fw.DiagnosticError, match="is not UTF-8"):
        read_settings(tmp_path / "run.toml")


def test_options_come_after_the_file_and_the_file_after_defaults(tmp_path: Path) -> None:
    as_npz(problem(30), tmp_path)
    (tmp_path / "run.toml").write_text("epochs = 1\nbatch = 7\n", encoding="utf-8")
    (tmp_path / "net.fuse").write_text(str(spec(FIXED)), encoding="utf-8")
    options = ("--data", "data.npz", "--out", "run", "--config", "run.toml", "--batch", "9")
    command(tmp_path, "train", "net.fuse", *options)
    expected = fw.Settings(epochs=1, batch=9)
    assert read_settings(tmp_path / "run/train.toml") == expected


# What is said of settings


def test_lists_of_settings_are_what_their_fields_say() -> None:
    assert set(NOT_DECIDING) < set(PER_PROCESS)
    assert set(TUNED) < set(KEPT)
    assert not set(KEPT) & set(PER_PROCESS)
    changed_ones = Settings(threads=3, memory="1GB", candidates=7, seed=5)
    assert changed_ones.usual(NOT_DECIDING) == Settings(candidates=7, seed=5)
    assert changed_ones.usual(PER_PROCESS) == Settings(seed=5)


@pytest.mark.parametrize(
    ("options", "named", "by", "readers"),
    [
        ({"epochs": 5}, "epochs", "`halving` and `folds`", "`darts`, `gdas`, `single-path`;"),
        ({"strategy": "random", "rungs": 2}, "rungs", "`random`", "`halving`;"),
        (
            {"strategy": "darts", "candidates": 9},
            "candidates",
            "`darts` and `argmax`",
            "`halving`, ",
        ),
        ({"strategy": "tpe", "ensemble": False}, "ensemble", "`tpe`", "`folds`;"),
    ],
    ids=str,
)
def test_a_setting_without_effect_is_refused(
    options: dict[str, Any], named: str, by: str, readers: str
) -> None:
    found = Settings(**options)
    with pytest.raises(fw.DiagnosticError) as caught:
        found.require_effect(options)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message == f"the setting `{named}` has no effect with {by}"
    assert (diagnostic.help or "").startswith(f"it is read by {readers}")
    found.require_effect([])
    found.require_effect(["seed", "strategy"])


@pytest.mark.parametrize("select", ["argmax", "halving"])
def test_candidates_of_one_network_have_no_settings_of_their_own(select: str) -> None:
    found = Settings(strategy="darts", select=select, tune="weight_decay = 0 | 0.1")
    with pytest.raises(fw.DiagnosticError) as caught:
        found.require_effect(["tune"])
    (diagnostic,) = caught.value.diagnostics
    by = f"`darts` and `{select}`"
    assert diagnostic.message == f"the setting `tune` has no effect with {by}"
    assert (diagnostic.help or "").startswith("candidates of `darts` learn in one network, alike;")


def test_a_setting_with_its_usual_value_or_read_by_the_selection_is_let_be() -> None:
    Settings(epochs=30).require_effect(["epochs"])
    Settings(strategy="darts", select="halving", rungs=2).require_effect(["rungs", "select"])
    Settings(strategy="darts", select="ranking", candidates=9).require_effect(["candidates"])


def test_what_a_row_reads_is_a_setting_of_a_search() -> None:
    known = {item.name for item in fields(Settings) if "search" in item.metadata["read_by"]}
    read = [row.reads for row in STRATEGIES.values()] + [row.reads for row in SELECTIONS.values()]
    assert known >= {name for names in read for name in names}
    for name, row in STRATEGIES.items():
        assert row.shares == ("storage" in row.reads), name
        assert row.unrolls == ("second_order" in row.reads), name
        assert row.varies <= ("tune" in row.reads) <= row.samples, name


def test_every_selection_that_may_follow_has_a_row() -> None:
    assert {name for names in FOLLOWED_BY.values() for name in names} == {*SELECTIONS}
    assert Settings().compares_by_folds
    assert not Settings(strategy="darts").trains_candidates
    assert Settings(strategy="darts", select="halving").trains_candidates


# A batch that is left open


def test_a_batch_suits_how_many_samples_there_are() -> None:
    usual = Settings()
    sizes = {n: usual.for_samples(n).batch for n in (0, 40, 256, 800, 1536, 10**6)}
    assert sizes == {0: 16, 40: 16, 256: 16, 800: 50, 1536: 96, 10**6: 96}
    assert Settings(batch=7).for_samples(10**6).batch == 7
    assert (usual.at_once, Settings(batch=7).at_once) == (96, 7)


def test_runs_keep_the_batch_that_was_decided(tmp_path: Path) -> None:
    data, space = problem(90), spec("cell K(?, ?) { S = ?(x, y) } output K")
    found = fw.search(
        space, data, out=tmp_path / "run", candidates=2, rungs=1, trial_epochs=1, ensemble=False,
        folds=1,
    )  # fmt: skip
    assert found.settings.batch == 16
    assert found.training is not None
    assert found.training.batch == 16
    assert "batch = 16" in (tmp_path / "run" / "genotype.toml").read_text()
    trained = fw.train(found, data, out=tmp_path / "trained")
    assert trained.settings.batch == 16
    assert fw.train(found.genotype, data, epochs=1).settings.batch == 16
    assert "accuracy" in fw.evaluate(tmp_path / "trained", data)
