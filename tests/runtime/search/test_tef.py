"""Trusted fusion as a control: what it is made of, and how it stands beside a genotype."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.runtime.report.build import report
from fusewright.runtime.runs.controls import Control, Controls, read_controls
from fusewright.runtime.search.controls import compare_with_controls
from fusewright.runtime.search.tef import TEF, tef

from ...support.running import FEATURES, FIXED, command, problem, spec

DATA = problem()
SEARCH = fw.Settings(candidates=2, trial_epochs=2, batch=16)
VIEWS = """\
role head(h) = evidence.Evidence(flatten(h, first = channels) @ W[_, K] + b[K])
role decide(h1, h2, h3) = evidence.Dempster(evidence.Dempster(h1, h2), h3)
"""
HEADS = """\
predict left_view(B, loss = evidential) 3 classes
predict right_view(D, loss = evidential) 3 classes
predict searched_view(loss = evidential) 3 classes
predict all_views(left_view, right_view, searched_view, loss = evidential) 3 classes
"""


def views(genotype: fw.Spec) -> fw.Spec:
    """The genotype's views, which check, and are what they say as a text."""
    found = tef(genotype)
    assert found is not None
    checked(found)
    assert str(fw.loads(str(found))) == str(found)
    return found


def noisy(samples: int = 240) -> dict[str, np.ndarray]:
    """A problem that no network learns well."""
    arrays = problem(samples)
    noise = np.random.default_rng(1)
    for name in ("A", "B", "D"):
        arrays[name] = (arrays[name] + 3 * noise.normal(size=arrays[name].shape)).astype("f4")
    return arrays


def row(controls: Controls) -> Control:
    (found,) = (one for one in controls.rows if one.name == TEF)
    return found


def test_a_genotype_is_one_more_view() -> None:
    text = str(views(spec(FIXED)))
    assert VIEWS in text
    assert text.endswith(HEADS)
    assert "use bmnas\nuse evidence\n" in text
    assert "output K, B" in text


def test_a_head_of_its_own_learns_evidence() -> None:
    own = "role head(h) { n = layernorm(h)\nreturn flatten(n) @ W[_, K] + b[K] } cell"
    text = str(views(spec(FIXED.replace("cell", own))))
    assert "return evidence.Evidence(flatten(n) @ W[_, K] + b[K])" in text
    assert text.count("role head") == 1
    twice = views(spec(FIXED, library="bmnas use evidence"))
    assert len(twice.uses) == 2


def test_names_that_are_taken_are_left_alone() -> None:
    features = FEATURES.replace("A[", "left_view[").replace("right", "searched")
    found = views(spec(FIXED.replace("A,", "left_view,"), features=features))
    names = ["left_view_", "searched_view", "searched_view_", "all_views"]
    assert [head.name for head in found.heads] == names


def test_there_are_as_many_views_as_modalities_and_one() -> None:
    six = " ".join(f"modality m{i} {{ F{i}[c 3] }}" for i in range(6))
    found = views(spec("cell K(F0, F1) { S = Sum(x, y) }", features=six))
    assert len(found.heads) == 8


def test_views_learn_and_their_opinions_are_combined() -> None:
    data = problem(120)
    trained = fw.train(views(spec(FIXED)), data, epochs=20, batch=16, max_learning_rate=0.02)
    shares = fw.predict(trained, data)
    assert shares.shape == (120, 12)
    one, two, three, both = np.exp(shares).reshape(120, 4, 3).transpose(1, 0, 2)
    masses = [1 + (alpha - 1) / 3 for alpha in (one, two, three, both)]
    assert np.allclose(masses[0] * masses[1] * masses[2], masses[3], rtol=1e-3)
    assert fw.evaluate(trained, data)["all_views.accuracy"] > 0.9


@pytest.mark.parametrize(
    "genotype",
    [
        spec(FIXED, predict="3 labels"),
        spec(FIXED, predict="3 values"),
        spec(FIXED, predict="one 3 classes"),
        spec("cell K(A, D) { S = Sum(x, y) }", features="modality m { A[c 3] D[c 4] }"),
    ],
)
def test_views_are_of_classes_and_of_several_modalities(genotype: fw.Spec) -> None:
    assert tef(genotype) is None


def test_the_opinion_of_all_views_is_scored() -> None:
    """On what validation is here, by what learns no more than the training split."""
    data = noisy()
    settings = SEARCH.with_options(folds=1)
    found = fw.search(spec(), data, settings=settings)
    controls = compare_with_controls(spec(), data, found, settings=settings, random=False)
    assert found.training is not None
    split = np.where(data["split"] == 1, 2, 3 * (data["split"] == 2))
    known = {k: v[split < 3] for k, v in data.items() if k != "split"}
    spare = {k: v[:1] for k, v in known.items()}  # validation is learned, so it is next to nothing
    whole = {k: np.concatenate([known[k], spare[k]]) for k in known}
    whole["split"] = np.append(split[split < 3], 1)
    given = found.training.with_options(epochs=controls.epochs)
    scores = fw.evaluate(fw.train(views(found.genotype), whole, settings=given), whole)
    assert len({scores[f"{head}.accuracy"] for head in ("left_view", "all_views")}) == 2
    assert row(controls).score == pytest.approx(scores["all_views.accuracy"], abs=0.1)


@pytest.mark.parametrize("kind", ["classes", "values"])
def test_a_search_is_compared_with_its_views(kind: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", **problem(90, kind))
    predict = {"classes": "3 classes", "values": "1 values"}[kind]
    (tmp_path / "space.fuse").write_text(str(spec(predict=predict)), encoding="utf-8")
    ran = ("search", "space.fuse", "--data", "data.npz", "--out", "run", "--batch", "16")
    said = command(tmp_path, *ran, "--candidates", "2", "--trial-epochs", "1", "--folds", "2")
    controls = read_controls(tmp_path / "run")
    assert controls is not None
    assert not controls.left_out
    if kind != "classes":
        assert TEF not in said
        assert TEF not in [one.name for one in controls.rows]
        return
    found = row(controls)
    assert found.ahead is not None
    assert found.ahead.low <= found.ahead.mean <= found.ahead.high
    assert found.weight_steps > 0
    assert TEF in said
    assert TEF in report([tmp_path / "run"]).page


@pytest.mark.parametrize("option", [{"loss": "focal"}, {"class_weights": "balanced"}])
def test_views_have_a_loss_of_their_own(option: dict[str, str]) -> None:
    settings = SEARCH.with_options(**option, ensemble=False, folds=1)
    found = fw.search(spec(), DATA, settings=settings)
    controls = compare_with_controls(spec(), DATA, found, settings=settings, random=False)
    assert TEF not in [one.name for one in controls.rows]
    assert not controls.left_out
