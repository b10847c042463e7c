"""Losses that are functions or modules of one's own: learned by, recorded, asked for again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import fusewright as fw
from fusewright.runtime.settings import read_settings
from fusewright.runtime.training.together import train_seeds
from tests.runtime.training.test_course import stop

from ...support.running import FIXED, QUICK, command, problem, spec

NETWORK = spec(FIXED)
DATA = problem(60)
BRIEF = fw.Settings(
    candidates=3, trial_epochs=1, finalists=2, epochs=1, batch=16, folds=2, tune="", threads=1
)


def usual(logits: Tensor, labels: Tensor) -> Tensor:
    """What a network of classes learns by anyway."""
    return functional.cross_entropy(logits, labels)


def each(logits: Tensor, labels: Tensor) -> Tensor:
    """The same, sample by sample."""
    return functional.cross_entropy(logits, labels, reduction="none")


def losses(result: Any) -> list[float]:
    return [record["train_loss"] for record in result.history]


def quick(loss: Any, **options: Any) -> Any:
    return fw.train(NETWORK, DATA, settings=QUICK, loss=loss, **options)


@pytest.mark.parametrize("loss", [usual, each, nn.CrossEntropyLoss()])
def test_a_loss_of_ones_own_is_learned_by(loss: Callable[..., Tensor]) -> None:
    known = fw.train(NETWORK, DATA, settings=QUICK)
    assert losses(quick(loss)) == pytest.approx(losses(known), rel=1e-5)
    doubled = quick(lambda logits, labels: 2 * loss(logits, labels))
    assert losses(doubled)[0] > 1.5 * losses(known)[0]


@pytest.mark.parametrize("kind", ["labels", "values"])
def test_labels_and_values_come_as_they_are(kind: str) -> None:
    data, seen = problem(60, kind), list[Tensor]()

    def own(logits: Tensor, labels: Tensor) -> Tensor:
        seen.append(labels)
        return (logits - labels).abs()[:, 0]

    predict = {"labels": "3 labels", "values": "1 values"}[kind]
    fw.train(spec(FIXED, predict), data, settings=QUICK, loss=own)
    learned = data["labels"][data["split"] < 2]
    assert torch.cat(seen).max() == pytest.approx(float(learned.max()))


def test_networks_together_learn_by_it_too() -> None:
    settings = QUICK.with_options(epochs=1)
    found = train_seeds(NETWORK, DATA, (0, 1), settings=settings, loss=each)
    for seed, one in enumerate(found):
        alone = fw.train(NETWORK, DATA, settings=settings.with_options(seed=seed))
        assert losses(one) == pytest.approx(losses(alone), rel=1e-4)


def test_a_search_learns_by_it_as_by_the_usual_one() -> None:
    own = fw.search(spec(), DATA, settings=BRIEF, loss=usual)
    known = fw.search(spec(), DATA, settings=BRIEF)
    pairs = [[r["validation_loss"] for r in found.history] for found in (own, known)]
    assert pairs[0] == pytest.approx(pairs[1], rel=1e-4)
    assert own.settings.loss == f"own:{__name__}.usual"
    with pytest.raises(fw.DiagnosticError, match="is a function, which is not given here"):
        fw.train(own, DATA)
    assert fw.train(own, DATA, loss=usual).settings.loss == own.settings.loss


def test_a_run_records_its_name_and_is_evaluated_without_it(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", **DATA)
    quick(each, out=tmp_path / "run")
    name = f"own:{__name__}.each"
    assert f'loss = "{name}"' in (tmp_path / "run/train.toml").read_text()
    assert "accuracy" in command(tmp_path, "evaluate", "run", "--data", "data.npz")
    with pytest.raises(fw.DiagnosticError, match="which is not given here") as error:
        fw.train(NETWORK, DATA, settings=read_settings(tmp_path / "run/train.toml"))
    assert error.value.diagnostics[0].code == "E506"


def test_it_goes_on_when_it_is_given_again(tmp_path: Path) -> None:
    stop(lambda out, **o: quick(each, out=out, **o), tmp_path / "run", 2)
    for other in (usual, None):
        with pytest.raises(fw.DiagnosticError, match="another `loss`"):
            quick(other, out=tmp_path / "run", resume=True)
    found = quick(each, out=tmp_path / "run", resume=True)
    assert losses(found) == losses(quick(each))


class Centred(nn.Module):
    """Has a parameter that would have to be trained."""

    def __init__(self) -> None:
        super().__init__()
        self.centre = nn.Parameter(torch.zeros(3))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return (logits - self.centre).square().mean() + 0 * labels.sum()


@pytest.mark.parametrize(
    ("loss", "options", "message"),
    [
        (lambda x, y: x, {}, r"gives a tensor \(16, 3\)"),
        (lambda x, y: 1.0, {}, "gives float"),
        (lambda x, y: x.detach().mean(), {}, "does not depend on the logits"),
        (Centred(), {}, "has parameters of its own"),
        (3, {}, "`loss` is a int, no name and no function"),
        (usual, {"smoothing": 0.1}, "`smoothing` has no effect on a loss of your own"),
        (usual, {"class_weights": "1,2,3"}, "`class_weights` has no effect on a loss"),
    ],
)
def test_what_is_no_loss_is_diagnosed(loss: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(fw.DiagnosticError, match=message) as error:
        quick(loss, **options)
    assert error.value.diagnostics[0].code == "E506"


def test_an_error_in_it_is_its_own() -> None:
    def broken(logits: Tensor, labels: Tensor) -> Tensor:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        quick(broken)
    assert losses(fw.train(NETWORK, DATA, settings=QUICK)) == losses(quick(usual))
