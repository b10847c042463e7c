"""The Graph of a specification as users analyse it."""

from __future__ import annotations

import networkx
from hypothesis import given

from fusewright.compiler.check.check import checked
from fusewright.compiler.graph.build import HEAD, build, reached
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.syntax.parse import parse

from ...support.programs import specs

TEXT = """network n(C = 4, L = 2)
modality m { A[c 3] B[c 3] D[c 3] }
pool Sum, ConcatFC
cell K(A, {B | D}) { S = ?(x, x) T = Sum(?, y) return S }
predict 2 classes"""


@given(specs())
def test_the_graph_is_acyclic_and_in_topological_order(spec: Spec) -> None:
    network = checked(spec)
    graph = build(network)
    assert networkx.is_directed_acyclic_graph(graph)
    places = {node: place for place, node in enumerate(graph)}
    assert all(places[a] < places[b] for a, b in graph.edges())
    assert reached(graph) >= {HEAD, *networkx.ancestors(graph, HEAD)}
    kinds = networkx.get_node_attributes(graph, "kind")
    assert sum(k == "feature" for k in kinds.values()) == len(network.features)
    assert sum(k == "cell" for k in kinds.values()) == len(network.cells)


def test_edges_know_their_slot_and_candidate() -> None:
    graph = parse(TEXT).graph
    edges = set(graph.in_edges("K.y", keys=True))
    assert edges == {("B.adapt", "K.y", (0, 0)), ("D.adapt", "K.y", (0, 1))}
    assert set(graph.in_edges("K.S", keys=True)) == {
        ("K.x", "K.S", (0, None)),
        ("K.x", "K.S", (1, None)),
    }
    assert graph.nodes["K.S"]["open"]
    assert [o.label for o in graph.nodes["K.S"]["operations"]] == ["Sum", "ConcatFC"]
    assert set(graph.predecessors("K")) == {"K.x", "K.S"}


def test_a_specification_shows_its_diagram() -> None:
    drawn = parse(TEXT)._repr_mimebundle_()["image/svg+xml"]  # pyright: ignore[reportPrivateUsage]  (notebooks call it)
    assert "<svg" in drawn
