"""`fw.check` and `fw.graph`: what they are given is read, and handed to `check/` or `graph/`."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from .check.check import check as check_spec
from .check.examine import examine, examine_file
from .diagnostics.diagnostic import Diagnostic
from .load import Given, is_text, spec_of
from .system.files import is_folder
from .targets.target import target_of

if TYPE_CHECKING:
    from .graph.build import Graph


def check(model: Given) -> list[Diagnostic]:
    """Everything that is wrong with what says a specification, in the order of its text.

    `model` is a Spec, a file, a text, a Graph, or what a search found. Of a file or a text that
    cannot be read to its end, what is wrong with the rest is said too. Raises DiagnosticError where
    there is nothing to check.
    """
    if isinstance(model, str) and is_text(model):
        return [*examine(model).diagnostics]
    if isinstance(model, (str, PathLike)) and target_of(model) is None and not is_folder(model):
        return [*examine_file(model).diagnostics]
    return check_spec(spec_of(model))


def graph(model: Given) -> Graph:
    """The Graph of what says a specification: a Spec, a file, a text, what a search found.

    Raises DiagnosticError where it cannot be read, or its names do not resolve.
    """
    from .graph.build import graph_of

    return graph_of(spec_of(model))
