"""A text by LALR tables, bottom up: each rule of the grammar calls the method of its name.

NOTE: a lexeme is the longest piece of text that some terminal matches; which terminal it is
depends on what can stand there, so that a keyword is one only in its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

END = "$END"
"""The terminal at the end of the text."""

What: TypeAlias = Literal["character", "lexeme", "end"]

Production: TypeAlias = "tuple[str, int, str, list[int | None]]"
"""Nonterminal, number of symbols, method (none: its parts unfold in the rule above), and the parts.

A part is the place of a symbol, `~place` where that unfolds, or None for an option left out.
"""


@dataclass
class Tables:
    """What lark builds of a grammar.

    `actions` holds by state, then by symbol, the state to go to, or `~production` to reduce by.
    `written` are the terminals that stand as they are in the grammar, by their text; `patterns`
    the regular expressions of the others.
    """

    ignored: str
    lexemes: str
    written: dict[str, str]
    patterns: dict[str, str]
    actions: list[dict[str, int]]
    productions: list[Production]
    starts: dict[str, int]
    ends: dict[str, int]

    @cached_property
    def lexeme(self) -> re.Pattern[str]:
        """The next lexeme, after what is ignored: group 1, which may be missing."""
        return re.compile(f"(?:{self.ignored})*+({self.lexemes})?")

    @cached_property
    def _compiled(self) -> dict[str, re.Pattern[str]]:
        return {}

    def kind(self, lexeme: str, state: int) -> str:
        """The terminal that a lexeme is in a state; empty where it cannot stand there."""
        row, written = self.actions[state], self.written.get(lexeme, "")
        if written in row:
            return written
        return next((t for t in self.patterns if t in row and self._matches(t, lexeme)), "")

    def _matches(self, terminal: str, lexeme: str) -> bool:
        pattern = self._compiled.get(terminal)
        if pattern is None:
            pattern = self._compiled[terminal] = re.compile(self.patterns[terminal])
        return pattern.fullmatch(lexeme) is not None

    def expected(self, states: list[int]) -> frozenset[str]:
        """The terminals that can follow, with `states` on the stack."""
        terminals = (s for s in self.actions[states[-1]] if s.isupper())
        return frozenset(t for t in terminals if self._follows(t, list(states)))

    def _follows(self, terminal: str, states: list[int]) -> bool:
        while True:
            action = self.actions[states[-1]].get(terminal)
            if action is None or action >= 0:
                return action is not None
            origin, length, _, _ = self.productions[~action]
            del states[len(states) - length :]
            states.append(self.actions[states[-1]][origin])
            if terminal == END and states[-1] in self.ends.values():
                return True


class Token(str):
    """A lexeme with its terminal and its range."""

    __slots__ = ("end", "kind", "start")
    kind: str
    start: int
    end: int

    @classmethod
    def of(cls, text: str, kind: str, start: int, end: int) -> Token:
        token = cls(text)
        token.kind, token.start, token.end = kind, start, end
        return token


class Range:
    """The characters that a rule covers."""

    __slots__ = ("end", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start, self.end = start, end


class UnexpectedText(Exception):
    """A text does not follow the grammar: `found` stands at `start` instead of what is expected."""

    def __init__(self, what: What, start: int, found: str, expected: frozenset[str]) -> None:
        super().__init__(f"unexpected {what} {found!r} at {start}")
        self.what, self.start, self.found, self.expected = what, start, found, expected


def run(
    tables: Tables, builder: Any, start: str, text: str, first: int = 0, last: int | None = None
) -> Any:
    """What `builder` makes of `text[first:last]` by the rule `start`; raises UnexpectedText.

    A method of the builder takes the Range of its rule and the list of its parts; one that has a
    terminal's name takes and returns its Token.
    """
    last = len(text) if last is None else last
    actions, next_lexeme = tables.actions, tables.lexeme.match
    productions = [(*p, getattr(builder, p[2]) if p[2] else None) for p in tables.productions]
    on_token = {name: getattr(builder, name, None) for name in tables.patterns}
    kinds: dict[tuple[str, int], str] = {}
    final = tables.ends[start]
    states: list[int] = [tables.starts[start]]
    values: list[Any] = []
    begins: list[int] = []
    ends: list[int] = []
    position = first
    while True:
        found: Any = next_lexeme(text, position, last)
        lexeme, position = found[1], found.end()
        if lexeme is None:
            if position != last:
                expected = tables.expected(states)
                raise UnexpectedText("character", position, text[position], expected)
            kind, begin, lexeme = END, position, ""
        else:
            begin = found.start(1)
            key = lexeme, states[-1]
            if key not in kinds:
                kinds[key] = tables.kind(*key)
            kind = kinds[key]
        while True:
            action = actions[states[-1]].get(kind)
            if action is None:
                what: What = "lexeme" if lexeme else "end"
                raise UnexpectedText(what, begin, lexeme, tables.expected(states))
            if action >= 0:
                break
            origin, length, _, places, method = productions[~action]
            stay = len(values) - length
            parts: list[Any] = []
            for place in places:
                if place is None:
                    parts.append(None)
                elif place >= 0:
                    parts.append(values[stay + place])
                else:
                    parts += values[stay + ~place]
            begin_of, end_of = (begins[stay], ends[-1]) if length else (begin, begin)
            del states[stay + 1 :], values[stay:], begins[stay:], ends[stay:]
            values.append(parts if method is None else method(Range(begin_of, end_of), parts))
            begins.append(begin_of)
            ends.append(end_of)
            states.append(actions[states[-1]][origin])
            if kind == END and states[-1] == final:
                return values[-1]
        token = Token.of(lexeme, kind, begin, position)
        handler = on_token.get(kind)
        values.append(handler(token) if handler else token)
        begins.append(begin)
        ends.append(position)
        states.append(action)
