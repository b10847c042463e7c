"""A picture is the graph that it shows, whichever program lays it out."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fusewright as fw
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.graph.build import build
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.network.holes import RELAXATIONS, Relaxation
from fusewright.compiler.network.network import Network
from fusewright.compiler.resolve.resolve import resolve
from fusewright.compiler.targets.diagram import (
    STYLES,
    Drawing,
    dot,
    of_mixtures,
    render,
    statements,
)
from fusewright.compiler.targets.diagram.ensemble import EnsembleGraph, within
from fusewright.runtime.genotypes.sample import random_genotype

from ...support.pictures import edges_of, nodes_of, read_back, said_edges, said_nodes, shown
from ...support.programs import specs

PROGRAMS = 300


def shares(network: Network, relax: Relaxation, seed: int) -> dict[str, list[float]]:
    """Weights for every mixture of a hypernet."""
    generator = np.random.default_rng(seed)
    program = lower(build(network), relax)
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
def test_weights_change_nothing_of_that(
    spec: Spec, relax: Relaxation, seed: int, least: float
) -> None:
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


@settings(max_examples=150)
@given(specs(), specs())
def test_a_difference_holds_both_graphs(old: Spec, new: Spec) -> None:
    found = read_back(dot(new.graph, Drawing(old=old.graph)))
    assert said_nodes(found) == nodes_of(old.graph) | nodes_of(new.graph)
    for name in {cell.name for spec in (old, new) for cell in resolve(spec).cells}:
        assert read_back(dot(new.graph, Drawing(old=old.graph, cell=name)))
    drawn = {(tail, head): data for tail, head, data in found.edges(data=True) if "slot" in data}
    before, after = ({e[:2] for e in edges_of(spec.graph)} for spec in (old, new))
    assert set(drawn) <= before | after
    for ends, data in drawn.items():
        states = data["class"].split()
        assert "added" not in states or ends in after
        assert "removed" not in states or ends in before


@settings(max_examples=50)
@given(specs())
def test_nothing_changed_since_itself(spec: Spec) -> None:
    found = read_back(dot(spec.graph, Drawing(old=fw.loads(str(spec)).graph)))
    assert said_edges(found, resolve(spec)) == edges_of(spec.graph)
    marks = {"added", "removed", "changed"}
    for *_, data in (*found.nodes(data=True), *found.edges(data=True)):
        assert not marks & set(data.get("class", "").split())


@settings(max_examples=100)
@given(specs(), st.integers(0, 9), st.integers(0, 9))
def test_of_two_genotypes_every_edge_is_there_and_marked(spec: Spec, a: int, b: int) -> None:
    network = resolve(spec)
    try:
        old, new = (random_genotype(network, seed) for seed in (a, b))
    except DiagnosticError:
        return
    found = read_back(dot(new.graph, Drawing(old=old.graph)))
    before, after = ({e[:2] for e in edges_of(s.graph)} for s in (old, new))
    kept = {e[:2] for e in said_edges(found, resolve(new))}
    assert kept == before | after


CELLS = (
    "network n(C = 8, L = 2) use bmnas modality m { A[c 4] B[c 4] } "
    "cell K(A, B) { S = Sum(x, y) } cell J(A, K) { S = Sum(x, y) } output J "
)
HEADS = {
    "one": "predict 3 classes",
    "named": "predict one 3 classes",
    "apart": "predict one(K) 3 classes predict two(A, B) 3 classes predict all(one, two) 3 classes",
    "other": "predict one 3 classes predict two(A) 3 classes predict all(one) 3 classes",
}


@pytest.mark.parametrize("old", HEADS)
@pytest.mark.parametrize("new", HEADS)
def test_what_changed_of_heads_is_marked_edge_by_edge(old: str, new: str) -> None:
    first, second = (fw.loads(CELLS + HEADS[name]).graph for name in (old, new))
    found = read_back(dot(second, Drawing(old=first)))
    before, after = ({e[:2] for e in edges_of(graph)} for graph in (first, second))
    states = {(a, b): d["class"].split() for a, b, d in found.edges(data=True) if "slot" in d}
    skipped = {("J.x", "J"), ("K.x", "K")}
    assert before | after <= {*states, *skipped}
    assert {ends for ends, said in states.items() if "added" in said} == after - before
    assert {ends for ends, said in states.items() if "removed" in said} == before - after


def test_an_ensemble_shows_what_the_heads_of_each_member_read() -> None:
    graphs = {name: fw.loads(CELLS + HEADS[name]).graph for name in ("apart", "other")}
    shares, copies = dict.fromkeys(graphs, 0.5), dict.fromkeys(graphs, 1)
    found = read_back(dot(EnsembleGraph(graphs, shares, copies)))

    def node(member: str, name: str) -> str:
        return statements.node(within(member, name) if name not in ("A", "B") else name)

    for member, graph in graphs.items():
        heads = ("one", "two", "all", "head")
        expected = {e[:2] for e in edges_of(graph) if e[1] in heads}
        assert {(node(member, a), node(member, b)) for a, b in expected} <= set(found.edges())
