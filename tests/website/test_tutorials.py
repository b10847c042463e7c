"""Tutorials are run: their files written, their commands and programs carried out, in order."""

from __future__ import annotations

import inspect
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import fusewright as fw
from tests.support.application import app

from ..support.paths import DOCS

PAGES = {page.stem: page for page in sorted((DOCS / "tutorials").glob("*.md"))}
REFERENCE = DOCS / "reference.md"
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> Iterator[tuple[str, str, str]]:
    """The examples of a page: language, the file that it is, text."""
    for found in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        yield found[1], found[2] or "", found[3]


def carried_out(page: Path) -> list[str]:
    """Writes, runs and executes what a page shows; gives the first word of each command."""
    known: dict[str, Any] = {}
    commands: list[str] = []
    for language, file, text in blocks(page):
        if file:
            Path(file).write_text(text, encoding="utf-8")
            sys.modules.pop(Path(file).stem, None)  # another page may have one of that name
        elif language == "python":
            exec(compile(text, str(page), "exec"), known)
        elif language == "console":
            for line in text.splitlines():
                words = shlex.split(line.removeprefix("$ fusewright "))
                done = CliRunner().invoke(app, words)
                assert done.exit_code == 0, f"{line}\n{done.output}\n{done.exception}"
                commands.append(words[0])
    return commands


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.filterwarnings("ignore")
def test_a_tutorial_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert carried_out(PAGES[name])


@pytest.mark.filterwarnings("ignore")
def test_the_examples_of_the_reference_run_and_every_function_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    carried_out(REFERENCE)
    shown = "\n".join(text for language, _, text in blocks(REFERENCE) if language == "python")
    assert [n for n in fw.__all__ if not re.search(rf"\bfw\.{n}\b", shown)] == []
    methods = [
        f"{name}.{method}"
        for name in fw.__all__
        if inspect.isclass(found := getattr(fw, name))
        for home in found.__mro__
        if home.__module__.startswith("fusewright.")
        for method, value in vars(home).items()
        if not method.startswith("_")
        and (inspect.isfunction(value) or isinstance(value, (property, classmethod)))
    ]
    assert "Spec.fix" in methods
    assert [m for m in methods if not re.search(rf"\.{m.partition('.')[2]}\b", shown)] == []


@pytest.mark.parametrize("page", ["index", "start"])
def test_every_program_that_a_page_shows_is_well(page: str) -> None:
    programs = [text for language, _, text in blocks(DOCS / f"{page}.md") if language == "fuse"]
    assert programs
    for text in programs:
        assert [d for d in fw.check(fw.loads(text)) if d.is_error] == []
