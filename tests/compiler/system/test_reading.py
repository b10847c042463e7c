"""Reading files: regular ones and nothing else, at once, and no more than there is room for."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

import fusewright as fw
from fusewright.compiler.system.files import first_line, open_file, read_bytes, read_text
from fusewright.runtime.data.files import read_arrays
from fusewright.runtime.settings import read_settings


def in_a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(os.fspath(path))


KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda path: None, "no such file or directory"),
    "a folder": (Path.mkdir, "is a directory"),
    "a pipe": (os.mkfifo, "it is a pipe, not a regular file"),
    "a socket": (in_a_socket, "it is a socket, not a regular file"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "it is a device"),
    "a link to nothing": (lambda path: path.symlink_to("none"), "no such file or directory"),
    "a link to itself": (lambda path: path.symlink_to(path), "too many levels"),
}


@pytest.mark.parametrize(("make", "why"), KINDS.values(), ids=list(KINDS))
def test_what_is_no_regular_file_is_refused_at_once(
    make: Callable[[Path], object], why: str, tmp_path: Path
) -> None:
    make(tmp_path / "it")
    with pytest.raises(fw.DiagnosticError, match=why) as caught:
        open_file(tmp_path / "it")
    (found,) = caught.value.diagnostics
    assert (found.code, found.message.count("cannot be read")) == ("E504", 1)


def test_what_becomes_a_pipe_before_it_is_opened_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    regular = Path(__file__).stat()
    os.mkfifo(tmp_path / "it")
    monkeypatch.setattr("fusewright.compiler.system.files.os.stat", lambda name: regular)
    with pytest.raises(fw.DiagnosticError, match="it is a pipe"):
        open_file(tmp_path / "it")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read_is_diagnosed(tmp_path: Path) -> None:
    (tmp_path / "it").touch(0)
    with pytest.raises(fw.DiagnosticError, match="permission denied"):
        open_file(tmp_path / "it")


READERS: dict[str, tuple[str, Callable[[str], object]]] = {
    "text": (".fuse", fw.load),
    "settings": (".toml", read_settings),
    "arrays": (".npz", read_arrays),
    "tensors": (".safetensors", read_arrays),
    "weights": (".safetensors", lambda name: fw.compile(fw.loads(SPEC), weights=name)),
    "a specification beside weights": (".safetensors", fw.load),
    "a model": (".onnx", fw.load),
    "a run": ("", lambda name: fw.predict(name, "data.npz")),
}
SPEC = """
network n(C = 4, L = 2)
modality m { A[c 3] B[c 3] }
cell K(A, B) { S = Sum(x, y) }
predict 2 classes
"""
NAMES = {"long": "n" * 5_000, "with a zero": "a\0b", "of a pipe": "pipe", "of a device": "device"}


@pytest.mark.parametrize("name", NAMES.values(), ids=list(NAMES))
@pytest.mark.parametrize(("ending", "read"), READERS.values(), ids=list(READERS))
def test_every_reader_refuses_a_bad_name(
    ending: str,
    read: Callable[[str], object],
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo(f"pipe{ending}")
    Path(f"device{ending}").symlink_to("/dev/zero")
    with pytest.raises(fw.DiagnosticError) as caught:
        read(name + ending)
    assert [d.code for d in caught.value.diagnostics] == ["E504" if ending else "E507"]


def test_a_file_of_any_size_takes_what_may_be_read_of_it(tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(b"123")
    assert read_bytes(tmp_path / "it", 3) == b"123"
    with pytest.raises(fw.DiagnosticError, match="it is longer than 2 bytes"):
        read_bytes(tmp_path / "it", 2)
    os.truncate(tmp_path / "it", 1 << 40)
    with pytest.raises(fw.DiagnosticError, match="it is longer than 1,000 bytes"):
        read_bytes(tmp_path / "it", 1_000)
    with pytest.raises(fw.DiagnosticError, match="is longer than"):
        read_settings(tmp_path / "it")


def test_a_file_whose_size_is_not_said_is_read_to_its_end() -> None:
    assert "pid" in read_text("/proc/self/status").lower()


def test_a_library_that_says_nothing_is_named_by_its_error() -> None:
    assert first_line(ValueError("\n what is wrong\nand more")) == "what is wrong"
    assert first_line(RuntimeError(" \n")) == "RuntimeError"
