"""NTU RGB+D: colour videos and skeletons of 60 actions by 40 subjects.

A recording is called S…C…P…R…A…: by its setup, camera, subject, replication and action. Subjects
divide the data, in three ways: as the BM-NAS paper says (§4.2), as its published code searches, and
as that trains what it has found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from ....compiler.diagnostics.diagnostic import fail
from ....compiler.system.files import entries, is_file, is_folder, read_text
from ..columns import Files, Numbers, Texts
from ..data import Column, RawData
from . import PublicSet

VIDEOS = ("nturgb+d_rgb_256x256_30", "nturgb+d_rgb")
"""Folders of videos: made smaller before, or as they are."""
SKELETONS = "nturgb+d_skeletons"
VIDEO_END, SKELETON_END = "_rgb.avi", ".skeleton"
MISSING = ("NTU_RGBD_samples_with_missing_skeletons.txt", "samples_with_missing_skeletons.txt")
"""Names of the authors' list of recordings whose skeletons are missing or incomplete."""
SETUPS, ACTIONS = 17, 60
"""Those of NTU RGB+D; others are of NTU RGB+D 120, and are left out."""
_NAME = re.compile(r"S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})")
_VALIDATION = (2, 5, 9, 14)
_OTHERS = (3, 6, 7, 10, 11, 12, 20, 21, 22, 23, 24, 26, 29, 30, 32, 33, 36, 37, 39, 40)
"""The subjects that the authors test with (cross-subject)."""
Subjects = Mapping[str, tuple[int, ...]]


def _divided(train: tuple[int, ...], test: tuple[int, ...] | None = None) -> Subjects:
    """A split with these subjects; without any to test with, all others are."""
    known = {*train, *_VALIDATION}
    rest = tuple(subject for subject in range(1, 41) if subject not in known)
    return {"train": train, "validation": _VALIDATION, "test": rest if test is None else test}


PAPER = _divided((1, 4, 8, 13, 15, 17, 19))
SEARCH = _divided((1, 8, 15, 17, 19, 27, 31, 35), _OTHERS)
RETRAINING = _divided((1, 4, 8, 13, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38), _OTHERS)


def opened(subjects: Subjects, place: Path) -> RawData:
    """The recordings of a split; raises DiagnosticError where there are none.

    Columns are `video` and `skeleton`, where there is a folder of them, `labels` from 0, `split`,
    and `groups`, which are subjects. What the authors' list names is left out where it is there.
    """
    videos = next((name for name in VIDEOS if is_folder(place / name)), None)
    homes = {"video": (videos, VIDEO_END), "skeleton": (SKELETONS, SKELETON_END)}
    found: dict[str, dict[str, str]] = {}
    for medium, (home, end) in homes.items():
        if home is not None and is_folder(place / home):
            found[medium] = _recordings(place / home, end)
    if not found:
        message = f"`{place}` has neither `{VIDEOS[-1]}` nor `{SKELETONS}`"
        raise fail("E504", message, help="name the folder in which these lie")
    parts = {subject: part for part, of in subjects.items() for subject in of}
    left_out = _listed(place)
    names = sorted({name for files in found.values() for name in files} - left_out)
    names = [name for name in names if _subject(name) in parts]
    source = place.name
    columns: dict[str, Column] = {
        medium: Files(source, medium, [files.get(name, "") for name in names], place)
        for medium, files in found.items()
    }
    labels = np.array([int(name[-3:]) - 1 for name in names], np.int64)
    who = [_subject(name) for name in names]
    columns["labels"] = Numbers(source, "labels", labels)
    columns["split"] = Texts(source, "split", [parts[one] for one in who])
    columns["groups"] = Numbers(source, "groups", np.array(who, np.int64))
    return RawData(str(place), len(names), columns, {})


def _recordings(home: Path, end: str) -> dict[str, str]:
    """The files of a folder by the names of their recordings, each below the folder of all."""
    found: dict[str, str] = {}
    for file in entries(home):
        if file.name.endswith(end):
            match = _NAME.fullmatch(file.name.removesuffix(end))
            if match and int(match[1]) <= SETUPS and 0 < int(match[5]) <= ACTIONS:
                found[match[0]] = f"{home.name}/{file.name}"
    return found


def _subject(name: str) -> int:
    return int(name[9:12])


def _listed(place: Path) -> set[str]:
    """What the authors' list names, if it is there; lines that are no names are its heading."""
    lists = [place / name for name in MISSING if is_file(place / name)]
    lines = read_text(lists[0], 1_000_000).split() if lists else []
    return {line for line in lines if _NAME.fullmatch(line)}


def _set(name: str, split: str, subjects: Subjects, *counts: tuple[int, int]) -> PublicSet:
    pairs = dict(zip(("train", "validation", "test"), counts, strict=True))
    return PublicSet(
        name,
        "NTU RGB+D",
        split,
        {part: whole for part, (whole, _) in pairs.items()},
        f"`{VIDEOS[-1]}` and `{SKELETONS}`",
        partial(opened, subjects),
        {part: listed for part, (_, listed) in pairs.items()},
    )


SETS = (
    _set(
        "ntu",
        "the subjects of the paper: 7 to train, 4 to validate, 29 to test",
        PAPER,
        *((23_040, 88), (2_520, 11), (31_320, 203)),
    ),
    _set(
        "ntu-search",
        "the published code's search: 8, 4 and 20 subjects",
        SEARCH,
        *((23_760, 127), (2_520, 11), (16_560, 73)),
    ),
    _set(
        "ntu-retraining",
        "the published code's retraining: 16, 4 and 20 subjects",
        RETRAINING,
        *((37_800, 218), (2_520, 11), (16_560, 73)),
    ),
)
