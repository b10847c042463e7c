"""`docs/architecture.md`: its examples print what it says, its rooms are those of the contracts.

`python -m tests.house.test_architecture` writes what is printed today, and the table of rooms.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from typer.testing import CliRunner

from ..support.application import app
from ..support.paths import DOCS, ROOT, SRC

PAGE = DOCS / "architecture.md"
BEGIN, END = "<!-- begin rooms -->\n", "<!-- end rooms -->\n"
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FOLDERS = {"fusewright.ops": ROOT / "ops", "fusewright.compiler": ROOT / "compiler"} | {
    "fusewright.runtime": ROOT / "runtime",
    "fusewright.runtime.search": ROOT / "runtime/search",
    "fusewright.cli": SRC / "fusewright/cli",
}
"""The containers whose rooms the page lists, in the order in which they are passed through."""


# The examples


def printed(page: str) -> str:
    """The page with what its commands and programs print today."""
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        outputs: list[str] = []

        def run(block: re.Match[str]) -> str:
            language, file, text = block[1], block[2], block[3]
            if file is not None:
                Path(file).write_text(text, encoding="utf-8")
            if language == "console":
                command = text.partition("\n")[0]
                text = f"{command}\n{_command(command)}"
            if language == "python":
                outputs.append(_python(text))
            if language == "output":
                text = outputs.pop()
            name = f" {file}" if file else ""
            return f"```{language}{name}\n{text}```"

        return _BLOCK.sub(run, page)


def _command(line: str) -> str:
    words = shlex.split(line.removeprefix("$ fusewright "))
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    return result.stdout


def _python(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(SRC)}
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    return found.stdout


def test_the_examples_print_what_the_page_says() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert printed(page) == page


# The rooms


def contracts() -> dict[str, list[list[str]]]:
    """The layers of every exhaustive contract, bottom up, by what contains them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: dict[str, list[list[str]]] = {}
    for contract in settings["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers":
            assert contract["exhaustive"]
            layers = [re.split(r"\s*\|\s*", layer) for layer in reversed(contract["layers"])]
            (container,) = contract["containers"]
            found[container] = layers
    return found


def _says(folder: Path, room: str) -> tuple[str, str]:
    """The path of a room, and the first sentence of what it says of itself."""
    package, module = folder / room / "__init__.py", folder / f"{room}.py"
    path = package if package.exists() else module
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    shown = path.parent if path is package else path
    place = shown.relative_to(ROOT).as_posix() + ("/" if path is package else "")
    return place, " ".join(re.split(r"(?<=[.])\s+(?=[A-Z])|\n\n", text)[0].split())


def rooms() -> str:
    """The tables of rooms, from the contracts and the rooms' own first sentences."""
    known = contracts()
    tables: list[str] = []
    for container, folder in FOLDERS.items():
        rows = [f"| `{folder.relative_to(ROOT)}/` | holds |", "|---|---|"]
        for layer in known[container]:
            rows += [f"| `{place}` | {said} |" for place, said in (_says(folder, r) for r in layer)]
        tables.append("\n".join(rows) + "\n")
    return "\n".join(tables)


def with_rooms(page: str) -> str:
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}{rooms()}{END}{rest.partition(END)[2]}"


def test_the_rooms_are_those_of_the_contracts() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_rooms(page) == page


@pytest.mark.parametrize("container", FOLDERS)
def test_every_room_says_what_it_holds(container: str) -> None:
    for layer in contracts()[container]:
        for room in layer:
            _, said = _says(FOLDERS[container], room)
            assert len(said) > 20, room


def places() -> Iterator[str]:
    """What the table of additions names."""
    table = PAGE.read_text(encoding="utf-8").partition("## To add something")[2].partition("##")[0]
    for place in re.findall(r"`([\w./*]+/[\w./*]*)`", table):
        yield place.partition("NAME")[0].partition("*")[0]


@pytest.mark.parametrize("place", sorted(set(places())))
def test_what_one_opens_to_add_something_is_there(place: str) -> None:
    assert (ROOT / place).exists(), place


def named() -> set[tuple[str, str]]:
    """The names that the table says are of a file, each with its file."""
    table = PAGE.read_text(encoding="utf-8").partition("## To add something")[2].partition("##")[0]
    return set(re.findall(r"`(\w+)` of `([\w./]+\.py)`", table))


@pytest.mark.parametrize(("name", "file"), sorted(named()))
def test_what_one_adds_to_is_a_name_of_that_file(name: str, file: str) -> None:
    known: set[str] = set()
    for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                known.add(node.name)
            case ast.Assign(targets):
                known |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(ast.Name(target)):
                known.add(target)
            case _:
                pass
    assert name in known


# The contracts hold, and can fail


def lint_imports(tree: Path) -> str:
    """What the contracts say of a tree; empty where they are kept."""
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": str(tree / "src")}
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    run = subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    return run.stdout if run.returncode else ""


def copy(tree: Path) -> Path:
    """The package and its contracts in a folder of their own."""
    from shutil import copy2, copytree, ignore_patterns

    ignored = ignore_patterns("__pycache__", "*.npz")
    for name in ("compiler", "runtime", "ops", "grammars", "src"):
        copytree(ROOT / name, tree / name, symlinks=True, ignore=ignored)
    copy2(ROOT / "pyproject.toml", tree)
    return tree


def test_an_upward_import_a_circle_and_a_file_without_a_room_fail(tmp_path: Path) -> None:
    tree = copy(tmp_path)
    assert not lint_imports(tree)
    planted = {
        "compiler/network/upward.py": "from ..targets import latex\n\nUSED = latex\n",
        "compiler/stray.py": '"""In no room."""\n',
        "runtime/stray.py": '"""In no room."""\n',
    }
    for name, text in planted.items():
        (tree / name).write_text(text, encoding="utf-8")
        assert "BROKEN" in lint_imports(tree), name
        (tree / name).unlink()
    inside = tree / "compiler/program/initial.py"
    inside.write_text(
        inside.read_text(encoding="utf-8")
        + "\n\ndef late() -> object:\n    from ..check import check\n\n    return check\n",
        encoding="utf-8",
    )
    assert "BROKEN" in lint_imports(tree)


if __name__ == "__main__":
    PAGE.write_text(with_rooms(printed(PAGE.read_text(encoding="utf-8"))), encoding="utf-8")
