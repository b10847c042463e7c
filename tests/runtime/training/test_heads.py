"""Networks with several heads, from data to files: each learns its labels, all give the same."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.language.ensemble import Ensemble, EnsembleMember
from fusewright.compiler.network.network import Head, joined
from fusewright.runtime.data.canonical import is_feature
from fusewright.runtime.data.classes import named
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.folds import folds_of
from fusewright.runtime.data.importing import import_features
from fusewright.runtime.data.several import labels_by_head
from fusewright.runtime.predict.comparison import scored, scored_by_head
from fusewright.runtime.predict.outputs import shares_in
from fusewright.runtime.search.simple import simple_models
from fusewright.runtime.training.ensemble import train_ensemble
from fusewright.runtime.training.objective import Objective, loss_of
from fusewright.runtime.training.scores import metrics_of, score_of

from ...support.running import FEATURES, changed, command, problem

HEADS = (
    "predict group 3 classes { a, b, c } predict both(K, B, weight = 0.5) 3 labels "
    "predict size(weight = 2) 1 values predict again(group) 3 classes"
)
SPACE = fw.loads(
    "network n(C = 8, L = 2, dropout = 0.1) use bmnas "
    f"{FEATURES} pool Sum, LinearGLU cell K(?, ?) {{ S = ?(x, y) }} {HEADS}"
)
NETWORK = fw.loads(
    "network n(C = 8, L = 2, dropout = 0.1) use bmnas "
    f"{FEATURES} cell K(A, D) {{ S = LinearGLU(x, y) }} {HEADS}"
)
DATA = changed(
    problem(),
    **{
        "labels": np.array(["a", "b", "c"])[problem()["labels"]],
        "both.labels": problem(kind="labels")["labels"],
        "size.labels": problem(kind="values")["labels"] * 10 + 3,
    },
)
NAMED = named(NETWORK, DATA)
HEAD = checked(NAMED).head
TEST = DATA["split"] == 2
QUICK: dict[str, Any] = {"epochs": 100, "batch": 30, "seed": 1}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("heads")
    np.savez(place / "data.npz", **DATA)
    fw.train(NETWORK, place / "data.npz", out=place / "run", **QUICK)
    return place


def test_each_head_has_labels_of_its_own() -> None:
    data = load_data(DATA, checked(NAMED))
    assert data.labels.shape == (90, 1 + 3 + 1 + 1)
    assert (data.labels[:, 0] == np.arange(90) % 3).all()
    assert (data.labels[:, 5] == data.labels[:, 0]).all()
    folds = folds_of(data, HEAD, 3, 0)
    for fold in folds:
        counts = np.bincount(data.labels[fold.held, 0].astype(int))
        assert np.ptp(counts) <= 1


def test_the_loss_is_the_sum_of_the_heads_each_with_its_weight() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.from_numpy(load_data(DATA, checked(NAMED)).labels)
    objective, logits = (
        Objective.of(HEAD, labels, fw.Settings()),
        torch.randn(90, 10, generator=generator),
    )
    scale = labels[:, 4].std(correction=0)
    expected = (
        loss_of(HEAD.parts[0], logits[:, :3], labels[:, 0].long(), 0.1)
        + 0.5 * loss_of(HEAD.parts[1], logits[:, 3:6], labels[:, 1:4], 0.1)
        + 2 * loss_of(HEAD.parts[2], logits[:, 6:7] / scale, labels[:, 4:5] / scale)
        + loss_of(HEAD.parts[3], logits[:, 7:], labels[:, 5].long(), 0.1)
    )
    assert float(objective.loss(logits, labels, 0.1)) == pytest.approx(float(expected))
    shares = shares_in(HEAD, "logits", logits.double().numpy())
    plain = float(objective.loss(logits, labels))
    assert objective.loss_of_shares(shares, labels.numpy()) == pytest.approx(plain, rel=1e-5)
    each = objective.loss(torch.stack([logits, logits + 1]), labels)
    assert each.shape == (2,)
    assert float(each[0]) == pytest.approx(plain)
    assert {*objective.statistics} == {"size.labels.scale", "size.labels.shift"}


def wrong(shares: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return (shares.argmax(1) != labels).float().mean()


def test_a_choice_keeps_the_negative_score_low_where_one_head_has_labels() -> None:
    labels = torch.from_numpy(load_data(DATA, checked(NAMED)).labels[:20])
    shares = np.random.default_rng(0).random((20, HEAD.count))
    cost = Objective.of(HEAD, labels, fw.Settings()).cost_of_shares(shares, labels.numpy())
    assert cost == -score_of(HEAD, shares, labels.numpy())


def test_metrics_of_ones_own_are_of_the_heads_that_they_name(trained: Path) -> None:
    by_head: dict[str, Any] = {"group": ["CohenKappa", wrong], "size": ["MeanAbsoluteError"]}
    found = fw.evaluate(trained / "run", DATA, metrics=by_head)
    assert found["group.wrong"] == pytest.approx(1 - found["group.accuracy"])
    assert found["size.MeanAbsoluteError"] == pytest.approx(found["size.mean_absolute_error"])
    named = fw.evaluate(trained / "run", DATA, metrics=["group.CohenKappa"])
    assert named["group.CohenKappa"] == found["group.CohenKappa"]
    for metrics in (["CohenKappa"], [wrong], {"grup": ["CohenKappa"]}):
        with pytest.raises(DiagnosticError, match="none of the heads `group`"):
            fw.evaluate(trained / "run", DATA, metrics=metrics)
    held = fw.train(NETWORK, DATA, epochs=1, batch=30, patience=1, metrics=by_head).history[0]
    assert held["validation_group.wrong"] == pytest.approx(1 - held["validation_group.accuracy"])


def test_the_score_is_the_mean_of_the_heads_as_they_are_weighted() -> None:
    labels = load_data(DATA, checked(NAMED)).labels
    logits = np.random.default_rng(0).normal(size=(90, 10))
    found = metrics_of(HEAD, torch.from_numpy(logits), torch.from_numpy(labels))
    weights = {"group.accuracy": 1, "both.f1_weighted": 0.5, "size.r2": 2, "again.accuracy": 1}
    mean = sum(w * found[name] for name, w in weights.items()) / 4.5
    assert found["score"] == pytest.approx(mean)
    shares = shares_in(HEAD, "logits", logits)[None]
    assert scored_by_head(HEAD, shares, labels).metrics[0] == pytest.approx(mean, abs=1e-6)
    alone = Head(3, "classes", None)
    own = scored_by_head(alone, shares[..., :3], labels[:, 0])
    assert own.metrics == scored("classes", shares[..., :3], labels[:, 0]).metrics


def test_a_network_learns_every_head(trained: Path) -> None:
    found = fw.evaluate(trained / "run", DATA)
    assert found["group.accuracy"] == found["again.accuracy"] == 1.0
    assert found["both.f1_weighted"] > 0.95
    assert found["size.r2"] > 0.9
    assert found["score"] > 0.9
    assert fw.load(trained / "run" / "genotype.fuse").heads[0].names == ("a", "b", "c")
    assert fw.load(trained / "run" / "genotype.fuse").heads[3].names == ("a", "b", "c")


def test_predictions_stand_under_the_names_of_heads(trained: Path) -> None:
    command(trained, "predict", "run", "--data", "data.npz", "-o", "p.npz", "--quiet")
    command(trained, "predict", "run", "--data", "data.npz", "-o", "p.csv", "--quiet")
    with np.load(trained / "p.npz") as found:
        outputs = fw.predict(trained / "run", DATA)
        assert np.allclose(found["group.logits"], outputs[:, :3], atol=1e-6)
        assert np.allclose(found["size.values"], outputs[:, 6:7], atol=1e-5)
        assert (found["group.predicted_name"] == DATA["labels"])[TEST].all()
        assert found["both.predicted"].shape == (90, 3)
    header = (trained / "p.csv").read_text().splitlines()[0].split(",")
    assert header[:3] == ["sample", "group predicted", "group logits a"]
    assert "size values 0" in header


def test_every_target_gives_the_same(trained: Path) -> None:
    features = changed(DATA, **{n: None for n in DATA if "labels" in n or n == "split"})
    expected = fw.predict(trained / "run", features)
    weights = trained / "run" / "weights.safetensors"
    exact = fw.compile(NETWORK, "numpy", weights=weights)(features)
    assert np.allclose(exact, expected, atol=1e-4)
    code = trained / "n.py"
    fw.deploy(trained / "run", code)
    spec = importlib.util.spec_from_file_location("n", code)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = getattr(module, module.__all__[0])()
    written.load_state_dict(fw.compile(NETWORK, "torch", weights=weights).state_dict())
    given = written.eval()({name: torch.from_numpy(array) for name, array in features.items()})
    assert np.allclose(given.detach(), expected, atol=1e-5)


@pytest.mark.parametrize("probabilities", [False, True])
def test_an_onnx_file_has_an_output_for_each_head(trained: Path, probabilities: bool) -> None:
    place = trained / f"n{probabilities}.onnx"
    fw.deploy(trained / "run", place, probabilities=probabilities)
    model = onnx.load(place)
    what = "probabilities" if probabilities else "logits"
    names = [f"group.{what}", f"both.{what}", "size.logits", f"again.{what}"]
    assert [output.name for output in model.graph.output] == names
    classes = {p.key: p.value for p in model.metadata_props}["fusewright.classes"]
    assert json.loads(classes) == {"group": ["a", "b", "c"], "again": ["a", "b", "c"]}
    expected = fw.predict(trained / "run", DATA)
    if probabilities:
        expected = shares_in(HEAD, "logits", expected)
    assert np.allclose(fw.predict(place, DATA), expected, atol=1e-5)
    assert fw.evaluate(place, DATA)["score"] == pytest.approx(
        fw.evaluate(trained / "run", DATA)["score"], abs=1e-4
    )


def test_an_ensemble_gives_the_mean_of_each_head(tmp_path: Path) -> None:
    other = fw.loads(str(NETWORK).replace("LinearGLU", "Sum"))
    ensemble = Ensemble((EnsembleMember(NETWORK, 0.25), EnsembleMember(other, 0.75)))
    short: dict[str, Any] = {**QUICK, "epochs": 3}
    train_ensemble(ensemble, DATA, out=tmp_path / "e", **short)
    fw.deploy(tmp_path / "e", tmp_path / "e.onnx")
    assert np.allclose(
        fw.predict(tmp_path / "e.onnx", DATA), fw.predict(tmp_path / "e", DATA), atol=1e-5
    )


@pytest.mark.parametrize("strategy", ["darts", "halving"])
def test_a_search_selects_by_the_score(strategy: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"epochs": 2}
    options |= {"candidates": 6, "folds": 2} if strategy == "halving" else {}
    found = fw.search(SPACE, DATA, strategy=strategy, batch=30, out=tmp_path / "run", **options)
    best = found.history[found.best_round - 1]
    assert {"validation_score", "validation_both.f1_macro"} <= best.keys()
    assert not checked(found.genotype).has_holes
    assert [head.name for head in found.genotype.heads] == ["group", "both", "size", "again"]


def test_simple_models_predict_every_head() -> None:
    data = load_data(DATA, checked(NAMED))
    folds = folds_of(data, HEAD, 2, 0)
    for _, outputs in simple_models(data, checked(NAMED), folds, 0, penalties=(1.0,), trees=False):
        assert outputs.shape == (60, HEAD.count)
        assert outputs[:, :3].sum(1) == pytest.approx(np.ones(60))


def test_one_head_with_a_name_has_the_weights_of_one_without() -> None:
    cells = "cell K(A, D) { S = Sum(x, y) } output K, B"
    text = f"network n(C = 8, L = 2) use paper {FEATURES} {cells} predict"
    specs = [fw.loads(f"{text} {name} 3 classes") for name in ("", "one")]
    runs = [fw.train(spec, problem(), epochs=2, batch=30, seed=0) for spec in specs]
    assert runs[0].weights.keys() != runs[1].weights.keys()
    assert {n.removeprefix("one.") for n in runs[1].weights} == {*runs[0].weights}


def test_a_head_has_the_loss_that_it_names() -> None:
    text = str(NETWORK).replace("weight = 2", "weight = 2, loss = huber")
    head = checked(named(fw.loads(text.replace("group 3", "group(loss = focal) 3")), DATA)).head
    labels = torch.from_numpy(load_data(DATA, checked(NAMED)).labels)
    logits = torch.randn(90, 10, generator=torch.Generator().manual_seed(0))
    found = Objective.of(head, labels, fw.Settings()).loss(logits, labels)
    expected = 0.0
    for (part, columns), (_, truth) in zip(head.columns, labels_by_head(head, labels), strict=True):
        options = fw.Settings(loss=part.loss or "")
        one = Objective.of(Head(part.count, part.kind, None), truth, options)
        expected += part.weight * float(one.loss(logits[:, columns], truth))
    assert float(found) == pytest.approx(expected)
    for wrong in (fw.Settings(loss="focal"), fw.Settings(class_weights="balanced")):
        with pytest.raises(DiagnosticError, match="is for one head"):
            Objective.of(head, labels, wrong)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no labels": ({"labels": None}, "neither `group.labels` nor `labels`"),
    "a class too many": ({"group.labels": np.full(90, 3)}, "`group.labels` are whole numbers"),
    "too few columns": ({"both.labels": np.zeros((90, 2))}, "`both.labels` is (90, 2)"),
    "too few samples": ({"size.labels": np.zeros((80, 1))}, "`size.labels` is (80, 1)"),
}


@pytest.mark.parametrize("which", WRONG)
def test_labels_that_do_not_fit_are_named_as_in_the_data(which: str) -> None:
    changes, message = WRONG[which]
    with pytest.raises(DiagnosticError) as wrong:
        load_data(changed(DATA, **changes), checked(NAMED))
    assert message in str(wrong.value)


def test_what_is_for_one_head_says_so(trained: Path) -> None:
    from fusewright.runtime.predict.teach import soft_targets
    from fusewright.runtime.settings import Settings

    with pytest.raises(DiagnosticError, match="distilling is for networks with one head"):
        soft_targets(trained / "run", NETWORK, DATA, Settings())


def test_labels_of_heads_are_no_features(tmp_path: Path) -> None:
    assert not any(is_feature(name) for name in DATA if "labels" in name)
    with pytest.raises(DiagnosticError, match="is of no feature or modality"):
        import_features({n: a for n, a in DATA.items() if n != "labels"}, tmp_path / "store")


def test_hooks_fire_on_heads() -> None:
    module, seen = fw.compile(NETWORK, "torch").eval(), dict[str, tuple[int, ...]]()

    def hook(name: str) -> Callable[[torch.nn.Module, Any, torch.Tensor], None]:
        return lambda _, inputs, result: seen.update({name: tuple(result.shape)})

    for name in ("group", "both", "again", "K"):
        module.get_submodule(name).register_forward_hook(hook(name))
    features = {n: torch.from_numpy(DATA[n][:2]) for n in "ABD"}
    assert module(features).shape == (2, HEAD.count)
    assert seen == {"group": (2, 3), "both": (2, 3), "again": (2, 3), "K": (2, 2, 8)}
    assert module.embed(features).shape == (2, 2 * 8)


def test_heads_that_are_one_by_themselves_are_several_joined() -> None:
    one = joined([Head(3, "classes", None, "a")])
    assert (one.count, one.kind, len(one.parts)) == (3, "several", 1)
