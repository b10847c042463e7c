"""Diagnostics: what is wrong, where, and what to do about it, rendered in one style.

A message states the fact in one line, in lower case, with names in backticks. Context stands
under `note`, the remedy under `help`. What a code means stands in `codes.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Self, TypedDict, Unpack

from .codes import CODES
from .source import Span
from .text import printable, said, shortened

TAB_WIDTH = 4
LONGEST_LINE = 160
MOST_SHOWN = 100
MOST_COMPARED = 2_000
LONGEST_COMPARED = 100


@dataclass(frozen=True, slots=True)
class Note:
    """Context of a diagnostic; with a span it shows a related place."""

    message: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """What stands at `span` replaced by `text`."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One error or warning. `code` is a key of `CODES`; `help` is the remedy.

    `fix` are the edits that carry out `help`; none where it is advice.
    """

    code: str
    message: str
    span: Span | None = None
    help: str | None = None
    notes: tuple[Note, ...] = ()
    fix: tuple[Edit, ...] = ()

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise KeyError(f"diagnostic code {self.code} has no entry in CODES")

    @property
    def is_error(self) -> bool:
        return self.code.startswith("E")

    @property
    def severity(self) -> str:
        return "error" if self.is_error else "warning"


class Suggestion(str):
    """A remedy that says to write `name` for `found`; it becomes an edit where that can be done."""

    __slots__ = ("found", "name")
    found: str
    name: str

    def __new__(cls, found: str, name: str) -> Self:
        suggestion = super().__new__(cls, f"did you mean `{name}`?")
        suggestion.found, suggestion.name = found, name
        return suggestion

    def edits(self, span: Span | None) -> tuple[Edit, ...]:
        """The edit at a span that begins with what was found; none where it does not."""
        original = span.text if span else ""
        for quote in ("", "`", '"', "'"):
            if span and re.match(re.escape(f"{quote}{self.found}{quote}") + r"(?!\w)", original):
                end = span.start + len(self.found) + 2 * len(quote)
                plain = not quote and self.name.replace(".", "_").isidentifier()
                text = self.name if plain else f"{quote or '`'}{self.name}{quote or '`'}"
                return (Edit(Span(span.source, span.start, end, span.pointer), text),)
        return ()


class Details(TypedDict, total=False):
    """What a diagnostic says beside its message."""

    help: str | None
    notes: Iterable[Note]
    fix: Iterable[Edit]


def diagnosed(
    code: str,
    message: str,
    span: Span | None,
    help: str | None = None,
    notes: Iterable[Note] = (),
    fix: Iterable[Edit] = (),
) -> Diagnostic:
    """A diagnostic that can be shown, with the edits of its remedy where that is a suggestion."""
    edits = tuple(fix) or (help.edits(span) if isinstance(help, Suggestion) else ())
    context = tuple(Note(said(note.message), note.span) for note in notes)
    return Diagnostic(code, said(message), span, help and said(str(help)), context, edits)


class DataWarning(UserWarning):
    """Data can be used, but a number that is measured on them says little; says why."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic)
        self.diagnostic = diagnostic

    def __str__(self) -> str:
        return render(self.diagnostic)


class DiagnosticError(ValueError):
    """A specification, data or a run cannot be used; carries every diagnostic found."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(diagnostics)
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)

    def __str__(self) -> str:
        return render_all(self.diagnostics)


@dataclass
class Report:
    """Collects the diagnostics of one stage, so that all of a file's errors come at once."""

    diagnostics: list[Diagnostic] = field(default_factory=list)

    def add(
        self, code: str, message: str, span: Span | None = None, **details: Unpack[Details]
    ) -> None:
        self.diagnostics.append(diagnosed(code, message, span, **details))

    @property
    def errors(self) -> list[Diagnostic]:
        return [d for d in self.diagnostics if d.is_error]

    def raise_errors(self) -> None:
        """Raises `DiagnosticError` with everything collected if there is an error among it."""
        if self.errors:
            raise DiagnosticError(self.sorted())

    def sorted(self) -> list[Diagnostic]:
        """The diagnostics in the order of the text, each once."""
        return sorted(dict.fromkeys(self.diagnostics), key=lambda d: d.span.start if d.span else -1)


def fail(
    code: str, message: str, span: Span | None = None, **details: Unpack[Details]
) -> DiagnosticError:
    """A `DiagnosticError` of one diagnostic, to be raised by the caller."""
    return DiagnosticError([diagnosed(code, message, span, **details)])


def did_you_mean(name: str, known: Iterable[str]) -> Suggestion | None:
    """The remedy for a misspelt name: the closest known one, however its case differs.

    Looked for in bounded time: none for a name that is very long, nor among too many.
    """
    if len(name) > LONGEST_COMPARED:
        return None
    from difflib import get_close_matches

    candidates = {k.lower(): k for k in islice(known, MOST_COMPARED)}
    close = get_close_matches(name.lower(), candidates, n=1, cutoff=0.6)
    return Suggestion(name, candidates[close[0]]) if close else None


def one_of(names: Sequence[str], limit: int = 12) -> str:
    """Names as a readable list, cut after `limit`."""
    shown = ", ".join(f"`{n}`" for n in names[:limit])
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")


def render(diagnostic: Diagnostic) -> str:
    """The diagnostic as text: header, place, source line with caret, notes, help."""
    lines = [f"{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"]
    shown = [s for s in (diagnostic.span, *(n.span for n in diagnostic.notes)) if s]
    margin = max((len(str(s.line)) for s in shown), default=1)
    if diagnostic.span:
        lines += _excerpt(diagnostic.span, margin)
    for note in diagnostic.notes:
        lines.append(f"{' ' * margin} = note: {note.message}")
        if note.span:
            lines += _excerpt(note.span, margin)
    if diagnostic.help:
        lines.append(f"{' ' * margin} = help: {diagnostic.help}")
    return "\n".join(lines)


def render_all(diagnostics: Sequence[Diagnostic]) -> str:
    """Diagnostics as text, one after another; of very many, the first."""
    shown = [render(d) for d in diagnostics[:MOST_SHOWN]]
    if len(diagnostics) > MOST_SHOWN:
        shown.append(f"and {len(diagnostics) - MOST_SHOWN} more")
    return "\n\n".join(shown)


def _excerpt(span: Span, margin: int) -> list[str]:
    line, column = span.source.position(span.start)
    pad = " " * margin
    pointer = f" ({printable(shortened(span.pointer, LONGEST_LINE))})" if span.pointer else ""
    text = span.source.line(line)
    width = max(1, min(span.end - span.start, len(text) - column + 1))
    window = max(0, column - 1 - LONGEST_LINE // 2)
    before = _display(text[window : column - 1])
    marked = _display(text[column - 1 : column - 1 + min(width, LONGEST_LINE // 2)])
    after = _display(text[column - 1 + width : window + LONGEST_LINE])
    return [
        f"{pad}--> {printable(span.source.name)}:{line}:{column}{pointer}",
        f"{pad} |",
        f"{line:>{margin}} | {before}{marked}{after}",
        f"{pad} | {' ' * len(before)}{'^' * max(1, len(marked))}",
    ]


def _display(text: str) -> str:
    text = text.replace("\t", " " * TAB_WIDTH)
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
