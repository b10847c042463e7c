"""A version of a document: as it was read, and as it was examined.

Both are finished when they are made, so that any thread may make them. What is left to be indexed
when it is first asked for (names by their places, lines) only the event loop asks for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..compiler.check.examine import Examination, Reading, examine_reading, read_all
from ..compiler.diagnostics.source import Span
from ..compiler.documents.spellings import Spelling, by_ending, spelling_of
from ..compiler.language.spec import Spec
from .binding import symbols_of
from .positions import Positions, TextChange
from .symbols import Symbols

_SYNTAX = ("E0", "E1")


@dataclass(frozen=True)
class Document:
    """One version of a text, read. `readable` is the last Spec without an error of syntax."""

    uri: str
    version: int
    text: str = field(repr=False)
    positions: Positions = field(repr=False)
    spelling: Spelling
    reading: Reading = field(repr=False)
    symbols: Symbols = field(repr=False)
    readable: Spec = field(repr=False)

    @property
    def spec(self) -> Spec:
        return self.reading.spec

    @property
    def specs(self) -> tuple[Spec, Spec]:
        """Where names are looked for while the text is incomplete: as it is, as it last was."""
        return self.spec, self.readable

    def holds(self, span: Span | None) -> bool:
        """Whether a span stands in this text, and not in that of a library."""
        return span is not None and span.source is self.reading.source

    def change_to(self, text: str) -> TextChange:
        """What has changed since this version."""
        return TextChange.between(self.text, text)

    def as_version(self, version: int, text: str) -> Document | None:
        """This document under the number of another version, or None where that has other text."""
        if text != self.text:
            return None
        return self if version == self.version else replace(self, version=version)


@dataclass(frozen=True)
class Examined:
    """One version of a text, examined."""

    document: Document
    examination: Examination = field(repr=False)

    def as_version(self, version: int, text: str) -> Examined | None:
        """This examination of another version, or None where that has other text."""
        document = self.document.as_version(version, text)
        if document is None or document is self.document:
            return self if document else None
        return replace(self, document=document)


def spelling_in(uri: str, text: str) -> Spelling:
    """How a document is spelt, by its ending or else by its content."""
    return by_ending(uri) or spelling_of(text)


def read_document(
    uri: str, version: int, text: str, encoding: str, before: Document | None = None
) -> Document:
    """A version of a document, read; `before` is the last one that was."""
    spelling = spelling_in(uri, text)
    reading = read_all(text, uri, spelling)
    broken = any(d.code.startswith(_SYNTAX) for d in reading.misread)
    readable = before.readable if broken and before is not None else reading.spec
    symbols = symbols_of(reading.spec if spelling == "fuse" else Spec())
    positions = Positions(text, encoding)
    return Document(uri, version, text, positions, spelling, reading, symbols, readable)


def examine_document(document: Document) -> Examined:
    """A version of a document, examined."""
    return Examined(document, examine_reading(document.reading))
