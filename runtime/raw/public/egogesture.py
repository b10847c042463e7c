"""EgoGesture: frames in colour and depth of 83 gestures by 50 subjects, and where each lies.

Frames lie in `images/Subject01/Scene1/Color/rgb1/000001.jpg` and `…/Depth/depth1/000001.jpg`, the
gestures of that recording in `labels-final-revised1/subject01/Scene1/Group1.csv`: a line for each,
with its number from 1, its first frame and its last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ....compiler.diagnostics.diagnostic import fail
from ....compiler.system.files import entries, is_folder, read_text
from ..columns import LONGEST_FILE, Numbers, Texts, cell, file_content
from ..data import Column, Content, RawData, undecodable
from . import PublicSet

IMAGES, LABELS = "images", "labels-final-revised1"
GESTURES = 83
MOST_FRAMES = 10_000
"""Frames of a gesture."""
MOST_CHARACTERS = 1_000_000
_VALIDATION = (1, 7, 12, 13, 24, 29, 33, 34, 35, 37)
_TEST = (2, 9, 11, 14, 18, 19, 28, 31, 41, 47)
_SUBJECT, _SCENE, _GROUP = (
    re.compile(rf"{word}(\d{{1,3}}){end}", re.IGNORECASE)
    for word, end in (("subject", ""), ("scene", ""), ("group", r"\.csv"))
)


@dataclass(frozen=True, slots=True)
class Gesture:
    """A gesture of a recording: its number from 1, and its frames from the first to the last."""

    subject: int
    scene: int
    group: int
    number: int
    first: int
    last: int


@dataclass(frozen=True)
class Frames:
    """The frames of gestures in one medium: below `root`, `home` and a number for each recording.

    A gesture of which no frame is there is nothing.
    """

    source: str
    name: str
    gestures: Sequence[Gesture]
    root: Path
    home: str

    @property
    def medium(self) -> str:
        return "video"

    def read(self, sample: int) -> Content | None:
        gesture, place = self.gestures[sample], self.place(sample)
        frames: list[bytes] = []
        left = LONGEST_FILE
        for number in range(gesture.first, gesture.last + 1):
            content = file_content(f"{self._folder(gesture)}/{number:06d}.jpg", self.root, place)
            if content is None:
                if not frames and not is_folder(self.root / self._folder(gesture)):
                    return None
                raise undecodable(place, f"frame {number:06d}.jpg of it is not there")
            left -= len(content)
            if left < 0:
                raise undecodable(place, f"it has more than {LONGEST_FILE:,} bytes")
            frames.append(content)
        return tuple(frames)

    def _folder(self, gesture: Gesture) -> str:
        return f"Subject{gesture.subject:02d}/Scene{gesture.scene}/{self.home}{gesture.group}"

    def place(self, sample: int) -> str:
        gesture = self.gestures[sample]
        frames = f"{gesture.first} to {gesture.last}"
        return f"{cell(self.source, self.name, sample)} (`{self._folder(gesture)}`, {frames})"

    def whole(self) -> None:
        return None


def opened(place: Path) -> RawData:
    """All gestures; raises DiagnosticError where annotations are lacking or damaged.

    Columns are `rgb`, `depth`, `labels` from 0, `split`, and `groups`, which are subjects. Frames
    may lie in the folder itself instead of in `images`.
    """
    if not is_folder(place / LABELS):
        message = f"`{place}` has no folder `{LABELS}`"
        raise fail("E504", message, help="name the folder in which the annotations lie")
    gestures = [one for home in _files(place / LABELS) for one in _read(*home)]
    root = place / IMAGES if is_folder(place / IMAGES) else place
    source = place.name
    labels = np.array([one.number - 1 for one in gestures], np.int64)
    subjects = np.array([one.subject for one in gestures], np.int64)
    columns: dict[str, Column] = {
        "rgb": Frames(source, "rgb", gestures, root, "Color/rgb"),
        "depth": Frames(source, "depth", gestures, root, "Depth/depth"),
        "labels": Numbers(source, "labels", labels),
        "split": Texts(source, "split", [_part(one.subject) for one in gestures]),
        "groups": Numbers(source, "groups", subjects),
    }
    return RawData(str(place), len(gestures), columns, {})


def _part(subject: int) -> str:
    if subject in _VALIDATION:
        return "validation"
    return "test" if subject in _TEST else "train"


def _files(home: Path) -> Iterator[tuple[Path, int, int, int]]:
    """The annotations, each with its subject, scene and group, in the order of these."""
    found = [
        (file, subject, scene, group)
        for below, subject in _numbered(home, _SUBJECT)
        for inner, scene in _numbered(below, _SCENE)
        for file, group in _numbered(inner, _GROUP)
    ]
    yield from sorted(found, key=lambda one: one[1:])


def _numbered(home: Path, name: re.Pattern[str]) -> list[tuple[Path, int]]:
    matches = [(entry, name.fullmatch(entry.name)) for entry in entries(home)]
    return [(entry, int(match[1])) for entry, match in matches if match]


def _read(file: Path, subject: int, scene: int, group: int) -> Iterator[Gesture]:
    """The gestures of a recording; a line whose frames are not said is left out."""
    for at, line in enumerate(read_text(file, MOST_CHARACTERS).splitlines(), 1):
        cells = [one.strip() for one in line.split(",")]
        if not any(cells[1:]):
            continue
        numbers = [_whole(one) for one in cells[:3]]
        number, first, last = numbers if len(numbers) == 3 else (0, 0, 0)
        if not (1 <= number <= GESTURES and 1 <= first <= last < first + MOST_FRAMES):
            message = f"line {at} of `{file}` is no gesture from 1 to {GESTURES} with its frames"
            raise fail("E504", message, help="as `7,67,112`: its number, first and last frame")
        yield Gesture(subject, scene, group, number, first, last)


def _whole(text: str) -> int:
    """A whole number, as spreadsheets write it too; 0 where it is none."""
    digits = text.removesuffix(".0")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 10 else 0


_COUNTS: Mapping[str, int] = {"train": 14_416, "validation": 4_768, "test": 4_977}
SETS = (
    PublicSet(
        "egogesture",
        "EgoGesture",
        "by subject: 30, 10 and 10",
        _COUNTS,
        f"`{IMAGES}` and `{LABELS}`",
        opened,
    ),
)
