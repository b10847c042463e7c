"""The paper's data sets, from small data in their true forms: columns, splits, and what is wrong.

Counts of NTU RGB+D are those of the authors' 56,880 names, taken apart by subject, of which their
list names 302; those of EgoGesture are the lines of the lists that Real-time-GesRec publishes.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import fusewright as fw
from fusewright.runtime.raw.data import RawData
from fusewright.runtime.raw.decoders import decoder
from fusewright.runtime.raw.open import open_raw
from fusewright.runtime.raw.public import public_sets
from fusewright.runtime.raw.public.ntu import MISSING, PAPER, RETRAINING, SEARCH
from fusewright.runtime.raw.tiny import write_tiny
from fusewright.runtime.raw.tiny.mmimdb import stored

SAMPLES = 16


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a folder for each data set."""
    home = tmp_path_factory.mktemp("tiny")
    for name in ("mmimdb", "ntu", "egogesture"):
        write_tiny(public_sets()[name], home / name, SAMPLES)
    return home


def opened(tiny: Path, name: str) -> RawData:
    return open_raw(f"{name}:{tiny / name.partition('-')[0]}")


def whole(raw: RawData, name: str) -> list[Any]:
    values = raw.columns[name].whole()
    assert values is not None
    return list(values.tolist())


@pytest.mark.parametrize("name", sorted(public_sets()))
def test_every_data_set_has_samples_in_each_part(tiny: Path, name: str) -> None:
    raw = opened(tiny, name)
    assert set(whole(raw, "split")) == {"train", "validation", "test"}
    assert len(whole(raw, "labels")) == raw.samples <= SAMPLES
    for column in raw.columns.values():
        if column.whole() is None:
            assert column.read(0) is not None, column


def test_names_of_data_sets_are_those_of_the_documents() -> None:
    assert set(public_sets()) == {"mmimdb", "ntu", "ntu-search", "ntu-retraining", "egogesture"}
    totals = {name: sum(one.parts.values()) for name, one in public_sets().items()}
    assert totals["ntu"] == totals["ntu-retraining"] == 56_880
    assert {sum(one.listed.values()) for n, one in public_sets().items() if n == "ntu"} == {302}
    assert totals["egogesture"] == 24_161
    assert totals["mmimdb"] == 25_959


def test_a_name_of_no_data_set_is_diagnosed(tmp_path: Path) -> None:
    with pytest.raises(fw.DiagnosticError, match="cannot be read") as error:
        open_raw(f"mmimbd:{tmp_path}")
    assert "`mmimdb`" in str(error.value.diagnostics[0].help)
    with pytest.raises(fw.DiagnosticError, match="no such file"):
        open_raw(f"mmimdb:{tmp_path / 'nowhere'}")


# MM-IMDB


def changed(folder: Path) -> Any:
    """The file in a folder, open to be changed."""
    return h5py.File(folder / "multimodal_imdb.hdf5", "r+")


def test_posters_come_back_in_their_colours(tiny: Path) -> None:
    """What the authors' script took away is added again, to a level where it had cut off."""
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    pixels = np.stack([levels, levels.T, levels[::-1]], -1)
    with changed(tiny / "mmimdb") as file:
        kept = file["images"][0]
        file["images"][0] = 0
        file["images"][0, :, :16, :16] = stored(pixels)
    try:
        found = opened(tiny, "mmimdb").columns["image"].read(0)
        assert isinstance(found, np.ndarray)
        assert found.shape == (256, 160, 3)
        difference = found[:16, :16].astype(int) - pixels
        assert np.isin(difference, (0, 1)).all()
        assert (difference != 0).sum() == 3  # one level of each colour
        array = decoder("picture").decode(found, "it", decoder("picture").Transform())
        assert array.shape == (3, 256, 160)
    finally:
        with changed(tiny / "mmimdb") as file:
            file["images"][0] = kept


def without_split(file: Any) -> None:
    del file.attrs["split"]


def overlapping(file: Any) -> None:
    table = file.attrs["split"]
    table["stop"] += 1
    file.attrs["split"] = table


def texts_for_a_split(file: Any) -> None:
    del file.attrs["split"]
    file.attrs["split"] = ["train", "dev"]


def without_genres(file: Any) -> None:
    del file["genres"]


def strange_genres(file: Any) -> None:
    file["genres"][0, 0] = 7


def too_few(file: Any) -> None:
    del file["features"]
    file["features"] = np.zeros((2, 300))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (without_split, "says nothing of a split"),
        (overlapping, "unknown or overlap"),
        (texts_for_a_split, "no table that Fuel writes"),
        (without_genres, "has no dataset `genres`"),
        (strange_genres, "are not 0 or 1"),
        (too_few, "do not fit each other"),
    ],
)
def test_a_file_that_is_not_as_its_authors_wrote_it_is_diagnosed(
    change: Any, why: str, tmp_path: Path
) -> None:
    write_tiny(public_sets()["mmimdb"], tmp_path, 8)
    with changed(tmp_path) as file:
        change(file)
    with pytest.raises(fw.DiagnosticError, match=why):
        open_raw(f"mmimdb:{tmp_path}")


def test_a_poster_with_other_numbers_is_diagnosed(tmp_path: Path) -> None:
    write_tiny(public_sets()["mmimdb"], tmp_path, 8)
    with changed(tmp_path) as file:
        file["images"][1, 0, 0, 0] = 200
    image = open_raw(f"mmimdb:{tmp_path}").columns["image"]
    assert image.read(0) is not None
    with pytest.raises(fw.DiagnosticError, match=r"sample 2 of .* is no poster less the mean"):
        image.read(1)


# NTU RGB+D


def test_subjects_divide_ntu_in_three_ways(tiny: Path) -> None:
    assert [len(part) for part in PAPER.values()] == [7, 4, 29]
    assert [len(part) for part in SEARCH.values()] == [8, 4, 20]
    assert [len(part) for part in RETRAINING.values()] == [16, 4, 20]
    for subjects in (PAPER, SEARCH, RETRAINING):
        every = [subject for part in subjects.values() for subject in part]
        assert len(set(every)) == len(every)
    raw = opened(tiny, "ntu")
    found = dict(zip(whole(raw, "groups"), whole(raw, "split"), strict=True))
    assert found == {1: "train", 8: "train", 15: "train", 17: "train"} | {
        2: "validation",
        5: "validation",
        3: "test",
        6: "test",
    }
    assert set(whole(raw, "labels")) == {0, 1, 2}


def test_skeletons_of_the_list_are_left_out_where_it_lies_there(tmp_path: Path) -> None:
    write_tiny(public_sets()["ntu"], tmp_path, 8)
    raw = open_raw(f"ntu:{tmp_path}")
    assert raw.samples == 8
    (tmp_path / MISSING[0]).unlink()
    raw = open_raw(f"ntu:{tmp_path}")
    assert raw.samples == 9
    skeletons = raw.columns["skeleton"]
    contents = [skeletons.read(number) for number in range(9)]
    (empty,) = [one for one in contents if isinstance(one, bytes) and one.split()[1] == b"0"]
    kind = decoder("skeleton")
    with pytest.raises(fw.DiagnosticError, match="nobody is in it"):
        kind.decode(empty, "it", kind.Transform())


def test_one_medium_of_ntu_is_enough_and_a_file_may_be_missing(tmp_path: Path) -> None:
    write_tiny(public_sets()["ntu"], tmp_path, 8)
    videos = sorted((tmp_path / "nturgb+d_rgb").iterdir())
    videos[0].unlink()
    (tmp_path / "nturgb+d_rgb/S018C001P008R001A061_rgb.avi").write_bytes(b"of NTU RGB+D 120")
    raw = open_raw(f"ntu:{tmp_path}")
    assert raw.samples == 8
    assert raw.columns["video"].read(0) is None
    assert raw.columns["skeleton"].read(0) is not None
    for file in videos[1:]:
        file.unlink()
    (tmp_path / "nturgb+d_rgb/S018C001P008R001A061_rgb.avi").unlink()
    (tmp_path / "nturgb+d_rgb").rmdir()
    assert set(open_raw(f"ntu-search:{tmp_path}").columns) == {
        *("skeleton", "labels", "split", "groups")
    }
    with pytest.raises(fw.DiagnosticError, match="has neither"):
        open_raw(f"ntu:{tmp_path / 'nturgb+d_skeletons'}")


# EgoGesture


def test_gestures_are_frames_from_the_first_to_the_last(tiny: Path) -> None:
    raw = opened(tiny, "egogesture")
    lines = (tiny / "egogesture/labels-final-revised1/subject01/Scene1/Group1.csv").read_text()
    number, first, last = map(int, lines.splitlines()[0].split(","))
    frames = raw.columns["depth"].read(0)  # of the first subject
    assert isinstance(frames, tuple)
    assert len(frames) == last - first + 1
    folder = tiny / "egogesture/images/Subject01/Scene1/Depth/depth1"
    assert frames[0] == (folder / f"{first:06d}.jpg").read_bytes()
    assert whole(raw, "labels")[0] == number - 1
    assert Counter(whole(raw, "split")).keys() == {"train", "validation", "test"}
    assert whole(raw, "groups") == sorted(whole(raw, "groups"))


@pytest.mark.parametrize("line", ["84,1,9", "0,1,9", "7,9,1", "7,1,99999", "7,x,9", "7,1"])
def test_a_line_that_is_no_gesture_is_diagnosed(line: str, tmp_path: Path) -> None:
    notes = tmp_path / "labels-final-revised1/Subject03/scene2"
    notes.mkdir(parents=True)
    (notes / "group1.csv").write_text(f"3,1.0,9.0\n4,,\n{line}\n", "utf-8")
    with pytest.raises(fw.DiagnosticError, match=r"line 3 of .* is no gesture"):
        open_raw(f"egogesture:{tmp_path}")
    (notes / "group1.csv").write_text("3,1.0,9.0\n4,,\n", "utf-8")
    raw = open_raw(f"egogesture:{tmp_path}")
    assert whole(raw, "labels") == [2]
    assert raw.columns["rgb"].read(0) is None  # no frames are there at all


def test_a_frame_that_is_lacking_is_diagnosed(tmp_path: Path) -> None:
    write_tiny(public_sets()["egogesture"], tmp_path, 8)
    folder = tmp_path / "images/Subject01/Scene1/Color/rgb1"
    sorted(folder.iterdir())[5].unlink()
    raw = open_raw(f"egogesture:{tmp_path}")
    with pytest.raises(fw.DiagnosticError, match=r"frame 000006\.jpg of it is not there"):
        raw.columns["rgb"].read(0)
    with pytest.raises(fw.DiagnosticError, match="has no folder `labels-final-revised1`"):
        open_raw(f"egogesture:{folder}")
