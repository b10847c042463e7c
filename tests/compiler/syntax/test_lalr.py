"""The parser: on lark's tables it builds lark's trees, and it expects what lark would accept."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lark import Lark, Token, Tree, UnexpectedInput, UnexpectedToken

from fusewright.compiler.check.examine import examine
from fusewright.compiler.language.nodes import KEYWORDS
from fusewright.compiler.syntax import grammar
from fusewright.compiler.syntax.lalr import Parser, Range, UnexpectedText
from fusewright.compiler.system.collector import COLLECTOR_OFF
from fusewright.grammars import read

from ...support.paths import EXAMPLES

LIBRARIES = EXAMPLES.parent / "ops" / "libraries"
FILES = sorted([*EXAMPLES.glob("*.fuse"), *LIBRARIES.glob("*.fuse")])


class TreeBuilder:
    """Whatever the rule, its name, range and parts."""

    def __getattr__(self, rule: str) -> Callable[[Range, list[Any]], Any]:
        if rule.isupper():
            raise AttributeError(rule)
        return lambda place, parts: (rule, place.start, place.end, parts)


@cache
def lark_parser() -> Lark:
    return grammar.lark_of(read("fuse.lark"))


def plain(node: Any) -> Any:
    """A tree of lark as `TreeBuilder` makes it; an empty one covers nothing."""
    if isinstance(node, Tree):
        tree: Tree[Any] = node
        start, end = getattr(tree.meta, "start_pos", 0), getattr(tree.meta, "end_pos", 0)
        return str(tree.data), start, end, [plain(child) for child in tree.children]
    return str(node) if isinstance(node, Token) else node


def tree_of(text: str) -> Any:
    return Parser(grammar.tables(), TreeBuilder()).run("spec", text)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_trees_are_those_of_lark(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert tree_of(text) == plain(lark_parser().parse(text, start="spec"))


@given(st.data())
def test_what_lark_rejects_is_unexpected_and_as_much_is_expected(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(FILES)).read_text(encoding="utf-8")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 9)))
    other = data.draw(st.sampled_from(["", " ", "x", "3", "{", ")", ",", "=", "cell", "%", "|"]))
    text = text[:start] + other + text[end:]
    try:
        expected = plain(lark_parser().parse(text, start="spec"))
    except UnexpectedInput as error:
        with pytest.raises(UnexpectedText) as raised:
            tree_of(text)
        if isinstance(error, UnexpectedToken) and raised.value.start == error.pos_in_stream:
            assert raised.value.expected == error.accepts
    else:
        try:
            assert tree_of(text) == expected
        except UnexpectedText as error:
            assert _is_run_together(error.found)


def _is_run_together(found: str) -> bool:
    """Whether a keyword and a name touch, which lark takes apart and Fuse does not."""
    return any(found.startswith(keyword) for keyword in KEYWORDS)


def test_a_keyword_is_a_whole_word() -> None:
    with pytest.raises(UnexpectedText) as raised:
        tree_of("fuse 1\nusebmnas\n")
    assert (raised.value.found, raised.value.start) == ("usebmnas", 7)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("predict 3classes", "3classes"),
        ("fuse 1use paper", "1use"),
        ("require latency < 3sfuse 1", "3sfuse"),
        ("op f(x) = x * 1.5.2", "1.5.2"),
        ("modality m { 2D[c 3] }", "2D"),
    ],
)
def test_a_number_ends_where_no_word_goes_on(text: str, found: str) -> None:
    with pytest.raises(UnexpectedText) as raised:
        tree_of(text)
    assert raised.value.start == text.index(found)
    (error,) = [d for d in examine(text).diagnostics if d.code == "E001"]
    assert error.message == f"`{found}` is neither a number nor a name"


def test_a_part_of_a_text_keeps_its_places() -> None:
    text = "fuse 1\nuse bmnas\npool Sum\n"
    tree = Parser(grammar.tables(), TreeBuilder()).run("spec", text, 7, 17)
    assert tree == ("spec", 7, 16, [("use", 7, 16, ["bmnas"])])


@pytest.mark.parametrize("was_on", [True, False])
def test_the_collector_is_off_until_the_last_of_several_threads_has_parsed(was_on: bool) -> None:
    def parsing(first: Event, leave: Event) -> None:
        with COLLECTOR_OFF:
            first.set()
            leave.wait()

    events = [(Event(), Event()) for _ in range(3)]
    threads = [Thread(target=parsing, args=pair) for pair in events]
    before = gc.isenabled()
    (gc.enable if was_on else gc.disable)()
    try:
        for thread, (first, _) in zip(threads, events, strict=True):
            thread.start()
            first.wait()
        for thread, (_, leave) in zip(threads, events, strict=True):
            assert not gc.isenabled()
            leave.set()
            thread.join()
        assert gc.isenabled() == was_on
    finally:
        (gc.enable if before else gc.disable)()


@pytest.mark.parametrize("damage", ["", "[]", '{"of": 1, "act', '{"of": 1}', None])
def test_tables_that_are_damaged_or_of_another_shape_are_built_anew(
    damage: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(name: str) -> str:
        return read(name) if name != grammar.STORED or damage is None else damage

    stored = grammar.tables()
    monkeypatch.setattr("fusewright.compiler.syntax.grammar.grammars.read", damaged)
    monkeypatch.setattr(grammar, "SHAPE", grammar.SHAPE + (damage is None))
    built = grammar.tables.__wrapped__()
    assert json.dumps(asdict(built)) == json.dumps(asdict(stored))


def test_the_stored_tables_are_those_of_the_grammar() -> None:
    assert read(grammar.STORED) == grammar.stored_text()
