"""Texts of documents: what is no JSON or YAML, anything at all, and files."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusewright.compiler.diagnostics.diagnostic import Diagnostic, DiagnosticError
from fusewright.compiler.diagnostics.source import LONGEST_TEXT, Source
from fusewright.compiler.documents.json_text import read_json
from fusewright.compiler.documents.spellings import Spelling, loads, spelling_of
from fusewright.compiler.documents.tree import MOST_PROBLEMS, Located
from fusewright.compiler.documents.writer import document_of, to_json, to_yaml
from fusewright.compiler.documents.yaml_text import read_yaml
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.load import load
from fusewright.compiler.syntax.parse import parse

from ...support.documents import (
    STRANGE,
    assert_round_trips,
    diagnostics,
    marked,
    span_of,
    the_diagnostic,
)
from ...support.pace import seconds_of

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
    found, seconds = seconds_of(lambda: outcome(text, spelling))
    assert seconds < 20
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
