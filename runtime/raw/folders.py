"""What stands in folders of raw data."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.system.files import reason

MOST_ENTRIES = 1_000_000
"""Files and folders of one folder."""


def entries(place: Path) -> list[Path]:
    """What stands in a folder, by name; raises DiagnosticError where that cannot be read."""
    try:
        found = sorted(islice(place.iterdir(), MOST_ENTRIES + 1))
    except OSError as error:
        raise fail("E504", f"`{place}` cannot be read: {reason(error)}") from None
    if len(found) > MOST_ENTRIES:
        message = f"`{place}` has more than {MOST_ENTRIES:,} files and folders"
        raise fail("E504", message, help="divide it")
    return found
