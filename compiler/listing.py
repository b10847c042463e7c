"""Operations and roles with their equations, as `fusewright ops` lists them."""

from __future__ import annotations

from itertools import groupby

from .latex import definition_latex
from .load import load
from .printer import body_text, definition_text, signature
from .spec import Definition
from .vocabulary import libraries_of, library, library_names


def equations_of(what: str | None) -> list[dict[str, str]]:
    """The definitions of a library, of a specification file, or of every library."""
    if what is None:
        return [row for name in library_names() for row in _library(name)]
    if what in library_names():
        return _library(what)
    spec = load(what)
    rows = [_row("", d) for d in spec.definitions]
    return rows + [row for name in libraries_of(spec) for row in _library(name)]


def listing(rows: list[dict[str, str]], latex: bool) -> str:
    """The rows as text, each library under its name."""
    parts = []
    for home, group in groupby(rows, key=lambda row: row["library"]):
        lines = [row["latex"] if latex else row["text"] for row in group]
        parts.append("\n".join([f"# {home or 'the specification'}", *lines]))
    return "\n\n".join(parts)


def _library(name: str) -> list[dict[str, str]]:
    vocabulary = library(name)
    operations = [d for overloads in vocabulary.operations.values() for d in overloads]
    return [_row(name, d) for d in (*operations, *vocabulary.roles)]


def _row(home: str, definition: Definition) -> dict[str, str]:
    return {
        "library": home,
        "name": definition.name,
        "kind": "role" if definition.role else "op",
        "signature": signature(definition),
        "text": definition_text(definition),
        "equation": body_text(definition.body),
        "latex": definition_latex(definition),
    }
