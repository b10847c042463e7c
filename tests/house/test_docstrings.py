"""What docstrings name is there: files, by their path from the top or from a folder above them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..support.paths import ROOT

PACKAGE = [
    *(
        file
        for top in ("compiler", "ops", "runtime")
        for file in sorted((ROOT / top).rglob("*.py"))
    ),
    *(
        file
        for top in ("cli", "lsp")
        for file in sorted((ROOT / "src/fusewright" / top).rglob("*.py"))
    ),
]
_FILE = re.compile(r"`([\w./-]+\.py)`")


def named(file: Path) -> Iterator[str]:
    """The files that the docstrings of a module name, those of its constants too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Expr(ast.Constant(str(text))):
                yield from _FILE.findall(text)
            case _:
                pass


@pytest.mark.parametrize("top", ["compiler", "ops", "runtime", "src"])
def test_every_file_that_a_docstring_names_is_there(top: str) -> None:
    files = [file for file in PACKAGE if file.is_relative_to(ROOT / top)]
    missing = [
        (str(file.relative_to(ROOT)), name)
        for file in files
        for name in named(file)
        if not any((folder / name).exists() for folder in file.parents)
    ]
    assert files
    assert missing == []
