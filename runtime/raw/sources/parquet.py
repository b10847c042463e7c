"""Tables as Parquet: columns of paths, texts, bytes, numbers and lists of them."""

from __future__ import annotations

from pathlib import Path

from ....compiler.diagnostics.diagnostic import fail
from ....compiler.system.files import is_file, open_file, reason
from ...extras import needed
from ..arrow import columns_of
from ..data import RawData

FORM = "a table `.parquet`"


def claims(place: Path) -> bool:
    """Whether it is a file of that ending."""
    return place.suffix.lower() in (".parquet", ".pq") and is_file(place)


def opened(place: Path, root: Path | None) -> RawData:
    """The table; raises DiagnosticError where it cannot be read."""
    pyarrow = needed("pyarrow", "formats")
    parquet = needed("pyarrow.parquet", "formats")
    with open_file(place) as stream:
        try:
            table = parquet.read_table(pyarrow.PythonFile(stream, "r"))
        except (OSError, ValueError, MemoryError, pyarrow.ArrowException) as error:
            raise fail("E504", f"`{place}` cannot be read: {reason(error)}") from None
    columns = columns_of(table, place.name, root or place.parent)
    return RawData(str(place), table.num_rows, columns, {})
