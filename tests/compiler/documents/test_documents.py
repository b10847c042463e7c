"""JSON and YAML: what they round-trip, what they refuse and where, and how files are told apart."""

from __future__ import annotations

import contextlib
import copy
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fusewright.compiler.diagnostics.diagnostic import Diagnostic, DiagnosticError
from fusewright.compiler.diagnostics.source import LONGEST_TEXT, Source, Span
from fusewright.compiler.documents.json_text import read_json
from fusewright.compiler.documents.spellings import Spelling, loads, spelling_of
from fusewright.compiler.documents.tree import MOST_PROBLEMS, Located
from fusewright.compiler.documents.writer import document_of, to_json, to_yaml
from fusewright.compiler.documents.yaml_text import read_yaml
from fusewright.compiler.language.expression import Name, Parameter, walk
from fusewright.compiler.language.nodes import Budget, Reference
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.load import load
from fusewright.compiler.syntax.parse import parse
from fusewright.grammars import read

from ...support.paths import ROOT

LIBRARIES = sorted((ROOT / "ops/libraries").glob("*.fuse"))

STRANGE = r"""
fuse 1
network `1e5`(C = 192, dropout = 1e-5, big = 1e300, less = -3, `null` = 2, `<<` = 3, `a: b` = 4)
use bmnas
use `*x`
op `yes`(`*x`, *`*y`, a = -2, b = 1e-5) {
  g = sigmoid(`*x` @ G[_, C]); w[1] = ones; v[C] = -0.5
  return g * tanh(`*x`)
}
op Less(`*x`) = -`*x` + (1 - 2) / concat(`*x`, over = (length, channels))
role adapt(f) for `3 x` = resample(f) @ W[c, C] + b[C]
modality image optional from "a\u0000b\n\u2028\ufeff'x' # é😀" {
  Image_1[c 512, h 28, w `no`] at "features.26"
  `*x`[t *, c C]
  `- a`
  `true`[c 1]
  `"q" 'r' \ é 😀 日本`[c 5]
}
modality empty {}
pool Sum, MHA(heads = 4, k = C), fusion.GMU, `a.b`, `x`.`y z`(q = 1.5)
cell Cell[2](?, {`*x` | `true`}, query = Image_1, k = ?, v = {a}) {
  Step[n] = ?(?, x)
  Two = {Sum | MHA(heads = 2)}(x, {a | b}, y)
  Three = MHA(x, y, heads = 8)
  return Two, Three
}
cell Empty() {}
output Cell_1, `~`
require fresh_input
require parameters < 1M
require macs <= 1e300
require latency < 2.5ms
predict `K` classes { walk, `null`, `1`, `-1e-5`, `: `, `? x`, `{a}`, `  lead`, `a #b` }
"""

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


def diagnostics(text: str, spelling: Spelling | None = None) -> Sequence[Diagnostic]:
    with pytest.raises(DiagnosticError) as caught:
        loads(text, "t", spelling)
    return caught.value.diagnostics


def the_diagnostic(text: str, spelling: Spelling | None = None) -> Diagnostic:
    (found,) = diagnostics(text, spelling)
    return found


def span_of(diagnostic: Diagnostic) -> Span:
    assert diagnostic.span is not None
    return diagnostic.span


def marked(span: Span | None) -> str:
    """The characters that a span marks."""
    assert span is not None
    return span.source.text[span.start : span.end]


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


def assert_round_trips(spec: Spec) -> None:
    for text in (to_json(spec), to_yaml(spec)):
        assert loads(text) == spec
    jsonschema.Draft202012Validator(schema()).validate(json.loads(to_json(spec)))


def schema() -> Any:
    return json.loads(read("fuse.schema.json"))


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
        ("/network/C", "x", "/network/C", '"x"', "stands where a number is expected"),
        ("/fuse", True, "/fuse", "true", "`true` stands where a version of the language"),
        ("/pool", [], "/pool", "[]", "an empty list stands where a list of operations"),
        ("/pool", "Sum", "/pool", '"Sum"', "the string `Sum` stands where a list of operations"),
        ("/pool/0", None, "/pool/0", "null", "`null` stands where an operation is expected"),
        ("/pool/1/heads", [4], "/pool/1/heads", None, "where a parameter's value is expected"),
        ("/ops/0/body", 3, "/ops/0/body", "3", "the number `3` stands where an equation"),
        ("/ops/0/inputs/0", "", "/ops/0/inputs/0", '""', "an empty string stands where a name"),
        ("/roles/0/name", "x", "/roles/0/name", '"name"', "`name` is not known here"),
        ("/cells/0/count", 2.0, "/cells/0/count", "2.0", "`2.0` stands where a size is expected"),
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
        ("the string `x` stands where a number is expected", 3, 19),
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


# Texts


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("", 1, 1, "the document is empty"),
        ('{"a": 1', 1, 8, "unexpected end of the text"),
        ('{"a": 1,}', 1, 8, "a comma stands before `}`"),
        ("[1,\n]", 1, 3, "a comma stands before `]`"),
        ('{"a" 1}', 1, 6, "unexpected `1`"),
        ('{"a": 1 "b": 2}', 1, 9, 'unexpected `"`'),
        ("{a: 1}", 1, 2, "unexpected `a`"),
        ("{'a': 1}", 1, 2, "unexpected `'`"),
        ('{"a": 1]', 1, 8, "unexpected `]`"),
        ('{"a": NaN}', 1, 7, "unexpected `NaN`"),
        ('{"a":\n -Infinity}', 2, 2, "unexpected `-Infinity`"),
        ("[01]", 1, 2, "unexpected `01`"),
        ("[1.]", 1, 2, "unexpected `1.`"),
        ("[True]", 1, 2, "unexpected `True`"),
        ("{} {}", 1, 4, "unexpected `{`"),
        ("{} // a", 1, 4, "unexpected `/`"),
        ('{"a": 1, "b": 2, "a": 3}', 1, 18, "the key `a` stands twice"),
        ('["\\ud800"]', 1, 2, "half of a surrogate pair is no character"),
        ('["\ud800"]', 1, 2, "half of a surrogate pair is no character"),
        ('{"\\udead": 1}', 1, 2, "half of a surrogate pair is no character"),
        ('["\\x"]', 1, 3, "a string has an unknown escape"),
        ('["\\u00g0"]', 1, 3, "a string has an unknown escape"),
        ('["a\tb"]', 1, 4, "a control character stands in a string"),
        ('["a\n"]', 1, 2, "a string is not closed on its line"),
        ('["a', 1, 2, "a string is not closed on its line"),
        ('["a\\', 1, 2, "a string is not closed on its line"),
        ("[" + "1" * 41 + "]", 1, 2, "a number has too many digits"),
        ("[1e999]", 1, 2, "the number `1e999` is too large"),
        ("[" * 101 + "]" * 101, 1, 101, "the document is nested more than 100 deep"),
    ],
)
def test_a_text_that_is_not_json(text: str, line: int, column: int, message: str) -> None:
    found = the_diagnostic(text, "json")
    assert found.code == "E101"
    assert (found.message, span_of(found).line, span_of(found).column) == (message, line, column)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("", 1, 1, "the document is empty"),
        ("# only this\n", 1, 1, "the document is empty"),
        ("a: &x 1\n", 1, 4, "an anchor stands here, which JSON has no counterpart for"),
        ("a: *x\n", 1, 4, "an alias stands here, which JSON has no counterpart for"),
        ("b: 1\na: !!str 1\n", 2, 4, "a tag stands here, which JSON has no counterpart for"),
        ("a: ! 1\n", 1, 4, "a tag stands here, which JSON has no counterpart for"),
        ("<<: {}\n", 1, 1, "a merge key stands here, which JSON has no counterpart for"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "the key `a` stands twice"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second document begins here"),
        ("%YAML 1.1\n---\na: 1\n", 1, 1, "a directive stands here"),
        ("? [a]\n: 1\n", 1, 3, "a key is not a string"),
        ("- ?\n", 1, 4, "a key is missing"),
        ("a: \x07\n", 1, 4, "a character that YAML does not have"),
        ("é: 😀\nb: " + "1" * 41, 2, 4, "a number has too many digits"),
        ("\ufeffa: 1e999", 1, 5, "the number `1e999` is too large"),
        ("[" * 101 + "]" * 101, 1, 101, "the document is nested more than 100 deep"),
    ],
)
def test_a_text_that_is_not_our_yaml(text: str, line: int, column: int, message: str) -> None:
    found = the_diagnostic(text, "yaml")
    assert found.code == "E101"
    assert (found.message, span_of(found).line, span_of(found).column) == (message, line, column)


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: b: c", 1), ("a: 1\n\tb: 2", 2), ("a: 1\n- b", 2), ("a: @x", 1), ('a: "\\ud800"', 1)],
)
def test_a_text_that_is_not_yaml_at_all(text: str, line: int) -> None:
    found = the_diagnostic(text, "yaml")
    assert (found.code, span_of(found).line) == ("E101", line)


@pytest.mark.parametrize("text", ["a: [x, ?]", "a: ?", "a: [t, *]", "- ?\n- x", "a: {any: ?}"])
def test_yaml_says_that_a_question_mark_needs_quotes(text: str) -> None:
    assert 'in quotes in YAML: `"?"`' in str(the_diagnostic(text, "yaml").help)


def test_yaml_has_the_types_of_json() -> None:
    text = "[1, -0, 1e-3, 2.50, null, true, no, ~, 0x10, 1_000, 1:30, .5, 2001-01-01, '1', \"\", =]"
    assert read_yaml(Source("t", text)).plain() == [
        *(1, 0, 0.001, 2.5, None, True, "no", "~", "0x10", "1_000", "1:30", ".5"),
        *("2001-01-01", "1", "", "="),
    ]
    members = "1: a\nnull: b\n? c\n: d\ne:\n"
    assert read_yaml(Source("t", members)).plain() == {"1": "a", "null": "b", "c": "d", "e": None}


def test_places_of_values_and_keys() -> None:
    text = '{"a/b": [1, {"~": "x"}]}'
    for root in (read_json(Source("t", text)), read_yaml(Source("t", text))):
        inner = root.at(["a/b", 1, "~"])
        assert (inner.pointer, marked(inner.span), marked(inner.key_span)) == (
            "/a~1b/1/~0",
            '"x"',
            '"~"',
        )
        assert (root.pointer, marked(root.span)) == ("", text)
        assert marked(root.at(["a/b"]).span) == '[1, {"~": "x"}]'


def all_strings(node: Located) -> Iterator[Located]:
    if isinstance(node.content, str):
        yield node
    for inner in (*node.members.values(), *node.items):
        yield from all_strings(inner)


@given(st.text(st.characters(codec="utf-8"), max_size=20), st.booleans())
def test_offsets_lead_from_each_character_to_its_place(value: str, ascii_only: bool) -> None:
    source = Source("t", json.dumps([value, value], ensure_ascii=ascii_only))
    for node in all_strings(read_json(source)):
        offsets = node.offsets()
        assert offsets is not None
        assert len(offsets) == len(value) + 1
        slices = pairwise(offsets)
        assert "".join(json.loads(f'"{source.text[a:b]}"') for a, b in slices) == value


scalars = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=5)
values = st.recursive(
    scalars | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=20,
)


@given(values, st.sampled_from((None, 2)))
def test_json_is_read_as_other_readers_do(value: Any, indent: int | None) -> None:
    assert read_json(Source("t", json.dumps(value, indent=indent))).plain() == value


# Anything at all


def outcome(text: str, spelling: Spelling | None = None) -> Spec | Sequence[Diagnostic]:
    """What reading a text ends in; anything but a Spec or diagnostics is raised."""
    try:
        return loads(text, "t", spelling)
    except DiagnosticError as error:
        return error.diagnostics


pieces = st.sampled_from(
    [
        *'{}[]",:\\?*&!|>-#%@`\n ',
        *("\r\n", "\t", "\x00", "\ud800", "\ufeff", "é", "<<", "null", "1e9", "- ", ": ", "  "),
        *("fuse: 1", '"fuse": 1', "network", "name", "---\n", "...\n", "%TAG ! x\n"),
    ]
)


@given(st.lists(pieces, max_size=30).map("".join), st.sampled_from(("json", "yaml", "fuse", None)))
def test_any_text_ends_in_a_spec_or_diagnostics(text: str, spelling: Spelling | None) -> None:
    assert outcome(text, spelling)


@given(st.data(), st.sampled_from(("json", "yaml")))
def test_a_damaged_text_ends_in_a_spec_or_diagnostics(
    data: st.DataObject, spelling: Spelling
) -> None:
    spec = parse(STRANGE)
    text = to_json(spec) if spelling == "json" else to_yaml(spec)
    start = data.draw(st.integers(0, len(text)))
    end = start + data.draw(st.integers(0, 8))
    piece = "".join(data.draw(st.lists(pieces, max_size=3)))
    assert outcome(text[:start] + piece + text[end:], spelling)


@given(st.data())
def test_a_document_with_any_value_anywhere_ends_in_a_spec_or_diagnostics(
    data: st.DataObject,
) -> None:
    tree = read_json(Source("t", json.dumps(document_of(parse(STRANGE)))))
    pointers = [node.pointer for node in all_nodes(tree)][1:]
    document = document_of(parse(STRANGE))
    *path, last = data.draw(st.sampled_from(pointers)).split("/")[1:]
    place: Any = document
    for key in path:
        place = place[int(key) if isinstance(place, list) else unescaped(key)]
    names = ["?", "*", "_", "*x", "`", "``", "`a`", "a.b", "any", "op", "x +", "{", " "]
    strange = st.sampled_from(names).map(lambda name: {name: name}) | st.sampled_from(names)
    place[int(last) if isinstance(place, list) else unescaped(last)] = data.draw(values | strange)
    found = outcome(json.dumps(document), "json")
    if isinstance(found, Spec):
        assert_round_trips(found)
        assert parse(str(found)) == found


def unescaped(key: str) -> str:
    return key.replace("~1", "/").replace("~0", "~")


def all_nodes(node: Located) -> Iterator[Located]:
    yield node
    for inner in (*node.members.values(), *node.items):
        yield from all_nodes(inner)


@pytest.mark.parametrize("opening", ["[", '{"a":', "{", "- ", "? ", "[\n", "a: {b: "])
@pytest.mark.parametrize("spelling", ["json", "yaml"])
def test_deep_nesting_is_refused_at_once(opening: str, spelling: Spelling) -> None:
    started = monotonic()
    assert {d.code for d in diagnostics(opening * 100_000, spelling)} == {"E101"}
    assert monotonic() - started < 5


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ('{"use": [' + '"a", ' * 150_000 + '"a"]}', "json"),
        ('{"use": [' + '"`", ' * 150_000 + '"a"]}', "json"),
        ("cells: [" + "3, " * 250_000 + "3]", "yaml"),
        ("".join(f"k{i}: 1\n" for i in range(100_000)), "yaml"),
        ("".join(f"%TAG !a{i}! b\n" for i in range(60_000)) + "--- a", "yaml"),
        ('{"ops": [{"name": "f", "inputs": ["x"], "body": "' + "(" * 900_000 + '"}]}', "json"),
        ('{"' + "k" * 900_000 + '": {"' + "a/~" * 30_000 + '": 1}}', "json"),
        ("{" + '"a": 1, ' * 100_000 + '"a": 1}', "json"),
        ('["' + "\\n" * 500_000 + '"]', "json"),
    ],
    ids=range(9),
)
def test_a_megabyte_is_judged_in_seconds(text: str, spelling: Spelling) -> None:
    started = monotonic()
    found = outcome(text, spelling)
    assert monotonic() - started < 20
    assert isinstance(found, Spec) or len(found) <= 2 * MOST_PROBLEMS


# Files


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("", "fuse"),
        ("network a(C = 1)", "fuse"),
        ("# a: b\nfuse 1", "fuse"),
        ("modality text {", "fuse"),
        (' \n {"fuse": 1}', "json"),
        ("\ufeff{}", "json"),
        ("fuse: 1", "yaml"),
        ("\ufeff# comment\n\n  network:\n    name: a", "yaml"),
        ('"use": [a]', "yaml"),
        ("---\nfuse: 1", "yaml"),
    ],
)
def test_the_spelling_of_a_text_shows_in_its_beginning(text: str, spelling: Spelling) -> None:
    assert spelling_of(text) == spelling


@pytest.mark.parametrize(
    "name", ["a.fuse", "a.json", "a.yaml", "a.YML", "json", "yaml.txt", "fuse.txt"]
)
def test_a_file_is_read_by_its_ending_or_content(tmp_path: Path, name: str) -> None:
    spec = parse(STRANGE)
    texts = {"fuse": str(spec), "json": to_json(spec), "yaml": to_yaml(spec), "yml": to_yaml(spec)}
    kind = next(k for k in texts if k in name.lower())
    path = tmp_path / name
    path.write_text("\ufeff" + texts[kind].replace("\n", "\r\n"), encoding="utf-8", newline="")
    assert load(path) == load(str(path)) == spec


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        (b"\xff\xfef\x00", "E002", (1, 1)),
        ("{\n\u00e9".encode() + b"\xe9}", "E002", (2, 2)),
        (b"a: b\n\0", "E002", (2, 1)),
        (b"{" + b" " * LONGEST_TEXT + b"}", "E004", None),
        (b"#" * (4 * LONGEST_TEXT + 1), "E004", None),
    ],
    ids=range(5),
)
@pytest.mark.parametrize("ending", [".json", ".fuse", ""])
def test_a_file_that_is_no_text(
    tmp_path: Path, data: bytes, code: str, place: tuple[int, int] | None, ending: str
) -> None:
    path = tmp_path / f"a{ending}"
    path.write_bytes(data)
    with pytest.raises(DiagnosticError) as caught:
        load(path)
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert (found.span and (found.span.line, found.span.column)) == place
    assert str(path) in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.fuse", "a\0b", "x" * 5000):
        with pytest.raises(DiagnosticError) as caught:
            load(path)
        assert [d.code for d in caught.value.diagnostics] == ["E504"]


@given(st.binary(max_size=40))
def test_any_bytes_end_in_a_spec_or_diagnostics(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes"
    path.write_bytes(data)
    with contextlib.suppress(DiagnosticError):
        assert isinstance(load(path), Spec)


def test_the_text_form_loads_neither_yaml_nor_jsonschema() -> None:
    code = (
        "import sys; from fusewright.compiler.load import loads\n"
        "loads('network a(C = 1, L = 1)')\n"
        "sys.exit(bool({'yaml', 'jsonschema'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
