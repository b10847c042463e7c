"""A Spec from a file, and as text in every notation."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, cast

from .diagnostics.diagnostic import DiagnosticError, fail, one_of
from .documents.spellings import by_ending, loads, notation_of, spelling_of
from .language.spec import Spec
from .system.files import is_folder, read_text
from .targets.target import target_of

if TYPE_CHECKING:
    from .graph.build import AnyGraph


class HasGenotype(Protocol):
    """What found or trained a network, such as the result of a search."""

    @property
    def genotype(self) -> Spec: ...


Notation = Literal["fuse", "json", "yaml", "published", "mfas", "graphml", "node-link"]
"""What a Spec can be written in; the published codes' texts say their own networks alone."""
Given: TypeAlias = "Spec | str | os.PathLike[str] | AnyGraph | HasGenotype"
"""What says a specification: itself, a file, a text, a Graph, or the result of a search."""
MOST_LISTED = 1_000
"""Entries of a folder that are looked at."""


def load(path: str | os.PathLike[str]) -> Spec:
    """The Spec of a file, spelt as its ending says, or else as its content shows.

    Of an ONNX, `.safetensors` or `.pt2` file that Fusewright wrote, the specification inside; of
    GraphML and node-link JSON, what the graph says. Raises DiagnosticError where the file cannot be
    read or is no specification.
    """
    if is_folder(path):
        raise _folder(os.fspath(path))
    target = target_of(path)
    if target is not None and target.specification is not None:
        return target.specification(path)
    text, name = read_text(path), os.fspath(path)
    if (notation := notation_of(name, text)) is not None:
        from .graph.interchange import read_graph

        return read_graph(text, notation, name)
    return loads(text, name, by_ending(path))


def is_specification(given: object) -> bool:
    """Whether something says a specification by itself: a text, a file by its ending, a Graph."""
    if isinstance(given, (str, os.PathLike)):
        return is_text(given) or by_ending(given) is not None
    return isinstance(given, Spec) or (hasattr(given, "nodes") and hasattr(given, "edges"))


def is_text(given: object) -> bool:
    """Whether a text is a specification, and not the name of a file."""
    return isinstance(given, str) and ("\n" in given or "{" in given)


def spec_of(given: Given) -> Spec:
    """What is given as a Spec: itself, a file's, a text's, a Graph's, or what a result found.

    A text is told from the name of a file by its second line, or a brace. Raises DiagnosticError
    where it cannot be read, or is nothing of these.
    """
    if isinstance(given, Spec):
        return given
    if isinstance(given, str) and is_text(given):
        return loads(given)
    if isinstance(given, (str, os.PathLike)):
        return load(given)
    if isinstance(found := getattr(given, "genotype", None), Spec):
        return found
    if hasattr(given, "nodes") and hasattr(given, "edges"):
        from .graph.write import specification

        return specification(cast("AnyGraph", given))
    message = f"a specification is expected, and not a `{type(given).__name__}`"
    raise fail("E506", message, help="give a Spec, a file, a text, a Graph, or what a search found")


def _folder(path: str) -> DiagnosticError:
    """A folder in place of a specification: its own are named, the found one of a run first."""
    with suppress(OSError), os.scandir(path) as entries:
        names = sorted(e.name for e in islice(entries, MOST_LISTED) if e.name.endswith(".fuse"))
        files = [os.path.join(path, name) for name in names]
        if files:
            return fail(
                "E504", f"`{path}` is a folder", help=f"name a file in it: {one_of(files, 3)}"
            )
    return fail("E504", f"`{path}` is a folder", help="name a specification")


def spell(spec: Spec, notation: Notation) -> str:
    """The canonical text of a Spec; raises DiagnosticError where the notation cannot say it."""
    if notation == "fuse":
        return str(spec)
    if notation == "published":
        from .published.genotype import genotype_text

        return genotype_text(spec) + "\n"
    if notation == "mfas":
        from .published.mfas import layers_of, layers_text

        return layers_text(layers_of(spec)[0]) + "\n"
    if notation in ("graphml", "node-link"):
        from .graph.interchange import write_graph

        return write_graph(spec, notation)
    from .documents.writer import to_json, to_yaml

    return to_json(spec) if notation == "json" else to_yaml(spec)


def format_file(path: str | os.PathLike[str], text: str) -> str:
    """The canonical text of a file that holds `text`; comments stay, where a spelling has them.

    Raises DiagnosticError where it is no specification, or is YAML with comments to lose.
    """
    name = os.fspath(path)
    spelling = by_ending(path) or spelling_of(text)
    if spelling == "fuse":
        from .syntax.format import format_text

        return format_text(text, name)
    canonical = spell(loads(text, name, spelling), spelling)
    if spelling == "yaml" and text.count("#") > canonical.count("#"):
        message = f"formatting `{name}` would lose its comments"
        raise fail("E504", message, help="convert it to `.fuse`, which keeps them")
    return canonical
