"""Extraction: what a store holds is what backbones give for raw data, and nothing else passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.graph.build import build
from fusewright.compiler.lowering.lower import lower_adapter
from fusewright.compiler.program.program import Program
from fusewright.compiler.targets.torch.module import FusionModule
from fusewright.runtime.store.read import Store

from ...support import extracting
from ...support.extracting import SEEDS, SPEC, extracted, shards
from ...support.raw import picture, png, table
from ...support.running import command


def arrays(folder: Path) -> dict[str, NDArray[Any]]:
    store = Store.open(folder / "store")
    store.require_whole()
    return {array.name: np.asarray(store.array(array.name)) for array in store.manifest.arrays}


def given(text: str) -> NDArray[np.float32]:
    """What the backbone of texts gives for one, alone."""
    ids = torch.tensor([[byte + 1 for byte in text.encode()]])
    with torch.no_grad():
        found: NDArray[np.float32] = extracting.text().eval()(ids)[0].numpy()
    return found


def test_a_store_holds_what_the_backbones_give(tmp_path: Path) -> None:
    result = extracted(tmp_path, unpooled=True)
    store = arrays(tmp_path)
    module = extracting.picture().eval()
    low, _, _, high = module.children()
    pixels = torch.tensor(picture(7).transpose(2, 0, 1)[None] / np.float32(255))
    with torch.no_grad():
        assert np.allclose(store["Low"][7], low(pixels)[0], atol=1e-6)
        assert np.allclose(store["High"][7], module(pixels)[0], atol=1e-6)
    assert store["Low"].shape == (10, 4, 12, 12)
    assert high.out_channels == store["High"].shape[1]
    assert store["image.present"].tolist() == [1, 1, 1, 0, 0, 1, 1, 1, 1, 1]
    assert not store["Low"][3:5].any()
    text = "a square of 7"
    assert store["Words.lengths"].tolist() == [len("a circle of 0"), *store["Words.lengths"][1:]]
    assert store["Words.lengths"][7] == len(text)
    assert np.allclose(store["Words"][7, : len(text)], given(text), atol=1e-6)
    assert not store["Words"][7, len(text) :].any()
    assert np.allclose(store["Number"][7], [round(7 / 7, 3)])
    assert result.manifest.classes == ("circle", "cross", "square")
    assert store["labels"][:3].tolist() == [0, 2, 1]
    assert store["split"].tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 1, 2]
    assert "Words[t *, c 7]" in str(result.spec)
    assert "Low[c 4, h 12, w 12]" in str(result.spec)


def test_the_numbers_of_a_sample_follow_from_it_alone(tmp_path: Path) -> None:
    found: list[dict[str, NDArray[Any]]] = []
    spec = SPEC.replace("module:text", "module:alone")
    for number, batch in enumerate((1, 4)):
        extracted(tmp_path / str(number), spec, unpooled=True, batch=batch)
        found.append(arrays(tmp_path / str(number)))
    one, four = found
    for name, array in one.items():
        assert np.allclose(array, four[name], atol=1e-6), name


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_features_may_be_stored_in_fewer_bits(dtype: str, tmp_path: Path) -> None:
    extracted(tmp_path / "whole")
    extracted(tmp_path / "half", dtype=dtype)
    whole, half = arrays(tmp_path / "whole"), arrays(tmp_path / "half")
    difference = np.abs(whole["High"] - half["High"]).max()
    assert 0 < difference < 0.01
    assert half["High"].dtype == np.float32


# What is pooled before it is stored

ADAPTERS = {
    "max": "role adapt(f) = resample(f) @ W[c, C] + b[C]",
    "mean": "role adapt(f) = resample(f, by = mean) @ W[c, C] + b[C]",
}


def adapted(program: Program, store: dict[str, NDArray[Any]]) -> NDArray[Any]:
    """What an adapter with weights of its own gives for the samples of a store."""
    module = FusionModule(program, seed=0).eval()
    names = [item.name for item in program.inputs]
    given = {name: torch.from_numpy(store[name]) for name in names if name in store}
    with torch.no_grad():
        found: NDArray[Any] = module(given).numpy()
    return found


@pytest.mark.parametrize("by", ADAPTERS)
def test_what_is_pooled_gives_every_adapter_the_same(by: str, tmp_path: Path) -> None:
    spec = SPEC + ADAPTERS[by]
    results = {
        name: extracted(tmp_path / name, spec, unpooled=name == "whole")
        for name in ("whole", "pooled")
    }
    stores = {name: arrays(tmp_path / name) for name in results}
    assert stores["pooled"]["Low"].shape == (10, 4, 2, 2)
    assert stores["pooled"]["Words"].shape == (10, 4, 7)
    assert "Words.lengths" not in stores["pooled"]
    assert stores["whole"]["Low"].shape == (10, 4, 12, 12)
    network = checked(results["pooled"].spec)  # its axes are open: it reads both
    for feature in ("Low", "High", "Words"):
        program = lower_adapter(build(network), feature)
        whole, pooled = (adapted(program, store) for store in stores.values())
        assert (
            np.array_equal(whole, pooled) if by == "max" else np.allclose(whole, pooled, atol=1e-5)
        )


WHOLE = {
    "both are choices": "role adapt(f) = {A | B}(f) "
    "op A(f) = resample(f) @ W[c, C] op B(f) = resample(f, by = mean) @ W[c, C]",
    "both are read": "role adapt(f) = (resample(f) + resample(f, by = mean)) @ W[c, C]",
    "it is read whole": "role adapt(f) = resample(relu(f)) @ W[c, C]",
}


@pytest.mark.parametrize("why", WHOLE)
def test_what_adapters_do_not_agree_on_is_kept_whole(why: str, tmp_path: Path) -> None:
    extracted(tmp_path, SPEC + WHOLE[why])
    assert arrays(tmp_path)["Low"].shape == (10, 4, 12, 12)


def test_sizes_that_are_written_are_stored(tmp_path: Path) -> None:
    extracted(tmp_path, SPEC.replace("Low at", "Low[c 4, h 12, w 12] at"))
    found = arrays(tmp_path)
    assert found["Low"].shape == (10, 4, 12, 12)
    assert found["High"].shape == (10, 6, 2, 2)


def test_several_lengths_are_kept_whole(tmp_path: Path) -> None:
    extracted(tmp_path, SPEC.replace("L = 4", "L = {2 | 4}"))
    assert arrays(tmp_path)["High"].shape == (10, 6, 6, 6)


# Stored, and in the loop


class InTheLoop:
    """What a part of the backbone of pictures gives for samples, computed when it is asked for."""

    dtype = np.dtype(np.float32)

    def __init__(self, samples: int, path: str, shape: tuple[int, ...]) -> None:
        self.shape, self.runs = (samples, *shape), 0
        layers = [*extracting.picture().eval().children()]
        self._module = torch.nn.Sequential(*layers[: int(path) + 1])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, samples: slice | NDArray[np.int64]) -> NDArray[np.float32]:
        self.runs += 1
        numbers = np.arange(len(self))[samples]
        pixels = np.zeros((len(numbers), 3, 12, 12), np.float32)
        for place, number in enumerate(numbers):
            pixels[place] = picture(int(number)).transpose(2, 0, 1) / np.float32(255)
        with torch.no_grad():
            found: NDArray[np.float32] = self._module(torch.from_numpy(pixels)).numpy()
        return found


def test_a_search_with_backbones_in_the_loop_has_the_same_numbers(tmp_path: Path) -> None:
    raw = table(tmp_path / "raw", 24)
    result = extracted(tmp_path, raw=raw, shard_samples=10)
    store = arrays(tmp_path)
    looped: dict[str, Any] = {name: store[name] for name in ("labels", "split", "Words", "Number")}
    looped["labels.names"] = np.array(result.manifest.classes)
    looped |= {"Low": InTheLoop(24, "0", (4, 12, 12)), "High": InTheLoop(24, "3", (6, 6, 6))}
    options: dict[str, Any] = {"epochs": 2, "batch": 8, "strategy": "darts"}
    stored, inside = (
        fw.search(result.spec, data, **options) for data in (tmp_path / "store", looped)
    )
    assert looped["Low"].runs
    assert stored.genotype == inside.genotype
    for one, other in zip(stored.history, inside.history, strict=True):
        numbers = [key for key, value in one.items() if isinstance(value, float)]
        assert numbers
        for key in numbers:
            assert one[key] == pytest.approx(other[key], abs=1e-5), key


# What is made again


def changed_picture(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    (home / "raw/pictures/0.png").write_bytes(png(picture(99)))
    return {}


def changed_backbone(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setitem(SEEDS, "text", 5)
    return {}


def changed_transform(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"transform": ("image.mean=[0.5,0.5,0.5]",)}


def changed_label(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    file = home / "raw/data.csv"
    file.write_text(file.read_text().replace(",circle,", ",cross,", 1))
    return {}


def nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    return {}


CHANGES: list[tuple[Callable[[Path, pytest.MonkeyPatch], dict[str, Any]], set[str | None]]] = [
    (nothing, set()),
    (changed_picture, {"image"}),
    (changed_transform, {"image"}),
    (changed_backbone, {"text"}),
    (changed_label, {None}),
]


@pytest.mark.parametrize(("change", "parts"), CHANGES)
def test_a_change_makes_its_own_part_anew(
    change: Callable[[Path, pytest.MonkeyPatch], dict[str, Any]],
    parts: set[str | None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    extracted(tmp_path)
    before = shards(tmp_path)
    result = extracted(tmp_path, **change(tmp_path, monkeypatch))
    assert {modality for modality, count in result.made.items() if count} == parts
    after = shards(tmp_path)
    assert before.keys() == after.keys()
    files = {None: "samples", "image": "image", "text": "text"}
    names = tuple(files[part] for part in parts)
    for name in before:
        if not name.startswith(("manifest", *names)):
            assert before[name] == after[name]
    assert (before == after) == (not parts)
    monkeypatch.undo()


def test_a_damaged_shard_is_made_anew(tmp_path: Path) -> None:
    extracted(tmp_path)
    before = shards(tmp_path)
    file = tmp_path / "store/text-00001.safetensors"
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    (tmp_path / "store/image-00000.safetensors").unlink()
    result = extracted(tmp_path)
    assert result.made == {"image": 1, "text": 1, "numbers": 0, None: 0}
    assert shards(tmp_path) == before


# Views


def test_views_are_augmented_and_of_one_group(tmp_path: Path) -> None:
    extracted(tmp_path, views=3, unpooled=True)
    store = arrays(tmp_path)
    training = 6  # of ten samples, by their split
    assert len(store["labels"]) == 10 + 2 * training
    assert store["view"].tolist() == [0] * 10 + [1] * training + [2] * training
    assert store["groups"][10:].tolist() == [*range(training)] * 2
    assert not store["split"][10:].any()
    first = store["High"][[0, 10, 16]]
    assert len(np.unique(first.round(5), axis=0)) == 3
    lengths = store["Words.lengths"]
    assert np.all(lengths[10:16] <= lengths[:6])
    assert (lengths[10:] < np.tile(lengths[:6], 2)).any()
    again = tmp_path / "again"
    extracted(again, raw=tmp_path / "raw/data.csv", views=3, unpooled=True)
    assert shards(tmp_path) == shards(again)


# Other media


def test_sounds_become_spectrograms_where_a_backbone_takes_these(tmp_path: Path) -> None:
    raw = table(tmp_path / "raw", 6)
    lines = ["file,labels"]
    for sample in range(6):
        heard = np.sin(np.arange(2000 + 320 * sample) * 0.3).astype(np.float32)
        soundfile.write(raw.parent / f"{sample}.wav", heard, 4000)
        lines.append(f"{sample}.wav,{sample % 3}")
    raw.write_text("\n".join(lines) + "\n", encoding="utf-8")
    spec = """network n(C = 4, L = 2)
    modality speech from "module:heard" { Speech }
    output Speech
    predict 3 classes"""
    result = extracted(tmp_path, spec, raw=raw, unpooled=True)
    store = arrays(tmp_path)
    assert "Speech[c 3, t *]" in str(result.spec)
    assert store["Speech.lengths"].tolist() == [1 + (2000 + 320 * n) // 32 for n in range(6)]
    assert store["Speech"][0, :, 20].any()


# What does not fit


def broken(home: Path) -> None:
    (home / "raw/pictures/5.png").write_bytes(png(picture(5))[:100])
    (home / "raw/pictures/7.png").write_bytes(b"no picture")


def without(home: Path) -> None:
    (home / "raw/pictures/5.png").unlink()


def edited(before: str, after: str) -> Callable[[Path], None]:
    def edit(home: Path) -> None:
        file = home / "raw/data.csv"
        text = file.read_text(encoding="utf-8")
        assert before in text
        file.write_text(text.replace(before, after), encoding="utf-8")

    return edit


def smaller(home: Path) -> None:
    (home / "raw/pictures/5.png").write_bytes(png(picture(5, 6)))


REQUIRED = SPEC.replace(" optional", "")
WRONG: list[tuple[Callable[[Path], None] | None, str, dict[str, Any], str]] = [
    (broken, SPEC, {}, r"sample 8 of `data.csv`, column `image` \(`pictures/7.png`\) cannot be"),
    (None, REQUIRED, {}, r"there is nothing at sample 4 of `data.csv`, column `image`"),
    (edited("a cross of 5", ""), SPEC, {}, "nothing at sample 6 of `data.csv`, column `text`"),
    (
        edited(",cross,", ",crosses,"),
        SPEC.replace("3 classes", "3 classes { circle, square, cross }"),
        {},
        "`crosses`, which is no class",
    ),
    (edited("0.286,cross", "0.286,star"), SPEC, {}, "there are 4 labels, and 3 classes"),
    (edited("label", "other"), SPEC, {"column": ("labels=numbers",)}, "no class"),
    (edited(",train", ",learn"), SPEC, {}, "`learn`, which is no part of a split"),
    (edited("text,", "words,"), SPEC, {"column": ("text=word",)}, "no column `word`"),
    (None, SPEC, {"column": ("sound=text",)}, "`sound` is no modality"),
    (None, SPEC, {"column": ("image=text",)}, "a text, not a picture"),
    (None, SPEC, {"transform": ("image.crops=3",)}, "has no `crops`"),
    (None, SPEC, {"transform": ("image.resize=[5,5]",)}, "and `module:picture` takes"),
    (None, SPEC, {"batch": 0}, r"`batch` is 0, not from 1 to below 2\^31"),
    (None, SPEC, {"dtype": "int64"}, "unknown number type"),
    (None, SPEC.replace("Number[c 1]", "Number[c 2]"), {}, "declared .c 2."),
    (None, SPEC.replace("numbers {", "other {"), {}, "has no column for the modality `other`"),
    (None, SPEC.replace('at "3"', 'at "9"'), {}, "has no part `9`"),
]


@pytest.mark.parametrize(("change", "spec", "options", "why"), WRONG)
def test_what_does_not_fit_is_diagnosed_and_leaves_no_store(
    change: Callable[[Path], None] | None,
    spec: str,
    options: dict[str, Any],
    why: str,
    tmp_path: Path,
) -> None:
    table(tmp_path / "raw", 10, missing=(3, 4))
    if change:
        change(tmp_path)
    with pytest.raises(fw.DiagnosticError, match=why):
        extracted(tmp_path, spec, **options)
    assert not (tmp_path / "store/manifest.json").exists()


def test_numbers_that_differ_in_shape_are_not_to_be_resized(tmp_path: Path) -> None:
    raw = table(tmp_path / "raw", 2)
    for sample in range(2):
        np.save(raw.parent / f"{sample}.npy", np.zeros((3, 2 + sample), np.float32))
    spec = "network n(C = 4, L = 2)\nmodality arrays { A[c 3, h *] }\noutput A\npredict 3 classes"
    raw.write_text("arrays\n0.npy\n1.npy\n", encoding="utf-8")
    with pytest.raises(fw.DiagnosticError, match=r"1.npy`\) is \(3, 3\), and ") as caught:
        extracted(tmp_path, spec, raw=raw)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.help is not None
    assert diagnostic.help.startswith("write `t *` for the axis in which they may differ")


def test_a_missing_file_of_an_optional_modality_is_missing(tmp_path: Path) -> None:
    extracted(tmp_path)
    (tmp_path / "raw/pictures/5.png").unlink()
    extracted(tmp_path)
    assert arrays(tmp_path)["image.present"][5] == 0


def test_pictures_are_resized_to_what_the_backbone_takes(tmp_path: Path) -> None:
    extracted(tmp_path)
    (tmp_path / "raw/pictures/5.png").write_bytes(png(picture(5, 30)))
    extracted(tmp_path)
    assert arrays(tmp_path)["image.present"][5] == 1


def test_data_that_nothing_divides_say_so(tmp_path: Path) -> None:
    """Without a split or groups, leakage is not excluded: extracting and importing say so."""
    lines = ["D,labels,person", *(f"{n},{n % 3},p{n // 2}" for n in range(12))]
    (tmp_path / "data.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    spec = "network n(C = 4, L = 2) modality m { D[c 1] } output D predict 3 classes"
    (tmp_path / "n.fuse").write_text(spec, encoding="utf-8")
    doubt = "no groups: samples are split by chance, and leakage is not excluded"
    given = ("extract", "n.fuse", "--raw", "data.csv", "--column", "m=D", "--workers", "1")
    for name, more in (("plain", ()), ("views", ("--views", "2"))):
        told = command(tmp_path, *given, "--out", name, *more)
        assert doubt in told
        assert "`--column groups=PERSON`" in told
    told = command(tmp_path, *given, "--out", "grouped", "--column", "groups=person", "--json")
    assert json.loads(told)["undivided"] is False
    groups = np.asarray(Store.open(tmp_path / "grouped").array("groups"))
    assert groups.tolist() == [n // 2 for n in range(12)]
    imported = command(
        tmp_path, "features", "import", "data.csv", "--out", "imported", "--spec", "n.fuse"
    )
    assert doubt in imported
