"""A Spec from a file or a text in any of its three spellings: Fuse, JSON or YAML."""

from __future__ import annotations

import os
import re
from typing import Literal

from .diagnostics import fail
from .parse import LONGEST_TEXT, parse
from .source import Source, Span
from .spec import Spec

Spelling = Literal["fuse", "json", "yaml"]
_ENDINGS: dict[str, Spelling] = {
    ".fuse": "fuse",
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
}
_IGNORED = re.compile(r"(?:\s|\ufeff|#[^\n]*)*")
_YAML_START = re.compile(r"""---|%YAML|(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*:(?:\s|$)""")


def load(path: str | os.PathLike[str]) -> Spec:
    """The Spec of a file, spelt as its ending says, or else as its content shows.

    Raises DiagnosticError where the file cannot be read or is no specification.
    """
    name = os.fspath(path)
    spelling = _ENDINGS.get(os.path.splitext(name)[1].lower())
    return loads(_read(name), name, spelling)


def loads(text: str, name: str = "<text>", spelling: Spelling | None = None) -> Spec:
    """The Spec of a text; where no spelling is given, its content shows which it is.

    `name` is what diagnostics call the text. Raises DiagnosticError where it is no specification.
    """
    if len(text) > LONGEST_TEXT:
        raise fail("E004", f"`{name}` is longer than {LONGEST_TEXT:,} characters")
    source = Source(name, text)
    if (nul := text.find("\0")) >= 0:
        raise fail("E002", "a NUL character stands in the text", Span(source, nul, nul + 1))
    spelling = spelling or spelling_of(text)
    if spelling == "fuse":
        return parse(text, name)
    from .document import spec_from_document
    from .located import read_json, read_yaml

    return spec_from_document(read_json(source) if spelling == "json" else read_yaml(source))


def spelling_of(text: str) -> Spelling:
    """JSON where a text begins with a brace, YAML where with a key and a colon, else Fuse."""
    if text.lstrip().lstrip("\ufeff").lstrip().startswith("{"):
        return "json"
    ignored = _IGNORED.match(text)
    start = ignored.end() if ignored else 0
    return "yaml" if _YAML_START.match(text, start) else "fuse"


def _read(name: str) -> str:
    """The text of a file, of which no more is read than can be used."""
    try:
        with open(name, "rb") as file:
            data = file.read(4 * LONGEST_TEXT + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise fail("E504", f"`{name}` cannot be read: {reason.lower()}") from None
    if len(data) > 4 * LONGEST_TEXT:
        raise fail("E004", f"`{name}` is longer than {LONGEST_TEXT:,} characters")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = len(data[: error.start].decode("utf-8"))
        source = Source(name, data.decode("utf-8", "replace"))
        message = f"byte {error.start} is not UTF-8"
        span = Span(source, before, before + 1)
        raise fail("E002", message, span, help="save the file as UTF-8") from None
