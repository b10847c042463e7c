"""The schema of documents: what it explains, and that it judges as the reader does."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.diagnostics.source import Source
from fusewright.compiler.documents.json_text import read_json
from fusewright.compiler.documents.reader import spec_from_document
from fusewright.compiler.documents.writer import document_of
from fusewright.compiler.language.spec import Spec, print_spec
from fusewright.compiler.load import load
from fusewright.compiler.syntax.parse import parse
from fusewright.grammars import read

from ...support.documents import STRANGE
from ...support.paths import ROOT
from ...support.programs import ODD_NAMES, written_specs
from .test_documents import GOOD, subschemas

FILES = sorted([*ROOT.glob("examples/*.fuse"), *ROOT.glob("ops/libraries/*.fuse")])
SCHEMA: dict[str, Any] = json.loads(read("fuse.schema.json"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
MEANING = {"E001", "E003", "E005", "E008"}
"""What is wrong with names and equations, which are strings to the schema."""


def judged(document: Any) -> Spec | set[str]:
    """What reading a document ends in: its Spec, or the codes of what is wrong."""
    source = Source("t", json.dumps(document))
    try:
        return spec_from_document(read_json(source))
    except DiagnosticError as error:
        return {diagnostic.code for diagnostic in error.diagnostics}


def assert_says_the_same(spec: Spec) -> None:
    """The document of a Spec follows the schema; it and the text are read as an equal Spec."""
    document = document_of(spec)
    VALIDATOR.validate(document)
    assert judged(document) == spec
    assert parse(print_spec(spec)) == spec


# What it explains


def explained() -> Iterator[Any]:
    """Every subschema that an editor shows: of a definition, a key, or a kind of value."""
    for name, part in SCHEMA["$defs"].items():
        yield pytest.param(part, id=name)
    for owner, whole in [("document", SCHEMA), *SCHEMA["$defs"].items()]:
        for part in subschemas({k: v for k, v in whole.items() if k != "$defs"}):
            yield from (
                pytest.param(p, id=f"{owner}.{k}") for k, p in part.get("properties", {}).items()
            )
            others = [*part.get("prefixItems", ()), part.get("additionalProperties")]
            others += [p for p in part.get("anyOf", ()) if "$ref" not in p]
            yield from (pytest.param(p, id=f"{owner}.others") for p in others if p)


def test_the_schema_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]


def test_every_reference_leads_somewhere_and_every_definition_is_used() -> None:
    used = {part["$ref"].removeprefix("#/$defs/") for part in subschemas(SCHEMA) if "$ref" in part}
    assert used == set(SCHEMA["$defs"])


@pytest.mark.parametrize("part", list(explained()))
def test_every_part_has_a_title_a_description_and_examples(part: dict[str, Any]) -> None:
    assert re.fullmatch(r"\S.*[^.\s]", part["title"])
    assert re.fullmatch(r"[A-Za-z`].*[.…]", part["description"])
    assert part["examples"]
    validator = jsonschema.Draft202012Validator({**part, "$defs": SCHEMA["$defs"]})
    for example in part["examples"]:
        validator.validate(example)


@pytest.mark.parametrize("example", SCHEMA["examples"])
def test_examples_of_documents_are_read(example: Any) -> None:
    found = judged(example)
    assert isinstance(found, Spec)
    assert_says_the_same(found)


def test_examples_of_equations_are_equations() -> None:
    bodies = [e for p in subschemas(SCHEMA) for e in p.get("properties", {}).items()]
    texts = [text for key, part in bodies if key == "body" for text in part["examples"]]
    assert len(texts) > 2
    for text in texts:
        document = {"ops": [{"name": "f", "inputs": ["x"], "body": text}]}
        assert isinstance(judged(document), Spec), text


# That it judges as the reader does


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_is_a_document_too(path: Path) -> None:
    assert_says_the_same(load(path))


@given(written_specs())
def test_every_program_is_a_document_too(spec: Spec) -> None:
    assert_says_the_same(spec)


WORDS = re.compile(r'"(?:\\.|[^"\\\n])*"|`[^`\n]*`|\w+|\s+|.')


@given(written_specs(), st.data())
def test_what_the_text_can_say_a_document_can(spec: Spec, data: st.DataObject) -> None:
    """Programs with words left out, doubled or swapped, where those still parse."""
    words = WORDS.findall(data.draw(st.sampled_from((print_spec(spec), STRANGE))))
    at = data.draw(st.integers(0, len(words) - 1))
    end = min(len(words), at + data.draw(st.integers(0, 6)))
    strange = st.sampled_from(
        [*words, "?", "0", "-1", "1e300", "``", "`*`", "{}", "()", "optional"]
    )
    words[at:end] = data.draw(st.lists(strange, max_size=2))
    try:
        found = parse("".join(words))
        document = document_of(found)
    except DiagnosticError as error:
        assert error.diagnostics
        return
    VALIDATOR.validate(document)
    assert judged(document) == found


Place = tuple[Any, Any]
"""A container of a document and the key or index of a value in it."""


def places(value: Any) -> Iterator[Place]:
    if isinstance(value, dict | list):
        items: Any = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in list(items):
            yield value, key
            yield from places(inner)


def key_values() -> Iterator[tuple[str, Any]]:
    """Every key that the schema knows, with each of its examples."""
    for part in subschemas(SCHEMA):
        for key, inner in part.get("properties", {}).items():
            yield from ((key, example) for example in inner["examples"])


KNOWN = list(key_values())
PLAIN: Sequence[Any] = (None, True, 3, 1.5, "", "?", "x", [], ["x"], {}, {"any": ["x"]})
SCALARS = st.sampled_from((None, True, False, 0, -1, 3, 10**30, 1.5, -0.5, 1e300))
STRINGS = st.sampled_from(
    (*ODD_NAMES, "", "?", "*", "*x", "`x`", "``", "a.b", ".b", "a.", "pool", "classes", "x +", "\n")
)
KEYS = st.sampled_from([*sorted({key for key, _ in KNOWN}), "", "later", "any ", "heads"])
VALUES = st.recursive(
    SCALARS | STRINGS | st.sampled_from([value for _, value in KNOWN]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=4,
)


def mutate(document: dict[str, Any], data: st.DataObject) -> None:
    """Drops, adds, replaces or swaps one value of a document."""
    all_places = list(places(document))
    kind = data.draw(st.sampled_from(("drop", "add", "replace", "word", "word", "swap", "copy")))
    inside, key = data.draw(st.sampled_from(all_places))
    strings = [place for place in all_places if isinstance(place[0][place[1]], str)]
    match kind:
        case "drop":
            del inside[key]
        case "add" if isinstance(inside, dict):
            key, value = data.draw(st.sampled_from(KNOWN) | st.tuples(KEYS, VALUES))
            inside[key] = copy.deepcopy(value)
        case "add":
            inside.insert(key, data.draw(VALUES))
        case "word" if strings:
            inside, key = data.draw(st.sampled_from(strings))
            inside[key] = data.draw(STRINGS)
        case "swap" | "copy":
            other, there = data.draw(st.sampled_from(all_places))
            first, second = copy.deepcopy(inside[key]), copy.deepcopy(other[there])
            inside[key] = second
            if kind == "swap":
                other[there] = first
        case _:
            inside[key] = data.draw(VALUES)


LEFT_OUT = ("use", "modalities", "ops", "roles", "cells", "require", "parameters", "optional")
"""Keys that are not written where their value is empty or false."""


def normal(value: Any) -> Any:
    """A document as it is written back, but for its equations, of which the place alone stays."""
    if isinstance(value, list):
        return [normal(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"op"} and isinstance(value["op"], str):
        return value["op"]
    kept = {k: normal(v) for k, v in value.items() if k not in LEFT_OUT or v not in ([], {}, False)}
    if {"body", "inputs"} <= kept.keys() and isinstance(kept["inputs"], list):
        quoted = re.compile(r"`([^*].*)`", re.DOTALL)
        inputs = [quoted.sub(r"\1", name) for name in kept["inputs"]]
        kept |= {"body": ..., "inputs": inputs}
    return kept


def assert_no_drift(document: Any) -> None:
    """The schema and the reader say the same of a document."""
    version = document.get("fuse") if isinstance(document, dict) else None
    if type(version) is int and version != 1:
        assert judged(document) == {"E006"}
        document = {**document, "fuse": 1}
    found = judged(document)
    if not VALIDATOR.is_valid(document):
        assert found == {"E102"}
    elif isinstance(found, Spec):
        assert_says_the_same(found)
        assert normal(document_of(found)) == normal(document)
    else:
        assert found <= MEANING


@given(written_specs(), st.data())
def test_the_schema_and_the_reader_judge_alike(spec: Spec, data: st.DataObject) -> None:
    sources = (document_of(spec), document_of(parse(STRANGE)), GOOD)
    document = copy.deepcopy(data.draw(st.sampled_from(sources)))
    for _ in range(data.draw(st.integers(1, 3))):
        mutate(document, data)
    assert_no_drift(document)


@given(VALUES)
def test_the_schema_and_the_reader_judge_anything_alike(value: Any) -> None:
    assert_no_drift(value)


def variants(value: Any) -> Iterator[Any]:
    """Every value that differs from this one in one place: left out, doubled, replaced, added."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {k: v for k, v in value.items() if k != key}
            examples = [example for known, example in KNOWN if known == key]
            yield from ({**value, key: new} for new in (*PLAIN, *examples, *variants(inner)))
        missing = [(key, example) for key, example in KNOWN if key not in value]
        yield from ({**value, key: new} for key, example in missing for new in (example, 3))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield [*value[:i], *value[i + 1 :]]
            yield [*value[:i], inner, *value[i:]]
            yield from ([*value[:i], new, *value[i + 1 :]] for new in (*PLAIN, *variants(inner)))


def test_every_small_change_of_a_document_is_judged_alike() -> None:
    changed = list(variants(GOOD))
    assert len(changed) > 2_000
    for document in changed:
        assert_no_drift(document)


def test_a_count_with_a_point_is_the_one_difference() -> None:
    """JSON Schema counts 2.0 as an integer; here it is no count in any spelling."""
    document = {"predict": {"count": 2.0, "kind": "classes"}}
    assert VALIDATOR.is_valid(document)
    assert judged(document) == {"E102"}
    with pytest.raises(DiagnosticError):
        parse("predict 2.0 classes")
