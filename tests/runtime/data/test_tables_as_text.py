"""CSV as people have it: marks, gaps, names of columns, and what is said of what is no number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.syntax.parse import parse
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.identity import features_digest
from fusewright.runtime.data.new import Wishes, new_text

from ...support import tables
from ...support.tables import Arrays

ARRAYS: Arrays = tables.arrays(30)


def written(place: Path, mark: str = ",", decimal: str = ".", name: str = "{}.{}") -> list[str]:
    """The lines of a table of the arrays."""
    columns: dict[str, list[str]] = {}
    for array, values in ARRAYS.items():
        several = values[:, None] if values.ndim == 1 else values
        for place_in, column in enumerate(several.T):
            called = array if values.ndim == 1 else name.format(array, place_in)
            columns[called] = [str(cell).replace(".", decimal) for cell in column]
    return [mark.join(row) for row in (columns, *zip(*columns.values(), strict=True))]


def saved(place: Path, lines: list[str], encoding: str = "utf-8", end: str = "\n") -> Path:
    (file := place / "data.csv").write_bytes((end.join(lines) + end).encode(encoding))
    return file


def changed(lines: list[str], row: int, column: int, cell: str) -> list[str]:
    """The lines with another cell in a row, 0 for the first sample."""
    cells = lines[row + 1].split(",")
    cells[column] = cell
    return [*lines[: row + 1], ",".join(cells), *lines[row + 2 :]]


def said(file: Path) -> str:
    """What is said where a specification is made of a file, or its data are loaded."""
    with pytest.raises(fw.DiagnosticError) as caught:
        load_data(file, checked(parse(new_text(Wishes(data=file)))))
    return str(caught.value)


SAME: dict[str, Callable[[Path], Any]] = {
    "decimal commas": lambda p: saved(p, written(p, ";", ",")),
    "bars": lambda p: saved(p, written(p, "|")),
    "a mark of byte order": lambda p: saved(p, written(p), "utf-8-sig"),
    "lines of commas at the end": lambda p: saved(p, [*written(p), "," * 9, "", "," * 9]),
    "commas at the end of lines": lambda p: saved(p, [line + ",," for line in written(p)]),
    "numbers of rows in front": lambda p: saved(
        p, [f"{i or ''},{line}" for i, line in enumerate(written(p))]
    ),
    "a column of remarks": lambda p: saved(
        p,
        [
            f"{'note' if not i else '7' if i < 20 else 'see above'},{line}"
            for i, line in enumerate(written(p))
        ],
    ),
    "a column of long texts": lambda p: saved(
        p, [f"{'x ' * 400 if i else 'text'},{line}" for i, line in enumerate(written(p))]
    ),
    "columns in another order": lambda p: saved(
        p, [",".join(reversed(line.split(","))) for line in written(p)]
    ),
    "brackets": lambda p: saved(p, written(p, name="{}[{}]")),
    "numbers of one width": lambda p: saved(p, written(p, name="{}_{:03}")),
    "numbers without a mark": lambda p: saved(p, written(p, name="{}{}")),
    "capitals": lambda p: saved(
        p, ["Label".join(written(p)[0].split("labels")), *written(p)[1:]]
    ),
}  # fmt: skip


@pytest.mark.parametrize("write", SAME.values(), ids=list(SAME))
def test_habits_of_tables_change_nothing(write: Callable[[Path], Any], tmp_path: Path) -> None:
    file = write(tmp_path)
    arrays = {name: tables.stored(file)[name] for name in ARRAYS}
    assert features_digest(arrays) == features_digest(ARRAYS)
    assert "Image[c 4]" in new_text(Wishes(data=file))


WRONG: dict[str, tuple[Callable[[Path], Any], tuple[str, ...]]] = {
    "a gap": (
        lambda p: saved(p, changed(changed(written(p), 7, 2, ""), 9, 1, "NA")),
        ("`Image` has 2 values in 2 samples that are not finite", "nan in sample 7 at [2]"),
    ),
    "a gap in the first row": (
        lambda p: saved(p, changed(written(p), 0, 2, "")),
        ("the first is nan in sample 0 at [2]", "declare it `optional`"),
    ),
    "thousands": (
        lambda p: saved(p, changed(written(p, ",", "."), 3, 1, '"1 234"')),
        ("`1 234` in sample 3",),
    ),
    "thousands that may be decimal commas": (
        lambda p: saved(
            p, [line.replace("-", "") for line in ["A.0;A.1;B.0;B.1;labels", "1,234;1;2;3;a"]]
        ),
        ("`1,234` in sample 0",),
    ),
    "a share": (
        lambda p: saved(p, changed(written(p), 4, 0, "12%")),
        ("`12%` in sample 4 (`Image.0`)",),
    ),
    "no header": (lambda p: saved(p, written(p)[1:]), ("does not name its columns",)),
    "a line in front": (lambda p: saved(p, ["# ours alone", *written(p)]), ("names one column",)),
    "spaces": (lambda p: saved(p, written(p, " ")), ("put `,`, `;`, `|` or tabs",)),
    "UTF-16": (lambda p: saved(p, written(p), "utf-16"), ("save it as UTF-8",)),
    "a column twice": (
        lambda p: saved(p, [line.replace("groups", "labels") for line in written(p)]),
        ("names `labels` twice",),
    ),
    "a sample without a label": (
        lambda p: saved(p, changed(written(p), 4, 7, "")),
        ("`labels` are missing of 1 of 30 samples, the first of them 4",),
    ),
    "labels of another name": (
        lambda p: saved(p, [line.replace("labels", "target") for line in written(p)]),
        ("is it `target`? call it `labels`",),
    ),
    "labels of a name that nobody guesses": (
        lambda p: saved(p, ["a_0,a_1,b_0,b_1,state", "1,2,3,4,fine", "2,3,4,5,worn"]),
        ("is it `state`? call it `labels`", "call an array or a column `labels`, or add"),
    ),
}


@pytest.mark.parametrize(("write", "parts"), WRONG.values(), ids=list(WRONG))
def test_what_is_wrong_in_a_table_is_said_with_its_place(
    write: Callable[[Path], Any], parts: tuple[str, ...], tmp_path: Path
) -> None:
    text = said(write(tmp_path))
    for part in parts:
        assert part in text, text


def test_what_cells_are_no_numbers_is_said_with_a_remedy(tmp_path: Path) -> None:
    cells = {
        "1,234": "marks of thousands",
        "0,5": "decimal point",
        "[1, 2]": "Parquet",
        "3 kg": "units",
    }
    for cell, remedy in cells.items():
        file = saved(tmp_path, ["A", "1", f'"{cell}"'])
        with pytest.raises(fw.DiagnosticError) as caught:
            tables.stored(file)["A"]
        (diagnostic,) = caught.value.diagnostics
        assert diagnostic.code == "E504"
        assert f"`{cell}` in sample 1, which is no number" in diagnostic.message
        assert diagnostic.help is not None
        assert remedy in diagnostic.help


def test_what_python_takes_for_numbers_is_text_in_a_table(tmp_path: Path) -> None:
    """Else `1_23` and `12_3` would be one group."""
    file = saved(tmp_path, ["groups,A", "1_23,1", "12_3,2"])
    assert tables.stored(file)["groups"].tolist() == ["1_23", "12_3"]


def test_a_modality_of_which_rows_are_empty_is_optional(tmp_path: Path) -> None:
    lines = written(tmp_path)
    for row in (3, 8, 20):
        for column in (4, 5, 6):
            lines = changed(lines, row, column, "")
    file = saved(tmp_path, lines)
    text = new_text(Wishes(data=file))
    assert "modality sound optional {" in text
    found = load_data(file, checked(parse(text)))
    assert np.flatnonzero(found.features["sound.present"][:] == 0).tolist() == [3, 8, 20]
    assert not found.features["Sound"][:][[3, 8, 20]].any()


def test_columns_that_share_a_number_are_columns_of_their_own(tmp_path: Path) -> None:
    file = saved(tmp_path, ["A_1,A_01,A_2,7,8", "1,2,3,4,5"])
    assert {*tables.stored(file)} == {"A_1", "A_01", "A_2", "7", "8"}
