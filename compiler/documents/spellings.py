"""A Spec from a text in any of its three spellings: Fuse, JSON or YAML."""

from __future__ import annotations

import os
import re
from typing import Literal

from ..diagnostics.diagnostic import Report, fail
from ..diagnostics.source import LONGEST_TEXT, Source, Span
from ..language.spec import Spec
from ..syntax.parse import parse_all

Spelling = Literal["fuse", "json", "yaml"]
GraphNotation = Literal["graphml", "node-link"]
"""What a Graph is written in."""
_ENDINGS: dict[str, Spelling] = {
    ".fuse": "fuse",
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
}
_IGNORED = re.compile(r"(?:\s|\ufeff|#[^\n]*)*")
_NODE_LINK = re.compile(r'\s*\{\s*"(?:directed|multigraph|graph|nodes|edges)"\s*:')
_YAML_START = re.compile(r"""---|%YAML|(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*:(?:\s|$)""")


def loads(text: str, name: str = "<text>", spelling: Spelling | None = None) -> Spec:
    """The Spec of a text; where no spelling is given, its content shows which it is.

    `name` is what diagnostics call the text. Raises DiagnosticError where it is no specification.
    """
    report = Report()
    spec, _ = read(Source(name, text), report, spelling)
    report.raise_errors()
    return spec


def read(
    source: Source, report: Report, spelling: Spelling | None = None
) -> tuple[Spec, list[str]]:
    """The Spec of what can be read of a text, and the parts of it that cannot.

    Raises DiagnosticError where nothing can.
    """
    text = source.text
    if len(text) > LONGEST_TEXT:
        raise fail("E004", f"`{source.name}` is longer than {LONGEST_TEXT:,} characters")
    if (nul := text.find("\0")) >= 0:
        message, span = "a NUL character stands in the text", Span(source, nul, nul + 1)
        raise fail("E002", message, span, help="save the file as UTF-8 text")
    spelling = spelling or spelling_of(text)
    if spelling == "fuse":
        return parse_all(source, report)
    from .json_text import read_json
    from .reader import spec_from_document
    from .yaml_text import read_yaml

    document = read_json(source) if spelling == "json" else read_yaml(source)
    return spec_from_document(document), []


def by_ending(path: str | os.PathLike[str]) -> Spelling | None:
    """The spelling that the ending of a file's name stands for."""
    return _ENDINGS.get(os.path.splitext(os.fspath(path))[1].lower())


def spelling_of(text: str) -> Spelling:
    """JSON where a text begins with a brace, YAML where with a key and a colon, else Fuse."""
    if text.lstrip().lstrip("\ufeff").lstrip().startswith("{"):
        return "json"
    ignored = _IGNORED.match(text)
    start = ignored.end() if ignored else 0
    return "yaml" if _YAML_START.match(text, start) else "fuse"


def notation_of(name: str, text: str) -> GraphNotation | None:
    """The notation of a file that holds a graph, by its ending or its first key; None of others."""
    if name.lower().endswith(".graphml"):
        return "graphml"
    return "node-link" if _NODE_LINK.match(text) and by_ending(name) in ("json", None) else None
