"""Tables as CSV: a header, then a row for each sample, with paths, texts and numbers."""

from __future__ import annotations

import csv
from collections import Counter
from io import StringIO
from pathlib import Path

from ....compiler.diagnostics.diagnostic import fail
from ....compiler.system.files import is_file, read_text
from ..columns import of_texts
from ..data import RawData

FORM = "a table `.csv` or `.tsv`"
_SEPARATORS = {".csv": ",", ".tsv": "\t"}


def claims(place: Path) -> bool:
    """Whether it is a file of that ending."""
    return place.suffix.lower() in _SEPARATORS and is_file(place)


def opened(place: Path, root: Path | None) -> RawData:
    """The table; raises DiagnosticError where its rows do not have the cells of its header."""
    separator = _SEPARATORS[place.suffix.lower()]
    reader = csv.reader(StringIO(read_text(place).removeprefix("\ufeff")), delimiter=separator)
    try:
        rows = [row for row in reader if row]
    except csv.Error as error:
        raise fail("E504", f"`{place}` cannot be read: {error}") from None
    if not rows:
        raise fail("E504", f"`{place}` is empty", help="its first line names the columns")
    header, *rows = rows
    if twice := [name for name, count in Counter(header).items() if count > 1]:
        raise fail("E504", f"`{place}` names the column `{twice[0]}` twice")
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            message = f"sample {number} of `{place}` has {len(row)} cells, not {len(header)}"
            raise fail("E504", message, help="put a cell with a separator in quotes")
    home = root or place.parent
    texts = {name: [row[at].strip() for row in rows] for at, name in enumerate(header)}
    columns = {name: of_texts(place.name, name, cells, home) for name, cells in texts.items()}
    return RawData(str(place), len(rows), columns, {})
