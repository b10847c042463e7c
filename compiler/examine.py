"""Everything that can be said of a text at once: its Spec, its network, all diagnostics.

After a syntax error the rest of the text is still checked; what the part that could not be read
may explain is left unsaid: errors that speak of a name in it, and statements that seem missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from os import PathLike, fspath

from .check import examined
from .diagnostics import Diagnostic, DiagnosticError, Report
from .files import read_text
from .lint import lint
from .load import Spelling, by_ending, read
from .network import Network
from .override import override
from .source import Source
from .spec import Spec

_DEPENDS_ON_ALL = ("E007", "E4", "W")
"""Codes that say something of a text as a whole."""


@dataclass(frozen=True)
class Examination:
    """What a text says; what that means is found when it is first asked for.

    `spec` is what could be read of it, `unread` the parts that could not, `misread` what is wrong
    with these; `spec` is empty where nothing could be read at all, and then means nothing.
    """

    source: Source
    spec: Spec
    misread: tuple[Diagnostic, ...] = ()
    unread: tuple[str, ...] = ()
    nothing: bool = False

    @cached_property
    def _examined(self) -> tuple[Network | None, Report]:
        report = Report()
        network = None if self.nothing else examined(self.spec, report)
        if self.misread or self.unread:
            report.diagnostics = list(_independent(report.diagnostics, self.unread))
        report.diagnostics += self.misread
        return network, report

    @property
    def network(self) -> Network | None:
        """The network, None where names do not resolve or something could not be read."""
        return None if any(d.is_error for d in self.misread) else self._examined[0]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The errors, in the order of the text."""
        return tuple(self._examined[1].errors)

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The errors, or else the warnings, in the order of the text."""
        network, found = self._examined
        report = Report(list(found.diagnostics))
        if network is not None and not report.errors:
            lint(network, report)
        return tuple(report.sorted())


def examine(
    text: str,
    name: str = "<text>",
    spelling: Spelling | None = None,
    numbers: Mapping[str, int | float] | None = None,
) -> Examination:
    """Reads a text, to be checked; `numbers` override those of its network. Raises nothing."""
    source, report = Source(name, text), Report()
    try:
        spec, skipped = read(source, report, spelling)
        spec = override(spec, numbers or {})
    except DiagnosticError as error:
        wrong = (*report.sorted(), *error.diagnostics)
        return Examination(source, Spec(), wrong, nothing=True)
    return Examination(source, spec, tuple(report.diagnostics), tuple(skipped))


def examine_file(
    path: str | PathLike[str], numbers: Mapping[str, int | float] | None = None
) -> Examination:
    """Examines a file, spelt as its ending says, or else as its content shows."""
    name = fspath(path)
    try:
        return examine(read_text(path), name, by_ending(path), numbers)
    except DiagnosticError as error:
        return Examination(Source(name, ""), Spec(), error.diagnostics, nothing=True)


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
