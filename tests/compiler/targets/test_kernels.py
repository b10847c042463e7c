"""What replaces torch's own in training computes the same, and drops what it should."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from fusewright.compiler.targets.torch import kernels

SHAPES = (((6, 5), (5, 3)), ((2, 7, 5), (5, 4)), ((3, 1, 8), (8, 1)), ((1, 300), (300, 200)))


def gradients(function: Any, *inputs: Tensor) -> list[Tensor]:
    leaves = [i.detach().clone().requires_grad_(True) for i in inputs]
    result = function(*leaves)
    return [result.detach(), *torch.autograd.grad(result.sin().sum(), leaves)]


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("transposed", [False, True])
def test_linear_maps_and_their_gradients(shapes: Any, transposed: bool) -> None:
    torch.manual_seed(0)
    x, w = (torch.randn(shape) for shape in shapes)
    if transposed:
        x = x.transpose(0, -1).contiguous().transpose(0, -1)
        w = w.t().contiguous().t()
    for found, expected in zip(
        gradients(kernels.linear, x, w), gradients(torch.matmul, x, w), strict=True
    ):
        assert torch.allclose(found, expected, rtol=1e-4, atol=1e-3)


def test_linear_maps_of_other_types_are_torchs_own() -> None:
    x, w = torch.randn(3, 4, dtype=torch.float64), torch.randn(4, 2, dtype=torch.float64)
    assert torch.equal(kernels.linear(x, w), x @ w)
    with torch.autocast("cpu", torch.bfloat16):
        assert kernels.linear(x.float(), w.float()).dtype == torch.bfloat16


def test_only_gradients_that_are_needed_are_computed() -> None:
    x, w = torch.randn(3, 4), torch.randn(4, 2, requires_grad=True)
    total: Any = kernels.linear(x, w).sum()
    total.backward()
    assert x.grad is None
    assert w.grad is not None


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("behind_relu", [False, True])
def test_elements_are_dropped_at_the_rate_and_scaled(rate: float, behind_relu: bool) -> None:
    torch.manual_seed(0)
    x = torch.rand(200, 301) + 0.5
    function = kernels.relu_dropout if behind_relu else kernels.dropout
    leaf = x.clone().requires_grad_(True)
    y = function(leaf, rate)
    kept = y != 0
    share = 1 - float(kept.float().mean())
    assert abs(share - rate) < 5 * (rate * (1 - rate) / x.numel()) ** 0.5
    assert torch.allclose(y[kept], x[kept] / (1 - rate), rtol=1e-4)
    assert abs(float(kept.float().mean(1).std()) - ((rate * (1 - rate)) / 301) ** 0.5) < 5e-3
    (gradient,) = torch.autograd.grad(y.sum(), leaf)
    assert torch.equal(gradient != 0, kept)
    assert torch.allclose(gradient[kept], torch.tensor(1 / (1 - rate)), rtol=1e-4)


def test_a_relu_with_dropout_passes_nothing_below_zero() -> None:
    torch.manual_seed(0)
    x = torch.randn(64, 65, requires_grad=True)
    y = kernels.relu_dropout(x, 0.3)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert bool((y >= 0).all())
    assert not gradient[x <= 0].any()
    assert torch.equal(kernels.relu_dropout(x, 0.0), torch.relu(x))
    assert kernels.dropout(x, 0.0) is x


def test_second_derivatives_are_those_of_torch() -> None:
    torch.manual_seed(0)

    def second(function: Any) -> Tensor:
        x, w = torch.randn(4, 5, requires_grad=True), torch.randn(5, 3, requires_grad=True)
        (first,) = torch.autograd.grad(function(x, w).pow(3).sum(), x, create_graph=True)
        (found,) = torch.autograd.grad(first.pow(2).sum(), w)
        return found

    found = second(kernels.linear)
    torch.manual_seed(0)
    assert torch.allclose(found, second(torch.matmul), rtol=1e-4, atol=1e-3)


def test_what_the_kernels_cannot_do_is_left_to_torch() -> None:
    assert kernels.linear(torch.zeros(0, 4), torch.zeros(4, 2)).shape == (0, 2)
    for rate in (1e-6, 1 - 1e-6):
        assert kernels.dropout(torch.ones(9), rate).shape == (9,)
        assert kernels.relu_dropout(torch.ones(9), rate).shape == (9,)


def test_the_seed_decides_what_is_dropped() -> None:
    x = torch.ones(33)
    torch.manual_seed(1)
    first = kernels.dropout(x, 0.5)
    assert not torch.equal(first, kernels.dropout(x, 0.5))
    torch.manual_seed(1)
    assert torch.equal(first, kernels.dropout(x, 0.5))
