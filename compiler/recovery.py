"""What can be read of a text with syntax errors: every statement, Step and feature but the wrong.

NOTE: a text that follows the grammar is parsed at once and never comes here. Otherwise it is cut
into statements, which begin at a keyword outside of all brackets, or at one that begins a line
(so that a bracket which is not closed spoils one statement alone). Each is parsed by itself. Where
that fails inside its brackets, the item of the error (a Step, a feature, mostly a line) is blanked
out and the statement parsed again; where it fails outside, what stood before is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .diagnostics import DiagnosticError, Report
from .grammar import tables
from .lalr import UnexpectedText, run
from .source import Source
from .spec import STATEMENTS
from .syntax import SpecBuilder
from .syntax_error import CLOSING, OPENING, pieces, syntax_error, unclosed

MOST_SYNTAX_ERRORS = 100
_STATEMENT = re.compile(rf'(?:{"|".join(STATEMENTS)})[ \t]+[\w`"?]')


@dataclass
class Recovery:
    """Parses a text statement by statement; `skipped` are the texts that could not be read."""

    source: Source
    report: Report
    skipped: list[str] = field(default_factory=list)

    def statements(self) -> list[Any]:
        """What can be read, in the order of the text."""
        text = self.source.text
        try:
            return self._parsed(text, 0, len(text))
        except (UnexpectedText, DiagnosticError):
            return list(self._one_by_one())

    def _parsed(self, text: str, start: int, end: int) -> list[Any]:
        """The statements of a range; what is wrong in them is reported only if all can be read."""
        report = Report()
        statements = run(tables(), SpecBuilder(self.source, report), "spec", text, start, end)
        self.report.diagnostics += report.diagnostics
        return list(statements)

    def _one_by_one(self) -> Iterator[Any]:
        for start, end in _statements(self.source.text):
            yield from self._statement(start, end)
            if len(self.report.diagnostics) >= MOST_SYNTAX_ERRORS:
                self.skipped.append(self.source.text[end:])
                return

    def _statement(self, start: int, end: int) -> list[Any]:
        text, blanked = self.source.text, end
        while True:
            try:
                return self._parsed(text, start, end)
            except DiagnosticError as error:
                self.report.diagnostics += error.diagnostics
                self.skipped.append(text[start:end])
                return []
            except UnexpectedText as error:
                found = syntax_error(self.source, text, error, start, end)
                at = found.span.start if found.span else start
                follows = text[at : at + 1] in CLOSING and not text[blanked:at].strip()
                if blanked >= at or not follows:
                    self.report.diagnostics.append(found)
                item = _item(text, start, at, end)
                if item is None or len(self.report.diagnostics) >= MOST_SYNTAX_ERRORS:
                    self.skipped.append(text[start:end])
                    return self._before(text, start, at)
                self.skipped.append(text[item[0] : item[1]])
                blanked = item[0]
                text = text[: item[0]] + " " * (item[1] - item[0]) + text[item[1] :]

    def _before(self, text: str, start: int, end: int) -> list[Any]:
        """What stands before an error outside of all brackets, if it can be read."""
        if unclosed(text, start, end):
            return []
        try:
            return self._parsed(text, start, end)
        except UnexpectedText:
            return []
        except DiagnosticError as error:
            self.report.diagnostics += error.diagnostics
            return []


def _statements(text: str) -> Iterator[tuple[int, int]]:
    """The range of each statement, the first with all that stands before it."""
    start, depth = 0, 0
    for piece in pieces(text, 0, len(text)):
        bracket = piece.group()
        begins_line = piece.start() == 0 or text[piece.start() - 1] == "\n"
        if (depth <= 0 or begins_line) and _STATEMENT.match(text, piece.start()):
            if text[start : piece.start()].strip():
                yield start, piece.start()
            start, depth = piece.start(), 0
        elif bracket in OPENING:
            depth += 1
        elif bracket in CLOSING:
            depth -= 1
    if text[start:].strip():
        yield start, len(text)


def _before_closing(text: str, start: int, end: int) -> int:
    """The end of a range, or where a bracket in it closes what was opened before it."""
    depth = 0
    for piece in pieces(text, start, end):
        depth += (piece.group() in OPENING) - (piece.group() in CLOSING)
        if depth < 0:
            return piece.start()
    return end


def _item(text: str, start: int, at: int, end: int) -> tuple[int, int] | None:
    """The range to blank out for an error at `at`: None where the whole statement is lost."""
    if text[at : at + 1] in CLOSING:
        at = start + len(text[start:at].rstrip()) - 1
    brackets = unclosed(text, start, at)
    inner = [place for place in brackets if text[place] != "{"]
    first = inner[0] if inner else at
    item_start = text.rfind("\n", start, first) + 1
    if not brackets or text[brackets[0]] != "{" or item_start <= brackets[0]:
        return None
    line_start = text.rfind("\n", start, at) + 1
    if item_start < line_start and not text[line_start:at].strip():
        item_end = line_start
    else:
        newline = text.find("\n", at, end)
        item_end = end if newline < 0 else newline
    item_end = _before_closing(text, item_start, item_end)
    return (item_start, item_end) if text[item_start:item_end].strip() else None
