"""Holes say of architecture parameters what lowering makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusewright.compiler.graph.build import build
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.network.holes import RELAXATIONS, Relaxation, holes_of
from fusewright.compiler.network.network import Network
from fusewright.compiler.resolve.resolve import resolve
from fusewright.compiler.syntax.parse import parse

from ...support.programs import specs

TEXT = """
network n(C = 4, L = 2)
modality m { A[c 3] B[c 5] D[c 5] E[c 5] }
pool Sum, ConcatFC
cell K({A | B}, E, {B | D}) { S = ?(?, x) }
predict 3 classes
"""


@pytest.fixture(scope="module")
def network() -> Network:
    return resolve(parse(TEXT))


@given(specs(), st.sampled_from(RELAXATIONS))
def test_holes_have_the_parameters_of_the_program(spec: Spec, relax: Relaxation) -> None:
    network = resolve(spec)
    parameters = lower(build(network), relax).parameters
    every = {p.name: p.sizes for p in parameters if p.kind == "architecture"}
    sizes = {hole.parameter: hole.sizes for hole in holes_of(network, relax)}
    assert every.items() <= sizes.items()
    assert bool(sizes) == network.has_holes


def test_under_shared_the_inputs_of_a_cell_are_one_hole(network: Network) -> None:
    inputs, step, operation = holes_of(network, "shared")
    assert [inputs.title, step.title] == ["K: inputs", "K, S: inputs"]
    assert inputs.candidates == ("A", "B", "D")
    assert [inputs.rows(0), inputs.rows(2)] == [(0, 1), (1, 2)]
    assert operation.title == "K, S: operation"
    assert operation.candidates == ("Sum", "ConcatFC")


def test_under_per_input_every_input_is_one(network: Network) -> None:
    names = {hole.parameter: hole.title for hole in holes_of(network, "per_input")}
    assert names == {
        "K.alpha_1": "K: input 1",
        "K.alpha_3": "K: input 3",
        "K.S.beta_1": "K, S: input 1",
        "K.S.gamma": "K, S: operation",
    }


def test_shares_are_those_of_identity_and_even_by_default(network: Network) -> None:
    inputs, *_, operation = holes_of(network, "shared")
    logits = {"K.alpha": np.log([[1.0, 3.0], [1.0, 1.0], [4.0, 1.0]])}
    assert inputs.shares(logits) == pytest.approx([0.75, 0.5, 0.2])
    assert operation.shares(logits) == pytest.approx([0.5, 0.5])
