"""What `new` writes: canonical, commented, and without an error."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from typer.testing import CliRunner, Result

from fusewright.cli.commands import new as command
from fusewright.compiler.check.check import check
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.language.nodes import FeatureAxis
from fusewright.compiler.language.spec import print_spec
from fusewright.compiler.resolve.resolve import resolve
from fusewright.compiler.syntax.format import format_text
from fusewright.compiler.syntax.parse import parse
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.files import read_headers
from fusewright.runtime.data.formats import ArrayHeader
from fusewright.runtime.data.new import Wishes, example_text, new_text
from fusewright.runtime.data.suggest import declare
from tests.support.application import app

from ...support.paths import EXAMPLES

IMAGE, TEXT = "image: A[c 512, h 7, w 7], B[c 64]", "text: W[t *, c 300]"
BASIC = Wishes("n", (IMAGE, TEXT), "23 labels")


def body(text: str) -> str:
    """A specification without its comments."""
    return print_spec(parse(text))


def test_what_is_written_reads() -> None:
    assert body(new_text(BASIC)) == (
        "network n(C = 128, L = 8, dropout = 0.1)\n\n"
        "use bmnas\n\n"
        "modality image {\n  A[c 512, h 7, w 7]\n  B[c 64]\n}\n\n"
        "modality text {\n  W[t *, c 300]\n}\n\n"
        "pool Sum, Attention, LinearGLU, ConcatFC\n\n"
        "cell Cell[2](?, ?) {\n  Step[2] = ?(?, ?)\n}\n\n"
        "output *?\n\n"
        "predict 23 labels\n"
    )


WISHES = {
    "the plainest": BASIC,
    "numbers": Wishes("n", (IMAGE,), "1 values", 3, 1, "C=64, L = 16, rank = 2"),
    "names in backticks": Wishes("my net", ("`a b`: `A 1`[c 3], B[c 2]",), "2 classes"),
    "an optional modality": Wishes("n", (IMAGE, "text optional: W[c 3]"), "2 classes { no, yes }"),
    "features called like Cells": Wishes("n", ("m: Cell_1[c 3], Cell_2[c 4]",), "2 classes"),
}  # fmt: skip


@pytest.mark.parametrize("wishes", WISHES.values(), ids=list(WISHES))
def test_what_is_written_is_canonical_and_has_no_error(wishes: Wishes) -> None:
    text = new_text(wishes)
    assert format_text(text) == text
    assert [d for d in check(parse(text)) if d.is_error] == []
    assert text.count("\n#") >= 5


WRONG: Mapping[str, tuple[Wishes, str, str]] = {
    "nothing predicted": (Wishes("n", (IMAGE,)), "E007", "it is not said what is predicted"),
    "one feature": (
        Wishes("n", ("m: A[c 3]",), "2 classes"),
        "E007",
        "there is 1 feature, so there is nothing to fuse",
    ),
    "no colon": (Wishes("n", ("m A",), "1 values"), "E506", "`m A` declares no modality"),
    "more than a modality": (
        Wishes("n", ("m: A[c 3] } predict 3 classes modality k { B[c 2]",), "2 classes"),
        "E506",
        "`m: A[c 3] } predict 3 classes modality k { B[c 2]` is more than one modality",
    ),
    "a comment": (
        Wishes("n", (IMAGE,), "2 classes # x"),
        "E506",
        "what `--predict` is given has a `#` or a second line",
    ),
    "more than a head": (
        Wishes("n", (IMAGE,), "2 classes use paper"),
        "E506",
        "`2 classes use paper` is more than what is predicted",
    ),
    "more than numbers": (
        Wishes("n", (IMAGE,), "2 classes", inner="C=1) use paper output(A"),
        "E001",
        "",
    ),
    "too many Cells": (
        Wishes("n", (IMAGE,), "2 classes", cells=10**9),
        "E306",
        "the number of `Cell` is 1000000000, not a whole number from 1 to 100,000",
    ),
    "a modality twice": (
        Wishes("n", (IMAGE, "image: D[c 1]"), "2 classes"),
        "E202",
        "the modality `image` is declared twice",
    ),
}


@pytest.mark.parametrize(("wishes", "code", "message"), WRONG.values(), ids=list(WRONG))
def test_what_cannot_be_written_is_said(wishes: Wishes, code: str, message: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        new_text(wishes)
    found = caught.value.diagnostics[0]
    assert found.code == code
    assert found.message == message or not message


# Data

ARRAYS: Mapping[str, Any] = {
    "Image_10": np.zeros((6, 3), np.float32),
    "Image_2": np.zeros((6, 3, 4, 5), np.float32),
    "Image_1": np.zeros((6, 2, 7, 4, 5), np.float16),
    "words": np.zeros((6, 9, 8)),
    "words.lengths": np.ones(6, np.int64),
    "words.present": np.ones(6, np.int64),
    "labels": np.array([0, 1, 2, 3, 0, 1]),
    "split": np.array([0, 0, 0, 1, 1, 2]),
    "id": np.arange(6),
}
DECLARED = """\
modality image {
  Image_1[c 2, t 7, h 4, w 5]
  Image_2[c 3, h 4, w 5]
  Image_10[c 3]
}

modality words optional {
  words[t *, c 8]
}
"""


def stored(place: Path, kind: str) -> Path:
    arrays = dict(ARRAYS)
    if kind == "safetensors":
        save_file(arrays, place / "data.safetensors")
        return place / "data.safetensors"
    if kind == "npz":
        np.savez_compressed(place / "data.npz", **arrays)
        return place / "data.npz"
    np.savez(place / "labels.npz", labels=arrays.pop("labels"))
    save_file(arrays, place / "features.safetensors")
    (place / "notes.txt").write_text("not data", encoding="utf-8")
    return place


@pytest.mark.parametrize("kind", ["npz", "safetensors", "folder"])
def test_data_declare_their_features(tmp_path: Path, kind: str) -> None:
    data = stored(tmp_path, kind)
    text = new_text(Wishes(data=data))
    assert DECLARED in body(text)
    assert "predict 4 classes" in text
    assert (
        "# Not a feature: id: it is one number for each sample; `id[c 1]` would take it.\n" in text
    )
    assert format_text(text) == text
    assert load_data(data, resolve(parse(text))).features.keys() >= {"Image_10", "words"}


LABELS: Sequence[tuple[Any, str]] = (
    (np.array([0, 4]), "5 classes"),
    (np.array([0.0, 2.0]), "3 classes"),
    (np.array([0.5, 2.0]), "1 values"),
    (np.array([-1, 2]), "1 values"),
    (np.array([0, 10**9]), "1 values"),
    (np.array([250_000.0, 310_000.0, 199_000.0]), "1 values"),
    (np.array([0.5, np.nan]), "1 values"),
    (np.arange(60) * 2.0 + 10, "1 values"),
    (np.arange(60).repeat(5), "60 classes"),
    (np.array([[0, 1, 1], [1, 0, 0]]), "3 labels"),
    (np.array([[True, False], [False, False]]), "2 labels"),
    (np.array([[0.5, 1.0], [1, 2]]), "2 values"),
)


@pytest.mark.parametrize(("labels", "expected"), LABELS, ids=[e for _, e in LABELS])
def test_the_head_is_guessed_from_labels(tmp_path: Path, labels: Any, expected: str) -> None:
    count = len(labels)
    np.savez(tmp_path / "d.npz", A=np.zeros((count, 3)), B=np.zeros((count, 4)), labels=labels)
    text = new_text(Wishes(data=tmp_path / "d.npz"))
    assert text.endswith(f"\npredict {expected}\n")


def test_what_is_said_stands_before_what_is_guessed(tmp_path: Path) -> None:
    data = stored(tmp_path, "npz")
    text = new_text(Wishes("n", ("more: M[c 3]",), "7 classes", data=data))
    assert [m.name for m in parse(text).modalities] == ["image", "words", "more"]
    assert text.endswith("predict 7 classes\n")


REFINED = {
    "a modality of the data": ("words: words[t *, c 8]", ["image", "words"]),
    "features without axes": ("both: Image_2, words, id", ["image", "both"]),
    "all of one": ("image: Image_10", ["words", "image"]),
}


@pytest.mark.parametrize(("wish", "names"), REFINED.values(), ids=list(REFINED))
def test_a_modality_beside_data_refines_what_they_suggest(
    tmp_path: Path, wish: str, names: list[str]
) -> None:
    found = parse(new_text(Wishes("n", (wish,), data=stored(tmp_path, "npz"))))
    assert [m.name for m in found.modalities] == names
    features = [f for m in found.modalities for f in m.features]
    assert len({f.name for f in features}) == len(features)
    assert [f.axes for f in features if f.name == "id"] in ([], [(FeatureAxis("c", 1),)])


def test_numbers_of_samples_are_told_how_to_become_features(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", age=np.ones(6), height=np.ones(6), labels=np.arange(6) % 2)
    with pytest.raises(DiagnosticError) as caught:
        new_text(Wishes(data=tmp_path / "d.npz"))
    (found,) = caught.value.diagnostics
    wish = "tabular: age[c 1], height[c 1]"
    assert f"`--modality '{wish}'` takes them" in (found.help or "")
    text = new_text(Wishes("n", (wish,), data=tmp_path / "d.npz"))
    assert [f.name for m in parse(text).modalities for f in m.features] == ["age", "height"]


def test_columns_that_are_not_numbered_are_told_how_to_be_one_feature() -> None:
    arrays = {"acc_x": np.ones(6), "acc_y": np.ones(6), "B": np.ones((6, 3))}
    network = resolve(parse(new_text(Wishes("n", ("m: acc[c 2], B[c 3]",), "2 classes"))))
    with pytest.raises(DiagnosticError) as caught:
        load_data({**arrays, "labels": np.arange(6) % 2}, network)
    (found,) = caught.value.diagnostics
    columns = "columns `acc_x`, `acc_y` are one feature if they are called `acc_0`, `acc_1`, …"
    assert (found.code, found.help) == ("E501", columns)


class Trap:
    """Says so if it is ever unpickled."""

    def __reduce__(self) -> Any:
        return (pytest.fail, ("it was unpickled",))


def test_headers_are_read_without_arrays_or_unpickling(tmp_path: Path) -> None:
    file = tmp_path / "d.npz"
    np.savez(file, A=np.zeros((2, 3)), B=np.zeros((2, 4)), bad=np.array([Trap()], object))
    assert [h.kind for h in read_headers(file).values()] == ["f", "f", "O"]
    assert read_headers(file)["A"] == ArrayHeader("A", (2, 3), "f", file)
    assert declare(file).left_out == (
        "bad: it does not hold numbers, but objects of Python; "
        "store it as one array of float32, or rows one by one as Parquet",
    )


def test_a_huge_array_is_declared_from_its_header(tmp_path: Path) -> None:
    """A file with holes, of 40 GB."""
    file, size = tmp_path / "d.safetensors", 4 * 5 * 10**9
    places = {"A": [0, size], "B": [size, 2 * size]}
    entries = {
        n: {"dtype": "F32", "shape": [10**9, 5], "data_offsets": p} for n, p in places.items()
    }
    header = json.dumps(entries).encode()
    file.write_bytes(len(header).to_bytes(8, "little") + header)
    os.truncate(file, 8 + len(header) + 2 * size)
    assert "A[c 5]" in new_text(Wishes(data=file, predict="2 classes"))


BROKEN: Mapping[str, tuple[str, bytes, str]] = {
    "no archive": ("d.npz", b"nothing", "File is not a zip file"),
    "a pickle": ("d.npz", pickle.dumps({"a": 1}), "File is not a zip file"),
    "no tensors": ("d.safetensors", b"\xff" * 64, "cannot be read"),
    "another kind": ("d.xyz", b"a,b", "is not a data file"),
}


@pytest.mark.parametrize(("name", "content", "said"), BROKEN.values(), ids=list(BROKEN))
def test_data_that_cannot_be_read_end_in_a_diagnostic(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DiagnosticError, match=said) as caught:
        declare(tmp_path / name)
    assert [d.code for d in caught.value.diagnostics] == ["E504"]


# Examples and the command


def run(*arguments: str, answers: str = "") -> Result:
    return CliRunner().invoke(app, ["new", *arguments], input=answers)


def test_every_example_can_be_copied() -> None:
    for path in EXAMPLES.glob("*.fuse"):
        assert example_text(path.stem) == path.read_text(encoding="utf-8")


def test_a_misspelt_example_has_a_remedy() -> None:
    with pytest.raises(DiagnosticError) as caught:
        example_text("ntu11")
    found = caught.value.diagnostics[0]
    assert (found.message, found.help) == ("there is no example `ntu11`", "did you mean `ntu1`?")


def test_the_command_writes_a_file_and_overwrites_none(tmp_path: Path) -> None:
    file = tmp_path / "n.fuse"
    flags = ("--name", "n", "--modality", IMAGE, "--modality", TEXT, "--predict", "23 labels")
    assert run(*flags, "-o", str(file)).exit_code == 0
    assert file.read_text(encoding="utf-8") == new_text(BASIC)
    assert run(*flags).stdout == new_text(BASIC)
    again = run("--example", "ntu1", "-o", str(file))
    assert isinstance(again.exception, DiagnosticError)
    assert [d.code for d in again.exception.diagnostics] == ["E507"]
    assert file.read_text(encoding="utf-8") == new_text(BASIC)
    assert run("--example", "ntu1", "-o", str(file), "--force").exit_code == 0
    assert file.read_text(encoding="utf-8") == example_text("ntu1")


def test_an_example_goes_alone_and_nothing_is_asked_without_a_terminal() -> None:
    assert run("--example", "ntu1", "--predict", "2 classes").exit_code == 2
    result = run()
    assert result.exit_code == 2
    assert "say what to fuse" in result.stderr


def test_on_a_terminal_it_asks_until_it_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "on_terminal", lambda: True)
    answers = ["n", "image A", IMAGE, TEXT, "", "23", "23 labels", "", "3"]
    result = run("-o", str(tmp_path / "n.fuse"), answers="\n".join(answers) + "\n")
    assert result.exit_code == 0
    text = (tmp_path / "n.fuse").read_text(encoding="utf-8")
    assert text == new_text(Wishes("n", (IMAGE, TEXT), "23 labels", 2, 3))
    assert result.stderr.count("error[") == 2
