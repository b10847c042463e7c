"""Tables as Parquet: columns of paths, texts, bytes, numbers and lists of them."""

from __future__ import annotations

from pathlib import Path

from ....compiler.system.files import is_file, open_file
from ...data.arrow_columns import reading
from ...data.formats import diagnosed, parquet
from ..arrow import class_names, columns_of
from ..data import RawData

FORM = "a table `.parquet`"


def claims(place: Path) -> bool:
    """Whether it is a file of that ending."""
    return place.suffix.lower() in parquet.ENDINGS and is_file(place)


def opened(place: Path, root: Path | None) -> RawData:
    """The table, in memory; raises DiagnosticError where it cannot be read, or does not fit."""
    with open_file(place) as stream, diagnosed(f"`{place}`", parquet.UNREADABLE), reading():
        table = parquet.read_table(stream)
        columns = columns_of(table, place.name, root or place.parent)
    return RawData(str(place), table.num_rows, columns, class_names(table.schema))
