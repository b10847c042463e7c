"""Operations and roles with their equations, as `fusewright ops` lists them."""

from __future__ import annotations

from itertools import groupby

from ..language.nodes import Definition
from ..language.printer import body_text, definition_text, signature
from ..load import load
from ..network.vocabulary import libraries_of, library, library_names
from ..targets.latex import definition_latex, escape


def equations_of(what: str | None) -> list[dict[str, str]]:
    """The definitions of a library, of a specification file, or of every library."""
    if what is None:
        return [row for name in library_names() for row in _library(name)]
    if what in library_names():
        return _library(what)
    spec = load(what)
    rows = [_row("", d) for d in spec.definitions]
    return rows + [row for name in libraries_of(spec) for row in _library(name)]


def listing(rows: list[dict[str, str]]) -> str:
    """The rows as text, each library under its name."""
    parts = [
        "\n".join([f"# {heading}", *(row["text"] for row in group)]) for heading, group in _by(rows)
    ]
    return "\n\n".join(parts)


def latex_table(rows: list[dict[str, str]]) -> str:
    """The rows as a table for a paper, each library under its name."""
    lines = [
        r"% needs \usepackage{booktabs, amsmath}",
        r"\begin{tabular}{ll}",
        r"\toprule",
        r"Operation & Equation \\",
    ]
    for heading, group in _by(rows):
        lines += [r"\midrule", rf"\multicolumn{{2}}{{l}}{{\emph{{{escape(heading)}}}}} \\"]
        lines += [rf"\texttt{{{escape(row['name'])}}} & ${row['latex']}$ \\" for row in group]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def _by(rows: list[dict[str, str]]) -> list[tuple[str, list[dict[str, str]]]]:
    """The rows of each library or specification, with what stands above them."""
    homes = groupby(rows, key=lambda row: row["library"])
    return [(home or "the specification", list(group)) for home, group in homes]


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
