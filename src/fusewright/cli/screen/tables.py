"""Tables on a terminal: columns as wide as what stands in them."""

from __future__ import annotations

from collections.abc import Sequence


def print_table(rows: Sequence[Sequence[str]], *, named: bool = False) -> None:
    """Prints rows of as many cells, set to the right; those that are `named` begin at the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        if named:
            cells[0] = row[0].ljust(widths[0])
        print("  ".join(cells).rstrip())
