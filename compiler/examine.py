"""Everything that can be said of a text at once: its Spec, its network, all diagnostics.

After a syntax error the rest of the text is still checked; what the part that could not be read
may explain is left unsaid: errors that speak of a name in it, and statements that seem missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike, fspath

from .check import diagnose
from .diagnostics import Diagnostic, DiagnosticError, Report
from .files import read_text
from .load import Spelling, by_ending, read
from .network import Network
from .override import override
from .source import Source
from .spec import Spec

_DEPENDS_ON_ALL = ("E007", "E4", "W")
"""Codes that say something of a text as a whole."""


@dataclass(frozen=True)
class Examination:
    """What a text says: `spec` is what could be read, `network` None where names do not resolve."""

    source: Source
    spec: Spec
    network: Network | None
    diagnostics: tuple[Diagnostic, ...]


def examine(
    text: str,
    name: str = "<text>",
    spelling: Spelling | None = None,
    numbers: Mapping[str, int | float] | None = None,
) -> Examination:
    """Reads and checks a text; `numbers` override those of its network. Raises nothing."""
    source, report = Source(name, text), Report()
    try:
        spec, skipped = read(source, report, spelling)
        spec = override(spec, numbers or {})
    except DiagnosticError as error:
        return Examination(source, Spec(), None, (*report.sorted(), *error.diagnostics))
    errors = len(report.errors)
    meaning = Report()
    network = diagnose(spec, meaning)
    found = meaning.diagnostics
    if skipped or errors:
        found = list(_independent(found, skipped))
    report.diagnostics += found
    return Examination(source, spec, None if errors else network, tuple(report.sorted()))


def examine_file(
    path: str | PathLike[str], numbers: Mapping[str, int | float] | None = None
) -> Examination:
    """Examines a file, spelt as its ending says, or else as its content shows."""
    name = fspath(path)
    try:
        return examine(read_text(path), name, by_ending(path), numbers)
    except DiagnosticError as error:
        return Examination(Source(name, ""), Spec(), None, error.diagnostics)


def _independent(found: Iterable[Diagnostic], skipped: Iterable[str]) -> Iterable[Diagnostic]:
    """The diagnostics that hold whatever stands in the parts that could not be read."""
    unread = {_family(word) for text in skipped for word in re.findall(r"\w+", text)}
    for diagnostic in found:
        names = {_family(name) for name in re.findall(r"`([^`]*)`", diagnostic.message)}
        if not diagnostic.code.startswith(_DEPENDS_ON_ALL) and not names & unread:
            yield diagnostic


def _family(name: str) -> str:
    """`Cell` for `Cell_2`: the name that a family is declared with."""
    return re.sub(r"_\d+$", "", name)
