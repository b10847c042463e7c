"""Tables as text, read as data of features are: a row for each sample, with paths and texts too."""

from __future__ import annotations

from pathlib import Path

from ....compiler.system.files import is_file, open_file
from ...data.formats import csv, diagnosed
from ..columns import of_texts
from ..data import RawData

FORM = "a table `.csv` or `.tsv`"


def claims(place: Path) -> bool:
    """Whether it is a file of that ending."""
    return place.suffix.lower() in csv.ENDINGS and is_file(place)


def opened(place: Path, root: Path | None) -> RawData:
    """The table; raises DiagnosticError where its rows do not have the cells of its header."""
    with (
        open_file(place) as stream,
        diagnosed(f"`{place}`", csv.UNREADABLE),
        csv.read_rows(stream) as table,
    ):
        names = table.names
        rows = [row for block in table.blocks for row in block]
    home = root or place.parent
    cells = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    columns = {name: of_texts(place.name, name, of, home) for name, of in cells.items()}
    return RawData(str(place), len(rows), columns, {})
