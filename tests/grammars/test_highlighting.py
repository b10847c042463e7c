"""Colours of Fuse: the TextMate grammar and the Pygments lexer against the grammar and the Spec."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Token

from fusewright import grammars
from fusewright.compiler.language.nodes import KEYWORDS
from fusewright.compiler.language.spec import Spec, print_spec
from fusewright.compiler.syntax.parse import parse
from fusewright.grammars.pygments_lexer import FuseLexer, token_type

from ..support.paths import ROOT
from ..support.programs import specs

FILES = [*ROOT.glob("examples/*.fuse"), *ROOT.glob("ops/libraries/*.fuse")]
PATTERNS = json.loads(grammars.read("fuse.tmLanguage.json"))["patterns"]
EXTENSION = ROOT / "grammars/vscode"
EVERY_KEYWORD = """\
fuse 1
network n(C = 4, L = 2)
use paper
modality m optional from "torchvision:vgg19" { A[c 3] at "features.1" }
pool Sum
op F(x, y) { return x + y }
role adapt(f) for m = resample(f) @ W[c, C]
cell K(A, A) { S = ?(x, y)  return S }
output K
require distinct_pairs
require latency < 2ms on laptop
"""
HEADS = ("classes", "labels", "values")
AS_NAMES = """\
network at(C = 4, L = 2, fuse = 3)
modality from { optional[c 3] values[c fuse] }
op pool(for, use) = for * (use + for)
cell require(cell = optional, op = values) { role = pool(cell, op)  predict = Sum(cell, role) }
predict 3 classes { network, modality, role }
"""
Coloured = list[tuple[Any, str]]


def coloured(text: str) -> Coloured:
    """The tokens of a text, without white space."""
    tokens = FuseLexer(stripnl=False, ensurenl=False).get_tokens(text)
    return [(kind, value) for kind, value in tokens if kind is not Token.Text.Whitespace]


def words(text: str, kind: Any) -> list[str]:
    return [value for found, value in coloured(text) if found is kind]


# Keywords


def in_the_grammar() -> set[str]:
    return set(re.findall(r'"([a-z]+)"', grammars.read("fuse.lark")))


def in_the_patterns() -> Iterator[str]:
    """The words of every pattern, or of its groups, that has the scope of keywords."""
    for pattern in PATTERNS:
        scopes = {0: {"name": pattern.get("name")}, **pattern.get("captures", {})}
        if "keyword.control.fuse" in (scope["name"] for scope in scopes.values()):
            expression = re.sub(r"\(\?[=!].*", "", pattern["match"]).replace(r"\b", "")
            yield from re.findall(r"[a-z]{2,}", expression)


def test_the_grammar_the_spec_and_the_editors_have_the_same_keywords() -> None:
    assert in_the_grammar() == KEYWORDS
    assert set(in_the_patterns()) == KEYWORDS


def test_every_keyword_is_coloured_where_it_stands() -> None:
    found = {
        word for head in HEADS for word in words(f"{EVERY_KEYWORD}predict 3 {head}", Token.Keyword)
    }
    assert found == KEYWORDS


def test_a_keyword_is_a_name_elsewhere() -> None:
    assert parse(AS_NAMES).cells[0].steps[0].name == "role"
    found = words(AS_NAMES, Token.Keyword)
    assert found == ["network", "modality", "op", "cell", "predict", "classes"]


# Tokens


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_is_coloured_without_error_and_without_loss(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tokens = list(FuseLexer(stripnl=False, ensurenl=False).get_tokens(text))
    assert "".join(value for _, value in tokens) == text
    assert not [value for kind, value in tokens if kind is Token.Error]
    assert words(text, Token.Keyword).count("predict") == text.count("\npredict ")


@given(specs())
def test_every_program_is_coloured_without_error_and_without_loss(spec: Spec) -> None:
    text = print_spec(spec)
    tokens = list(FuseLexer(stripnl=False, ensurenl=False).get_tokens(text))
    assert "".join(value for _, value in tokens) == text
    assert not [value for kind, value in tokens if kind is Token.Error]


@given(st.text())
def test_any_text_is_coloured_without_loss(text: str) -> None:
    assert "".join(v for _, _, v in FuseLexer().get_tokens_unprocessed(text)) == text


LINES: dict[str, list[tuple[Any, str]]] = {
    'modality `Video 3` from "a#b" {  # a "comment"': [
        (Token.Keyword, "modality"),
        (Token.Name.Class, "`Video 3`"),
        (Token.Keyword, "from"),
        (Token.Literal.String.Double, '"a#b"'),
        (Token.Punctuation, "{"),
        (Token.Comment.Single, '# a "comment"'),
    ],
    "cell Ä_1[2](q = {A | B}, ?)": [
        (Token.Keyword, "cell"),
        (Token.Name.Class, "Ä_1"),
        (Token.Punctuation, "["),
        (Token.Literal.Number, "2"),
        (Token.Punctuation, "]"),
        (Token.Punctuation, "("),
        (Token.Name.Variable, "q"),
        (Token.Operator, "="),
        (Token.Punctuation, "{"),
        (Token.Name, "A"),
        (Token.Operator, "|"),
        (Token.Name, "B"),
        (Token.Punctuation, "}"),
        (Token.Punctuation, ","),
        (Token.Keyword.Pseudo, "?"),
        (Token.Punctuation, ")"),
    ],
    "op F(x) = fusion.SE(x) @ W[_, C]": [
        (Token.Keyword, "op"),
        (Token.Name.Function, "F"),
        (Token.Punctuation, "("),
        (Token.Name, "x"),
        (Token.Punctuation, ")"),
        (Token.Operator, "="),
        (Token.Name.Namespace, "fusion"),
        (Token.Punctuation, "."),
        (Token.Name.Function, "SE"),
        (Token.Punctuation, "("),
        (Token.Name, "x"),
        (Token.Punctuation, ")"),
        (Token.Operator, "@"),
        (Token.Name.Variable, "W"),
        (Token.Punctuation, "["),
        (Token.Name.Builtin.Pseudo, "_"),
        (Token.Punctuation, ","),
        (Token.Name, "C"),
        (Token.Punctuation, "]"),
    ],
    "require latency <= 1.5ms": [
        (Token.Keyword, "require"),
        (Token.Name, "latency"),
        (Token.Operator, "<="),
        (Token.Literal.Number, "1.5ms"),
    ],
    "require latency < 2 ms on laptop": [
        (Token.Keyword, "require"),
        (Token.Name, "latency"),
        (Token.Operator, "<"),
        (Token.Literal.Number, "2 ms"),
        (Token.Keyword, "on"),
        (Token.Name, "laptop"),
    ],
    "predict K labels": [
        (Token.Keyword, "predict"),
        (Token.Name, "K"),
        (Token.Keyword, "labels"),
    ],
}


@pytest.mark.parametrize("line", LINES)
def test_a_token_has_the_type_of_what_it_is(line: str) -> None:
    assert coloured(line) == LINES[line]


def test_what_is_no_part_of_the_language_is_an_error() -> None:
    assert words("cell K(A, B) ! $", Token.Error) == ["!", "$"]


# Where editors and documents find them


def test_pygments_finds_the_lexer_by_name_and_by_file() -> None:
    assert isinstance(get_lexer_by_name("fuse"), FuseLexer)
    assert isinstance(get_lexer_for_filename("a.fuse"), FuseLexer)


def test_every_scope_has_a_token_type() -> None:
    captures = [scope for pattern in PATTERNS for scope in pattern.get("captures", {}).values()]
    scopes = [scope["name"] for scope in (*PATTERNS, *captures) if "name" in scope]
    assert len(scopes) > len(PATTERNS)
    assert all(scope.endswith(".fuse") and token_type(scope) in Token for scope in scopes)


def test_the_extension_contributes_the_language_and_what_it_names_is_there() -> None:
    package = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
    contributed = package["contributes"]
    (language,), (grammar,) = contributed["languages"], contributed["grammars"]
    assert (language["id"], language["extensions"]) == ("fuse", [".fuse"])
    assert (grammar["language"], grammar["scopeName"]) == ("fuse", "source.fuse")
    assert (EXTENSION / package["main"]).is_file()
    json.loads((EXTENSION / language["configuration"]).read_text(encoding="utf-8"))
    assert f"../{Path(grammar['path']).name}" in package["scripts"]["grammar"]
    assert (EXTENSION / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_the_extension_starts_a_command_that_exists() -> None:
    from tests.support.application import app

    package = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
    server = package["contributes"]["configuration"]["properties"]["fuse.server"]["default"]
    assert server[0] in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    commands = {c.callback.__name__ for c in app.registered_commands if c.callback}
    assert server[1:] == ["lsp"]
    assert "lsp" in commands
