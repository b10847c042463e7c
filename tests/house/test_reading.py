"""One place opens files: no other module reads one, but what belongs to the package or system."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from ..support.paths import ROOT

OWN = {
    "compiler/diagnostics/explain.py": {"read_text"},
    "compiler/network/vocabulary.py": {"open"},
    "compiler/syntax/grammar.py": {"open"},
    "compiler/targets/page/__init__.py": {"read_text"},
    "runtime/demo/emoji.py": {"load"},
}
"""Files of the package itself."""
SYSTEM = {
    "runtime/latency/measure.py": {"read_text", "InferenceSession"},
    "compiler/system/memory.py": {"read_text"},
    "compiler/system/process.py": {"open"},
    "runtime/predict/alone.py": {"read_text", "fdopen", "load"},
}
"""What `/proc` says of the machine, a process is given on its standard input, or was made here."""
WRITTEN = {
    "runtime/runs/folder.py": {"open"},
    "runtime/raw/tiny/mmimdb.py": {"File"},
    "compiler/system/lock.py": {"open"},
    "src/fusewright/cli/__init__.py": {"open"},
}
"""What is written to: the history, small data, the lock, and nowhere at all."""
NO_FILES = {f"compiler/documents/{name}_text.py": {"open"} for name in ("json", "yaml")}
"""Where values of a document are opened."""
MAPPED = {"runtime/store/read.py": {"mmap"}}
"""Where a file that is open is mapped."""
BY_NAME = {
    "runtime/raw/sources/hdf5.py": {"File"},
    "runtime/raw/public/mmimdb.py": {"File"},
    "compiler/targets/onnx/session.py": {"InferenceSession"},
    "runtime/search/candidates/storage.py": {"JournalFileBackend", "RDBStorage"},
    "runtime/backbones/providers/transformers.py": {"from_pretrained"},
}
"""What a library opens by its name, for as long as it reads, after it was judged here."""
NAMED = {**BY_NAME, **OWN, **SYSTEM, **WRITTEN, **NO_FILES, **MAPPED}
READS = {
    *("open", "fdopen", "read_bytes", "read_text", "open_code", "memmap", "fromfile", "genfromtxt"),
    *("safe_open", "load_file", "loadtxt", "mmap", "File", "InferenceSession"),
    *("JournalFileBackend", "RDBStorage", "from_pretrained", "from_file"),
}
LOADS = {"np": {"load"}, "numpy": {"load"}, "torch": {"load"}, "onnx": {"load", "load_model"}}
"""Functions that open what they are given by its name."""
OPENED = {
    "compiler/system/files.py",
    "compiler/targets/torch_archive.py",
    "runtime/runs/checkpoint.py",
    "runtime/backbones/weights.py",
    "runtime/data/formats/npz.py",
    "runtime/data/formats/hdf5.py",
    "runtime/data/mapped.py",
    "runtime/data/formats/arrow.py",
    "runtime/raw/encode.py",
    "runtime/reproduce/rows.py",
    *(f"runtime/raw/decoders/{name}.py" for name in ("numbers", "picture", "video")),
}
"""Where they are given what is open, or was read; rows are added to a file, too."""


def reads(tree: ast.AST) -> Iterator[str]:
    """The names of the functions by which a module reads files, where they are not its own."""
    own = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("system.files")
        for alias in node.names
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Attribute(ast.Name("Store"), "open"):
                pass
            case ast.Name(name) if name in READS - own:
                yield name
            case ast.Attribute(ast.Name(module), name) if name in LOADS.get(module, ()):
                yield name
            case ast.Attribute(_, name) if name in READS:
                yield name
            case _:
                pass


def sources() -> Iterator[tuple[str, Path]]:
    for folder in ("compiler", "runtime", "ops", "src/fusewright"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield str(file.relative_to(ROOT)), file


def test_one_place_opens_files() -> None:
    allowed = {**NAMED, **{place: {"load", "open", "memmap", "mmap", "File"} for place in OPENED}}
    found: dict[str, set[str]] = {}
    for name, file in sources():
        found[name] = set(reads(ast.parse(file.read_text(encoding="utf-8"))))
    assert len(found) > 200
    others = {name: used - allowed.get(name, set()) for name, used in found.items()}
    assert {name: used for name, used in others.items() if used} == {}
    assert [name for name in NAMED if not found[name]] == []


def test_a_module_that_opens_a_file_is_found() -> None:
    for text in ("open(name)", "Path(a).read_text()", "np.load(a)", "path.open()", "onnx.load(a)"):
        assert list(reads(ast.parse(text))), text
    for text in ("from .system.files import read_text\nread_text(a)", "tomllib.loads(a)"):
        assert not list(reads(ast.parse(text))), text
