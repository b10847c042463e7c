"""The script for browsers that the tutorial on deployment shows, run beside what the page makes."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import numpy as np
import onnxruntime
import pytest
from selenium.webdriver.support.ui import WebDriverWait

from ..support.browser import NEEDED, console, opened
from ..support.served import served
from .test_tutorials import PAGES, blocks, carried_out

PAGE = """<!doctype html>
<title>of one's own</title>
<script type="importmap">
{ "imports": { "onnxruntime-web": "./onnxruntime/ort.wasm.min.mjs" } }
</script>
<script type="module" src="own.js"></script>
"""
"""What a bundler of npm packages makes of an import, said by an import map."""


@NEEDED
@pytest.mark.filterwarnings("ignore")
def test_the_script_of_the_tutorial_runs_in_a_browser(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = PAGES["deploy"]
    assert "compile" in carried_out(page)
    (script,) = (text for language, _, text in blocks(page) if language == "js")
    copytree(site / "playground" / "onnxruntime", tmp_path / "onnxruntime")
    (tmp_path / "index.html").write_text(PAGE, encoding="utf-8")
    (tmp_path / "own.js").write_text(f"{script}globalThis.found = [...logits.data];\n", "utf-8")
    ones = {"image": np.ones((1, 6, 3, 3), np.float32), "text": np.ones((1, 5), np.float32)}
    expected = np.asarray(onnxruntime.InferenceSession("small.onnx").run(None, ones)[0])
    with served(tmp_path) as address, opened(f"{address}/index.html") as driver:
        found = WebDriverWait(driver, 60, 0.05).until(
            lambda d: d.execute_script("return globalThis.found")
        )
        said = [line for line in console(driver) if "favicon" not in line]
    assert np.allclose(found, expected[0], atol=1e-5)
    assert said == []
