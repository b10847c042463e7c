"""Several heads from text to Graph and back, and what is found of them on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

import fusewright as fw
from fusewright.compiler.check.check import check, checked
from fusewright.compiler.documents.spellings import loads
from fusewright.compiler.documents.writer import to_json, to_yaml
from fusewright.compiler.graph.build import HEAD, build
from fusewright.compiler.graph.interchange import read_graph, write_graph
from fusewright.compiler.language.nodes import Reference
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.measure.parts import Parts
from fusewright.compiler.measure.sizes import count_parameters
from fusewright.compiler.network.network import SEVERAL
from fusewright.compiler.tools.difference import difference
from fusewright.runtime.search.baselines import baselines

TEXT = """\
network n(C = 8, L = 2, share = 0.5)

modality m {
  A[c 3]
  B[t 2, c 5]
}

cell K(A, B) {
  S = Sum(x, y)
}

predict action 3 classes { walk, sit, wave }
predict person(K, A, weight = share) 4 classes
predict joints(weight = 0.1) 2 values
predict `classes`(action, loss = evidential) 3 classes
"""
SPEC = fw.loads(TEXT)
EVERY = [head.name for head in SPEC.heads]


def test_heads_are_written_as_they_are_read() -> None:
    assert str(SPEC) == TEXT
    assert not [d for d in check(SPEC) if d.is_error]
    assert loads(to_json(SPEC), "n.json", "json") == SPEC
    assert loads(to_yaml(SPEC), "n.yaml", "yaml") == SPEC


def test_a_graph_gives_its_heads_back() -> None:
    graph = fw.graph(SPEC)
    assert [*graph.predecessors(HEAD)] == EVERY
    assert [*graph.predecessors("person")] == ["K", "A.adapt"]
    assert fw.spec(graph) == SPEC
    assert read_graph(write_graph(SPEC, "graphml"), "graphml") == SPEC
    graph.remove_edge("A.adapt", "person", key=(1, None))
    person = replace(SPEC.heads[1], reads=(Reference("K"),))
    assert fw.spec(graph) == replace(SPEC, heads=(SPEC.heads[0], person, *SPEC.heads[2:]))


def test_outputs_of_heads_stand_side_by_side() -> None:
    network = checked(SPEC)
    assert (network.head.kind, network.head.count) == (SEVERAL, 3 + 4 + 2 + 3)
    assert [(p.name, p.weight, c.start) for p, c in network.head.columns] == [
        ("action", 1.0, 0), ("person", 0.5, 3), ("joints", 0.1, 7), ("classes", 1.0, 9),
    ]  # fmt: skip
    assert [c.start for _, c in network.head.label_columns] == [0, 1, 2, 4]
    program = lower(build(network))
    assert program.values[program.output].type.channels() == 12
    names = {p.name for p in program.parameters}
    assert {"action.head.W", "person.head.b", "joints.labels.scale"} <= names
    assert not any(name.startswith("head") for name in names)


def test_the_parts_of_a_network_have_its_parameters() -> None:
    network = checked(SPEC)
    parts = Parts(network)
    every = [*map(parts.adapter, parts.features), parts.merge("K"), parts.head()]
    step = network.cells[0].steps[0]
    every.append(parts.operation(network.cells[0], step, step.operations[0]))
    whole = count_parameters(lower(build(network)))
    assert sum(count_parameters(part.program) for part in every) == whole


def test_one_head_without_a_name_is_what_it_was() -> None:
    plain = fw.loads(
        TEXT[: TEXT.index("predict")].replace(", share = 0.5", "") + "predict 3 classes"
    )
    network = checked(plain)
    assert (network.heads, network.head.parts, network.head.kind) == ((), (), "classes")
    assert {"head.W", "head.b"} <= {p.name for p in lower(build(network)).parameters}


def test_a_difference_names_the_head() -> None:
    other = fw.loads(
        TEXT.replace("weight = 0.1", "weight = 0.2").replace("person(K, A", "person(K")
    )
    said = [str(change) for change in difference(SPEC, other)]
    assert len(said) == 2
    assert "person" in said[0]
    assert "joints" in said[1]


def test_networks_without_the_cells_that_a_head_reads_let_it_read_the_output() -> None:
    found = baselines(SPEC)
    for spec in found.values():
        assert not [d for d in check(spec) if d.is_error]
    (late,) = (head for head in found["late fusion"].heads if head.name == "person")
    assert late.reads == ()


@pytest.mark.parametrize("format", ["dot", "svg"])
@pytest.mark.parametrize("compact", [False, True])
def test_each_head_has_its_box(format: str, compact: bool) -> None:
    picture = fw.draw(SPEC, format=format, compact=compact)
    text = picture.decode()
    assert all(str(name) in text for name in EVERY)
