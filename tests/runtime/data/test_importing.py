"""Data that are imported into a store are the data that were there, and are learned from alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import fusewright as fw
from fusewright.runtime.data import importing
from fusewright.runtime.data.contents import contents_lines, store_contents
from fusewright.runtime.data.files import Source, StoredArrays, arrays_of, read_arrays
from fusewright.runtime.data.identity import features_digest
from fusewright.runtime.data.importing import import_features
from fusewright.runtime.data.suggest import declare
from fusewright.runtime.store.check import check_store
from fusewright.runtime.store.manifest import Manifest, read_manifest

from ...support.running import as_npz, changed, command, problem, spec
from ...support.stores import contents

FEATURES = "modality left { A[c 3] B[t *, c 5] } modality right optional { D[c 4] }"
SPEC = spec(features=FEATURES)
LENGTHS = np.arange(30) % 2 + 1
DATA = {
    **problem(30),
    "B.lengths": LENGTHS,
    "right.present": np.arange(30) % 5 > 0,
    "groups": np.array([f"person {n % 7}" for n in range(30)]),
}


def imported(
    place: Path, source: Any = None, spec: fw.Spec | None = SPEC, **options: Any
) -> Manifest:
    return import_features(DATA if source is None else source, place, spec=spec, **options)


def as_safetensors(place: Path) -> Path:
    plain = {name: array for name, array in DATA.items() if name != "groups"}
    number = np.unique(DATA["groups"], return_inverse=True)[1].astype(np.int16)
    tensors = {name: np.ascontiguousarray(a) for name, a in {**plain, "groups": number}.items()}
    save_file(tensors, place / "data.safetensors")
    return place / "data.safetensors"


def test_features_have_one_digest_whatever_holds_them(tmp_path: Path) -> None:
    doubled = {n: a.astype(np.float64) if a.dtype.kind in "fi" else a for n, a in DATA.items()}
    turned = {n: np.asfortranarray(a) for n, a in DATA.items()}
    imported(tmp_path / "store")
    imported(tmp_path / "again", tmp_path / "store")
    sources: list[Source] = [
        *(DATA, doubled, turned, tmp_path / "store", tmp_path / "again"),
        *(as_npz(turned, tmp_path), as_safetensors(tmp_path)),
    ]
    digests = {features_digest(arrays_of(source)) for source in sources}
    assert len(digests) == 1
    other = {**DATA, "A": DATA["A"] + np.float32(1e-3)}
    assert features_digest(other) not in digests


@pytest.mark.parametrize(
    ("read", "modalities"),
    [(SPEC, {"A": "left", "D": "right"}), (None, {"A": "a", "D": "d"})],
    ids=["with a specification", "without"],
)
def test_a_store_says_what_the_data_are(
    read: fw.Spec | None, modalities: dict[str, str], tmp_path: Path
) -> None:
    present = f"{modalities['D']}.present"
    data = changed(DATA, **{"right.present": None, present: DATA["right.present"]})
    manifest = imported(tmp_path, data, spec=read, dtype="float16")
    arrays = {array.name: array for array in manifest.arrays}
    assert arrays.keys() == data.keys()
    assert {name: arrays[name].modality for name in modalities} == modalities
    assert arrays[present].modality == arrays["D"].modality
    assert arrays["B"].axes == (("t", "*"), ("c", 5))
    assert arrays["B.lengths"].modality == arrays["B"].modality
    assert arrays["A"].dtype == "float16"
    assert arrays["labels"].dtype == "int64"
    assert all(origin.data for origin in manifest.origins.values())
    stored = read_arrays(tmp_path)
    assert np.array_equal(stored["A"][:], DATA["A"].astype(np.float16).astype(np.float32))
    assert np.array_equal(stored["B.lengths"][:], LENGTHS)


@pytest.mark.parametrize(
    "labels",
    [
        {"labels": np.array(["owl", "cat", "dog"])[np.arange(30) % 3]},
        {"labels": np.arange(30) % 3, "labels.names": np.array(["cat", "dog", "owl"])},
    ],
    ids=["texts", "names beside"],
)
def test_names_of_classes_are_kept(labels: dict[str, Any], tmp_path: Path) -> None:
    data = changed(DATA, **{"right.present": None}, **labels)
    manifest = imported(tmp_path / "store", data, spec=None)
    assert manifest.classes == ("cat", "dog", "owl")
    again = imported(tmp_path / "again", tmp_path / "store", spec=None)
    assert again.classes == manifest.classes
    assert not check_store(tmp_path / "again")


def test_what_would_belong_to_nothing_is_not_left_out_in_silence(tmp_path: Path) -> None:
    with pytest.raises(fw.DiagnosticError, match=r"`right.present` is of no feature") as caught:
        imported(tmp_path / "store", spec=None)
    assert caught.value.diagnostics[0].code == "E502"


def test_a_store_suggests_its_own_modalities_and_axes(tmp_path: Path) -> None:
    imported(tmp_path, spec=SPEC)
    declared = declare(tmp_path)
    assert declared.modalities == SPEC.modalities
    assert declared.predict == SPEC.predict
    text = command(tmp_path.parent, "new", "--data", tmp_path.name)
    assert "B[t *, c 5]" in text


def test_what_is_learned_from_a_store_is_what_the_data_teach(tmp_path: Path) -> None:
    space = spec("cell K(A, B) { S = ConcatFC(x, y) }", features=FEATURES)
    imported(tmp_path / "store", spec=space)
    settings = fw.Settings(epochs=1, batch=10, threads=1)
    plain = fw.train(space, DATA, settings=settings)
    stored = fw.train(space, tmp_path / "store", out=tmp_path / "run", settings=settings)
    assert all(np.array_equal(plain.weights[n], stored.weights[n]) for n in plain.weights)
    record = json.loads((tmp_path / "run" / "train.json").read_text(encoding="utf-8"))
    files = {part["name"]: part["sha256"] for part in record["data"]["files"]}
    assert files == {s.file: s.sha256 for s in read_manifest(tmp_path / "store").shards}


@pytest.mark.parametrize("modality", ["left", "right", "samples"])
def test_nothing_wrong_is_learned(modality: str, tmp_path: Path) -> None:
    space = spec("cell K(A, B) { S = ConcatFC(x, y) } output K, D", features=FEATURES)
    imported(tmp_path / "store", spec=space)
    shard = tmp_path / "store" / f"{modality}-00000.safetensors"
    content = bytearray(shard.read_bytes())
    content[-2] ^= 4
    shard.write_bytes(content)
    with pytest.raises(fw.DiagnosticError, match=f"{shard.name}` is damaged") as caught:
        fw.train(space, tmp_path / "store", out=tmp_path / "run", epochs=1, threads=1)
    assert caught.value.diagnostics[0].code == "E513"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arrays", "message", "code"),
    [
        ({"labels": np.arange(30)}, "from 0 to 29, not from 0 to 2", "E503"),
        ({"labels": -(np.arange(30) % 2)}, "from -1 to 0, not from 0 to 2", "E503"),
        ({"split": np.arange(30)}, "`split` has values that are not 0", "E503"),
        ({"A": np.ones((30, 4))}, r"`A` is \(30, 4\), not \(samples, 3\)", "E502"),
        ({"A": None}, "no array `A`", "E501"),
        ({"D": np.ones((29, 4))}, "differ in their number of samples", "E502"),
        ({"A": np.full((30, 3), 1e6)}, "too large for float16", "E513"),
    ],
)
def test_data_that_do_not_fit_are_not_imported(
    arrays: dict[str, Any], message: str, code: str, tmp_path: Path
) -> None:
    with pytest.raises(fw.DiagnosticError, match=message) as caught:
        imported(tmp_path / "store", changed(DATA, **arrays), spec=SPEC, dtype="float16")
    assert caught.value.diagnostics[0].code == code
    assert not (tmp_path / "store" / "manifest.json").exists()


def test_a_store_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    imported(tmp_path / "store")
    whole = contents(tmp_path / "store")
    imported(tmp_path / "store")
    with pytest.raises(fw.DiagnosticError, match="holds another store"):
        imported(tmp_path / "store", dtype="bfloat16")
    with pytest.raises(fw.DiagnosticError, match="is what is to be imported"):
        imported(tmp_path / "store", tmp_path / "store", overwrite=True)
    assert contents(tmp_path / "store") == whole
    imported(tmp_path / "store", dtype="bfloat16", overwrite=True)
    assert read_manifest(tmp_path / "store").array("A").dtype == "bfloat16"


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_no_more_than_a_shard_of_a_feature_is_held(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "usual_in_shard", lambda arrays: 8 + 0 * len([*arrays]))
    imported(tmp_path / "whole")
    file = as_npz(DATA, tmp_path) if ending == "npz" else as_safetensors(tmp_path)
    whole = StoredArrays.__getitem__

    def read(arrays: StoredArrays, name: str) -> Any:
        assert name in ("labels", "split", "groups", "B.lengths", "right.present")
        return whole(arrays, name)

    monkeypatch.setattr(StoredArrays, "__getitem__", read)
    manifest = imported(tmp_path / "store", file)
    assert [shard.samples for shard in manifest.shards[:4]] == [8, 8, 8, 6]
    digests = {features_digest(read_arrays(tmp_path / name)) for name in ("whole", "store")}
    assert len(digests) == 1


# The command line


def test_a_store_is_imported_shown_and_checked_by_command(tmp_path: Path) -> None:
    data = {**DATA, "A": DATA["A"].copy()}
    data["A"][:, 1] = 7
    data["A"][3, 0] = np.nan
    as_npz(data, tmp_path)
    (tmp_path / "spec.fuse").write_text(str(SPEC), encoding="utf-8")
    said = command(
        tmp_path, *"features import data.npz --out store --spec spec.fuse --dtype float16".split()
    )
    assert said.startswith("store `store`: 30 samples, ")
    shown = command(tmp_path, "features", "show", "store")
    assert shown.splitlines()[2:] == [
        "split: train 12, validation 9, test 9",
        "groups: 7",
        "labels: 0 10, 1 10, 2 10",
        "left: every sample has it",
        "  A[c 3] float16: 1 of 3 numbers do not vary, 1 are not finite",
        "  B[t *, c 5] float16",
        "right: 6 samples lack it",
        "  D[c 4] float16",
    ]
    told = json.loads(command(tmp_path, "features", "show", "store", "--json"))
    assert told["digest"] in shown
    assert told["modalities"]["left"]["features"]["A"]["not_finite"] == 1
    assert command(tmp_path, "features", "check", "store") == "store `store` is whole\n"
    checked = json.loads(command(tmp_path, "features", "check", "store", "--json"))
    assert checked == {"store": "store", "diagnostics": []}


def test_one_sample_lacks_a_modality(tmp_path: Path) -> None:
    present = np.ones(30, np.int64)
    present[4] = 0
    import_features({**DATA, "right.present": present}, tmp_path / "store", spec=SPEC)
    assert "right: 1 sample lacks it" in [*contents_lines(store_contents(tmp_path / "store"))]
