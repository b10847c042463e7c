"""Graphs as GraphML and node-link JSON: out and in, and texts that are none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fusewright as fw
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.documents.spellings import GraphNotation
from fusewright.compiler.graph.interchange import read_graph, write_graph
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.load import load, spell
from fusewright.compiler.syntax.parse import parse

from ...support.programs import specs

NOTATIONS: tuple[GraphNotation, ...] = ("graphml", "node-link")
ENDINGS = {"graphml": "graphml", "node-link": "json"}
TEXT = """
network n(C = 4, L = 2)
modality `a & "b"` { A[c 3] `<B>`[t 2, c 5] }
pool Sum, ConcatFC
cell K[2](?, ?) { S = ?(x, y) }
predict 3 classes
"""


@given(specs(), st.sampled_from(NOTATIONS))
def test_a_graph_goes_out_and_in(spec: Spec, notation: GraphNotation) -> None:
    assert read_graph(write_graph(spec, notation), notation) == spec


@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_file_of_a_graph_is_a_specification(notation: GraphNotation, tmp_path: Path) -> None:
    file = tmp_path / f"n.{ENDINGS[notation]}"
    file.write_text(spell(parse(TEXT), notation), encoding="utf-8")
    assert load(file) == parse(TEXT)


def test_another_tool_reads_and_changes_it() -> None:
    document = json.loads(write_graph(parse(TEXT), "node-link"))
    graph = networkx.node_link_graph(document, edges="edges")
    assert networkx.is_directed_acyclic_graph(graph)
    graph.remove_node("K_2.S")
    graph.add_node("K_2.T", kind="step", operations="Attention")
    graph.add_edge("K_2.x", "K_2.T", slot=0)
    graph.add_edge("K_2.y", "K_2.T", slot=1)
    graph.add_edge("K_2.T", "K_2", slot=1)
    text = json.dumps(networkx.node_link_data(graph, edges="edges"))
    changed = str(read_graph(text, "node-link"))
    assert "cell K_1(?, ?) {\n  S = ?(x, y)\n}" in changed
    assert "cell K_2(?, ?) {\n  T = Attention(x, y)\n}" in changed


def hostile() -> Iterator[tuple[GraphNotation, str]]:
    yield "graphml", ""
    yield "graphml", "<graphml>"
    yield "graphml", "<!DOCTYPE lolz [<!ENTITY a 'b'>]><graphml/>"
    yield "graphml", '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"/>'
    yield "graphml", "<a>" * 5000
    yield "node-link", "{}"
    yield "node-link", "[" * 5000
    yield "node-link", '{"nodes": 7, "edges": []}'
    yield "node-link", '{"nodes": [{"id": []}], "edges": []}'
    yield "node-link", '{"nodes": [{"id": {}}], "edges": [7]}'
    yield "node-link", '{"nodes": [], "edges": [], "graph": {"specification": "network"}}'
    yield "node-link", '{"nodes": [], "edges": [], "graph": 3, "multigraph": true}'
    yield "node-link", '{"nodes": [], "edges": [], "graph": ["specification"]}'


@pytest.mark.parametrize(("notation", "text"), list(hostile()))
def test_what_is_no_graph_is_a_diagnostic(notation: GraphNotation, text: str) -> None:
    with pytest.raises(DiagnosticError):
        read_graph(text, notation)


@given(st.data(), st.sampled_from(NOTATIONS))
def test_a_damaged_text_is_a_specification_or_a_diagnostic(
    data: st.DataObject, notation: GraphNotation
) -> None:
    text = write_graph(parse(TEXT), notation)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    damaged = text[:start] + data.draw(st.text(max_size=5)) + text[end:]
    try:
        assert isinstance(read_graph(damaged, notation), Spec)
    except DiagnosticError as error:
        assert error.diagnostics


@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_graph_in_a_file_is_checked(notation: GraphNotation, tmp_path: Path) -> None:
    file = tmp_path / f"n.{ENDINGS[notation]}"
    file.write_text(spell(parse(TEXT), notation).replace("ConcatFC", "ConcatFX"), encoding="utf-8")
    with pytest.raises(DiagnosticError, match="E203"):
        fw.compile(load(file), "torch")
