"""Imports point one way, and what does not need torch starts without it."""

from __future__ import annotations

import ast
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from safetensors.numpy import save_file

import fusewright as fw

from ..support.paths import ROOT

SRC = ROOT / "src"
LAYERS = ("grammars", "ops", "compiler", "runtime", "lsp", "cli")
"""Each may import itself and what stands before it."""
FOLDERS = {
    **{name: ROOT / name for name in ("grammars", "ops", "compiler", "runtime")},
    "lsp": SRC / "fusewright/lsp",
    "cli": SRC / "fusewright/cli",
}
TARGETS = {"torch", "onnx", "onnxruntime", "graphviz", "graphviz_pure"}
"""Packages that are imported by their target file alone, or in the runtime."""
FREE_OF_TORCH = ("grammars", "ops", "compiler", "lsp")
TEXT = """
network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
pool Sum, ConcatFC
cell K[2](?, ?) { S = ?(x, y) }
predict 3 classes
"""
FIXED = TEXT.replace("K[2](?, ?)", "K(A, B)").replace("?(x, y)", "ConcatFC(x, y)")

# What the source says


def sources(layer: str) -> list[Path]:
    return sorted(FOLDERS[layer].rglob("*.py"))


def imports(path: Path, layer: str) -> Iterator[tuple[str, bool]]:
    """The modules that a file imports, in full, and whether only type checkers see it."""
    inside = path.relative_to(FOLDERS[layer]).parts
    package = ["fusewright", layer, *inside[:-1]]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    unseen = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in unseen) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = [*base, *(node.module or "").split(".")]
            name = ".".join(part for part in module if part)
            names = (
                [f"{name}.{alias.name}" for alias in node.names] if node.module is None else [name]
            )
            yield from ((n, id(node) in unseen) for n in names)


FILES = [(layer, path) for layer in LAYERS for path in sources(layer)]


def test_every_layer_is_looked_at() -> None:
    assert {layer for layer, _ in FILES} == set(LAYERS)
    assert len(FILES) > 60


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_one_way(layer: str) -> None:
    allowed = LAYERS[: LAYERS.index(layer) + 1]
    for path in sources(layer):
        for module, _ in imports(path, layer):
            top, *rest = module.split(".")
            if top == "fusewright":
                assert rest[:1] == [] or rest[0] in allowed, f"{path} imports {module}"
            else:
                assert top not in LAYERS, f"{path} imports {module} under a bare name"


@pytest.mark.parametrize("layer", ["grammars", "ops", "compiler", "runtime"])
def test_the_folders_import_each_other_relatively(layer: str) -> None:
    for path in sources(layer):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            assert not [n for n in names if n.split(".")[0] == "fusewright"], path


@pytest.mark.parametrize("layer", FREE_OF_TORCH)
def test_targets_alone_import_what_they_compile_to(layer: str) -> None:
    for path in sources(layer):
        if FOLDERS["compiler"] / "targets" in path.parents:
            continue
        for module, only_types in imports(path, layer):
            allowed = only_types or module.split(".")[0] not in TARGETS
            assert allowed, f"{path} imports {module}"


def test_each_target_package_stays_in_its_target() -> None:
    """torch and onnx in the folders of their targets; graphviz in the files that draw."""
    found: dict[str, set[str]] = {}
    for path in sources("compiler"):
        for module, only_types in imports(path, "compiler"):
            if module.split(".")[0] in TARGETS and not only_types:
                place = path.stem if path.parent.name == "targets" else path.parent.name
                found.setdefault(module.split(".")[0], set()).add(place)
    assert found["torch"] == {"torch"}
    assert found["onnx"] == found["onnxruntime"] == {"onnx"}
    drawing = found.get("graphviz", set()) | found.get("graphviz_pure", set())
    assert drawing <= {"diagram"}


def test_there_is_no_star_import_and_no_eval() -> None:
    for _, path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                assert all(alias.name != "*" for alias in node.names), path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "__import__"), path


# What is loaded when it runs

REPORT = """
import json, sys
sys.argv = ["fusewright", *sys.argv[1:]]
code = 0
try:
    from fusewright.cli import main
    main()
except SystemExit as exit:
    code = exit.code or 0
sys.stderr.write("\\n@" + json.dumps([code, sorted({m.split(".")[0] for m in sys.modules})]))
"""


def loaded(*arguments: str, at: Path, code: str = REPORT) -> set[str]:
    """The top-level modules that are loaded after a command has run well."""
    found = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=at,
        env={**os.environ, "PYTHONPATH": str(SRC)},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    exit_code, modules = json.loads(found.stderr.rpartition("@")[2])
    assert exit_code == 0, found.stderr
    return set(modules)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "space.fuse").write_text(TEXT, encoding="utf-8")
    (tmp_path / "fixed.fuse").write_text(FIXED, encoding="utf-8")
    return tmp_path


COMMANDS = (
    ("format", "space.fuse"),
    ("convert", "space.fuse", "--to", "json"),
    ("convert", "space.fuse", "--to", "yaml"),
    ("info", "space.fuse"),
    ("draw", "space.fuse", "-o", "space.svg"),
    ("draw", "space.fuse", "-o", "space.html"),
    ("ops",),
    ("ops", "--latex", "fusion"),
    ("compile", "fixed.fuse", "-o", "net.py"),
)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_the_front_end_runs_without_torch(arguments: Sequence[str], place: Path) -> None:
    modules = loaded(*arguments, at=place)
    assert not modules & {"torch", "torchmetrics", "onnx", "onnxruntime"}
    if arguments[0] != "compile":  # which holds the initial weights
        assert not modules & {"numpy", "safetensors"}


def test_the_command_line_starts_without_what_its_commands_use(place: Path) -> None:
    modules = loaded("--help", at=place)
    assert not modules & {"torch", "onnx", "onnxruntime", "numpy", "networkx", "safetensors"}


def test_check_on_text_loads_only_what_it_uses(place: Path) -> None:
    modules = loaded("check", "space.fuse", at=place)
    assert not modules & {"torch", "onnx", "numpy", "networkx", "jsonschema", "yaml", "graphviz"}
    assert not modules & {"lark", "typer", "pathlib"}
    assert "re" in modules


def test_onnx_is_compiled_from_saved_weights_without_torch(place: Path) -> None:
    module = fw.compile(fw.load(place / "fixed.fuse"))
    save_file(module.arrays(), place / "w.safetensors")
    arguments = ("--weights", "w.safetensors", "--to", "onnx", "-o", "net.onnx", "--no-verify")
    modules = loaded("compile", "fixed.fuse", *arguments, at=place)
    assert (place / "net.onnx").stat().st_size > 0
    assert not modules & {"torch", "torchmetrics"}
    assert "onnx" in modules


def test_training_loads_no_metrics_before_it_measures(tmp_path: Path) -> None:
    """torchmetrics imports transformers where that is installed, which takes as long as torch."""
    code = (
        "import json, sys, fusewright.runtime.training.train; "
        "names = sorted({m.split('.')[0] for m in sys.modules}); "
        "sys.stderr.write('@' + json.dumps([0, names]))"
    )
    modules = loaded(at=tmp_path, code=code)
    assert "torch" in modules
    assert not modules & {"torchmetrics", "transformers"}


def test_importing_the_package_loads_no_stage(tmp_path: Path) -> None:
    code = (
        "import json, sys, fusewright as fw; assert 'search' in dir(fw); "
        "names = sorted({m.split('.')[0] for m in sys.modules}); "
        "sys.stderr.write('@' + json.dumps([0, names]))"
    )
    heavy = {"torch", "onnx", "numpy", "networkx", "jsonschema", "yaml", "lark", "typer"}
    assert not loaded(at=tmp_path, code=code) & heavy


def test_the_front_end_works_where_torch_is_not_installed(place: Path) -> None:
    """The modules are made impossible to import, as if they were not there."""
    blocked = "import sys\nfor name in ('torch', 'torchmetrics'): sys.modules[name] = None\n"
    code = (blocked + REPORT).replace("in sys.modules}", "in sys.modules if sys.modules[m]}")
    for arguments in (
        ("check", "space.fuse"),
        ("info", "space.fuse"),
        ("draw", "space.fuse", "-o", "space.svg"),
        ("draw", "space.fuse", "-o", "space.html"),
        ("compile", "fixed.fuse", "--initial", "-o", "net.onnx"),
    ):
        assert "torch" not in loaded(*arguments, at=place, code=code)


def test_check_answers_at_once(place: Path) -> None:
    """By seconds of the processor, since tests share their machine; a quarter of this is usual."""
    times = []
    for _ in range(3):
        start = children()
        loaded("check", "space.fuse", at=place)
        times.append(children() - start)
    assert min(times) < 1.5


def children() -> float:
    """Seconds that processes which have ended took of the processor."""
    of = resource.getrusage(resource.RUSAGE_CHILDREN)
    return of.ru_utime + of.ru_stime
