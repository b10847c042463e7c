"""JSON and YAML: what they round-trip, what they refuse and where, and how files are told apart."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.documents.spellings import Spelling, loads
from fusewright.compiler.documents.writer import document_of, to_yaml
from fusewright.compiler.language.expression import Name, Parameter, walk
from fusewright.compiler.language.nodes import Budget, Reference
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.load import load
from fusewright.compiler.syntax.parse import parse

from ...support.documents import (
    STRANGE,
    assert_round_trips,
    diagnostics,
    marked,
    schema,
    span_of,
    the_diagnostic,
)
from ...support.paths import ROOT

LIBRARIES = sorted((ROOT / "ops/libraries").glob("*.fuse"))


GOOD: dict[str, Any] = {
    "fuse": 1,
    "network": {"name": "n", "C": 8, "L": 2},
    "modalities": [{"name": "m", "features": [{"name": "A", "axes": [["c", 4]]}, {"name": "B"}]}],
    "pool": ["Sum", {"op": "MHA", "heads": 4}],
    "ops": [{"name": "Mean", "inputs": ["x", "y"], "body": "(x + y) / 2"}],
    "roles": [{"role": "combine", "inputs": ["*h"], "body": "concat(*h)"}],
    "cells": [
        {
            "name": "K",
            "inputs": ["A", {"any": ["A", "B"]}, {"name": "q", "input": "?"}],
            "steps": [{"name": "S", "op": {"any": "pool"}, "inputs": ["x", "?"]}],
        }
    ],
    "require": ["fresh_input", {"parameters": {"<": 5}}],
    "predict": {"count": 3, "kind": "classes"},
}


def changed(pointer: str, value: Any) -> dict[str, Any]:
    """GOOD with one value replaced, or removed where it is given as `...`."""
    document = copy.deepcopy(GOOD)
    *path, last = [int(p) if p.isdecimal() else p for p in pointer.split("/")[1:]]
    place: Any = document
    for key in path:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return document


def yaml_of(document: Any) -> str:
    return str(yaml.safe_dump(document, sort_keys=False))


# Round trips


@pytest.mark.parametrize("path", LIBRARIES, ids=lambda path: path.stem)
def test_a_library_goes_through_json_and_yaml(path: Path) -> None:
    assert_round_trips(load(path))


@pytest.mark.parametrize("text", [STRANGE, "", "network a()", "predict 0 values", "fuse 1"])
def test_what_can_be_parsed_goes_through_json_and_yaml(text: str) -> None:
    assert_round_trips(parse(text))


def test_a_limit_of_many_digits_goes_through_json_and_yaml() -> None:
    assert_round_trips(Spec(requirements=(Budget("macs", 10**15), Budget("macs", int(1e290)))))


@given(st.text(st.characters(codec="utf-8", exclude_characters="`"), min_size=1, max_size=12))
def test_any_name_and_string_goes_through_json_and_yaml(text: str) -> None:
    feature = f"`{text}` at {json.dumps(text)}"
    try:
        spec = parse(f"modality m {{ {feature} }} predict `{text}` classes {{ `{text}` }}")
    except DiagnosticError:
        spec = parse(f"modality m {{ f at {json.dumps(text)} }}")
    assert_round_trips(spec)


def test_yaml_means_the_same_to_other_readers() -> None:
    spec = parse(STRANGE)
    assert yaml.safe_load(to_yaml(spec)) == document_of(spec)


def test_the_spelling_of_the_documentation_is_read() -> None:
    text = """
    {"fuse": 1, "network": {"name": "mmimdb", "C": 192, "L": 16, "dropout": 0.1}, "use": ["bmnas"],
     "modalities": [{"name": "text", "features": [{"name": "Text_0", "axes": [["c", 64]]}]}],
     "pool": ["Sum", {"op": "MHA", "heads": 4}],
     "ops": [{"name": "Mean", "inputs": ["x", "y"], "body": "(x + y) / 2"}],
     "cells": [{"name": "Cell_1", "inputs": ["Image_2", {"any": ["Text_0", "Text_1"]}],
                "steps": [{"name": "Step_1", "op": {"any": "pool"}, "inputs": ["x", "?"]}]}],
     "predict": {"count": 23, "kind": "labels"}}
    """
    same = """
    fuse 1
    network mmimdb(C = 192, L = 16, dropout = 0.1)
    use bmnas
    modality text { Text_0[c 64] }
    pool Sum, MHA(heads = 4)
    op Mean(x, y) = (x + y) / 2
    cell Cell_1(Image_2, {Text_0 | Text_1}) { Step_1 = ?(x, ?) }
    predict 23 labels
    """
    assert loads(text) == parse(same)


def test_yaml_is_readable() -> None:
    text = "pool Sum, MHA(heads = 4)\ncell K[2](?, A) { S = {Sum | Max}(x, y) }\nrequire macs < 1k"
    assert to_yaml(parse(text)) == (
        "pool: [Sum, {op: MHA, heads: 4}]\n"
        "cells:\n"
        "- name: K\n"
        "  count: 2\n"
        "  inputs: ['?', A]\n"
        "  steps:\n"
        "  - name: S\n"
        "    op: {any: [Sum, Max]}\n"
        "    inputs: [x, y]\n"
        "require: [{macs: {<: 1000}}]\n"
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("network a(name = 1)", "E211"),
        ("network a(C = 1, C = 2)", "E202"),
        ("pool MHA(op = 1)", "E211"),
        ("pool MHA(heads = 1, heads = 2)", "E202"),
        ("op f(x, a = 1, a = 2) = x", "E202"),
    ],
)
def test_what_no_object_can_hold_is_refused(text: str, code: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        document_of(parse(text))
    assert [d.code for d in caught.value.diagnostics] == [code]


# The schema


def subschemas(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        for key, inner in part.items():
            if key not in ("examples", "enum", "const"):
                yield from subschemas(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from subschemas(inner)


def test_the_schema_is_one_and_its_examples_follow_it() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    for part in subschemas(schema()):
        for example in part.get("examples", ()):
            whole = {**part, "$defs": schema()["$defs"]}
            jsonschema.Draft202012Validator(whole).validate(example)


def test_everything_that_can_fail_has_a_title_for_its_message() -> None:
    for part in subschemas(schema()):
        if {"type", "enum", "anyOf"} & part.keys() and not isinstance(part.get("type"), dict):
            assert "title" in part, part


# Structure


@pytest.mark.parametrize(
    ("pointer", "value", "at", "mark", "message"),
    [
        ("/featurs", [], "/featurs", '"featurs"', "`featurs` is not known here"),
        ("/modalities/0/featurs", [], "/modalities/0/featurs", '"featurs"', "not known here"),
        ("/modalities/0/features", ..., "/modalities/0", None, "the modality has no `features`"),
        ("/modalities/0/optional", "yes", "/modalities/0/optional", '"yes"', "`yes`"),
        ("/modalities/0/features/0/axes", [], "/modalities/0/features/0/axes", "[]", "empty list"),
        ("/modalities/0/features/0/axes/0", ["c"], "/modalities/0/features/0/axes/0", None, "of 1"),
        (
            "/modalities/0/features/0/axes/0/1",
            True,
            "/modalities/0/features/0/axes/0/1",
            "true",
            "",
        ),
        ("/network/name", ..., "/network", None, "the network has no `name`"),
        ("/network/C", "x", "/network/C", '"x"', "stands where a number or hole is"),
        ("/fuse", True, "/fuse", "true", "`true` stands where a version of the language"),
        ("/pool", [], "/pool", "[]", "an empty list stands where a list of operations"),
        ("/pool", "Sum", "/pool", '"Sum"', "the string `Sum` stands where a list of operations"),
        ("/pool/0", None, "/pool/0", "null", "`null` stands where an operation is expected"),
        ("/pool/1/heads", [4], "/pool/1/heads", None, "where a parameter's value is expected"),
        ("/ops/0/body", 3, "/ops/0/body", "3", "the number `3` stands where an equation"),
        ("/ops/0/inputs/0", "", "/ops/0/inputs/0", '""', "an empty string stands where a name"),
        ("/roles/0/name", "x", "/roles/0/name", '"name"', "`name` is not known here"),
        ("/cells/0/count", 2.0, "/cells/0/count", "2.0", "`2.0` stands where a count or hole"),
        ("/cells/0/count", -1, "/cells/0/count", "-1", "`-1` stands where a size is expected"),
        ("/cells/0/inputs/0", 1, "/cells/0/inputs/0", "1", "where an input is expected"),
        ("/cells/0/inputs/1", {"anny": []}, "/cells/0/inputs/1/anny", '"anny"', "not known here"),
        ("/cells/0/inputs/1/any", [1], "/cells/0/inputs/1/any/0", "1", "where a name is expected"),
        ("/cells/0/inputs/2/inptu", "A", "/cells/0/inputs/2/inptu", '"inptu"', "not known here"),
        (
            "/cells/0/steps/0/op",
            {"of": 1},
            "/cells/0/steps/0/op",
            None,
            "the operation has no `op`",
        ),
        ("/cells/0/steps/0/op", 3, "/cells/0/steps/0/op", "3", "where an operation or hole"),
        ("/cells/0/steps/0/op/any", "all", "/cells/0/steps/0/op/any", '"all"', "or `pool` is"),
        ("/cells/0/steps/0/op/any", [3], "/cells/0/steps/0/op/any/0", "3", "where an operation is"),
        ("/require/1/parameters", {"less": 1}, "/require/1/parameters/less", '"less"', "not known"),
        ("/require/1/parameters/<", -4, "/require/1/parameters/<", "-4", "where a number from 0"),
        ("/require/1/macs", {"<": 1}, "/require/1", None, "with `parameters`, `macs` stands where"),
        ("/predict", "3 classes", "/predict", '"3 classes"', "where a prediction is expected"),
        ("/predict/kind", "class", "/predict/kind", '"class"', "where a kind of prediction"),
    ],
)
@pytest.mark.parametrize("spelling", ["json", "yaml"])
def test_a_document_of_another_structure(
    pointer: str, value: Any, at: str, mark: str | None, message: str, spelling: Spelling
) -> None:
    document = changed(pointer, value)
    text = json.dumps(document, indent=1) if spelling == "json" else yaml_of(document)
    found = [d for d in diagnostics(text, spelling) if message in d.message]
    assert [(d.code, span_of(d).pointer) for d in found] == [("E102", at)]
    if spelling == "json" and mark is not None:
        assert marked(found[0].span) == mark


@pytest.mark.parametrize("text", ["[]", "3", "null", '"a"'])
def test_a_document_is_an_object(text: str) -> None:
    found = the_diagnostic(text, "json")
    assert (found.code, marked(found.span)) == ("E102", text)


def test_all_errors_come_at_once_and_in_order() -> None:
    text = '{\n "usee": [],\n "network": {"C": "x"},\n "pool": [3, {}]\n}'
    assert [(d.message, span_of(d).line, span_of(d).column) for d in diagnostics(text)] == [
        ("`usee` is not known here", 2, 2),
        ("the network has no `name`", 3, 13),
        ("the string `x` stands where a number or hole is expected", 3, 19),
        ("the number `3` stands where an operation is expected", 4, 11),
        ("the operation has no `op`", 4, 14),
    ]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ('{"modalites": []}', "did you mean `modalities`?"),
        ('{"predict": {"count": 1, "kind": "Label"}}', "did you mean `labels`?"),
        ('{"predict": {"count": 1, "kind": 7}}', "known are `classes`, `labels`, `values`"),
        ('{"pool": [3]}', 'write `"Sum"` or `{"op": "MHA", "heads": 4}`, for example'),
        ('{"fuse": 2, "later": 1}', 'this is version 1: write `"fuse": 1`'),
    ],
)
def test_a_remedy_is_offered(text: str, remedy: str) -> None:
    assert the_diagnostic(text).help == remedy


def test_a_diagnostic_shows_line_column_and_pointer() -> None:
    with pytest.raises(DiagnosticError) as caught:
        loads('{\n  "predict": {"count": 3, "kind": "class"}\n}', "n.json")
    assert str(caught.value) == (
        "error[E102]: the string `class` stands where a kind of prediction is expected\n"
        " --> n.json:2:35 (/predict/kind)\n"
        "  |\n"
        '2 |   "predict": {"count": 3, "kind": "class"}\n'
        "  |                                   ^^^^^^^\n"
        "  = help: did you mean `classes`?"
    )


# Meaning


@pytest.mark.parametrize(
    ("pointer", "value", "code", "mark"),
    [
        ("/use", ["a`b"], "E005", '"a`b"'),
        ("/network/a\tb", 3, "E005", '"a\\tb"'),
        ("/cells/0/count", "*", "E005", '"*"'),
        ("/cells/0/steps/0/op", "?", "E005", '"?"'),
        ("/cells/0/steps/0/op", "a.", "E005", None),
        ("/ops/0/inputs", ["*x", "y"], "E008", '"*x"'),
        ("/ops/0/inputs", ["*"], "E005", '"*"'),
        ("/ops/0/body", "x + ", "E001", " "),
        ("/ops/0/body", "x @ W[C] + é$", "E001", "$"),
        ("/ops/0/body", 'x\n + "', "E001", '\\"'),
    ],
)
def test_names_and_equations_are_judged_as_in_the_text_form(
    pointer: str, value: Any, code: str, mark: str | None
) -> None:
    text = json.dumps(changed(pointer, value), ensure_ascii=False)
    if mark is None:
        assert loads(text)
        return
    found = the_diagnostic(text)
    assert (found.code, marked(found.span)) == (code, mark)
    assert span_of(found).pointer is not None


def test_every_body_is_judged() -> None:
    op = {"name": "f", "inputs": ["x"]}
    text = json.dumps({"ops": [{**op, "body": "x +"}, {**op, "body": "x"}, {**op, "body": ")"}]})
    assert [span_of(d).pointer for d in diagnostics(text)] == ["/ops/0/body", "/ops/2/body"]


def body_names(text: str) -> list[str]:
    """What the spans of the names and parameters of the first body mark, in the order of `walk`."""
    (definition,) = loads(text).definitions
    found = [e for e in walk(definition.body) if isinstance(e, Name | Parameter)]
    assert all(e.span and e.span.pointer == "/ops/0/body" for e in found)
    return sorted(marked(e.span) for e in found)


@pytest.mark.parametrize(
    "body",
    [
        '"\\u0078x\\n+ \\ud83d\\ude00"',
        '"xx + `\\"`"',
        '"xx + b"',
    ],
)
def test_spans_reach_into_strings_of_json(body: str) -> None:
    text = f'{{"ops": [{{"name": "f", "inputs": ["x"], "body": {body}}}]}}'
    if "ude00" in body:
        assert marked(the_diagnostic(text).span) == "\\ud83d\\ude00"
        return
    assert body_names(text)[-1] == "xx"


@pytest.mark.parametrize(
    "body",
    [
        "xx + é * b",
        "'xx + é * b'",
        '"xx +\\té * b"',
        "|\n    a = xx\n\n    return a + é * b",
        "|-\r\n    a = xx\r\n      return a + é * b\r\n",
    ],
)
def test_spans_reach_into_strings_of_yaml(body: str) -> None:
    found = body_names(f"ops:\n- name: f\n  inputs: [x]\n  body: {body}\n")
    assert [n for n in found if n != "a"] == ["b", "xx", "é"]


@pytest.mark.parametrize("body", [">\n    xx\n    + b", "'xx + `it''s`'", "xx\n    + b"])
def test_where_a_string_of_yaml_is_rewritten_its_spans_are_the_whole(body: str) -> None:
    (definition,) = loads(f"ops:\n- name: f\n  inputs: [x]\n  body: {body}\n").definitions
    assert all(marked(e.span).rstrip() == body for e in walk(definition.body))


def test_nodes_know_where_they_stand() -> None:
    spec = loads(json.dumps(GOOD))
    (cell,) = spec.cells
    (step,) = cell.steps
    axes, pool = spec.modalities[0].features[0].axes, spec.pool
    assert axes is not None
    assert pool is not None
    places = {
        "/network/name": spec.network,
        "/modalities/0/name": spec.modalities[0],
        "/modalities/0/features/0/axes/0": axes[0],
        "/pool/0": pool[0],
        "/pool/1/op": pool[1],
        "/roles/0/role": spec.definitions[1],
        "/cells/0/name": cell,
        "/cells/0/inputs/1": cell.inputs[1].slot,
        "/cells/0/inputs/2/input": cell.inputs[2].slot,
        "/cells/0/steps/0/name": step,
        "/cells/0/steps/0/op": step.operation,
        "/cells/0/steps/0/inputs/0": step.slots[0],
        "/require/0": spec.requirements[0],
        "/require/1": spec.requirements[1],
        "/predict": spec.predict,
    }
    for pointer, node in places.items():
        assert node is not None
        assert node.span is not None
        assert node.span.pointer == pointer
    assert isinstance(step.slots[0], Reference)
    assert marked(step.slots[0].span) == '"x"'
