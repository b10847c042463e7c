"""A Spec from a file or a text in any of its three spellings: Fuse, JSON or YAML."""

from __future__ import annotations

import os
import re
from typing import Literal

from .diagnostics import Report, fail
from .files import read_text
from .parse import LONGEST_TEXT, parse_all
from .source import Source, Span
from .spec import Spec

Spelling = Literal["fuse", "json", "yaml"]
Notation = Literal["fuse", "json", "yaml", "published"]
"""What a Spec can be written in; the published code's text says genotypes alone."""
_ENDINGS: dict[str, Spelling] = {
    ".fuse": "fuse",
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
}
ONNX, SAFETENSORS = ".onnx", ".safetensors"
"""Endings of artifacts that hold the specification which they were compiled from."""
_IGNORED = re.compile(r"(?:\s|\ufeff|#[^\n]*)*")
_YAML_START = re.compile(r"""---|%YAML|(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*:(?:\s|$)""")


def load(path: str | os.PathLike[str]) -> Spec:
    """The Spec of a file, spelt as its ending says, or else as its content shows.

    Of an ONNX or `.safetensors` file that Fusewright wrote, the specification inside. Raises
    DiagnosticError where the file cannot be read or is no specification.
    """
    ending = os.path.splitext(path)[1]
    if ending == ONNX:
        from .targets.onnx.file import OnnxFile

        return OnnxFile(path).spec
    if ending == SAFETENSORS:
        from .weights import read_spec

        return read_spec(path)
    return loads(read_text(path), os.fspath(path), by_ending(path))


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
    from .document_reader import spec_from_document
    from .json_text import read_json
    from .yaml_text import read_yaml

    document = read_json(source) if spelling == "json" else read_yaml(source)
    return spec_from_document(document), []


def spell(spec: Spec, notation: Notation) -> str:
    """The canonical text of a Spec; raises DiagnosticError where the notation cannot say it."""
    if notation == "fuse":
        return str(spec)
    if notation == "published":
        from .published import genotype_text

        return genotype_text(spec) + "\n"
    from .document_writer import to_json, to_yaml

    return to_json(spec) if notation == "json" else to_yaml(spec)


def format_file(path: str | os.PathLike[str], text: str) -> str:
    """The canonical text of a file that holds `text`; comments stay, where a spelling has them.

    Raises DiagnosticError where it is no specification, or is YAML with comments to lose.
    """
    name = os.fspath(path)
    spelling = by_ending(path) or spelling_of(text)
    if spelling == "fuse":
        from .format import format_text

        return format_text(text, name)
    canonical = spell(loads(text, name, spelling), spelling)
    if spelling == "yaml" and text.count("#") > canonical.count("#"):
        message = f"formatting `{name}` would lose its comments"
        raise fail("E504", message, help="convert it to `.fuse`, which keeps them")
    return canonical


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
