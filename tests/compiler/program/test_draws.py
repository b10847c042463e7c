"""Draws that depend on their key alone, and are as good as random."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from fusewright.compiler.program.draws import KEYS, with_draws
from fusewright.compiler.program.parser import parse_program
from fusewright.compiler.targets.numpy.network import evaluate
from fusewright.compiler.targets.torch.kernels import KERNELS, NO_KERNELS
from fusewright.compiler.targets.torch.module import FusionModule
from fusewright.ops.primitive import primitives
from fusewright.ops.primitives.draws import mixed, words_of

BATCH, WIDTH = 64, 32


def drawn(key: int, *places: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The words of places, (places, batch, width)."""
    keys, samples = np.array([key]), np.zeros((BATCH, 1))
    of = tuple((0, place) for place in places)
    return np.asarray(primitives()["draws"].numpy(np, keys, samples, of=of, width=WIDTH))


def test_torch_its_kernel_and_the_reference_draw_the_same() -> None:
    keys = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, 3)
    of = tuple((member, 10**15 * place) for member in range(3) for place in range(1, 40))
    expected = primitives()["draws"].numpy(np, keys, np.zeros((5, 1)), of=of, width=7)
    tensors = torch.from_numpy(keys), torch.zeros(5, 1)
    found = primitives()["draws"].torch(torch, *tensors, of=of, width=7)
    assert np.array_equal(found.numpy(), expected)
    assert np.array_equal(KERNELS["draws"](*tensors, of=of, width=7).numpy(), expected)


def test_words_are_those_of_splitmix64() -> None:
    """The first numbers of the published generator from the state 0."""
    states = np.array([1, 2, 3], np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert mixed(states.view(np.int64)).view(np.uint64).tolist() == expected


@pytest.mark.parametrize("lane", range(4))
def test_lanes_are_uniform(lane: int) -> None:
    """Counts of the highest byte, over keys, places and samples one apart."""
    words = np.concatenate([drawn(key, 64, 128, 192).ravel() for key in range(40)])
    lanes = words.view(np.uint16).reshape(-1, 4)[:, lane]
    counts, expected = np.bincount(lanes >> 8, minlength=256), lanes.size / 256
    chi_squared = float(((counts - expected) ** 2 / expected).sum())
    assert abs(chi_squared - 255) < 4.5 * np.sqrt(2 * 255)


def test_neighbours_have_nothing_to_do_with_each_other() -> None:
    """Neither steps, nor places, nor samples, nor lanes: correlations as of independent numbers."""
    base = drawn(100, 7)[0].view(np.int16).astype(float)
    others = {
        "step": drawn(101, 7)[0].view(np.int16).astype(float),
        "place": drawn(100, 8)[0].view(np.int16).astype(float),
        "sample": np.roll(base, 1, 0),
        "lane": np.roll(base, 1, 1),
    }
    limit = 4.5 / np.sqrt(base.size)
    for name, other in others.items():
        assert abs(np.corrcoef(base.ravel(), other.ravel())[0, 1]) < limit, name


HEAD = "\ninput feature A : (batch, length 3, channels 5)\n\n"
TYPE = ": (batch, length 3, channels 5)"
ONE = f"{HEAD}%0 = input A {TYPE} @ A\n%1 = dropout(%0) {{{{rate = {{rate}}}}}} {TYPE} @ one\n"
THREE = (
    f"{ONE}%2 = dropout(%1) {{{{rate = {{rate}}}}}} {TYPE} @ one\n"
    f"%3 = relu_dropout(%2) {{{{rate = {{rate}}}}}} {TYPE} @ two\nreturn %3\n"
)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_drops_at_its_rate_and_keeps_the_mean(rate: float) -> None:
    program = with_draws(parse_program(ONE.format(rate=rate) + "return %1\n"))
    inputs = {"A": np.ones((20_000, 3, 5)), KEYS: np.array([5])}
    found = evaluate(program, inputs, {}, training=True)
    assert (found == 0).mean() == pytest.approx(rate, abs=0.005)
    assert found.mean() == pytest.approx(1, abs=0.03)
    assert np.array_equal(evaluate(program, inputs, {}, training=False), inputs["A"])
    assert words_of(15) == 4


def test_every_dropout_draws_for_itself_and_torch_drops_the_same() -> None:
    program = with_draws(parse_program(THREE.format(rate=0.5)))
    places = [dict(v.attributes)["of"] for v in program.values if v.primitive == "draws"]
    assert len(set(places)) == 3
    inputs = {"A": np.random.default_rng(0).normal(size=(9, 3, 5)), KEYS: np.array([3])}
    expected = evaluate(program, inputs, {}, training=True)
    for kernels in (NO_KERNELS, KERNELS):
        module = FusionModule(program, kernels=kernels).train()
        found = module({name: torch.from_numpy(a) for name, a in inputs.items()})
        assert np.allclose(found.numpy(), expected, atol=1e-12)


def test_a_network_without_dropout_draws_nothing() -> None:
    program = parse_program(THREE.format(rate=0.0))
    assert with_draws(program) is program
