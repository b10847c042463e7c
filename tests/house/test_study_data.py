"""The data sets of the study: parsers and splits on tiny wheels, and the real ones where cached."""

from __future__ import annotations

import io
import json
import os
import pickle
import tarfile
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from benchmarks.demo_data.variants import linked
from benchmarks.study.data import (
    SETS,
    compounds,
    digits,
    icons,
    load,
    material,
    melting,
    sounds,
    stamps,
    watch,
    wordnet,
)
from benchmarks.study.data.backbones import GlyphBackbone, SequenceBackbone, VectorBackbone
from benchmarks.study.data.features import Arrays, Unimodal, extract, jitter, standardised
from benchmarks.study.data.packages import fetch, read, read_all
from numpy.typing import NDArray

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.split import TEST, TRAIN, VALIDATION
from fusewright.runtime.demo.backbones import Backbone
from fusewright.runtime.demo.training import Schedule

CACHE = Path(os.environ.get("FUSEWRIGHT_STUDY_DATA", Path.home() / ".cache" / "fusewright-study"))


def wheel_of(folder: Path, members: dict[str, bytes]) -> Path:
    path = folder / "made_up-1.0-py3-none-any.whl"
    with ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def assert_usable(name: str, arrays: Arrays) -> None:
    """It fits its specification, every split has samples, and no group is in two of them."""
    data = load_data(arrays, checked(fw.load(SETS[name].spec)))
    assert set(data.split.tolist()) == {TRAIN, VALIDATION, TEST}
    groups: NDArray[Any] = arrays["groups"]
    pairs = set(zip(groups.tolist(), arrays["split"].tolist(), strict=True))
    assert len(pairs) == len(set(groups.tolist()))


def test_a_wheel_that_is_there_is_not_fetched(tmp_path: Path) -> None:
    path = wheel_of(tmp_path, {"folder/file.txt": b"content"})
    assert fetch("made-up==1.0", tmp_path) == path
    assert read(path, "folder/file.txt") == b"content"
    with pytest.raises(KeyError):
        read(path, "folder/other.txt")


def tar_of(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def test_packages_of_npm_and_debian_are_read_alike(tmp_path: Path) -> None:
    npm, debian = tmp_path / "scope-made-up-1.0.tgz", tmp_path / "made-up_1.0-1_all.deb"
    npm.write_bytes(tar_of({"package/a.txt": b"content", "package/b.txt": b"more"}))
    data = tar_of({"./usr/a.txt": b"content"})
    parts = {"debian-binary": b"2.0", "data.tar.gz": data}
    debian.write_bytes(
        b"!<arch>\n"
        + b"".join(
            f"{name:<48}{len(part):<10}`\n".encode() + part + b"\n" * (len(part) % 2)
            for name, part in parts.items()
        )
    )
    assert fetch("npm:@scope/made-up@1.0", tmp_path) == npm
    assert fetch("deb:made-up=1.0-1", tmp_path) == debian
    assert read(npm, "package/a.txt") == read(debian, "usr/a.txt") == b"content"
    assert dict(read_all(npm, lambda name: "b" in name)) == {"package/b.txt": b"more"}
    with pytest.raises(KeyError):
        read(debian, "usr/b.txt")


@pytest.mark.parametrize("name", SETS)
def test_specifications_are_search_spaces_of_several_modalities(name: str) -> None:
    network = checked(fw.load(SETS[name].spec))
    assert len(network.spec.modalities) == (3 if name == "stamps" else 2)
    assert 6 <= len(network.features) <= 11
    assert [len(cell.steps) for cell in network.cells] == [2, 2]
    assert all(len(step.operations) == 4 for cell in network.cells for step in cell.steps)


@pytest.mark.parametrize("name", SETS)
def test_real_data_fit(name: str) -> None:
    if not (CACHE / f"{name}.npz").exists():
        pytest.skip(f"{name} is not built; benchmarks.study.data.load('{name}', cache) does that")
    assert_usable(name, load(name, CACHE))


@pytest.mark.parametrize("name", ["digits", "watch"])
def test_small_wheels_become_data(name: str, tmp_path: Path) -> None:
    assert_usable(name, SETS[name].build(MADE_UP[name](tmp_path)))


# Each data set's files, made up in the true format


def watch_wheel(folder: Path) -> Path:
    generator = np.random.default_rng(0)
    recordings = {
        "X": [generator.normal(size=(200, 6)) for _ in range(20)],
        "y": np.arange(20) % 7,
        "subject": 1 + np.arange(20) % 10,
    }
    return wheel_of(folder, {watch.MEMBER: npy(recordings)})


def npy(content: object) -> bytes:
    """An array of one object as numpy wrote it then: numpy 1 under Python 2 names its core."""
    array = np.empty((), object)
    array[()] = content
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "|O", "fortran_order": False, "shape": ()}
    )
    pickled = pickle.dumps(array, protocol=2)
    return stream.getvalue() + pickled.replace(b"numpy._core.", b"numpy.core.")


def digits_wheel(folder: Path) -> Path:
    generator = np.random.default_rng(0)
    members = {}
    for view, width in (("fou", 76), ("zer", 47), ("mor", 6)):
        rows = [",".join(map(str, [*range(width), 0]))]
        for digit in range(10):
            rows += [
                ",".join([*(f"{x:.3f}" for x in generator.normal(size=width)), f"{digit}"])
                for _ in range(10)
            ]
        members[f"{digits.FOLDER}/mfeat-{view}.csv"] = "\n".join(rows).encode()
    return wheel_of(folder, members)


MADE_UP = {"watch": watch_wheel, "digits": digits_wheel}


# Smartwatch


def test_windows_keep_time_and_owner() -> None:
    recording = np.arange(6 * 200.0).reshape(200, 6)
    made = {"X": [recording, recording[:95]], "y": np.array([4, 5]), "subject": np.array([9, 1])}
    windows = watch.cut(made)
    assert windows.signals.shape == (2, 6, watch.WINDOW)
    np.testing.assert_array_equal(windows.signals[1, 2], recording[96:192, 2])
    assert windows.labels.tolist() == [4, 4]
    assert windows.subjects.tolist() == [9, 9]


def test_recordings_are_plain_arrays_only() -> None:
    made = watch.read_recordings(npy({"X": [np.ones((3, 6))], "y": np.arange(2)}))
    np.testing.assert_array_equal(made["X"][0], np.ones((3, 6)))
    assert made["y"].tolist() == [0, 1]
    with pytest.raises(pickle.UnpicklingError, match="not part of a plain array"):
        watch.read_recordings(npy({"X": Path("x")}))


# Digits


def test_the_split_of_digits_is_stratified() -> None:
    split = digits.stratified(np.repeat(np.arange(3), 20), seed=0)
    for label in range(3):
        assert np.bincount(split[20 * label : 20 * label + 20]).tolist() == [8, 4, 8]


# Melting points

IDENTIFIERS = "\n".join(
    "\t".join(row)
    for row in (
        ("1", "64-17-5", "C2H6O", "46.07", "CCO", "…", "…", "ethanol", "ethanol", "alcohol"),
        ("2", "115-10-6", "C2H6O", "46.07", "COC", "…", "…", "methoxymethane", "dimethyl ether"),
        ("3", "74-82-8", "CH4", "16.04", "C", "…", "…", "methane", "methane"),
        ("4", "1-1-1", "C2H6O", "46.07", "CCO", "…", "…", "", "no name"),
        ("5", "2-2-2", "U", "238", "[U]", "…", "…", "uranium", "uranium"),
    )
)
POINTS = "CAS\tTm\n64-17-5\t159.0\n115-10-6\t131.6\n1-1-1\t100\n2-2-2\t1405\n"


def test_compounds_have_a_name_a_structure_and_a_melting_point() -> None:
    compounds = melting.read_compounds(IDENTIFIERS.encode(), POINTS.encode())
    assert compounds == [
        melting.Compound("C2H6O", "CCO", "ethanol", 159.0),
        melting.Compound("C2H6O", "COC", "methoxymethane", 131.6),
    ]
    assert melting.draw(compounds, 1, seed=0)[0] in compounds


def test_characters_are_channels() -> None:
    channels = melting.one_hot(["ab?", "b"], "ab", 4)
    assert channels.shape == (2, 2, 4)
    assert channels.argmax(1)[0, :2].tolist() == [0, 1]
    assert channels.sum(1).tolist() == [[1, 1, 0, 0], [1, 0, 0, 0]]


def test_shelves_are_equally_full() -> None:
    values = np.random.default_rng(0).normal(size=100)
    assert np.bincount(melting.shelves(values, values)).tolist() == [20] * melting.SHELVES


# Icons

METADATA: dict[str, Any] = {
    "user-plus": {"free": ["solid"], "label": "User Plus", "unicode": "f234"},
    "users": {"free": ["solid", "regular"], "label": "Users", "unicode": "f0c0"},
    "git": {"free": ["brands"], "label": "Git", "unicode": "f1d3"},
    "tree": {"free": ["solid"], "label": "Tree (Old)", "unicode": "f1bb"},
    "unknown": {"free": ["solid"], "label": "Unknown", "unicode": "f000"},
}
CATEGORIES = """
users-people:
  icons: [user-plus, users, git]
nature:
  icons: [tree, users]
  label: Nature
"""


def test_icons_have_words_and_themes() -> None:
    found = icons.read_icons(json.dumps(METADATA).encode(), CATEGORIES.encode())
    people, nature = (list(icons.THEMES).index(theme) for theme in ("people", "nature"))
    assert found == [
        icons.Icon("tree", 0xF1BB, "tree old", (nature,)),
        icons.Icon("user-plus", 0xF234, "user plus", (people,)),
        icons.Icon("users", 0xF0C0, "users", (people, nature)),
    ]


def test_near_equal_names_are_one_family() -> None:
    names = ["user", "circle-user", "users-slash", "house", "house-flag", "circle", "circle-check"]
    assert icons.families(names).tolist() == [0, 0, 0, 1, 2, 3, 4]


# Material symbols

DRAWINGS: dict[str, Any] = {
    "width": 24,
    "height": 24,
    "icons": {"home": {"body": "<path d='M0 0h9'/>"}, "home-sharp": {"body": "<path/>"}},
    "aliases": {"home-outline": {"parent": "home"}},
}


def test_symbols_are_shown_without_their_variant() -> None:
    names = {"categories": {"Home": ["home", "home-sharp", "home-outline", "gone"]}}
    found, categories = material.read_symbols(
        json.dumps(DRAWINGS).encode(), json.dumps(names).encode()
    )
    assert categories == ["Home"]
    assert [one.name for one in found] == ["home", "home-outline", "home-sharp"]
    assert {one.shown for one in found} == {"home"}
    assert found[0].drawing == found[1].drawing
    assert 'viewBox="0 0 24 24"' in found[0].drawing


# Compounds


def test_no_formula_is_in_both_sets_of_compounds() -> None:
    every = [
        melting.Compound(formula, "C", "name", 1.0) for formula in ("CH4", "C2H6", "CH4", "C3H8")
    ]
    assert compounds.rest(every, every[:1]) == [every[1], every[3]]


# Stamps


def test_stamps_have_a_description_and_a_picture() -> None:
    files = {
        "animals/cat.txt": b"A cat.\nfr.utf8=Un chat.",
        "animals/cat.png": b"png",
        "animals/cat_desc_fr.ogg": b"ogg",
        "food/pie.txt": b"A pie!",
        "food/pie.svg": b"<svg/>",
        "food/gone.txt": b"Nothing.",
    }
    cat, pie = stamps.read_stamps(files)
    assert cat == stamps.Stamp("animals/cat", "a cat", b"png", b"ogg")
    assert pie == stamps.Stamp("food/pie", "a pie", b"<svg/>", None)
    assert (cat.folder, pie.folder) == ("animals", "food")


def test_stamps_of_one_name_or_text_are_alike() -> None:
    names = {"a/cat1": "a grey cat", "a/cat2": "a wild thing", "b/tom": "the cat", "b/pie": "pie"}
    made = [stamps.Stamp(name, text, b"", None) for name, text in names.items()]
    assert stamps.alike(made).tolist() == [0, 0, 0, 1]


def test_a_tone_is_loudest_in_its_band() -> None:
    rate, bands = 16_000, []
    for frequency in (200, 1000, 4000):
        wave = np.sin(2 * np.pi * frequency * np.arange(rate) / rate)
        energies = sounds.mel_energies(wave, rate)
        assert energies.shape == (sounds.BANDS, sounds.STEPS)
        assert energies[:, sounds.RATE + 1 :].max() == 0
        bands.append(int(energies[:, 10].argmax()))
    assert bands == sorted(set(bands))
    assert np.unique(sounds.log_mel(None)).size == 1


# WordNet

SYNSETS = """  1 This is the licence.
00001740 29 v 04 breathe 0 take_a_breath 0 001 * 00005041 v 0000 01 + 02 00 | draw air; "I breathe"
00002098 00 a 01 able(p) 0 001 = 05207437 n 0000 | (usually followed by `to') having means
"""


def test_synsets_have_a_lemma_a_gloss_and_a_file() -> None:
    assert wordnet.read_synsets(SYNSETS) == [
        wordnet.Synset("breathe", "draw air", 29),
        wordnet.Synset("able", "usually followed by to having means", 0),
    ]


def test_things_with_a_mark_in_common_are_linked() -> None:
    assert linked([("a", 1), ("b", 2), ("a", 2), (2, "a")]).tolist() == [0, 0, 0, 1]


# Features


@pytest.mark.parametrize(
    ("backbone", "shape", "stages"),
    [
        (SequenceBackbone(3, (5, 7), 2), (4, 3, 16), [(5, 8), (7, 4)]),
        (VectorBackbone(3, (5, 7), 2), (4, 3), [(3,), (5,), (7,)]),
        (GlyphBackbone(2), (4, 1, 32, 32), [(16, 16, 16), (32, 8, 8), (48, 4, 4), (64, 2, 2)]),
    ],
)
def test_backbones_have_stages(
    backbone: Backbone, shape: tuple[int, ...], stages: list[tuple[int, ...]]
) -> None:
    found = backbone(torch.rand(shape))
    assert [stage.shape for stage in found.stages] == [(4, *stage) for stage in stages]
    assert found.logits.shape == (4, 2)


def test_features_do_not_depend_on_what_is_held_out() -> None:
    """Neither the labels of other splits nor PyTorch's generator change them."""
    inputs, split = torch.rand(40, 3), np.arange(40) % 3
    one = Unimodal("View", inputs, lambda: VectorBackbone(3, (4,), 2), Schedule(2, 8, 0.1, jitter))
    labels = np.arange(40) % 2
    first = extract([one], labels, split, seed=0)
    torch.rand(3)
    other = extract([one], np.where(split == TRAIN, labels, 1 - labels), split, seed=0)
    assert list(first) == ["View_1", "View_2"]
    for name, array in first.items():
        np.testing.assert_array_equal(array, other[name])


def test_what_is_missing_is_not_learned_from_and_is_zero() -> None:
    inputs, split = torch.rand(40, 3), np.arange(40) % 3
    present = np.arange(40) % 4 != 0

    def made(view: torch.Tensor) -> Arrays:
        schedule = Schedule(2, 8, 0.1, jitter)
        one = Unimodal("View", view, lambda: VectorBackbone(3, (4,), 2), schedule, present)
        return extract([one], np.arange(40) % 2, split, seed=0)

    found = made(inputs)
    other = made(torch.where(torch.from_numpy(present)[:, None], inputs, 9.0))
    for name, array in found.items():
        assert not array[~present].any()
        np.testing.assert_array_equal(array, other[name])


def test_standardising_reads_the_training_split() -> None:
    values, split = np.array([[1.0, 5.0], [3.0, 5.0], [99.0, 7.0]]), np.array([0, 0, 2])
    expected = [[-1, 0], [1, 0], [97, 2]]
    np.testing.assert_array_equal(standardised(values, split, (0,)), expected)
