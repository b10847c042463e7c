"""Netron draws the Cells of an ONNX file as functions, and their Steps as functions in those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest

import fusewright as fw

from ...support import browser, netron

FUNCTION = "ƒ"

pytestmark = [
    pytest.mark.skipif(browser.chromium() is None, reason="there is no Chromium"),
    pytest.mark.skipif(netron.front_end() is None, reason="the package `netron` is not installed"),
]


@pytest.fixture(scope="module")
def drawn() -> Mapping[str, list[str]]:
    return netron.drawings(fw.compile(fw.load(netron.EXAMPLE), "onnx"))


def functions(labels: Sequence[str]) -> list[str]:
    """The nodes that Netron marks as calls of functions."""
    return [label for label, mark in pairwise(labels) if mark == FUNCTION]


def test_the_graph_calls_each_adapter_and_each_cell(drawn: Mapping[str, list[str]]) -> None:
    called = ["Skeleton_4", "Video_3", "Video_4"], ["Cell_1", "Cell_2"]
    found = functions(drawn["ntu1"])
    assert (sorted(found[:3]), found[3:]) == called


def test_the_graph_has_the_inputs_and_the_output_by_name(drawn: Mapping[str, list[str]]) -> None:
    assert {"Video_3", "Video_4", "Skeleton_4", "logits"} <= set(drawn["ntu1"])


@pytest.mark.parametrize("cell", ["Cell_1", "Cell_2"])
def test_a_cell_opens_and_calls_each_step(cell: str, drawn: Mapping[str, list[str]]) -> None:
    assert functions(drawn[cell]) == ["Step_1", "Step_2"]


@pytest.mark.parametrize(
    ("step", "operators"),
    [
        ("Cell_1.Step_1", {"Concat", "MatMul", "Sigmoid", "Mul"}),
        ("Cell_2.Step_1", {"Attention", "LayerNormalization"}),
    ],
)
def test_a_step_opens_and_shows_its_operators(
    step: str, operators: set[str], drawn: Mapping[str, list[str]]
) -> None:
    assert operators <= set(drawn[step])
    assert not functions(drawn[step])
