"""Videos of NTU RGB+D made smaller, once: what the published code does with its videos too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import Diagnostic, DiagnosticError, fail
from ...compiler.system.files import (
    entries,
    is_file,
    is_folder,
    make_folder,
    read_bytes,
    write_file,
)
from ..progress import Progress, no_progress
from .columns import LONGEST_FILE
from .decoders.picture import Transform as PictureTransform
from .decoders.picture import levels_of
from .decoders.video import images_of
from .encode import avi
from .public import PublicSet
from .public.ntu import VIDEO_END, VIDEOS

SIDE, RATE = 256, 30
MOST_SAID = 20
"""Videos that cannot be read of which a diagnostic each is given."""


@dataclass
class Prepared:
    """How many videos were made smaller, how many were before, and which could not be."""

    folder: Path
    made: int = 0
    kept: int = 0
    broken: list[Diagnostic] = field(default_factory=list[Diagnostic])


def prepare(public: PublicSet, folder: Path, progress: Progress = no_progress) -> Prepared:
    """Writes the videos of a folder beside it with frames of 256 × 256; a rerun goes on.

    One that cannot be read is left out, and said. Raises DiagnosticError where the data set has
    nothing to prepare, or its videos are not there.
    """
    if public.module != "ntu":
        message = f"`{public.name}` is read as it is: nothing is prepared"
        raise fail("E506", message, help=f"`fusewright extract SPEC --raw {public.name}:FOLDER`")
    smaller, whole = (folder / name for name in VIDEOS)
    if not is_folder(whole):
        message = f"`{folder}` has no folder `{whole.name}`"
        raise fail("E504", message, help="name the folder in which it lies")
    make_folder(smaller)
    files = [file for file in entries(whole) if file.name.endswith(VIDEO_END)]
    result = Prepared(smaller)
    for number, file in enumerate(files, 1):
        target = smaller / file.name
        if is_file(target):
            result.kept += 1
        else:
            _make(file, target, result)
        progress(number, len(files))
    return result


def _make(file: Path, target: Path, result: Prepared) -> None:
    try:
        content = avi(_frames(file), RATE)
    except DiagnosticError as error:
        result.broken += error.diagnostics[: MOST_SAID - len(result.broken)]
        return
    write_file(target, content)
    result.made += 1


def _frames(file: Path) -> Iterator[NDArray[np.uint8]]:
    transform = PictureTransform(resize=(SIDE, SIDE), interpolation="bicubic")
    place, count = f"`{file}`", 0
    for image in images_of(read_bytes(file, LONGEST_FILE), place, transform.mode):
        count += 1
        yield levels_of(image, place, transform)
    if not count:
        raise fail("E504", f"{place} cannot be decoded: it has no frame")
