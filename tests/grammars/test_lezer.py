"""The grammar for CodeMirror reads what the language's own grammar reads, and nothing less.

`make site` generates its parser; where that is not done, these are skipped, but not in CI.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fusewright.compiler.check.examine import read_all

from ..support.paths import DOCS, EXAMPLES, ROOT
from ..support.wrong_programs import table

WEB = ROOT / "build" / "web"
NODE = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")


@pytest.fixture(scope="module", autouse=True)
def generated() -> None:
    if not (WEB / "src" / "fuse.parser.js").is_file() or NODE is None:
        if os.environ.get("FUSEWRIGHT_BROWSER") == "required":
            pytest.fail("the site is not built: `make site`")
        pytest.skip("the parser is not generated: `make site` does that")


def faults(texts: list[str]) -> list[list[int]]:
    """Where the generated parser cannot read each text."""
    done = subprocess.run(
        [str(NODE), "faults.mjs"],
        cwd=WEB,
        input=json.dumps(texts),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    found: list[list[int]] = json.loads(done.stdout)
    return found


def test_it_reads_the_language_reference_and_every_example_and_library() -> None:
    pages = [page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md"))]
    texts = [t for page in pages for t in re.findall(r"```fuse[^\n]*\n(.*?)```", page, re.DOTALL)]
    files = [*EXAMPLES.rglob("*.fuse"), *(ROOT / "ops").rglob("*.fuse")]
    texts += [file.read_text(encoding="utf-8") for file in files]
    assert len(texts) > 60
    assert [t for t, found in zip(texts, faults(texts), strict=True) if found] == []


def test_it_reads_what_is_wrong_in_its_meaning_and_stops_at_what_is_wrong_in_its_form() -> None:
    texts = [s.text("fuse") or "" for s in table() if s.text("fuse")]
    misread = [[d for d in read_all(t, spelling="fuse").misread if d.is_error] for t in texts]
    for text, wrong, found in zip(texts, misread, faults(texts), strict=True):
        if not wrong:
            assert found == [], text
        if any(d.code == "E001" for d in wrong):
            assert found, text
