"""Everything that can be said of a text at once: its Spec, its network, all diagnostics.

A text is read first, which is all that an outline needs, and then examined. After a syntax error
the rest of the text is still checked; what the part that could not be read may explain is left
unsaid: errors that stand at a name in it, and statements that seem missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike, fspath

from ..diagnostics.diagnostic import Diagnostic, DiagnosticError, Report
from ..diagnostics.source import Source
from ..documents.spellings import GraphNotation, Spelling, by_ending, notation_of, read
from ..language.override import override
from ..language.spec import Spec
from ..network.network import Network
from ..system.files import read_text
from .check import findings, network_of

_DEPENDS_ON_ALL = ("E007", "E4", "W")
"""Codes that say something of a text as a whole."""


@dataclass(frozen=True)
class Reading:
    """What a text says, before anything is known of what that means.

    `spec` is what could be read of it, `unread` the parts that could not, `misread` what is wrong
    with these; `spec` is empty where nothing could be read at all, and then means nothing.
    """

    source: Source
    spec: Spec
    misread: tuple[Diagnostic, ...] = ()
    unread: tuple[str, ...] = ()
    nothing: bool = False


@dataclass(frozen=True)
class Examination:
    """What is found out about a text.

    `network` is None where names do not resolve or something could not be read; `diagnostics` are
    the errors, or else the warnings, in the order of the text.
    """

    reading: Reading
    network: Network | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def source(self) -> Source:
        return self.reading.source

    @property
    def spec(self) -> Spec:
        """What could be read of the text."""
        return self.reading.spec

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The errors, in the order of the text."""
        return tuple(d for d in self.diagnostics if d.is_error)


def examine(
    text: str,
    name: str = "<text>",
    spelling: Spelling | None = None,
    numbers: Mapping[str, int | float] | None = None,
) -> Examination:
    """Reads and examines a text; `numbers` override those of its network. Raises nothing."""
    return examine_reading(read_all(text, name, spelling, numbers))


def examine_file(
    path: str | PathLike[str], numbers: Mapping[str, int | float] | None = None
) -> Examination:
    """Examines a file, spelt as its ending says, or else as its content shows."""
    name = fspath(path)
    try:
        text = read_text(path)
    except DiagnosticError as error:
        wrong = error.diagnostics
        return Examination(Reading(Source(name, ""), Spec(), wrong, nothing=True), None, wrong)
    notation = notation_of(name, text)
    if notation is not None:
        return _examine_graph(text, name, notation, numbers)
    return examine(text, name, by_ending(path), numbers)


def _examine_graph(
    text: str, name: str, notation: GraphNotation, numbers: Mapping[str, int | float] | None
) -> Examination:
    """Examines the specification that a graph says, as its canonical text."""
    from ..graph.interchange import read_graph

    try:
        spec = read_graph(text, notation, name)
    except DiagnosticError as error:
        wrong = error.diagnostics
        return Examination(Reading(Source(name, text), Spec(), wrong, nothing=True), None, wrong)
    return examine(str(spec), f"{name} as text", "fuse", numbers)


def read_all(
    text: str,
    name: str = "<text>",
    spelling: Spelling | None = None,
    numbers: Mapping[str, int | float] | None = None,
) -> Reading:
    """Reads a text as far as it can be; `numbers` override its network's. Raises nothing."""
    source, report = Source(name, text), Report()
    try:
        spec, skipped = read(source, report, spelling)
        spec = override(spec, numbers or {})
    except DiagnosticError as error:
        wrong = (*report.sorted(), *error.diagnostics)
        return Reading(source, Spec(), wrong, nothing=True)
    return Reading(source, spec, tuple(report.diagnostics), tuple(skipped))


def examine_reading(reading: Reading) -> Examination:
    """Finds out what a text means that has been read."""
    report = Report()
    network = None if reading.nothing else network_of(reading.spec, report)
    if reading.misread or reading.unread:
        report.diagnostics = list(_independent(report.diagnostics, reading.unread))
    report.diagnostics += reading.misread
    diagnostics = findings(network, report)
    if any(d.is_error for d in reading.misread):
        network = None
    return Examination(reading, network, tuple(diagnostics))


def _independent(diagnostics: Iterable[Diagnostic], skipped: Iterable[str]) -> Iterable[Diagnostic]:
    """The diagnostics that hold whatever stands in the parts that could not be read.

    A diagnostic speaks of the first name at its span.
    """
    unread = {_family(word) for text in skipped for word in re.findall(r"\w+", text)}
    for diagnostic in diagnostics:
        name = re.search(r"[^\W\d]\w*", diagnostic.span.text) if diagnostic.span else None
        is_unread = name is not None and _family(name.group()) in unread
        if not is_unread and not diagnostic.code.startswith(_DEPENDS_ON_ALL):
            yield diagnostic


def _family(name: str) -> str:
    """`Cell` for `Cell_2`: the name that a family is declared with."""
    return re.sub(r"_\d+$", "", name)
