"""The LALR tables of `grammars/fuse.lark`: lark builds them, `lalr` runs them.

NOTE: importing lark takes five times as long as starting Python, and building the tables longer
still, so they are kept as `grammars/fuse.tables.json` beside the grammar, whose checksum they
carry; where it differs, or the file cannot be read, they are built anew in memory.
`python -m fusewright.compiler.grammar` writes the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any
from zlib import crc32

from ... import grammars
from .lalr import Production, Tables

if TYPE_CHECKING:
    from lark import Lark
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

STORED = "fuse.tables.json"
STARTS = ("spec", "body")
SHAPE = 1
"""The number of what `Tables` has for fields and means by them: another makes stored ones void."""


@cache
def tables() -> Tables:
    """The tables of the grammar, stored or built."""
    grammar = grammars.read("fuse.lark")
    stored = _stored()
    if stored.pop("of", None) != _checksum(grammar):
        stored = build(grammar)
    return Tables(**stored)


def _stored() -> dict[str, Any]:
    """What is stored; nothing where that cannot be read."""
    try:
        stored = json.loads(grammars.read(STORED))
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}


def lark_of(grammar: str) -> Lark:
    """What lark makes of a grammar with the start rules `spec` and `body`."""
    import lark

    return lark.Lark(grammar, start=list(STARTS), parser="lalr", propagate_positions=True)


def build(grammar: str) -> dict[str, Any]:
    """The fields of `Tables` for a grammar."""
    parser = lark_of(grammar)
    frontend: Any = parser.parser
    table = frontend.parser._parse_table
    production = {rule: n for n, rule in enumerate(sorted(parser.rules, key=str))}
    number = _numbers(table)
    actions: list[dict[str, int]] = []
    for state in number:
        row: dict[str, int] = {}
        for symbol, (action, argument) in sorted(table.states[state].items()):
            shifts = action.name == "Shift"
            row[symbol] = number[argument] if shifts else ~production[argument]
        actions.append(row)
    ignored = [t for t in parser.terminals if t.name in parser.ignore_tokens]
    used = [t for t in parser.terminals if t.name not in parser.ignore_tokens]
    word = re.compile(next(t.pattern.to_regexp() for t in used if t.name == "NAME"))
    literals = [t for t in used if t.pattern.type == "str"]
    marks = sorted((t for t in literals if not word.fullmatch(t.pattern.value)), key=_longest)
    patterns = sorted((t for t in used if t.pattern.type == "re"), key=_longest)
    return {
        "ignored": "|".join(t.pattern.to_regexp() for t in ignored),
        "lexemes": "|".join(t.pattern.to_regexp() for t in (*patterns, *marks)),
        "written": {t.pattern.value: t.name for t in literals},
        "patterns": {t.name: t.pattern.to_regexp() for t in sorted(patterns, key=_is_name)},
        "kept": sorted({symbol.name for rule in production for symbol in _kept(rule)}),
        "actions": actions,
        "productions": [_production(rule) for rule in production],
        "starts": {name: number[table.start_states[name]] for name in STARTS},
        "ends": {name: number[table.end_states[name]] for name in STARTS},
    }


def _numbers(table: Any) -> dict[Any, int]:
    """The states of lark's table in the order in which they are reached: lark's own varies."""
    order = [table.start_states[name] for name in STARTS]
    numbers = {state: number for number, state in enumerate(order)}
    for state in order:
        for _, (action, argument) in sorted(table.states[state].items()):
            if action.name == "Shift" and argument not in numbers:
                numbers[argument] = len(numbers)
                order.append(argument)
    return numbers


def _longest(terminal: TerminalDef) -> tuple[int, int, str]:
    """Lark's own order: what can match more comes first."""
    return -terminal.pattern.max_width, -len(terminal.pattern.value), terminal.name


def _is_name(terminal: TerminalDef) -> bool:
    """Names come last: where a kind of prediction can stand, its word is no name."""
    return terminal.name == "NAME"


def _kept(rule: Rule) -> Iterator[Any]:
    symbols: Any = rule.expansion
    return (symbol for symbol in symbols if symbol.is_term and not symbol.filter_out)


def _production(rule: Rule) -> Production:
    """The parts that a rule hands on: lark leaves out plain punctuation, and `_rules` unfold."""
    empty: list[bool] = list(rule.options.empty_indices or ())
    parts: list[int | None] = []
    place = 0
    for missing in empty or [False] * len(rule.expansion):
        if missing:
            parts.append(None)
            continue
        symbol: Any = rule.expansion[place]
        if not symbol.is_term:
            parts.append(~place if symbol.name.startswith("_") else place)
        elif not symbol.filter_out:
            parts.append(place)
        place += 1
    name = str(rule.origin.name)
    return name, len(rule.expansion), "" if name.startswith("_") else rule.alias or name, parts


def _checksum(grammar: str) -> int:
    return crc32(f"{SHAPE}\n{grammar}".encode())


def stored_text() -> str:
    """The text of `grammars/fuse.tables.json`."""
    grammar = grammars.read("fuse.lark")
    return json.dumps({"of": _checksum(grammar), **build(grammar)}) + "\n"


if __name__ == "__main__":
    with open(grammars.path(STORED), "w", encoding="utf-8") as stored_file:
        stored_file.write(stored_text())
