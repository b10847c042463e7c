"""Open documents: the text as the client has it, and the last examination of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from ..compiler.binding import symbols_of
from ..compiler.examine import Examination, examine
from ..compiler.load import Spelling, by_ending, spelling_of
from ..compiler.source import Span
from ..compiler.spec import Spec
from ..compiler.symbols import Symbols
from .positions import Change, Positions

_SYNTAX = ("E0", "E1")


@dataclass(frozen=True)
class Document:
    """One version of a text. `readable` is the last Spec without an error of syntax."""

    uri: str
    version: int
    text: str = field(repr=False)
    spelling: Spelling
    examination: Examination = field(repr=False)
    readable: Spec = field(repr=False)
    encoding: str = "utf-16"

    @cached_property
    def symbols(self) -> Symbols:
        return symbols_of(self.examination.spec)

    @cached_property
    def positions(self) -> Positions:
        return Positions(self.text, self.encoding)

    def examined(self) -> Document:
        """This version, once all that editors ask for is found out."""
        _ = self.examination.diagnostics, self.symbols
        return self

    @property
    def specs(self) -> tuple[Spec, Spec]:
        """Where names are looked for while the text is incomplete: as it is, as it last was."""
        return self.examination.spec, self.readable

    def holds(self, span: Span | None) -> bool:
        """Whether a span stands in this text, and not in that of a library."""
        return span is not None and span.source is self.examination.source

    def change_to(self, text: str) -> Change:
        """What has changed since this version."""
        return Change.between(self.text, text)


def read_document(
    uri: str, version: int, text: str, encoding: str, before: Document | None = None
) -> Document:
    """A version of a document, read; `before` is the last one that was."""
    spelling = by_ending(uri) or spelling_of(text)
    examination = examine(text, uri, spelling)
    broken = any(d.code.startswith(_SYNTAX) for d in examination.misread)
    readable = before.readable if broken and before is not None else examination.spec
    return Document(uri, version, text, spelling, examination, readable, encoding)
