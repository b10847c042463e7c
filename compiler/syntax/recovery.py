"""What can be read of a text with syntax errors: every statement, Step and feature but the wrong.

NOTE: a text that follows the grammar is parsed at once and never comes here. Otherwise it is cut
into statements, which begin at a keyword outside of all brackets, or at one that begins a line
(so that a bracket which is not closed spoils one statement alone). Each is parsed by itself. An
error among the items of a block (Steps, features, lines of an equation) costs the item that it
stands in: the parser goes back to where that began and goes on behind it. An error outside costs
the rest of the statement; what stood before is kept. Nothing is parsed more often than twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..diagnostics.diagnostic import Diagnostic, DiagnosticError, Report
from ..diagnostics.source import Source
from ..language.nodes import STATEMENTS
from .errors import CLOSING, OPENING, open_brackets, pieces, syntax_error
from .grammar import tables
from .lalr import END, Entry, Parser, UnexpectedText
from .statements import SpecBuilder

MOST_SYNTAX_ERRORS = 100
_STATEMENT = re.compile(rf'(?:{"|".join(STATEMENTS)})[ \t]+[\w`"?]')
_OF_ITEMS = ("modality", "cell", "op", "role")
"""The statements whose braces hold items that are read one by one."""
_BLANK = re.compile(r"\s*")
_STRAY = re.compile(r"[\s)\]]*")
"""What may close brackets of an item that was passed over."""


@dataclass
class Recovery:
    """Parses a text statement by statement; `skipped` are the texts that could not be read."""

    source: Source
    report: Report
    skipped: list[str] = field(default_factory=list)

    def statements(self) -> list[Any]:
        """What can be read, in the order of the text."""
        report = Report()
        try:
            statements = Parser(tables(), SpecBuilder(self.source, report)).run(
                "spec", self.source.text
            )
        except (UnexpectedText, DiagnosticError):
            return list(self._one_by_one())
        self.report.diagnostics += report.diagnostics
        return list(statements)

    @property
    def _is_enough(self) -> bool:
        return len(self.report.diagnostics) >= MOST_SYNTAX_ERRORS

    def _one_by_one(self) -> Iterator[Any]:
        text = self.source.text
        parser = Parser(tables(), SpecBuilder(self.source, self.report))
        for statement in _statements(text):
            try:
                yield from self._read(parser, statement)
            except DiagnosticError as error:
                self.report.diagnostics += error.diagnostics
                self.skipped.append(text[statement.start : statement.end])
            if self._is_enough:
                self.skipped.append(text[statement.end :])
                return

    def _read(self, parser: Parser, statement: _Statement) -> list[Any]:
        """What can be read of a statement, each round from where the last one went on.

        Every round reports something, or passes over at least the character of the error before.
        """
        text, position, end = self.source.text, statement.start, statement.end
        stack: list[Entry] | None = None
        previous: Diagnostic | None = None
        while True:
            try:
                return list(parser.run("spec", text, position, end, stack))
            except UnexpectedText as error:
                diagnostic = syntax_error(self.source, error, end)
                if previous is None or not self._follows(diagnostic, previous, position):
                    self.report.diagnostics.append(diagnostic)
                item = _item(text, error, statement)
                if item is None or self._is_enough:
                    return self._rest(parser, error, end)
                stack, (begin, position) = error.stack[: item.before], item.range
                self.skipped.append(text[begin:position])
                previous = diagnostic

    def _follows(self, found: Diagnostic, previous: Diagnostic, position: int) -> bool:
        """Whether an error says no more than the one before, after which `position` came next."""
        if found.span is None or found.span == previous.span:
            return True
        blank = _BLANK.match(self.source.text, position)
        follows = blank is not None and blank.end() == found.span.start
        return follows and found.span.text in CLOSING

    def _rest(self, parser: Parser, error: UnexpectedText, end: int) -> list[Any]:
        """What stands before an error after which nothing of its statement is read."""
        stack = error.stack
        if END not in error.expected:
            stack = stack[: _with_list(stack, 1)]
        begin = error.start if len(stack) == len(error.stack) else error.stack[len(stack)][2]
        self.skipped.append(self.source.text[begin:end])
        return list(parser.run("spec", self.source.text, end, end, stack))


class _Statement(NamedTuple):
    """The range of a statement, and whether all that it opens it also closes."""

    start: int
    end: int
    is_balanced: bool


def _statements(text: str) -> Iterator[_Statement]:
    """The statements of a text, the first with all that stands before it."""
    start, depth = 0, 0
    for piece in pieces(text, 0, len(text)):
        bracket = piece.group()
        begins_line = piece.start() == 0 or text[piece.start() - 1] == "\n"
        if (depth <= 0 or begins_line) and _STATEMENT.match(text, piece.start()):
            if text[start : piece.start()].strip():
                yield _Statement(start, piece.start(), depth <= 0)
            start, depth = piece.start(), 0
        elif bracket in OPENING:
            depth += 1
        elif bracket in CLOSING:
            depth -= 1
    if text[start:].strip():
        yield _Statement(start, len(text), depth <= 0)


class _Item(NamedTuple):
    """What an error costs: a range of the text, and the number of entries read `before` it."""

    before: int
    range: tuple[int, int]


def _item(text: str, error: UnexpectedText, statement: _Statement) -> _Item | None:
    """The item of a block that an error stands in; None where it costs the statement."""
    stack, at, end = error.stack, error.start, statement.end
    brackets = open_brackets(text, stack)
    keyword = _with_list(stack, 1)
    if not brackets or text[slice(*stack[keyword][2:])] not in _OF_ITEMS:
        return None
    if text[stack[brackets[0]][2]] != "{":
        return None
    before = _with_list(stack, brackets[0] + 1)
    begin = stack[before][2] if before < len(stack) else at
    inside = "".join(text[stack[index][2]] for index in brackets[1:])
    closes = statement.is_balanced and CLOSING.get(text[at : at + 1], "") == inside[-1:]
    if at == end or (_is_next_line(text, begin, at) and not closes):
        stop = at
    else:
        stop = _item_end(text, at, end, inside.count("{"))
    return _Item(before, (begin, stop)) if begin < stop else None


def _with_list(stack: Sequence[Entry], count: int) -> int:
    """So many entries of a stack, and the next where it is the list of what has been read."""
    return count + (count < len(stack) and isinstance(stack[count][1], list))


def _is_next_line(text: str, begin: int, at: int) -> bool:
    """Whether an error begins a line below `begin`: then that line does not fit those above."""
    line = text.rfind("\n", begin, at) + 1
    return line > 0 and not text[line:at].strip()


def _item_end(text: str, at: int, end: int, depth: int) -> int:
    """The end of the line of an error inside of `depth` braces, or where its block is closed."""
    newline = text.find("\n", at, end)
    for piece in pieces(text, at, end if newline < 0 else newline):
        depth += (piece.group() == "{") - (piece.group() == "}")
        if depth < 0:
            return piece.start()
    if newline < 0:
        return end
    stray = _STRAY.match(text, newline, end)
    return stray.end() if stray else newline
