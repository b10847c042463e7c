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
    the regular expressions of the others; `kept` are those that some rule hands on.
    """

    ignored: str
    lexemes: str
    written: dict[str, str]
    patterns: dict[str, str]
    kept: list[str]
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
        row, literal = self.actions[state], self.written.get(lexeme, "")
        if literal in row:
            return literal
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


Entry: TypeAlias = tuple[int, Any, int, int]
"""What the parser has read but not put together yet: state, value, and the range in the text."""


class UnexpectedText(Exception):
    """A text does not follow the grammar: `found` stands at `start` instead of what is expected.

    `stack` is what had been read. Cut off behind any of its entries, it is where `Parser.run` can
    go on.
    """

    def __init__(
        self, what: What, start: int, found: str, expected: frozenset[str], stack: list[Entry]
    ) -> None:
        super().__init__(f"unexpected {what} {found!r} at {start}")
        self.what, self.start, self.found = what, start, found
        self.expected, self.stack = expected, stack


def _ready(production: Production, builder: Any) -> tuple[str, int, bool, list[int | None], Any]:
    """A production with its method, and whether its first part, a list, is the one to append to."""
    origin, length, method, parts = production
    grows = parts[:1] == [~0]
    return origin, length, grows, parts[grows:], getattr(builder, method) if method else None


class Parser:
    """Texts by tables: a method of `builder` takes the Range of its rule and the list of its parts.

    One that has a terminal's name takes what `Token.of` takes, and gives what the rules see.
    """

    def __init__(self, tables: Tables, builder: Any) -> None:
        self._tables = tables
        self._productions = [_ready(production, builder) for production in tables.productions]
        self._on_token = {kind: getattr(builder, kind, Token.of) for kind in tables.kept}
        self._kinds: list[dict[str, str]] = [{} for _ in tables.actions]

    def run(
        self,
        start: str,
        text: str,
        first: int = 0,
        last: int | None = None,
        stack: list[Entry] | None = None,
    ) -> Any:
        """What `text[first:last]` makes by the rule `start`; raises UnexpectedText.

        With `stack`, which is used up, it continues what has been read of the text.
        """
        last = len(text) if last is None else last
        tables, productions, on_token = self._tables, self._productions, self._on_token
        actions, kinds, next_lexeme = tables.actions, self._kinds, tables.lexeme.match
        final = tables.ends[start]
        stack = stack or [(tables.starts[start], None, first, first)]
        state = stack[-1][0]
        position = first
        while True:
            match: Any = next_lexeme(text, position, last)
            lexeme, position = match[1], match.end()
            if lexeme is None:
                if position != last:
                    raise self._unexpected("character", position, text[position], stack)
                kind, begin, lexeme = END, position, ""
            else:
                begin = match.start(1)
                kind_by_lexeme = kinds[state]
                if lexeme not in kind_by_lexeme:
                    kind_by_lexeme[lexeme] = tables.kind(lexeme, state)
                kind = kind_by_lexeme[lexeme]
            action = actions[state].get(kind)
            while action is not None and action < 0:
                origin, length, grows, places, method = productions[~action]
                if length:
                    entries = stack[-length:]
                    del stack[-length:]
                    start_of, end_of = entries[0][2], entries[-1][3]
                else:
                    entries, start_of, end_of = [], begin, begin
                parts: list[Any] = entries[0][1] if grows else []
                for place in places:
                    if place is None:
                        parts.append(None)
                    elif place >= 0:
                        parts.append(entries[place][1])
                    else:
                        parts += entries[~place][1]
                value = parts if method is None else method(Range(start_of, end_of), parts)
                state = actions[stack[-1][0]][origin]
                if kind == END and state == final:
                    return value
                stack.append((state, value, start_of, end_of))
                action = actions[state].get(kind)
            if action is None:
                raise self._unexpected("lexeme" if lexeme else "end", begin, lexeme, stack)
            state = action
            token = on_token[kind](lexeme, kind, begin, position) if kind in on_token else None
            stack.append((state, token, begin, position))

    def _unexpected(self, what: What, at: int, found: str, stack: list[Entry]) -> UnexpectedText:
        expected = self._tables.expected([entry[0] for entry in stack])
        return UnexpectedText(what, at, found, expected, stack)
