"""Diagnostics on a terminal and as JSON."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from ...compiler.diagnostics.diagnostic import Diagnostic, render_all
from ...compiler.diagnostics.source import Span

_STYLES = (
    (re.compile(r"^error\[\w+\]", re.MULTILINE), "bold red"),
    (re.compile(r"^warning\[\w+\]", re.MULTILINE), "bold yellow"),
    (re.compile(r"(?<=\]: ).*$", re.MULTILINE), "bold"),
    (re.compile(r"^ *(?:-->|\d* \||= (?:note|help):)", re.MULTILINE), "blue"),
    (re.compile(r"(?<=\| ) *\^+$", re.MULTILINE), "bold red"),
)


def show(diagnostics: Sequence[Diagnostic], file: TextIO | None = None) -> None:
    """Prints diagnostics, in colour where the file is a terminal."""
    stream = sys.stdout if file is None else file
    text = render_all(diagnostics)
    if text and stream.isatty():
        _show_in_colour(text, stream)
    elif text:
        print(text, file=stream)


def _show_in_colour(text: str, stream: TextIO) -> None:
    from rich.console import Console
    from rich.text import Text

    shown = Text(text)
    for pattern, style in _STYLES:
        for match in pattern.finditer(text):
            shown.stylize(style, *match.span())
    Console(file=stream, soft_wrap=True, highlight=False).print(shown)


def as_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """A diagnostic as JSON; lines and columns count from 1, ends are exclusive."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        **_place(diagnostic.span),
        "help": diagnostic.help,
        "notes": [{"message": note.message, **_place(note.span)} for note in diagnostic.notes],
        "fix": [{"text": edit.text, **_place(edit.span)} for edit in diagnostic.fix],
    }


def _place(span: Span | None) -> dict[str, Any]:
    if span is None:
        return {}
    end_line, end_column = span.source.position(span.end)
    place: dict[str, Any] = {
        "file": span.source.name,
        "line": span.line,
        "column": span.column,
        "end_line": end_line,
        "end_column": end_column,
    }
    return place if span.pointer is None else {**place, "pointer": span.pointer}
