"""The playground as a person meets it: in a browser, without network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any

import numpy as np
import onnxruntime
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

import fusewright as fw
from fusewright.playground import Playground

from ..support.browser import NEEDED, axe, console, opened
from ..support.paths import EXAMPLES
from ..support.wrong_programs import table

pytestmark = NEEDED
SIZES = {"A": 3, "B": 5}
PATIENCE = 120
"""Seconds after which something does not come at all."""
BUSY = 10
"""How many times as long anything may take as on a quiet machine, since tests share theirs."""
CODES = "return [...document.querySelectorAll('#problems .code')].map((c) => c.textContent)"
ASK = """
const done = arguments[arguments.length - 1];
const said = (found) => done(JSON.stringify(found));
fusewright.ask(arguments[0], arguments[1]).then(said, (fault) => done(String(fault)));
"""
MEASURED = "return performance.getEntriesByName(arguments[0]).map((e) => e.duration)"


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[webdriver.Chrome]:
    with opened(f"{address}/playground/index.html", width=1400) as driver:
        driver.set_script_timeout(PATIENCE)
        wait(driver, "return document.querySelector('#picture svg') !== null")
        yield driver


def wait(driver: webdriver.Chrome, script: str) -> Any:
    return WebDriverWait(driver, PATIENCE, 0.05).until(lambda d: d.execute_script(script))


def ask(driver: webdriver.Chrome, question: str, *given: object) -> Any:
    return json.loads(driver.execute_async_script(ASK, question, list(given)))


def choose(driver: webdriver.Chrome, example: str) -> None:
    """Another example, diagnosed."""
    driver.execute_script("document.getElementById('picture').replaceChildren()")
    driver.execute_script(
        "const e = document.getElementById('examples'); e.value = arguments[0]; e.onchange()",
        example,
    )
    wait(driver, "return document.querySelector('#picture svg') !== null")


def test_it_starts_draws_and_is_well(page: webdriver.Chrome, site: Path) -> None:
    (ready,) = page.execute_script(
        "return performance.getEntriesByName('ready').map((e) => e.startTime)"
    )
    size = sum(
        f.stat().st_size for f in (site / "playground").rglob("*") if "onnxruntime" not in f.parts
    )
    print(f"ready after {ready / 1000:.1f} s, {size / 1e6:.1f} MB")
    assert ready < BUSY * 5000
    assert page.find_element(By.ID, "count").text == "no errors"
    assert axe(page) == []
    assert [line for line in console(page) if "favicon" not in line] == []


def test_diagnostics_are_those_of_the_command_line(page: webdriver.Chrome) -> None:
    """What the page answers is what the same questions are answered here, for every example."""
    here = Playground()
    texts = [s.text("fuse") for s in table() if s.text("fuse")]
    assert len(texts) > 100
    for text in texts:
        found = ask(page, "diagnose", text)
        assert found == json.loads(here.answer("diagnose", json.dumps([text])))


def test_every_keystroke_is_answered(page: webdriver.Chrome) -> None:
    """Typed in the middle of a text, so that most of what is diagnosed is broken."""
    choose(page, "ntu1")
    place = (EXAMPLES / "ntu1.fuse").read_text(encoding="utf-8").index("cell Cell")
    page.execute_script(
        "performance.clearMeasures(); fusewright.view.focus();"
        "fusewright.view.dispatch({ selection: { anchor: arguments[0] } })",
        place,
    )
    seen: set[str] = set()
    for letter in "op Mine(x, y) = x + y @ W[_, C]\n":
        page.switch_to.active_element.send_keys(letter, Keys.ESCAPE)
        before = len(page.execute_script(MEASURED, "keystroke"))
        wait(page, f"return performance.getEntriesByName('keystroke').length >= {max(1, before)}")
        seen.update(page.execute_script(CODES))
    times = page.execute_script(MEASURED, "keystroke")
    most = quantiles(times, n=20)[-1]
    print(f"{len(times)} answers, 95th percentile {most:.0f} ms")
    assert most < BUSY * 100
    assert "E001" in seen
    assert len(times) > 20


def test_a_diagram_is_drawn_after_a_change(page: webdriver.Chrome) -> None:
    """The first picture of a page is left out: what draws is imported for it."""
    choose(page, "mmimdb1_genotype")
    page.execute_script("performance.clearMeasures()")
    choose(page, "ntu1_genotype")
    times = page.execute_script(MEASURED, "diagram")
    print(f"drawn in {max(times):.0f} ms")
    assert max(times) < BUSY * 500
    assert "LinearGLU" in page.find_element(By.ID, "picture").text


def test_size_equations_and_code_are_shown(page: webdriver.Chrome) -> None:
    choose(page, "ntu1_genotype")
    for tab, inside, expected in (
        ("size", "facts", "multiply-adds"),
        ("equations", "rows", "parameters"),
        ("code", "python", "class "),
    ):
        page.find_element(By.ID, f"tab-{tab}").click()
        wait(page, f"return document.getElementById('{inside}').textContent.includes('{expected}')")
        assert axe(page) == [], tab
    choose_space = "return document.getElementById('python').textContent.includes('has holes')"
    page.execute_script(
        "const e = document.getElementById('examples'); e.value = 'ntu1'; e.onchange()"
    )
    wait(page, choose_space)
    page.find_element(By.ID, "tab-diagram").click()


def test_a_link_carries_the_specification(page: webdriver.Chrome, address: str) -> None:
    choose(page, "half_open")
    page.find_element(By.ID, "link").click()
    wait(page, "return location.hash.startsWith('#spec=')")
    fragment = page.execute_script("return location.hash")
    choose(page, "ntu1")
    page.execute_script("location.hash = ''; location.hash = arguments[0]", fragment)
    text = (EXAMPLES / "half_open.fuse").read_text(encoding="utf-8")
    shown = "return fusewright.view.state.doc.toString()"
    WebDriverWait(page, PATIENCE, 0.05).until(lambda d: d.execute_script(shown) == text)


def test_completion_and_hover_are_those_of_the_language_server(page: webdriver.Chrome) -> None:
    text = (EXAMPLES / "ntu1_genotype.fuse").read_text(encoding="utf-8")
    here = Playground()
    here.diagnose(text)
    ask(page, "diagnose", text)
    for question, given in (
        ("hover", [text.index("LinearGLU")]),
        ("complete", [text, text.index("LinearGLU")]),
    ):
        assert ask(page, question, *given) == json.loads(here.answer(question, json.dumps(given)))


def test_it_is_readable_in_the_dark(address: str) -> None:
    with opened(f"{address}/playground/index.html", width=1400, dark=True) as driver:
        driver.set_script_timeout(PATIENCE)
        assert axe(driver) == []


@pytest.mark.parametrize(("dark", "width"), [(False, 1200), (True, 1200), (False, 400)])
def test_an_exported_file_predicts_in_the_browser(
    address: str, tmp_path: Path, genotype: str, dark: bool, width: int
) -> None:
    """The same classes as ONNX Runtime here, and what each Cell gives."""
    model = fw.compile(fw.loads(genotype), "onnx", seed=0)
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    draw = np.random.default_rng(0)
    features: dict[str, Any] = {
        name: draw.normal(size=(5, size)).astype(np.float32) for name, size in SIZES.items()
    }
    np.savez_compressed(tmp_path / "features.npz", **features)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    logits = np.asarray(session.run(None, features)[0])
    expected = [f"{row.argmax()}" for row in logits]
    with opened(f"{address}/playground/predict.html", dark=dark, width=width) as driver:
        files = "\n".join(str(tmp_path / n) for n in ("model.onnx", "features.npz"))
        driver.find_element(By.ID, "files").send_keys(files)
        wait(driver, "return !document.getElementById('results').hidden")
        shown = driver.execute_script(
            "return [...document.querySelectorAll('#predictions tbody tr')]"
            ".map((r) => r.cells[1].textContent)"
        )
        captions = [c.text for c in driver.find_elements(By.CSS_SELECTOR, "figcaption")]
        assert axe(driver) == []
        assert console(driver) == []
    assert shown == expected
    assert any(c.startswith("Cell: 2 × 4") for c in captions)


@pytest.fixture
def genotype() -> str:
    features = " ".join(f"{name}[c {size}]" for name, size in SIZES.items())
    return (
        f"network n(C = 4, L = 2)\nmodality m {{ {features} }}\n"
        "cell Cell(A, B) { S = LinearGLU(x, y) }\npredict 3 classes\n"
    )
