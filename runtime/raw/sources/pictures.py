"""Folders of pictures: a class per sub-folder, which may stand in folders of a split."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from ....compiler.diagnostics.diagnostic import fail
from ....compiler.system.files import entries, is_folder
from ...data.split import WORDS
from ..columns import Files, Texts
from ..data import Column, RawData
from ..decoders import medium_of

FORM = "a folder with a folder of files for each class"
MOST_LOOKED_AT = 10_000


def claims(place: Path) -> bool:
    """Whether a file that a decoder knows stands in a folder of it, or one deeper."""
    if not is_folder(place):
        return False
    files = islice(
        (file for depth in ("*/*", "*/*/*") for file in place.glob(depth)), MOST_LOOKED_AT
    )
    return any(medium_of(file.name) for file in files)


def opened(place: Path, root: Path | None) -> RawData:
    """Every file that a decoder knows, in the order of splits, classes and names."""
    homes = _folders(place)
    splits = [one for one in homes if one.name.lower() in WORDS]
    if splits and len(splits) < len(homes):
        stray = next(one for one in homes if one not in splits)
        message = f"`{place}` has folders of a split, such as `{splits[0].name}`, and others"
        raise fail("E504", message, help=f"move `{stray.name}` into one of them")
    rows: list[tuple[str, str, str]] = []
    for home in splits or [place]:
        for category in _folders(home):
            files = [one.name for one in entries(category) if medium_of(one.name)]
            path = category.relative_to(place)
            rows += [(home.name.lower(), category.name, str(path / name)) for name in files]
    source = place.name
    columns: dict[str, Column] = {
        "file": Files(source, "file", [path for _, _, path in rows], root or place),
        "labels": Texts(source, "labels", [category for _, category, _ in rows]),
    }
    if splits:
        columns["split"] = Texts(source, "split", [split for split, _, _ in rows])
    return RawData(str(place), len(rows), columns, {})


def _folders(place: Path) -> list[Path]:
    return [one for one in entries(place) if one.is_dir()]
