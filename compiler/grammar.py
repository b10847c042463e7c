"""The parser of `grammars/fuse.lark`, from the tables that stand beside the grammar.

NOTE: building LALR tables takes ten times as long as reading them, so they are kept as
`grammars/fuse.tables.json`. They name the grammar and the version of lark that they were built
from; where either differs, they are built anew in memory. `python -m fusewright.compiler.grammar`
writes the file.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import lark
from lark import Lark, TextSlice, Token, Tree
from lark.grammar import Rule
from lark.lexer import TerminalDef

from .. import grammars

TABLES = "fuse.tables.json"


def parse_tree(text: str, start: str, first: int = 0, last: int | None = None) -> Tree[Token]:
    """The tree of `text[first:last]`, with positions in `text`; raises lark's UnexpectedInput."""
    part = TextSlice(text, first, len(text) if last is None else last)
    return _parser().parse(part, start=start)


@cache
def terminals() -> dict[str, str]:
    """What each terminal of the grammar stands for: its text, or its regular expression."""
    return {terminal.name: terminal.pattern.value for terminal in _parser().terminals}


@cache
def _parser() -> Lark:
    try:
        stored = json.loads(grammars.read(TABLES))
    except FileNotFoundError:
        return _built()
    if stored["of"] != _origin():
        return _built()
    parser = stored["data"]["parser"]["parser"]
    parser["tokens"] = _numbered(parser["tokens"])
    states = _numbered(parser["states"])
    parser["states"] = {number: _numbered(actions) for number, actions in states.items()}
    load: Any = Lark._load_from_dict  # pyright: ignore[reportPrivateUsage]
    parser_of_tables: Lark = load(stored["data"], _numbered(stored["memo"]))
    return parser_of_tables


def _numbered(table: dict[str, Any]) -> dict[int, Any]:
    """A table whose keys are numbers again, which JSON has as strings."""
    return {int(key): value for key, value in table.items()}


def _built() -> Lark:
    grammar = grammars.read("fuse.lark")
    return Lark(grammar, start=["spec", "body"], parser="lalr", propagate_positions=True)


def _origin() -> int:
    """What the tables depend on: the grammar's text and lark's version."""
    return crc32((grammars.read("fuse.lark") + lark.__version__).encode())


def tables() -> str:
    """The text of `grammars/fuse.tables.json`."""
    serialize: Any = _built().memo_serialize
    data, memo = serialize([TerminalDef, Rule])
    return json.dumps({"of": _origin(), "data": data, "memo": memo}, sort_keys=True) + "\n"


if __name__ == "__main__":
    Path(next(iter(grammars.__path__)), TABLES).write_text(tables(), encoding="utf-8")
