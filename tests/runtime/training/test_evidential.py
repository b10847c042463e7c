"""Evidence for classes: its loss against the integrals it stands for, and its combination."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import digamma

import fusewright as fw
from fusewright.compiler.network.network import Head
from fusewright.compiler.targets.numpy.network import probabilities_of
from fusewright.runtime.predict.outputs import predictions, uncertainty_of
from fusewright.runtime.training.evidential import PENALTY, evidential
from fusewright.runtime.training.objective import Objective

ALPHA = np.array([[3.0, 1.0, 1.5], [1.0, 8.0, 2.0], [1.2, 1.0, 1.1], [1.0, 1.0, 1.0]])
LABELS = np.array([0, 2, 1, 0])
HEAD = Head(3, "classes", None, "a", loss="evidential")


def loss_of(alpha: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    return float(evidential(torch.from_numpy(np.log(alpha)), torch.from_numpy(LABELS)))


def test_it_is_the_expected_cross_entropy_and_what_wrong_evidence_costs() -> None:
    generator = np.random.default_rng(0)
    expected = 0.0
    for alpha, label in zip(ALPHA, LABELS, strict=True):
        drawn = stats.dirichlet(alpha).rvs(200_000, random_state=generator)
        expected += -np.log(drawn[:, label]).mean()
        wrong = alpha.copy()
        wrong[label] = 1.0
        own = stats.dirichlet(wrong)
        if (wrong > 1).any():
            points = own.rvs(200_000, random_state=generator)
            mean = np.mean([own.logpdf(p) for p in points[:4000]])
            expected += PENALTY * (mean - stats.dirichlet(np.ones(3)).logpdf(np.ones(3) / 3))
    assert loss_of(ALPHA) == pytest.approx(expected / len(LABELS), rel=0.02)


def test_evidence_for_the_true_class_costs_less_and_for_others_more() -> None:
    true, wrong = ALPHA.copy(), ALPHA.copy()
    true[np.arange(4), LABELS] += 5
    wrong[np.arange(4), (LABELS + 1) % 3] += 5
    assert loss_of(true) < loss_of(ALPHA) < loss_of(wrong)
    nothing = loss_of(np.ones((4, 3)))
    assert nothing == pytest.approx(digamma(3) - digamma(1))


def test_networks_beside_each_other_have_losses_of_their_own() -> None:
    logits = torch.from_numpy(np.log(np.stack([ALPHA, ALPHA + 1])))
    found = evidential(logits, torch.from_numpy(LABELS))
    assert found.tolist() == pytest.approx([loss_of(ALPHA), loss_of(ALPHA + 1)])
    found = evidential(logits.requires_grad_(), torch.from_numpy(LABELS))
    torch.autograd.backward(found.sum())
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("large", [1e30, -1e30])
def test_it_is_finite_whatever_the_logits_are(large: float) -> None:
    logits = torch.full((4, 3), large)
    assert torch.isfinite(evidential(logits, torch.from_numpy(LABELS)))


def test_a_head_learns_by_the_loss_that_it_names() -> None:
    logits, labels = torch.from_numpy(np.log(ALPHA)), torch.from_numpy(LABELS)
    assert float(Objective.of(HEAD, labels, fw.Settings()).loss(logits, labels)) == pytest.approx(
        loss_of(ALPHA)
    )


def test_probabilities_are_the_mean_and_the_rest_is_uncertain() -> None:
    logits = np.log(ALPHA)
    mean = [stats.dirichlet(alpha).mean() for alpha in ALPHA]
    assert probabilities_of(logits, HEAD) == pytest.approx(np.array(mean))
    assert uncertainty_of(logits) == pytest.approx(3 / ALPHA.sum(-1))
    assert uncertainty_of(logits)[3] == pytest.approx(1)
    assert "uncertainty" in predictions(HEAD, "logits", logits)
    assert "uncertainty" not in predictions(HEAD, "probabilities", logits)


def combined(alphas: list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]) -> list[float]:
    """Opinions combined by the reduced rule of Dempster and Shafer, TMC's equation (4)."""
    total = alphas[0]
    for alpha in alphas[1:]:
        k = len(alpha)
        (b1, u1), (b2, u2) = (((a - 1) / a.sum(), k / a.sum()) for a in (total, alpha))
        conflict = b1.sum() * b2.sum() - (b1 * b2).sum()
        belief = (b1 * b2 + b1 * u2 + b2 * u1) / (1 - conflict)
        uncertain = u1 * u2 / (1 - conflict)
        assert belief.sum() + uncertain == pytest.approx(1)
        total = belief * k / uncertain + 1
    return [float(one) for one in total]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_library_combines_as_dempster_and_shafer_do(count: int) -> None:
    names = [f"h{i}" for i in range(count)]
    text = (
        "network n(C = 4, L = 1) use paper use evidence modality m { A[c 5] } output A "
        "role head(h) = Evidence(flatten(h) @ W[_, K] + b[K]) role decide(*h) = Dempster(*h) "
        + " ".join(f"predict {name} 3 classes" for name in names)
        + f" predict all({', '.join(names)}, loss = evidential) 3 classes"
    )
    network = fw.compile(fw.loads(text), "numpy", seed=1)
    features = {"A": 4 * np.random.default_rng(0).normal(size=(6, 5))}
    for row in np.exp(network(features)):
        *views, whole = np.split(row, count + 1)
        assert all((view >= 1).all() for view in views)
        assert whole.tolist() == pytest.approx(combined(views))
