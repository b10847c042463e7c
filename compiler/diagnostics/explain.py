"""What a diagnostic code means at length: one Markdown page for each, in `explanations/`."""

from __future__ import annotations

import re
from pathlib import Path

from .codes import CODES
from .diagnostic import did_you_mean, fail


def explanation(code: str) -> str:
    """The page of a code as Markdown, under its one-line summary as the title.

    Raises DiagnosticError for a code that is not in `CODES`.
    """
    key = re.sub(r"^(?:ERROR|WARNING)\[(\w+)\]$", r"\1", code.strip().upper())
    if key not in CODES:
        remedy = did_you_mean(code, CODES)
        otherwise = "a diagnostic shows its code in brackets: `error[E203]`"
        raise fail("E506", f"unknown code `{code}`", help=remedy or otherwise)
    page = page_path(key).read_text(encoding="utf-8")
    return f"# {key}: {CODES[key]}\n\n{page}"


def page_path(code: str) -> Path:
    """Where the page of a code stands."""
    return Path(__file__).parent / "explanations" / f"{code}.md"
