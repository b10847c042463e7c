"""Perceptrons among the finalists: where there are some, what they are, and what is kept."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.language.without_cells import is_beside
from fusewright.compiler.resolve.unfill import unfilled
from fusewright.runtime.report.pages import page_of, pages
from fusewright.runtime.runs.ensemble import read_ensemble
from fusewright.runtime.runs.read import records
from fusewright.runtime.search.candidates.starts import own_of
from fusewright.runtime.search.controls import compare_with_controls
from fusewright.runtime.search.perceptron import (
    LINEAR,
    NARROW,
    PERCEPTRONS,
    WIDE,
    Perceptron,
    perceptron,
)
from fusewright.runtime.search.strategy import ENSEMBLE, GENOTYPE, PERCEPTRON, SEARCHED
from fusewright.runtime.settings import Settings

from ...support.running import as_npz, command, problem, same, spec, without_cost
from ...support.stopping import stopped_and_resumed

DATA = problem(120)
CELLS = "cell K[2](?, ?) { S = ?(x, y) }"
OPEN = spec(f"{CELLS} output *?")
STRAIGHT = spec("cell K(A, B) { S = Sum(x, y) } output A?, B?, D?", predict="2 classes")
"""A space whose candidates do not tell parities."""
QUICK: dict[str, Any] = {
    "candidates": 4, "rungs": 2, "trial_epochs": 2, "finalists": 6, "folds": 2, "batch": 16,
}  # fmt: skip


def quick(**more: Any) -> dict[str, Any]:
    return {**QUICK, **more}


@cache
def found(**options: Any) -> fw.SearchResult:
    return fw.search(OPEN, DATA, **quick(**options))


def finalists(result: fw.SearchResult) -> list[int]:
    return [r.get("last", r)["candidate"] for r in result.history if "folds" in r]


# Where there are some


def test_a_third_of_the_finalists_are_perceptrons_that_nothing_chose() -> None:
    candidates = QUICK["candidates"]
    assert finalists(found())[1:3] == [candidates, candidates + 1]
    assert finalists(found(finalists=9))[1:4] == [candidates + number for number in range(3)]
    assert len(finalists(found())) == 6
    assert all(number < candidates for number in finalists(found(perceptrons=False)))
    assert len(finalists(found(finalists=2))) == 2
    assert all(number < candidates for number in finalists(found(finalists=2)))


def test_they_are_compared_on_validation_alone_without_an_ensemble_too() -> None:
    alone = found(folds=1, ensemble=False)
    assert finalists(alone)[1:3] == [QUICK["candidates"], QUICK["candidates"] + 1]
    assert not finalists(found(folds=1, ensemble=False, perceptrons=False))


@pytest.mark.parametrize(
    "text",
    [
        spec(CELLS),
        spec(f"{CELLS} output K_1, *?"),
        spec(f"{CELLS} output {{A | B}}, D"),
        spec(f"{CELLS} role head(h) = flatten(h) @ W[_, K] output *?"),
        spec(f"{CELLS} output *? predict one(A) 3 classes", predict="two 3 classes"),
    ],
)
def test_what_a_specification_fixes_leaves_no_place_for_them(text: fw.Spec) -> None:
    named = [head.name for head in text.heads]
    data = {**DATA, **{f"{name}.labels": DATA["labels"] for name in named}}
    result = fw.search(text, data, **quick(candidates=3))
    assert finalists(result)
    assert all(number < 3 for number in finalists(result))
    assert not is_beside(result.genotype, text)


def test_budgets_leave_those_that_keep_within_them() -> None:
    text = spec(f"{CELLS} require parameters < 1900 output *?")
    result = fw.search(text, DATA, **quick(candidates=3, finalists=9))
    assert [number for number in finalists(result) if number >= 3] == [3]
    (added,) = (r for r in result.history if r.get("last", r)["candidate"] == 3 and "folds" in r)
    assert added.get("last", added)["kind"] == PERCEPTRON


def test_their_settings_are_the_least_of_what_is_searched() -> None:
    usual = {"max_learning_rate": 1e-3, "first_restart": 15}
    assert dict(own_of(NARROW, Settings())) == {**usual, "weight_decay": 1e-3}
    faster = {**usual, "weight_decay": 1e-3, "max_learning_rate": 1e-2}
    assert dict(own_of(LINEAR, Settings())) == faster
    assert own_of(LINEAR, Settings(tune="", first_restart=2)) == ()
    assert own_of(NARROW, Settings(tune="", restart_multiplier=1)) == ()
    given = own_of(LINEAR, Settings(max_learning_rate=0.5, trial_epochs=4))
    assert dict(given) == {"weight_decay": 1e-3, "first_restart": 4}


def test_one_drops_out_and_the_others_do_not() -> None:
    texts = [str(perceptron(OPEN, kind)) for kind in PERCEPTRONS]
    assert ["dropout(" in text for text in texts] == [True, False, False]
    batch = {name: torch.from_numpy(DATA[name][:9]) for name in ("A", "B", "D")}
    for text, changes in zip(texts, (True, False, False), strict=True):
        module = fw.compile(fw.loads(text), "torch").train()
        first, second = module(batch), module(batch)
        assert torch.equal(first, second) != changes


# What is found


def parities(samples: int) -> dict[str, Any]:
    """Labels that no sum of what single features say can tell: whether two signs are equal."""
    generator = np.random.default_rng(0)
    arrays = {
        name: generator.normal(size=(samples, *shape)).astype(np.float32)
        for name, shape in (("A", (3,)), ("B", (2, 5)), ("D", (4,)))
    }
    equal = (arrays["A"][:, 0] > 0) == (arrays["D"][:, 0] > 0)
    return {**arrays, "labels": equal.astype(int), "split": np.arange(samples) // 3 % 3}


def test_a_perceptron_is_found_where_candidates_are_not_decided_above_it() -> None:
    options = quick(trial_epochs=20, max_learning_rate=0.02, weight_decay=0.0)
    result = fw.search(STRAIGHT, parities(900), **options)
    assert result.genotype == replace(perceptron(result.space), network=result.genotype.network)
    closing = result.history[-1]
    assert closing["kind"] == PERCEPTRON
    assert [cell.name for cell in fw.loads(closing["searched"]["genotype"]).cells] == ["K"]
    assert closing["searched"]["settings"] == {}
    assert result.held_out is not None
    assert result.held_out.outputs.keys() == {GENOTYPE, SEARCHED, ENSEMBLE}
    assert result.training is not None
    assert result.training.first_restart == result.training.epochs == 20
    assert unfilled(checked(result.space), result.genotype) is None


def test_a_candidate_that_is_decided_above_them_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they are trained with leaves them as they began."""
    monkeypatch.setattr(
        "fusewright.runtime.search.candidates.starts.own_of",
        lambda kind, settings: (("max_learning_rate", 1e-9),),
    )
    options = quick(trial_epochs=12, tune="", max_learning_rate=0.02)
    result = fw.search(OPEN, DATA, **options)
    assert not is_beside(result.genotype, OPEN)
    assert "kind" not in result.history[-1]
    assert result.held_out is not None
    assert result.held_out.outputs.keys() == {GENOTYPE, PERCEPTRON, ENSEMBLE}


def test_what_is_found_is_used_as_every_genotype_is(tmp_path: Path) -> None:
    data = as_npz(parities(300), tmp_path)
    (tmp_path / "n.fuse").write_text(str(STRAIGHT))
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in QUICK.items()]
    said = command(
        tmp_path, "search", "n.fuse", "--data", str(data), "--out", "run",
        *flags, "--trial-epochs=12", "--max-learning-rate=0.02",
    )  # fmt: skip
    assert "role adapt(f) = concat(resample(f), resample(f, by = mean))" in said
    assert "kind: perceptron" in said
    assert "no candidate of the space is decided above a perceptron" in said
    assert "best candidate" in said
    command(tmp_path, "train", "run/genotype.fuse", "--data", str(data), "--out", "t")
    assert "first_restart = 12" in (tmp_path / "run" / "genotype.toml").read_text()
    command(tmp_path, "train", "run/ensemble", "--data", str(data), "--out", "e")
    members = read_ensemble(tmp_path / "run" / "ensemble").members
    assert {bool(member.genotype.cells) for member in members} == {True, False}
    for run in ("t", "e"):
        assert "accuracy" in command(tmp_path, "evaluate", run, "--data", str(data))
        command(tmp_path, "compile", run, "-o", f"{run}.onnx")
    command(tmp_path, "report", "run", "t", "-o", "page.html")
    assert "What was found is a perceptron" in (tmp_path / "page.html").read_text()
    command(tmp_path, "draw", "run/genotype.fuse", "-o", "n.svg")
    with pytest.raises(fw.DiagnosticError, match="every run found a perceptron"):
        fw.consensus([tmp_path / "run"])


@pytest.mark.parametrize("batches", [7, 9, 12])
def test_a_search_goes_on_among_its_perceptrons(
    batches: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    again = stopped_and_resumed(OPEN, DATA, run, monkeypatch, batches=batches, **QUICK)
    assert again.genotype == found().genotype
    assert again.ensemble == found().ensemble
    assert same(again.weights, found().weights)
    assert without_cost(list(again.history)) == without_cost(list(found().history))


def test_controls_name_the_best_candidate_once() -> None:
    settings = Settings(**QUICK, max_learning_rate=0.02).with_options(trial_epochs=12)
    result = fw.search(STRAIGHT, parities(300), settings=settings)
    controls = compare_with_controls(
        STRAIGHT, parities(300), result, settings=settings, random=False
    )
    assert is_beside(result.genotype, STRAIGHT)
    names = [row.name for row in controls.rows]
    assert names[:3] == ["found genotype", ENSEMBLE, SEARCHED]
    assert PERCEPTRON not in names
    assert SEARCHED not in {row.name for row in controls.better}
    assert not controls.left_out


def test_one_that_was_found_is_trained_anew_as_it_was_found() -> None:
    """Beside random genotypes it is, and scores what the same perceptron does as a control."""
    settings = Settings(**QUICK, max_learning_rate=0.02).with_options(trial_epochs=12)
    result = fw.search(STRAIGHT, parities(300), settings=settings)
    assert is_beside(result.genotype, STRAIGHT)
    controls = compare_with_controls(STRAIGHT, parities(300), result, settings=settings)
    scores = {row.name: row.score for row in controls.rows}
    assert scores["found genotype"] == scores[PERCEPTRON]


def test_what_runs_agree_on_is_of_those_that_found_points_of_the_space(tmp_path: Path) -> None:
    options = quick(trial_epochs=12, max_learning_rate=0.02)
    runs = [tmp_path / "with", tmp_path / "without"]
    for run in runs:
        fw.search(STRAIGHT, parities(300), out=run, perceptrons=run is runs[0], **options)
    assert "Stability of the genotype" not in fw.report(runs).page
    assert "Stability of the genotype" in fw.report([runs[1], runs[1]]).page
    without = fw.load(runs[1] / "genotype.fuse")
    assert fw.consensus(runs).genotype == without


def test_a_space_with_open_numbers_has_a_page(tmp_path: Path) -> None:
    space = fw.loads(str(STRAIGHT).replace("C = 8", "C = {8 | 16}"))
    options = quick(trial_epochs=12, max_learning_rate=0.02)
    result = fw.search(space, parities(300), out=tmp_path / "run", **options)
    assert is_beside(result.genotype, space)
    assert "<svg" in pages([tmp_path / "run"])
    shown = records(result.history, "round")
    assert "<svg" in page_of(space, result.name, shown, result.best_round)


def test_a_run_that_found_one_goes_on_as_it_ended(tmp_path: Path) -> None:
    options = quick(trial_epochs=12, max_learning_rate=0.02)
    result = fw.search(STRAIGHT, parities(300), out=tmp_path / "run", **options)
    assert is_beside(result.genotype, STRAIGHT)
    again = fw.search(STRAIGHT, parities(300), out=tmp_path / "run", resume=True, **options)
    assert again.genotype == result.genotype
    assert again.training == result.training
    assert same(again.weights, result.weights)


# What it computes


@pytest.mark.parametrize(("kind", "width"), [(NARROW, 8), (WIDE, 16), (LINEAR, 0)])
def test_it_is_two_layers_or_none_of_what_features_pool_to(kind: Perceptron, width: int) -> None:
    text = "network n(C = 2, L = 2) modality m { F[c 3, t 4] } output F predict 5 classes"
    module = fw.compile(perceptron(fw.loads(text), kind), "torch").eval()
    generator = torch.Generator().manual_seed(0)
    state = {n: torch.rand(t.shape, generator=generator) for n, t in module.state_dict().items()}
    module.load_state_dict(state)
    known = {name.removeprefix("output.combine."): t for name, t in state.items()}
    layers = (("W", "b"), ("V", "d")) if width else ()
    shapes = [known[weight].shape for weight, _ in layers]
    assert shapes == [(6, width), (width, width)][: len(layers)]
    assert ("W" in known) == bool(width)
    values = torch.randn(6, 3, 4, generator=generator)
    pooled = torch.cat([values.view(6, 3, 2, 2).amax(-1).mean(-1), values.mean(-1)], 1)
    hidden = (pooled - known["batchnorm.mean"]) / (known["batchnorm.variance"] + 1e-5).sqrt()
    hidden = hidden * known["batchnorm.scale"] + known["batchnorm.shift"]
    for weight, bias in layers:
        hidden = torch.relu(hidden @ known[weight] + known[bias])
    expected = hidden @ known["head.W"] + known["head.b"]
    torch.testing.assert_close(module({"F": values}), expected)
