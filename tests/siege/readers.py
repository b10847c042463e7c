"""What reads an input: the command line in this process, or a function that it calls."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from unittest.mock import patch

import typer

from fusewright.cli.checking import plain_check
from fusewright.cli.screen.show import as_json, show
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError

from ..support.application import app

CONTENT = "{content}"
"""An argument that is the content of the file."""
USAGE = "usage"
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # which typer has a name for
_CODE = re.compile(r'^(?:error\[|    "code": ")(E\d+)', re.MULTILINE)
"""Of a diagnostic as it is printed, or as JSON."""


class Undiagnosed(AssertionError):
    """A command ended in an error without saying what is wrong."""


class Reader(Protocol):
    """Reads a file of the folder that is the current one."""

    def __call__(self, file: str) -> str:
        """Empty where the file is accepted, else the code of the first diagnostic."""
        ...


@cache
def commands() -> Any:
    """The command line with all its commands."""
    return typer.main.get_command(app)


@dataclass(frozen=True)
class Command:
    """A call of the command line; nothing that it prints is shown."""

    arguments: tuple[str, ...]

    @classmethod
    def of(cls, line: str, *more: str) -> Command:
        """The command of a line, without `fusewright`, and arguments that may hold spaces."""
        return cls((*line.split(), *more))

    def __str__(self) -> str:
        return shlex.join(["fusewright", *self.arguments])

    def __call__(self, file: str) -> str:
        arguments = self.arguments
        if CONTENT in arguments:
            text = Path(file).read_bytes().decode("utf-8", "replace").replace("\x00", "")
            arguments = tuple(text if one == CONTENT else one for one in arguments)
        return run_command(arguments)


def run_command(arguments: Sequence[str]) -> str:
    """Runs the command line as `fusewright.cli.main` does; empty, or the code of what is wrong."""
    printed = io.StringIO()
    with (
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        patch.object(sys, "argv", ["fusewright", *arguments]),
    ):
        try:
            status = plain_check(arguments)
            if status is None:
                status = commands().main([*arguments], "fusewright", standalone_mode=False)
        except DiagnosticError as error:
            return code_of(error)
        except _UsageError:
            return USAGE
    if not status:
        return ""
    codes = _CODE.findall(printed.getvalue())
    if not codes and not {"--check", "--diff"} & {*arguments}:
        raise Undiagnosed(printed.getvalue()[-2000:])
    return str(codes[0]) if codes else "changes"


def code_of(error: DiagnosticError) -> str:
    """The code of the first error, of diagnostics that can be shown in both ways."""
    printed = io.StringIO()
    show(error.diagnostics, printed)
    if not _CODE.search(printed.getvalue()) or not all(d.message for d in error.diagnostics):
        raise Undiagnosed(printed.getvalue()[-2000:])
    for diagnostic in error.diagnostics:
        as_json(diagnostic)
    return next(d.code for d in error.diagnostics if d.is_error)


@dataclass(frozen=True)
class Call:
    """A function that is given the path of the file."""

    function: Callable[[str], object]

    def __str__(self) -> str:
        return self.function.__qualname__

    def __call__(self, file: str) -> str:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            try:
                self.function(file)
            except DiagnosticError as error:
                return code_of(error)
        return ""


def text_of(file: str) -> str:
    """The text of a file, for functions that are given texts."""
    return Path(os.fspath(file)).read_bytes().decode("utf-8", "replace")
