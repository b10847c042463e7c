"""A picture is the graph that it shows, whichever program lays it out."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusewright.compiler.graph import build
from fusewright.compiler.lower import RELAXATIONS, lower
from fusewright.compiler.network import Network
from fusewright.compiler.resolve import resolve
from fusewright.compiler.spec import Spec
from fusewright.compiler.targets.diagram import STYLES, Drawing, dot, of_mixtures, render
from fusewright.runtime.sample import random_genotype

from .pictures import edges_of, nodes_of, read_back, said_edges, said_nodes, shown
from .programs import specs

PROGRAMS = 300
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:pyparsing", "ignore::DeprecationWarning:pydot"
)


def shares(network: Network, relax: str, seed: int) -> dict[str, list[float]]:
    """Weights for every mixture of a hypernet."""
    generator = np.random.default_rng(seed)
    program = lower(build(network), relax)  # type: ignore[arg-type]
    found: dict[str, list[float]] = {}
    for parameter in program.parameters:
        if parameter.kind == "architecture":
            found[parameter.name] = generator.dirichlet(np.ones(parameter.sizes[0])).tolist()
    return found


@settings(max_examples=PROGRAMS)
@given(specs(), st.sampled_from(list(STYLES)))
def test_the_graph_of_a_picture_is_that_of_the_specification(spec: Spec, style: str) -> None:
    found = read_back(dot(spec.graph, Drawing(STYLES[style])))
    assert said_nodes(found) == nodes_of(spec.graph)
    assert said_edges(found, resolve(spec)) == edges_of(spec.graph)


@settings(max_examples=100)
@given(specs(), st.sampled_from(RELAXATIONS), st.integers(0, 9), st.sampled_from((0.0, 1.0, 9.0)))
def test_weights_change_nothing_of_that(spec: Spec, relax: str, seed: int, least: float) -> None:
    network = resolve(spec)
    overlay = of_mixtures(network, shares(network, relax, seed), least)
    found = read_back(dot(spec.graph, Drawing(overlay=overlay)))
    assert said_nodes(found) == nodes_of(spec.graph)
    assert said_edges(found, network) == edges_of(spec.graph)


@contextmanager
def bundled() -> Generator[None]:
    """Within, the program that pip brings lays out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "which", lambda _: None)
        yield


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@settings(max_examples=PROGRAMS, deadline=None)
@given(specs(), st.sampled_from(list(STYLES)), st.booleans())
def test_both_programs_show_the_same(spec: Spec, style: str, compact: bool) -> None:
    drawing = Drawing(STYLES[style], compact=compact)
    system = render(spec.graph, "svg", drawing)
    with bundled():
        own = render(spec.graph, "svg", drawing)
    assert shown(system) == shown(own)


@settings(max_examples=100)
@given(specs(), st.integers(0, 9), st.integers(0, 9))
def test_a_difference_holds_both_graphs(spec: Spec, a: int, b: int) -> None:
    network = resolve(spec)
    try:
        old, new = (random_genotype(network, seed) for seed in (a, b))
    except Exception:
        return
    found = read_back(dot(new.graph, Drawing(old=old.graph)))
    assert said_nodes(found) == nodes_of(old.graph) | nodes_of(new.graph)
    kept = {e[:2] for e in edges_of(new.graph)} | {e[:2] for e in edges_of(old.graph)}
    assert {e[:2] for e in said_edges(found, resolve(new))} == kept
    for tail, head, data in found.edges(data=True):
        states = data.get("class", "").split()
        in_old, in_new = (any(e[:2] == (tail, head) for e in edges_of(s.graph)) for s in (old, new))
        if "added" in states:
            assert in_new
        if "removed" in states:
            assert in_old
    if old == new:
        assert not any("added" in d.get("class", "") for _, d in found.nodes(data=True))
