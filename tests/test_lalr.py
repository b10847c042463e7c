"""The parser: on lark's tables it builds lark's trees, and it expects what lark would accept."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lark import Lark, Token, Tree, UnexpectedInput, UnexpectedToken

from fusewright.compiler import grammar
from fusewright.compiler.lalr import Range, UnexpectedText, run
from fusewright.grammars import read

EXAMPLES = Path(__file__).parent.parent / "examples"
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
    return run(grammar.tables(), TreeBuilder(), "spec", text)


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
            assert _is_run_together(text, error.start)


def _is_run_together(text: str, place: int) -> bool:
    """Whether two words or numbers touch, which lark takes apart and Fuse does not."""
    return text[place].isalnum()


def test_a_keyword_is_a_whole_word() -> None:
    with pytest.raises(UnexpectedText) as raised:
        tree_of("fuse 1\nusebmnas\n")
    assert (raised.value.found, raised.value.start) == ("usebmnas", 7)


def test_a_part_of_a_text_keeps_its_places() -> None:
    text = "fuse 1\nuse bmnas\npool Sum\n"
    tree = run(grammar.tables(), TreeBuilder(), "spec", text, 7, 17)
    assert tree == ("spec", 7, 16, [("use", 7, 16, ["bmnas"])])


def test_the_stored_tables_are_those_of_the_grammar() -> None:
    assert json.loads(read(grammar.STORED)) == json.loads(grammar.stored_text())
