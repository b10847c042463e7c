"""Programs with what is said of them, as Markdown: sections of prose, source and rendered text.

A section has a heading and blocks. Its source is a `fuse`, `json` or `yaml` block, which is
examined, or an `ssa` block, which is parsed as the text of a program after lowering. Where it has a
`console` block, that command runs instead, in a folder that holds the `fuse` block as `n.fuse` and
each block with a file name behind its language: `json data.npz` and `json weights.safetensors` give
arrays by name, as a shape or as `{"values": …}`; others are text, under `sh` a program. A `text`
block is what is shown.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args
from unittest.mock import patch

import numpy as np
from safetensors.numpy import save_file

from fusewright.cli import main
from fusewright.compiler.check.examine import examine
from fusewright.compiler.diagnostics.diagnostic import Diagnostic, DiagnosticError, render
from fusewright.compiler.documents.spellings import Spelling
from fusewright.compiler.program.parser import parse_program

from .paths import ROOT

TABLE = ROOT / "tests/compiler/diagnostics/cases"
SPELLINGS: tuple[Spelling, ...] = get_args(Spelling)
_PROGRAM: Literal["ssa"] = "ssa"
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```(\S+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_OLD = re.compile(r"\A.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"^(?:error|warning)\[(\w+)\]", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file that it is saved as, if any, and its text."""

    language: str
    file: str | None
    text: str


@dataclass(frozen=True)
class Section:
    """A heading of a Markdown file with the blocks below it."""

    page: str
    title: str
    blocks: tuple[Block, ...]

    def text(self, language: str) -> str | None:
        """The text of the block in a language, without a file name; None where there is none."""
        found = [b.text for b in self.blocks if b.language == language and b.file is None]
        return found[0] if found else None

    @property
    def source(self) -> tuple[Spelling | Literal["ssa"], str] | None:
        """What is examined, with its spelling; None where a command runs."""
        if self.text("console") is not None:
            return None
        for spelling in (*SPELLINGS, _PROGRAM):
            text = self.text(spelling)
            if text is not None:
                return spelling, text
        return None


def sections(path: Path) -> list[Section]:
    """The sections of a Markdown file, in order."""
    parts = _HEADING.split(path.read_text(encoding="utf-8"))
    return [
        Section(path.name, title, tuple(Block(m[1], m[2], m[3]) for m in _BLOCK.finditer(body)))
        for title, body in zip(parts[1::2], parts[2::2], strict=True)
    ]


def table() -> list[Section]:
    """Every section of the table of wrong programs."""
    return [section for path in sorted(TABLE.glob("*.md")) for section in sections(path)]


def codes(shown: str) -> list[str]:
    """The codes of rendered diagnostics."""
    return _CODE.findall(shown)


def diagnosed(section: Section) -> tuple[Diagnostic, ...]:
    """What is said of the source of a section."""
    assert section.source is not None
    spelling, text = section.source
    if spelling == _PROGRAM:
        try:
            parse_program(text, "n.ssa")
        except DiagnosticError as error:
            return error.diagnostics
        return ()
    return examine(text, f"n.{spelling}", spelling).diagnostics


def shown(section: Section) -> str:
    """The rendered diagnostics of a section, or all that its command prints."""
    if section.source is not None:
        return "\n\n".join(render(d) for d in diagnosed(section)) + "\n"
    with TemporaryDirectory() as place:
        _write_files(section, Path(place))
        return _printed(section.text("console") or "", Path(place))


def regenerate() -> None:
    """Writes what is shown today into the table."""
    for path in sorted(TABLE.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        for section in sections(path):
            head, heading, body = text.partition(f"## {section.title}\n")
            before, fence, rest = body.partition("```text\n")
            after = _OLD.sub("```", rest, count=1)
            text = "".join((head, heading, before, fence, shown(section), after))
        path.write_text(text, encoding="utf-8")


def _write_files(section: Section, place: Path) -> None:
    for block in section.blocks:
        name = block.file or ("n.fuse" if block.language == "fuse" else None)
        if name is None:
            continue
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        if block.language != "json" or name.endswith(".json"):
            (place / name).write_text(block.text, encoding="utf-8")
            (place / name).chmod(0o755 if block.language == "sh" else 0o644)
        elif name.endswith(".npz"):
            np.savez(place / name, **_arrays(json.loads(block.text)))
        else:
            save_file(_arrays(json.loads(block.text)), place / name)


def _arrays(given: Mapping[str, Any]) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    return {
        name: np.array(array["values"])
        if isinstance(array, dict)
        else generator.normal(size=array).astype(np.float32)
        for name, array in given.items()
    }


def _printed(command: str, place: Path) -> str:
    """What `$ [NAME=VALUE …] fusewright …` prints in a folder, in this process.

    Without the empty line that a progress bar leaves where it is shown on no terminal.
    """
    words = shlex.split(command.removeprefix("$ "))
    at = words.index("fusewright")
    output = io.StringIO()
    with (
        contextlib.chdir(place),
        patch.dict(os.environ, dict(w.split("=", 1) for w in words[:at])),
        patch.object(sys, "argv", words[at:]),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
        contextlib.suppress(SystemExit),
    ):
        main()
    return output.getvalue().strip("\n") + "\n"
