"""Graphs taken back: unchanged, changed, built by hand, and those that are no fusion network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import networkx
import pytest
from hypothesis import given

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.documents.spellings import loads
from fusewright.compiler.graph.build import Graph, build
from fusewright.compiler.graph.read import architecture
from fusewright.compiler.graph.write import specification
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.network.network import Architecture
from fusewright.compiler.syntax.parse import parse

from ...support.paths import EXAMPLES
from ...support.programs import specs

TEXT = """\
network n(C = 4, L = 2, many = 3)

modality m {
  A[c C]
  B[t *, c 5]
}
modality o optional from "torchvision:vgg19" {
  D[c 7] at "features.26"
}

pool Sum, ConcatFC

cell K[3](?, {B | D}) {
  S[2] = ?(?, y)
  T = {Sum | LinearGLU}(S_2, x)
  return S_2, T
}
cell M(u = A, v = K_1) {
  S = Attention(u, v)
}

output K_3, M

require parameters < 1M

predict many labels
"""


def graph() -> Graph:
    return build(checked(parse(TEXT)))


def changed(change: Callable[[Graph], object]) -> str:
    """The text of the specification after a change, which has to check."""
    made = graph()
    result = change(made)
    spec = specification(result if isinstance(result, networkx.MultiDiGraph) else made)
    checked(spec)
    return str(spec)


# Unchanged


@given(specs())
def test_a_graph_says_the_specification_that_it_was_built_from(spec: Spec) -> None:
    assert specification(spec.graph) == spec


@given(specs())
def test_a_graph_is_the_architecture_that_it_was_built_from(spec: Spec) -> None:
    network = checked(spec)
    read = architecture(build(network))
    for name in Architecture.__dataclass_fields__:
        assert getattr(read, name) == getattr(network, name)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.fuse")), ids=lambda path: path.stem)
def test_every_example_is_said_by_its_graph(path: Any) -> None:
    spec = loads(path.read_text(encoding="utf-8"))
    assert specification(spec.graph) == spec


# Changed


def test_a_dropped_candidate_is_no_candidate() -> None:
    text = changed(lambda g: g.remove_edge("A.adapt", "K_1.x"))
    assert "cell K_1({B | D}, {B | D}) {" in text
    assert "cell K_2(?, {B | D}) {" in text
    assert "cell M(u = A, v = K_1) {" in text


def test_a_fixed_hole_is_written_as_a_name() -> None:
    def fix(g: Graph) -> None:
        for source, _, edge in [*g.in_edges("K_2.x", data=True)]:
            if source == "K_1":
                edge["candidate"] = None
            else:
                g.remove_edge(source, "K_2.x")
        g.nodes["K_2.T"].update(operations=("Sum",), open=False)

    text = changed(fix)
    assert "cell K_2(K_1, {B | D}) {" in text
    assert "  T = Sum(S_2, x)" in text


def test_a_step_is_added_and_read() -> None:
    def add(g: Graph) -> None:
        g.add_node("M.Last", kind="step", operations="Attention | LinearGLU")
        g.add_edge("M.S", "M.Last", slot=0)
        g.add_edge("M.v", "M.Last", slot=1)
        g.add_edge("M.Last", "M", slot=2)

    text = changed(add)
    assert "  Last = {Attention | LinearGLU}(S, v)" in text
    assert "cell K[3](?, {B | D}) {" in text


def test_a_step_is_renamed_wherever_it_is_read() -> None:
    text = changed(lambda g: networkx.relabel_nodes(g, {"M.S": "M.Fused"}))
    assert "  Fused = Attention(u, v)" in text
    text = changed(lambda g: networkx.relabel_nodes(g, {"K_1.S_1": "K_1.a step"}))
    assert "  `a step` = ?(?, y)" in text
    assert "cell K_3(?, {B | D}) {" in text


def test_a_feature_is_renamed_reshaped_and_added() -> None:
    names = {"D": "E", "D.adapt": "E.adapt"}
    text = changed(lambda g: networkx.relabel_nodes(g, names))
    assert "  E[c 7]\n" in text
    assert "{B | E}" in text

    def reshape(g: Graph) -> None:
        g.nodes["A"]["axes"] = "c 4, h 2, w 2"
        g.add_node("Z", kind="feature", modality="m", axes="c 9")
        g.add_edge("Z", "M.w", slot=0)
        g.add_node("M.w", kind="input")

    text = changed(reshape)
    assert "  A[c 4, h 2, w 2]\n  B[t *, c 5]\n  Z[c 9]\n" in text
    assert "cell M(u = A, v = K_1, w = Z) {" in text
    assert 'modality o optional from "torchvision:vgg19"' in text


def test_numbers_the_head_and_the_output_are_changed() -> None:
    def change(g: Graph) -> None:
        g.graph["numbers"]["C"] = 8
        g.graph["name"] = "other"
        g.remove_edge("M", "output")

    text = changed(change)
    assert "network other(C = 8, L = 2, many = 3)" in text
    assert "output K_3\n" in text
    assert "  A[c 4]\n" in text


def test_two_graphs_are_composed() -> None:
    other = parse(
        TEXT.replace("cell K", "cell Q")
        .replace("K_", "Q_")
        .replace("cell M", "cell R")
        .replace(", M", ", R")
    ).graph
    composed: Any = networkx.compose(graph(), other)
    spec = specification(composed)
    network = checked(spec)
    names = [c.name for c in network.cells]
    assert names == ["K_1", "K_2", "K_3", "M", "Q_1", "Q_2", "Q_3", "R"]
    assert network.output_candidates == ("K_3", "Q_3", "M", "R")
    assert [f.name for f in network.features] == ["A", "B", "D"]


# Built by hand


def by_hand() -> Graph:
    made = Graph(
        specification="network n(C = 4, L = 2) pool Sum, ConcatFC "
        "modality o optional {} predict 3 classes"
    )
    made.add_node("A", kind="feature", modality="m", axes="c 3")
    made.add_node("B", kind="feature", modality="o", axes="t 2, c 5")
    made.add_node("K", kind="cell")
    for name in "xy":
        made.add_node(f"K.{name}", kind="input")
        for candidate, feature in enumerate("AB"):
            made.add_edge(feature, f"K.{name}", slot=0, candidate=candidate)
    made.add_node("K.S", kind="step", operations=("Sum", "ConcatFC"))
    made.add_node("K.T", kind="step", operations="Attention")
    made.add_edges_from([("K.x", "K.S", {"slot": 0}), ("K.y", "K.S", {"slot": 1})])
    made.add_edges_from([("K.S", "K.T", {"slot": 0}), ("K.S", "K.T", {"slot": 1})])
    made.add_edges_from([("K.x", "K", {"slot": 0}), ("K.S", "K", {"slot": 1})])
    made.add_edge("K.T", "K", slot=2)
    return made


BY_HAND = """\
network n(C = 4, L = 2)
modality m { A[c 3] }
modality o optional { B[t 2, c 5] }
pool Sum, ConcatFC
cell K(?, ?) { S = ?(x, y) T = Attention(S, S) }
predict 3 classes
"""


def test_a_graph_built_node_by_node_lowers_like_its_specification() -> None:
    spec, expected = specification(by_hand()), parse(BY_HAND)
    assert sorted(spec.modalities, key=lambda m: m.name) == list(expected.modalities)
    assert spec.cells == expected.cells
    for relax in ("shared", "per_input"):
        made = lower(build(checked(spec)), relax)
        known = lower(expected.graph, relax)
        assert {p.name: p for p in made.parameters} == {p.name: p for p in known.parameters}
        assert len(made.values) == len(known.values)


def test_a_graph_is_compiled_and_drawn_like_its_specification(tmp_path: Path) -> None:
    network = fw.loads(BY_HAND.replace("?(x, y)", "Sum(x, y)").replace("(?, ?)", "(A, B)"))
    made = fw.graph(network)
    assert fw.spec(made) == network
    weights = fw.compile(network, seed=3).state_dict()
    compiled = fw.compile(made, seed=3).state_dict()
    assert all(compiled[name].equal(tensor) for name, tensor in weights.items())
    assert fw.compile(made, "onnx") == fw.compile(network, "onnx")
    assert fw.draw(made, tmp_path / "n.svg") == fw.draw(network)
    assert (tmp_path / "n.svg").read_bytes() == fw.draw(made)
    made.remove_node("K.S")
    with pytest.raises(DiagnosticError, match="nothing leads into"):
        fw.compile(made)
    with pytest.raises(DiagnosticError, match="no picture format"):
        fw.draw(network, tmp_path / "n.doc")


# No fusion network


def broken() -> Iterator[tuple[str, Callable[[Graph], object], str]]:
    def edge(tail: str, head: str, **data: Any) -> Callable[[Graph], object]:
        return lambda g: g.add_edge(tail, head, **data)

    def node(name: Any, **data: Any) -> Callable[[Graph], object]:
        return lambda g: g.add_node(name, **data)

    yield "kind", node("Q"), "the node `Q` is of no kind"
    yield "unknown kind", node("Q", kind="stepp"), "`Q` is a `stepp`"
    yield "number", node(7, kind="cell"), "the node `7` is not named by a text"
    yield "name", node("Q", kind="step"), "`Q` is no name of a Step"
    yield "home", node("Q.S", kind="step", operations="Sum"), "`Q`, which is no Cell"
    yield "modality", node("Q", kind="feature"), "the feature `Q` has no `modality`"
    for operations in (None, "", [], -1, [1], {"Sum": 1}):
        yield (
            f"operations {operations}",
            node("M.Q", kind="step", operations=operations),
            "the Step `M.Q` has no `operations`",
        )
    yield "upward", edge("M.S", "K_1.S_1", slot=0), "`M.S` → `K_1.S_1` leads from one Cell"
    yield "kinds", edge("A.adapt", "M.S", slot=0), "leads from a adapter to a step"
    yield "slot", edge("M.u", "M.S"), "the edge `M.u` → `M.S` has no `slot`"
    yield "gap", edge("M.u", "M.S", slot=5), "nothing leads into slot 2 of `M.S`"
    yield "far", edge("M.u", "M.S", slot=1 << 62), "nothing leads into slot 2 of `M.S`"
    yield "twice", edge("M.v", "M.S", slot=0), "several edges lead into slot 0 of `M.S`"
    yield "cycle", edge("M", "K_1.x", slot=0, candidate=9), "is a cycle"
    yield "empty", lambda g: g.remove_edge("K_1", "M.v"), "nothing leads into `M.v`"
    yield "skip", lambda g: g.remove_edge("M.u", "M"), "nothing leads into slot 0 of `M`"
    yield "nothing", lambda g: g.remove_edge("M.S", "M"), "the Cell `M` returns no Step"
    yield "words", lambda g: g.nodes["M.S"].update(operations="Sum } pool"), "cannot be read"
    yield "more", lambda g: g.nodes["M.S"].update(operations="Sum}(x) q = {Sum"), "are more than"
    yield "axes", lambda g: g.nodes["A"].update(axes=7), "the `axes` of `A` cannot be read"
    yield "text", lambda g: g.graph.pop("specification"), "the graph has no `specification`"


@pytest.mark.parametrize(("change", "message"), [pytest.param(c, m, id=n) for n, c, m in broken()])
def test_what_is_no_fusion_network_is_said_by_nodes_and_edges(
    change: Callable[[Graph], object], message: str
) -> None:
    made = graph()
    change(made)
    with pytest.raises(DiagnosticError) as raised:
        specification(made)
    assert message in str(raised.value)
    assert raised.value.diagnostics[0].code == "E702"


def test_only_directed_multigraphs_are_fusion_graphs() -> None:
    others: tuple[Any, ...] = (networkx.DiGraph(), "n", None)
    for other in others:
        with pytest.raises(DiagnosticError, match="a directed multigraph"):
            specification(other)
