"""Hugging Face datasets as `save_to_disk` leaves them, read as data of features are.

They are read by pyarrow alone, so that no code of a dataset is run.
"""

from __future__ import annotations

from pathlib import Path

from ....compiler.system.files import is_file
from ...data.arrow_columns import reading
from ...data.formats import diagnosed, huggingface
from ..arrow import class_names, columns_of
from ..columns import Texts
from ..data import Column, RawData

FORM = "a folder that `datasets` saved"


def claims(place: Path) -> bool:
    """Whether a record of a dataset, or of several that are its splits, is there."""
    return any(is_file(place / mark) for mark in huggingface.MARKS)


def opened(place: Path, root: Path | None) -> RawData:
    """The dataset, its splits one after the other; raises DiagnosticError where it is damaged."""
    with diagnosed(f"`{place}`", huggingface.UNREADABLE), reading():
        table, split = huggingface.saved_table(place)
        columns = columns_of(table.whole, place.name, root or place)
    own: dict[str, Column] = {}
    if split is not None:
        own["split"] = Texts(place.name, "split", split.tolist())
    return RawData(str(place), table.rows, own | columns, class_names(table.schema))
