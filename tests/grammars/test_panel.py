"""The diagram in the panel of Visual Studio Code: its page, in a browser, without the editor."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fusewright as fw

from ..support.browser import NEEDED, axe, console, opened
from ..support.paths import EXAMPLES, ROOT

NODE = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
PAGE = """
const Module = require("node:module");
const load = Module._load;
const editor = { ColorThemeKind: {}, ViewColumn: {}, window: {} };
Module._load = (name, ...more) => (name === "vscode" ? editor : load(name, ...more));
process.stdout.write(require("./grammars/vscode/panel.js").page());
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    command = [str(NODE), "-e", PAGE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    file = tmp_path / "panel.html"
    file.write_text(done.stdout, encoding="utf-8")
    return file


@NEEDED
def test_the_panel_shows_the_diagram_and_marks_what_stands_at_the_cursor(page: Path) -> None:
    svg = fw.draw(fw.load(EXAMPLES / "ntu1_genotype.fuse")).decode()
    marked = "return [...document.querySelectorAll('.here > title')].map((t) => t.textContent)"
    with opened(page) as driver:
        for message, expected in (
            ({"svg": svg, "at": ["cluster_Cell_1"]}, ["cluster_Cell_1"]),
            ({"svg": svg, "at": ["Cell_2.Step_1", "Video_3"]}, ["Video_3", "Cell_2.Step_1"]),
        ):
            driver.execute_async_script(SEND, json.dumps(message))
            assert sorted(driver.execute_script(marked)) == sorted(expected)
        driver.execute_async_script(SEND, json.dumps({"svg": None, "at": []}))
        assert "errors" in driver.find_element("id", "told").text
        assert driver.execute_script("return document.querySelector('#picture.stale svg') !== null")
        assert [v for v in axe(driver) if not v.startswith(OF_THE_FRAME)] == []
        assert console(driver) == []


SEND = """
const done = arguments[arguments.length - 1];
window.addEventListener("message", () => setTimeout(done, 50), { once: true });
window.postMessage(JSON.parse(arguments[0]), "*");
"""
OF_THE_FRAME = ("document-title", "landmark-one-main", "page-has-heading-one", "region")
"""What the editor has around the page."""
