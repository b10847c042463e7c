"""Ten kinds of bad input, through the real command line: place, code, remedy, and no output.

Every kind is a row of `KINDS`. In its text, `«…»` marks the place that the diagnostic names.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from fusewright.cli import main

from ..support.paths import SRC

MAIN = "from fusewright.cli import main; main()"
SPACE = """
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
pool Sum, ConcatFC
cell K[2](?, ?) {
  S = ?(x, y)
}
predict 3 classes
"""


def space(old: str, new: str) -> str:
    """SPACE with one part of it written in another way."""
    assert SPACE.count(old) == 1
    return SPACE.replace(old, new)


def fitting_data() -> dict[str, Any]:
    """Data that SPACE accepts."""
    generator = np.random.default_rng(0)
    return {
        "A": generator.normal(size=(12, 3)).astype(np.float32),
        "B": generator.normal(size=(12, 2, 5)).astype(np.float32),
        "labels": np.arange(12) % 3,
        "split": np.repeat([0, 1, 2], 4),
    }


@dataclass(frozen=True)
class Kind:
    """A kind of bad input: the specification with the place marked, and what is said of it.

    Where `data` is given, the specification is good and the data is wrong.
    """

    name: str
    text: str
    code: str
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def specification(self) -> str:
        return self.text.replace("«", "").replace("»", "")

    @property
    def place(self) -> str:
        """LINE:COLUMN of the marked place."""
        before = self.text[: self.text.index("«")]
        return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"

    @property
    def marked(self) -> str:
        return self.text[self.text.index("«") + 1 : self.text.index("»")]


UNFIT = space("A[c 3]", "«A»[c 3]")
KINDS = (
    Kind("syntax", space("S = ?(x, y)", "S «?» (x, y)"), "E001", "unexpected"),
    Kind("unknown_operation", space("?(x, y)", "«Summ»(x, y)"), "E203", "unknown operation `Summ`"),
    Kind("wrong_arity", space("?(x, y)", "«Sum»(x)"), "E301", "`Sum` takes 2 inputs, not 1"),
    Kind("unknown_feature", space("K[2](?, ?)", "K(A, «Bee»)"), "E201", "unknown input `Bee`"),
    Kind("duplicate_name", space("B[", "«A»["), "E202", "`A` is declared twice"),
    Kind("cyclic_reference", space("K[2](?, ?)", "K(A, «K»)"), "E205", "takes `K`"),
    Kind(
        "shapes_that_cannot_meet",
        space("pool Sum", "op Own(x, y) = relu(«x @ W[C + 1, C]»)\npool Own"),
        "E302",
        "cannot contract the 4 channels",
    ),
    Kind(
        "unmeetable_rule",
        space("K[2](", "«K»[3](") + "require fresh_input\n",
        "E401",
        "3 Cells each need a feature",
    ),
    Kind("data_without_a_feature", UNFIT, "E501", "no array `A`", {"A": None}),
    Kind(
        "data_of_the_wrong_shape",
        UNFIT,
        "E502",
        "`A` is (samples, 4) in the data, but declared [c 3]",
        {"A": np.zeros((12, 4), np.float32)},
    ),
)
WRONG_TEXTS = [k for k in KINDS if not k.data]
WRONG_DATA = [k for k in KINDS if k.data]


def run(*arguments: str, at: Path) -> subprocess.CompletedProcess[str]:
    """The command line, run in a folder."""
    return subprocess.run(
        [sys.executable, "-c", MAIN, *arguments],
        cwd=at,
        env={**os.environ, "PYTHONPATH": str(SRC), "COLUMNS": "200"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def files(place: Path) -> dict[str, bytes | None]:
    """Everything below a folder, with the contents of files."""
    found = sorted(place.rglob("*"))
    return {str(f.relative_to(place)): f.read_bytes() if f.is_file() else None for f in found}


def assert_diagnosed(kind: Kind, output: str, file: str = "bad.fuse") -> None:
    """The diagnostic has code, place, caret and remedy, and nothing of Python is shown."""
    assert "Traceback" not in output
    blocks = [b for b in output.split("error[") if b.startswith(f"{kind.code}]: ")]
    assert blocks, output
    block = blocks[0]
    assert kind.message in block.splitlines()[0]
    assert f"--> {file}:{kind.place}\n" in block
    marks = [line.partition("|")[2].strip() for line in block.splitlines() if "^" in line]
    assert marks[0] == "^" * len(kind.marked)
    assert " = help: " in block


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a good specification and data that fits it."""
    (tmp_path / "good.fuse").write_text(SPACE, encoding="utf-8")
    np.savez(tmp_path / "data.npz", **fitting_data())
    return tmp_path


def test_there_are_ten_kinds() -> None:
    assert len({k.name for k in KINDS}) == 10


# Each kind, where a user meets it first


@pytest.mark.parametrize("kind", WRONG_TEXTS, ids=lambda k: k.name)
def test_check_names_the_place_and_the_remedy(kind: Kind, tmp_path: Path) -> None:
    (tmp_path / "bad.fuse").write_text(kind.specification, encoding="utf-8")
    found = run("check", "bad.fuse", at=tmp_path)
    assert found.returncode == 1
    assert_diagnosed(kind, found.stdout + found.stderr)
    assert list(files(tmp_path)) == ["bad.fuse"]


@pytest.mark.parametrize("kind", WRONG_TEXTS, ids=lambda k: k.name)
def test_one_mistake_is_one_error(kind: Kind, tmp_path: Path) -> None:
    (tmp_path / "bad.fuse").write_text(kind.specification, encoding="utf-8")
    ((code, output),) = run_all([["check", "--json", "bad.fuse"]], tmp_path)
    assert code == 1
    (found,) = json.loads(output)
    line, column = map(int, kind.place.split(":"))
    assert (found["code"], found["line"], found["column"]) == (kind.code, line, column)
    assert (found["file"], found["severity"]) == ("bad.fuse", "error")
    assert found["help"]


@pytest.mark.parametrize("kind", WRONG_DATA, ids=lambda k: k.name)
def test_search_names_the_place_and_the_remedy(kind: Kind, place: Path) -> None:
    pytest.importorskip("torch")
    write_bad(kind, place)
    before = files(place)
    found = run("search", "bad.fuse", "--data", "bad.npz", "--out", "run", at=place)
    assert found.returncode == 1
    assert_diagnosed(kind, found.stdout + found.stderr)
    assert files(place) == before


def write_bad(kind: Kind, place: Path) -> None:
    """`bad.fuse` and `bad.npz`; one of them is wrong."""
    (place / "bad.fuse").write_text(kind.specification, encoding="utf-8")
    arrays = {k: v for k, v in (fitting_data() | dict(kind.data)).items() if v is not None}
    np.savez(place / "bad.npz", **arrays)


# Each kind with every command that writes, in this process

WRITING: Sequence[Sequence[str]] = (
    ("format", "{file}"),
    ("convert", "{file}", "--to", "json", "-o", "out.json"),
    ("info", "{file}"),
    ("draw", "{file}", "-o", "out.svg"),
    ("compile", "{file}", "-o", "out.onnx"),
    ("search", "{file}", "--data", "{data}", "--out", "run"),
    ("train", "{file}", "--data", "{data}", "--out", "run"),
)
READS_SYNTAX_ONLY = ("format", "convert")


def run_all(commands: Sequence[Sequence[str]], at: Path) -> list[tuple[object, str]]:
    """Exit code and output of several runs of the command line."""
    return [_run_here(command, at) for command in commands]


def _run_here(command: Sequence[str], at: Path) -> tuple[object, str]:
    output = io.StringIO()
    with (
        contextlib.chdir(at),
        patch.object(sys, "argv", ["fusewright", *command]),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
    ):
        try:
            main()
        except SystemExit as exit:
            return exit.code or 0, output.getvalue()
    return 0, output.getvalue()


def test_no_command_leaves_anything_behind(place: Path) -> None:
    commands: list[list[str]] = []
    expected: list[Kind] = []
    for kind in KINDS:
        file, data = f"{kind.name}.fuse", f"{kind.name}.npz"
        write_bad(kind, place)
        (place / "bad.fuse").rename(place / file)
        (place / "bad.npz").rename(place / data)
        for template in WRITING:
            syntax_only = template[0] in READS_SYNTAX_ONLY
            if (syntax_only and kind.code != "E001") or (kind.data and template[0] != "search"):
                continue
            commands.append([part.format(file=file, data=data) for part in template])
            expected.append(kind)
    before = files(place)
    for command, kind, (code, output) in zip(
        commands, expected, run_all(commands, place), strict=True
    ):
        assert code == 1, (command, output)
        assert_diagnosed(kind, output, f"{kind.name}.fuse")
    assert files(place) == before


def test_format_keeps_a_file_that_it_cannot_read(place: Path) -> None:
    write_bad(KINDS[0], place)
    for option in ((), ("--check",)):
        found = run("format", *option, "bad.fuse", at=place)
        assert found.returncode == 1
        assert_diagnosed(KINDS[0], found.stdout + found.stderr)
    assert (place / "bad.fuse").read_text(encoding="utf-8") == KINDS[0].specification


@pytest.mark.parametrize("spelling", ["json", "yaml"])
def test_documents_are_diagnosed_by_line_column_and_pointer(spelling: str, place: Path) -> None:
    run_all([["convert", "good.fuse", "--to", spelling, "-o", f"good.{spelling}"]], place)
    text = (place / f"good.{spelling}").read_text(encoding="utf-8").replace("Sum", "Summ")
    (place / f"bad.{spelling}").write_text(text, encoding="utf-8")
    found = run("check", f"bad.{spelling}", at=place)
    before = text[: text.index("Summ")]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    quoted = int(spelling == "json")
    assert found.returncode == 1
    assert f"--> bad.{spelling}:{line}:{column - quoted} (/pool/0)" in found.stdout
    assert "error[E203]: unknown operation `Summ`" in found.stdout
    assert "= help: did you mean `Sum`?" in found.stdout


# Usage, missing files, and runs that are there already


@pytest.mark.parametrize(
    "arguments",
    [
        ("checkk", "good.fuse"),
        ("check",),
        ("check", "good.fuse", "--nonsense"),
        ("search", "good.fuse", "--out", "run"),
        ("convert", "good.fuse", "--to", "xml"),
        ("search", "good.fuse", "--data", "data.npz", "--out", "run", "--epochs", "many"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: Sequence[str], place: Path) -> None:
    before = files(place)
    found = run(*arguments, at=place)
    assert found.returncode == 2
    assert "Traceback" not in found.stderr
    assert "Usage" in found.stderr
    assert files(place) == before


MISSING = (
    ("E504", ("check", "none.fuse")),
    ("E504", ("format", "none.fuse")),
    ("E504", ("draw", "none.fuse", "-o", "out.svg")),
    ("E504", ("draw", "good.fuse", "-o", "out.gif")),
    ("E504", ("draw", "good.fuse", "-o", "none/out.svg")),
    ("E504", ("compile", "good.fuse", "-o", "out.onnx", "--weights", "none.safetensors")),
    ("E504", ("ops", "none.fuse")),
    ("E504", ("search", "good.fuse", "--data", "none.npz", "--out", "run")),
    ("E504", ("search", "good.fuse", "--data", "good.fuse", "--out", "run")),
    (
        "E504",
        ("search", "good.fuse", "--data", "data.npz", "--out", "run", "--config", "none.toml"),
    ),
    ("E506", ("search", "good.fuse", "--data", "data.npz", "--out", "run", "--epochs", "0")),
    ("E506", ("search", "good.fuse", "--data", "data.npz", "--out", "run", "--relax", "sharde")),
    ("E506", ("search", "good.fuse", "--data", "data.npz", "--out", "run", "--device", "warp")),
    ("E207", ("info", "good.fuse", "--set", "Q=3")),
    ("E506", ("info", "good.fuse", "--set", "C=many")),
    ("E403", ("train", "good.fuse", "--data", "data.npz", "--out", "run")),
    ("E507", ("evaluate", "none", "--data", "data.npz")),
    ("E507", ("evaluate", "good.fuse", "--data", "data.npz")),
    ("E507", ("predict", "none", "--data", "data.npz", "-o", "out.npz")),
    ("E504", ("import", "none.txt", "--spec", "good.fuse")),
)


def test_missing_files_and_unusable_options_are_diagnosed(place: Path) -> None:
    before = files(place)
    results = run_all([command for _, command in MISSING], place)
    for (expected, command), (code, output) in zip(MISSING, results, strict=True):
        assert code == 1, (command, code, output)
        assert f"error[{expected}]: " in output, command
    assert files(place) == before


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"network n(C = 4\0)", b"\x00" * 40, b"PK\x03\x04broken"], ids=repr
)
def test_bytes_that_are_no_text_are_diagnosed(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "bad.fuse").write_bytes(content)
    found = run("check", "bad.fuse", at=tmp_path)
    assert found.returncode == 1
    assert "--> bad.fuse:1:" in found.stdout
    assert "Traceback" not in found.stdout + found.stderr


FIXED = space("K[2](?, ?)", "K(A, B)").replace("?(x, y)", "Sum(x, y)")
SEARCH = ("search", "good.fuse", "--data", "data.npz", "--out", "run", "--candidates", "2")
TRAIN = ("train", "fixed.fuse", "--data", "data.npz", "--out", "run", "--epochs", "1")


@pytest.mark.parametrize("command", [SEARCH, TRAIN], ids=lambda c: c[0])
def test_a_run_is_not_overwritten_unless_asked_to(command: Sequence[str], place: Path) -> None:
    (place / "fixed.fuse").write_text(FIXED, encoding="utf-8")
    other = [*command, "--seed", "1"]
    assert run_all([command], place)[0][0] == 0
    before = files(place)
    ((code, output),) = run_all([other], place)
    assert code == 1
    assert "error[E507]: " in output
    assert "= help: choose another folder, or add `--overwrite`" in output
    assert files(place) == before
    assert run_all([[*other, "--overwrite"]], place)[0][0] == 0
    after = files(place)
    assert named(after) == named(before)
    assert after != before


def named(found: Mapping[str, object]) -> set[str]:
    """The names of files, but for candidates, whose names say what they chose."""
    return {name for name in found if "checkpoint.parts" not in name}


def test_a_refused_training_keeps_the_run_it_would_replace(place: Path) -> None:
    (place / "fixed.fuse").write_text(FIXED, encoding="utf-8")
    write_bad(WRONG_DATA[1], place)
    assert run_all([TRAIN], place)[0][0] == 0
    before = files(place)
    bad = [*TRAIN, "--overwrite", "--data", "bad.npz"]
    assert run_all([bad], place)[0][0] == 1
    assert files(place) == before


@pytest.mark.parametrize(
    ("command", "change"),
    [
        (SEARCH, {"split": np.zeros(12, np.int64)}),
        (SEARCH, {"split": np.full(12, 2)}),
        (SEARCH, {"split": np.arange(12)}),
        (SEARCH, {"labels": np.full(12, 3)}),
        (SEARCH, {"labels": np.zeros(11, np.int64)}),
        (TRAIN, {"split": np.full(12, 2)}),
        (TRAIN, {"labels": np.zeros((12, 2, 2), np.int64)}),
        (TRAIN, {"A": np.full((12, 3), np.nan)}),
        (TRAIN, {"A": np.full((12, 3), "text")}),
        (TRAIN, {"A": np.zeros((11, 3))}),
    ],
    ids=lambda v: v[0] if isinstance(v, tuple) else "-".join(v),
)
def test_data_that_cannot_be_used_leaves_no_run(
    command: Sequence[str], change: Mapping[str, Any], place: Path
) -> None:
    (place / "fixed.fuse").write_text(FIXED, encoding="utf-8")
    np.savez(place / "data.npz", **(fitting_data() | dict(change)))
    before = files(place)
    ((code, output),) = run_all([command], place)
    assert code == 1
    assert "error[E50" in output
    assert files(place) == before
