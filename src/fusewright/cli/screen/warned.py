"""What is to be doubted of data, shown on standard error while a command runs."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TextIO

from ...compiler.diagnostics.diagnostic import DataWarning
from .show import as_json, show


@contextmanager
def data_warnings() -> Generator[list[dict[str, Any]]]:
    """Shows each warning of data once; the list holds them as JSON."""
    shown: list[dict[str, Any]] = []
    usual = warnings.showwarning

    def show_once(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if not isinstance(message, DataWarning):
            usual(message, category, filename, lineno, file, line)
        elif (record := as_json(message.diagnostic)) not in shown:
            shown.append(record)
            show([message.diagnostic], sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("always", DataWarning)
        warnings.showwarning = show_once
        yield shown
