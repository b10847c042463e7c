"""Pictures read back: the graph that a DOT text says, and what an SVG shows."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import networkx

from fusewright.compiler.graph.build import Graph
from fusewright.compiler.network.names import OUTPUT, identifier, place_of
from fusewright.compiler.network.network import Architecture, Network
from fusewright.compiler.targets.diagram import statements

Edge = tuple[str, str, int, int | None]
SVG = "{http://www.w3.org/2000/svg}"


def edges_of(graph: Graph) -> Counter[Edge]:
    """The edges of a Graph under the names of a picture, adapters being their features."""
    found: Counter[Edge] = Counter()
    for tail, head, data in graph.edges(data=True):
        if graph.nodes[head]["kind"] != "adapter":
            node = graph.nodes[tail]
            name = identifier(place_of(tail)[0]) if node["kind"] == "adapter" else tail
            ends = statements.node(name), statements.node(head)
            found[(*ends, data["slot"], data["candidate"])] += 1
    return found


def nodes_of(graph: Graph) -> set[str]:
    """The nodes of a Graph under the names of a picture."""
    return {statements.node(n) for n, d in graph.nodes(data=True) if d["kind"] != "adapter"}


def read_back(text: str) -> networkx.MultiDiGraph[str]:
    """A DOT text as a graph, read by Graphviz itself: nodes and edges with the attributes set.

    By its simplest layout, since no place of anything is asked for.
    """
    engine = shutil.which("graphviz-pure", path=str(Path(sys.executable).parent))
    assert engine is not None
    command = [engine, "-Kosage", "-Tdot_json"]
    written = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
    document: dict[str, Any] = json.loads(written.stdout)
    graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph()
    names: dict[int, str] = {}
    for item in document.get("objects", []):
        if "nodes" not in item and "subgraphs" not in item:
            names[item["_gvid"]] = item["name"]
            graph.add_node(item["name"], **_attributes(item))
    for item in document.get("edges", []):
        graph.add_edge(names[item["tail"]], names[item["head"]], **_attributes(item))
    return graph


def _attributes(item: Mapping[str, Any]) -> dict[str, str]:
    """The attributes that were set: Graphviz gives every node an empty one where one has it."""
    own = ("_gvid", "name", "tail", "head")
    return {key: str(value) for key, value in item.items() if key not in own and value != ""}


def said_nodes(found: networkx.MultiDiGraph[str]) -> set[str]:
    """The nodes of a picture that stand for nodes of the Graph."""
    invented = ("predecessors",)
    return {
        name
        for name, data in found.nodes(data=True)
        if data.get("style") != "invis" and data.get("class") not in invented
    }


def said_edges(found: networkx.MultiDiGraph[str], network: Network) -> Counter[Edge]:
    """The edges that a picture says: those that are drawn, and what nodes read without one."""
    edges: Counter[Edge] = Counter()
    for tail, head, data in found.edges(data=True):
        if "slot" in data:
            candidate = data.get("candidate")
            place = None if candidate is None else int(candidate)
            edges[tail, head, int(data["slot"]), place] += 1
    everything = _before(network)
    fixed = _fixed(network)
    for head, data in found.nodes(data=True):
        for slot, sources in json.loads(data.get("reads", "{}")).items():
            if sources == "*":
                listed = dict(enumerate(everything[head]))
            else:
                listed = {int(place): name for place, name in sources.items()}
            for place, tail in listed.items():
                edges[tail, head, int(slot), None if head in fixed else place] += 1
    return edges


def _fixed(network: Network) -> set[str]:
    """The nodes whose slots are never holes: the merges."""
    return {statements.node(identifier(c.name)) for c in network.cells}


def _before(network: Network) -> dict[str, list[str]]:
    """What comes before each input, each Step and the output, where it stands."""
    found: dict[str, list[str]] = {}
    for position, cell in enumerate(network.cells):
        earlier = network.sequence[: len(network.features) + position]
        for name in cell.inputs:
            found[statements.node(identifier(cell.name, name))] = [
                statements.node(identifier(n)) for n in earlier
            ]
        inside = [*cell.inputs]
        for step in cell.steps:
            found[statements.node(identifier(cell.name, step.name))] = [
                statements.node(identifier(cell.name, n)) for n in inside
            ]
            inside.append(step.name)
    found[statements.node(OUTPUT)] = [statements.node(identifier(n)) for n in network.sequence]
    return found


def shown(svg: bytes) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    """What an SVG shows: the classes and titles of its groups, and its texts."""
    image = ElementTree.fromstring(svg)
    groups = Counter(
        (g.get("class", ""), html.unescape(g.findtext(f"{SVG}title") or ""))
        for g in image.iter(f"{SVG}g")
        if g.get("class") not in (None, "graph")
    )
    texts = Counter("".join(t.itertext()).strip() for t in image.iter(f"{SVG}text"))
    return groups, texts


Box = tuple[float, float, float, float]
"""Left, upper, right and lower end."""


def boxes(svg: bytes) -> dict[str, Box]:
    """Where the boxes and frames of an SVG stand, by their titles."""
    found: dict[str, Box] = {}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        shape = next((e for e in group.iter() if e.tag in (f"{SVG}path", f"{SVG}polygon")), None)
        if group.get("class", "").split()[:1] not in (["node"], ["cluster"]) or shape is None:
            continue
        text = shape.get("d") or shape.get("points") or ""
        numbers = [float(number) for number in re.findall(r"-?[0-9.]+", text)]
        across, down = numbers[::2], numbers[1::2]
        title = html.unescape(group.findtext(f"{SVG}title") or "")
        found[title] = min(across), min(down), max(across), max(down)
    return found


def misplaced(network: Architecture, svg: bytes) -> list[tuple[str, str]]:
    """Cells that stand beside each other in another order than theirs, and Steps of a Cell."""
    places = boxes(svg)
    rows = [[f"cluster_{statements.node(identifier(c.name))}" for c in network.cells]]
    rows += [[statements.node(identifier(c.name, s.name)) for s in c.steps] for c in network.cells]
    wrong: list[tuple[str, str]] = []
    for row in rows:
        for first, second in combinations([name for name in row if name in places], 2):
            (left, upper, _, lower), (other, top, _, bottom) = places[first], places[second]
            beside = min(lower, bottom) - max(upper, top)
            if beside > 0.5 * min(lower - upper, bottom - top) and left > other:
                wrong.append((first, second))
    return wrong
