"""Pages in headless Chromium: clicks, keys and the slider, axe-core, names, and how it looks.

`python -m tests.compiler.targets.test_page` writes the golden images anew; they hold where fonts
are the same.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.graph.build import build
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.measure.sizes import count_parameters
from fusewright.compiler.network.holes import holes_of
from fusewright.compiler.targets.page import Course, Moment, page

from ...support.browser import NEEDED, axe, console, differs, fonts, opened, screenshot
from ...support.paths import ROOT
from .test_diagram import GENOTYPE, HALF_OPEN, HOSTILE, HYPERNET, LATE_FUSION

pytestmark = NEEDED
GOLDEN = ROOT / "tests/golden"
ROUNDS = 5
METRIC = "validation_f1"


def courses(spec: Spec, count: int = 2) -> list[Course]:
    """Searches whose weights sharpen from round to round."""
    program = lower(build(checked(spec)), "per_input")
    mixed = [p for p in program.parameters if p.kind == "architecture"]
    found: list[Course] = []
    for seed in range(count):
        generator = np.random.default_rng(seed)
        logits = {p.name: generator.normal(size=p.sizes[0]) for p in mixed}
        moments: list[Moment] = []
        for number in range(1, ROUNDS + 1):
            raised = {name: np.exp(number * array) for name, array in logits.items()}
            shares = {name: (e / e.sum()).tolist() for name, e in raised.items()}
            moments.append(Moment(number, 0.5 + 0.05 * number + 0.01 * seed, shares))
        found.append(Course(f"runs/seed {seed}", moments, kept=ROUNDS - 1))
    return found


def written(folder: Path, text: str, searches: int = 0) -> Path:
    spec = fw.loads(text)
    path = folder / "page.html"
    made = page(build(checked(spec)), courses(spec, searches), METRIC if searches else "")
    path.write_text(made, encoding="utf-8")
    return path


@contextmanager
def shown(text: str, searches: int = 0, **view: Any) -> Generator[Chrome]:
    """A page in the browser, which must not have said a word."""
    with TemporaryDirectory() as folder:
        path = written(Path(folder), text, searches)
        with opened(path, **view) as driver:
            assert console(driver) == []
            yield driver
            assert console(driver) == []


def one(driver: Chrome, selector: str) -> WebElement:
    return driver.find_element(By.CSS_SELECTOR, selector)


def text_of(driver: Chrome, selector: str) -> str:
    return one(driver, selector).text


def part(driver: Chrome, name: str) -> WebElement:
    """The button of a node in the first picture."""
    return one(driver, f'.panel .picture [role="button"][data-node="{name}"]')


def click(driver: Chrome, name: str) -> None:
    """A click on the words of a node."""
    part(driver, name).find_element(By.CSS_SELECTOR, "text").click()


def details(driver: Chrome) -> str:
    return text_of(driver, "#details")


def fact(driver: Chrome, term: str) -> str:
    """What the details say of a term."""
    found: str = driver.execute_script(
        "return [...document.querySelectorAll('#details dt')]"
        ".find(dt => dt.textContent === arguments[0]).nextElementSibling.textContent",
        term,
    )
    return found


# What a page says


@pytest.mark.parametrize("text", [GENOTYPE, HYPERNET, HALF_OPEN, LATE_FUSION])
def test_a_page_loads_and_nothing_is_wrong_with_it(text: str) -> None:
    for searches in (0, 2):
        with shown(text, searches) as driver:
            assert axe(driver) == []
            assert text_of(driver, "h1").startswith("mmimdb")


def test_a_click_goes_from_the_network_to_a_cell_to_a_step_to_its_equation() -> None:
    with shown(GENOTYPE) as driver:
        program = lower(build(checked(fw.loads(GENOTYPE))))
        assert fact(driver, "parameters") == f"{count_parameters(program):,}"
        whole = one(driver, ".panel svg").get_dom_attribute("viewBox")
        click(driver, "Cell_1")
        assert text_of(driver, "#details h2") == "Cell_1"
        assert one(driver, ".panel svg").get_dom_attribute("viewBox") != whole
        click(driver, "Cell_1.Step_1")
        assert text_of(driver, "#details h2") == "Step_1"
        assert fact(driver, "shape") == "(batch, length 16, channels 192)"
        assert fact(driver, "input 1") == "y"
        own = sum(
            p.elements
            for p in program.parameters
            if p.kind == "weight" and p.name.startswith("Cell_1.Step_1.")
        )
        assert fact(driver, "parameters") == f"{own:,}"
        assert len(driver.find_elements(By.CSS_SELECTOR, "#details math")) == 1
        assert "ConcatFC" in text_of(driver, "#details .equation code")
        path = [b.text for b in driver.find_elements(By.CSS_SELECTOR, "#path button")]
        assert path == ["mmimdb", "Cell_1", "Step_1"]
        assert axe(driver) == []
        one(driver, "#path button").click()
        assert one(driver, ".panel svg").get_dom_attribute("viewBox") == whole
        click(driver, "Text_1")
        assert fact(driver, "shape") == "(batch, c 128, t *)"


def test_everything_can_be_reached_with_keys() -> None:
    with shown(GENOTYPE) as driver:
        driver.execute_script("document.querySelector('.picture [tabindex=\"0\"]').focus()")
        visited: set[str] = set()
        for key in (Keys.ARROW_UP,) * 8 + (Keys.ARROW_LEFT, Keys.ARROW_RIGHT, Keys.ARROW_DOWN):
            visited.add(driver.switch_to.active_element.get_attribute("data-node") or "")
            driver.switch_to.active_element.send_keys(key)
        assert "head" in visited
        assert len(visited) > 5
        driver.execute_script("arguments[0].focus()", part(driver, "Cell_2.Step_1"))
        driver.switch_to.active_element.send_keys(Keys.ENTER)
        assert text_of(driver, "#path li:last-child") == "Step_1"
        assert "LinearGLU" in details(driver)
        assert one(driver, "#said").get_attribute("textContent") == "Step_1, Step of Cell_2"
        assert axe(driver) == []
        for expected in ("Cell_2", "mmimdb"):
            driver.switch_to.active_element.send_keys(Keys.ESCAPE)
            assert text_of(driver, "#path li:last-child") == expected
        tree = driver.find_elements(By.CSS_SELECTOR, "#tree button")
        assert [b.text for b in tree] == ["mmimdb", "Cell_1", "Step_1", "Cell_2", "Step_1"]
        tree[3].send_keys(Keys.SPACE)
        assert text_of(driver, "#details h2") == "Cell_2"


def widths(driver: Chrome) -> list[list[float]]:
    """The widths of the lines that are seen, panel by panel."""
    found: list[list[float]] = driver.execute_script(
        "const seen = l => l.style.display !== 'none';"
        "return [...document.querySelectorAll('.panel')].map(p => [...p.querySelectorAll('.lines"
        " > g')].filter(seen).map(l => parseFloat(l.style.strokeWidth)))"
    )
    return found


def bars(driver: Chrome) -> list[float]:
    """The shares of the bars of the first picture's last Step, in the order of its operations."""
    found: list[float] = driver.execute_script(
        "const g = document.querySelector('.panel [data-node=\"Cell_2.Step_2\"]');"
        'const w = f => [...g.querySelectorAll(`polygon[fill="var(--${f})"]`)]'
        ".map(p => p.getBBox().width);"
        "const [a, b] = [w('bar'), w('track')]; return a.map((x, i) => x / (x + b[i]))"
    )
    return found


def test_the_slider_shows_how_holes_settled_in_every_search() -> None:
    known = courses(fw.loads(HYPERNET))
    with shown(HYPERNET, 2) as driver:
        captions = [c.text for c in driver.find_elements(By.CSS_SELECTOR, "figcaption")]
        assert captions == [
            f"runs/seed {seed}, round {ROUNDS}: {METRIC} {0.75 + 0.01 * seed:.4f}"
            for seed in (0, 1)
        ]
        slider = one(driver, "#round")
        for number in range(ROUNDS - 1, 0, -1):
            slider.send_keys(Keys.ARROW_LEFT)
            assert text_of(driver, "#now") == f"{number} of {ROUNDS}"
            gammas = known[0].moments[number - 1].shares["Cell_2.Step_2.gamma"]
            assert bars(driver) == pytest.approx(gammas, abs=0.02)
            for seed, lines in enumerate(widths(driver)):
                shares = known[seed].moments[number - 1].shares
                rows = [s for name, s in shares.items() if not name.endswith("gamma")]
                seen = [w for row in rows for w in np.round(row, 3) if w * len(row) >= 0.5]
                assert len(seen) >= len(rows)
                assert sorted(lines) == pytest.approx(sorted(0.5 + 2.8 * w for w in seen), abs=1e-3)
        assert ", kept" not in text_of(driver, "figcaption")
        slider.send_keys(Keys.END, Keys.ARROW_LEFT)
        assert ", kept" in text_of(driver, "figcaption")
        click(driver, "Cell_1.x")
        listed = driver.find_elements(By.CSS_SELECTOR, "#details tbody tr")
        first = known[0].moments[ROUNDS - 2].shares["Cell_1.alpha_1"]
        assert [float(r.text.split()[1]) for r in listed] == pytest.approx(first, abs=1e-3)
        assert axe(driver) == []
        assert slider.get_attribute("aria-valuetext") == f"round {ROUNDS - 1} of {ROUNDS}"


THROUGH = """
const wrong = [];
const boxes = [...document.querySelectorAll('.panel [role="button"]')].filter(
  (g) => g.classList.contains("node")).map((g) => [g.dataset.node, g.getBBox()]);
for (const line of document.querySelectorAll(".lines > g")) {
  const path = line.querySelector("path");
  const whole = path.getTotalLength();
  for (let far = 2; far < whole - 2; far += 3) {
    const { x, y } = path.getPointAtLength(far);
    for (const [name, b] of boxes) {
      const isIn = x > b.x + 1 && x < b.x + b.width - 1 && y > b.y + 1 && y < b.y + b.height - 1;
      const end = path.getPointAtLength(whole);
      const isBeside = end.x > b.x && end.x < b.x + b.width;
      const isOwn = isBeside && end.y > b.y && end.y <= b.y + b.height + 1;
      if (isIn && !isOwn) wrong.push(name);
    }
  }
  if (line.querySelectorAll("polygon").length !== 1) wrong.push("no head");
}
return [document.querySelectorAll(".lines > g").length, [...new Set(wrong)]];
"""


def test_lines_have_heads_and_go_around_boxes() -> None:
    with shown(HYPERNET, 1) as driver:
        count, wrong = driver.execute_script(THROUGH)
    assert count > 4
    assert wrong == []


def test_no_step_is_without_an_input_where_no_weight_is_large() -> None:
    """Under `shared`, the rows of all candidates may be small at once."""
    spec = fw.loads(HYPERNET)
    network = checked(spec)
    small = {
        hole.parameter: [0.05 + 0.01 * i for i in range(len(hole.candidates))]
        for hole in holes_of(network, "shared")
    }
    course = Course("small", [Moment(1, None, small)])
    with TemporaryDirectory() as folder:
        path = Path(folder, "page.html")
        path.write_text(page(build(network), [course]), encoding="utf-8")
        with opened(path) as driver:
            drawn = len(widths(driver)[0])
    slots = sum(len(h.slots) for h in holes_of(network, "shared"))
    assert drawn == slots


def test_play_goes_to_the_last_round_and_stops() -> None:
    with shown(HYPERNET, 1) as driver:
        play = one(driver, "#play")
        play.click()
        assert play.text == "Stop"
        assert text_of(driver, "#now") == f"1 of {ROUNDS}"
        driver.set_script_timeout(20)
        driver.execute_async_script(
            "const done = arguments[0]; const t = setInterval(() => {"
            "if (document.getElementById('play').textContent === 'Play') "
            "{ clearInterval(t); done() } }, 50)"
        )
        assert text_of(driver, "#now") == f"{ROUNDS} of {ROUNDS}"


def test_a_dark_screen_is_legible() -> None:
    for text, searches in ((GENOTYPE, 0), (HYPERNET, 2)):
        with shown(text, searches, dark=True) as driver:
            click(driver, "Cell_1.Step_1")
            assert axe(driver) == []


def test_a_narrow_screen_shows_one_column() -> None:
    with shown(HYPERNET, 2, width=420) as driver:
        width = driver.execute_script("return document.documentElement.scrollWidth")
        assert width <= 420
        assert axe(driver) == []


def course(name: str, numbers: list[int], shares: Mapping[str, Sequence[float]]) -> Course:
    return Course(name, [Moment(n, n / 10, shares) for n in numbers], numbers[-1])


@contextmanager
def shown_courses(text: str, found: list[Course]) -> Generator[Chrome]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "page.html")
        path.write_text(page(build(checked(fw.loads(text))), found, METRIC), encoding="utf-8")
        with opened(path) as driver:
            yield driver
            assert console(driver) == []


def test_rounds_of_searches_stand_beside_each_other_by_their_numbers() -> None:
    """A search that says something in round 1, 4 and 9 beside one that does so in 3 and 4."""
    shares = courses(fw.loads(HYPERNET), 1)[0].moments[0].shares
    found = [course("a", [1, 4, 9], shares), course("b", [3, 4], shares)]
    with shown_courses(HYPERNET, found) as driver:
        assert text_of(driver, "#now") == "9 of 9"
        slider = one(driver, "#round")
        seen: list[list[str]] = []
        for _ in range(4):
            captions = driver.find_elements(By.CSS_SELECTOR, "figcaption")
            seen.append([c.text.partition("round ")[2][:1] for c in captions])
            slider.send_keys(Keys.ARROW_LEFT)
        assert seen == [["9", "4"], ["4", "4"], ["1", "3"], ["1", "3"]]


def test_weights_that_are_not_known_are_not_made_up() -> None:
    """The first search has no weights of operations in its last round, the second has."""
    shares = courses(fw.loads(HYPERNET), 1)[0].moments[0].shares
    some = {name: row for name, row in shares.items() if not name.endswith("gamma")}
    with shown_courses(HYPERNET, [course("a", [1], some), course("b", [1], shares)]) as driver:
        click(driver, "Cell_1.Step_1")
        said = driver.find_elements(By.CSS_SELECTOR, "#details tbody")[-1].text
        assert "Sum not known 0." in said
        assert axe(driver) == []


def test_of_many_operations_the_heaviest_of_any_round_have_bars() -> None:
    ops = "\n".join(f"op O{i}(x, y) = x + y" for i in range(15))
    names = ", ".join(f"O{i}" for i in range(15))
    text = f"""
    network many(C = 8, L = 4)
    {ops}
    modality m {{ A[c 8] B[c 8] }}
    pool {names}
    cell K(A, B) {{ S = ?(x, y) }}
    predict 2 classes
    """
    rows = [[0.01] * 15, [0.01] * 15]
    rows[0][0] = rows[1][14] = 0.86
    found = [course(str(i), [1], {"K.S.gamma": row}) for i, row in enumerate(rows)]
    with shown_courses(text, found) as driver:
        for panel in driver.find_elements(By.CSS_SELECTOR, ".panel"):
            said = panel.find_element(By.CSS_SELECTOR, '[data-node="K.S"]').text
            assert "O14" in said
            assert "O0" in said
            assert "and 3 more" in said


def test_what_is_focused_is_in_sight() -> None:
    with shown(GENOTYPE) as driver:
        whole = one(driver, ".panel svg").get_dom_attribute("viewBox")
        click(driver, "Cell_2.Step_1")
        driver.execute_script("arguments[0].focus()", part(driver, "Cell_2.y"))
        for _ in range(4):
            driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
        name = driver.switch_to.active_element.get_attribute("data-node")
        assert not (name or "").startswith("Cell_2")
        assert one(driver, ".panel svg").get_dom_attribute("viewBox") == whole


def test_an_equation_keeps_its_focus_while_rounds_change() -> None:
    with shown(HYPERNET, 1) as driver:
        click(driver, "Cell_1.Step_1")
        driver.execute_script("document.querySelector('.equation').focus()")
        driver.execute_script(
            "const r = document.getElementById('round'); r.value = 1;"
            "r.dispatchEvent(new Event('input'))"
        )
        assert driver.switch_to.active_element.get_attribute("class") == "equation"


@pytest.mark.parametrize("name", ["output", "head", "constructor", "__proto__", "{{picture}}"])
def test_a_network_may_have_any_name(name: str) -> None:
    with shown(GENOTYPE.replace("network mmimdb", f"network `{name}`")) as driver:
        assert text_of(driver, "h1") == f"{name}: network"
        assert len(driver.find_elements(By.CSS_SELECTOR, "svg")) == 1
        assert not driver.find_elements(By.CSS_SELECTOR, "g.graph[role]")
        assert axe(driver) == []


# Names


@pytest.mark.parametrize("name", [n for n in HOSTILE if len(n) < 100 and '"' not in n] + ['a"b'])
def test_names_stay_text(name: str) -> None:
    text = f"""
    network `{name}`(C = 8, L = 4)
    modality `{name}` {{ `{name}`[c 8] other[c 8] }}
    op `{name}`(x, y) = x + y
    cell `{name} 2`(?, ?) {{ `{name} 3` = {{`{name}` | Sum}}(x, ?) }}
    predict 2 classes {{ `{name}`, `{name} 4` }}
    """
    spec = fw.loads(text)
    (course,) = courses(spec, 1)
    named = Course(name, course.moments, course.kept)
    with TemporaryDirectory() as folder:
        path = Path(folder, "page.html")
        path.write_text(page(build(checked(spec)), [named], name), encoding="utf-8")
        with opened(path) as driver:
            said = driver.execute_script(
                "return [document.querySelectorAll('script').length,"
                "document.querySelector('figcaption').textContent,"
                "document.querySelector('#tree li:nth-child(2) button').textContent]"
            )
            assert said[0] == 2
            assert said[1].strip("\u2068").replace("\u2069", "", 1).startswith(f"{name}, round")
            assert said[2] == f"{name} 2"
            driver.find_elements(By.CSS_SELECTOR, "#tree button")[2].click()
            assert text_of(driver, "#details h2") == " ".join(f"{name} 3".split())
            assert console(driver) == []


def test_names_with_lines_and_hundreds_of_characters_stay_text() -> None:
    for name in ("Feature" * 70, "a\nb\u202ec"):
        spec = fw.loads(GENOTYPE)
        (moment,) = [Moment(1, None, {})]
        made = page(build(checked(spec)), [Course(name, [moment])], name)
        with TemporaryDirectory() as folder:
            path = Path(folder, "page.html")
            path.write_text(made, encoding="utf-8")
            with opened(path) as driver:
                shown_name = text_of(driver, "figcaption")
                assert "\n" not in shown_name
                assert shown_name.startswith(name[:1])
                assert console(driver) == []


def test_no_data_ends_the_script_that_holds_it() -> None:
    made = page(build(checked(fw.loads(GENOTYPE))), [Course("</script><b>", [Moment(1, 1.0, {})])])
    assert made.count("</script>") == 2
    start = made.index('id="data">') + len('id="data">')
    data = json.loads(made[start : made.index("</script>")])
    assert data["courses"][0]["name"] == "</script><b>"


# How it looks

VIEWS: Mapping[str, tuple[str, int, dict[str, Any]]] = {
    "genotype": (GENOTYPE, 0, {}),
    "search": (HYPERNET, 2, {}),
    "dark": (HYPERNET, 1, {"dark": True}),
}


def pictured(name: str) -> Any:
    text, searches, view = VIEWS[name]
    with shown(text, searches, **view) as driver:
        click(driver, "Cell_1.Step_1")
        return screenshot(driver)


@pytest.mark.parametrize("name", VIEWS)
def test_a_page_looks_as_it_did(name: str) -> None:
    if fonts() != (GOLDEN / "fonts.txt").read_text(encoding="utf-8"):
        pytest.skip("the golden images were made with other fonts")
    assert differs(pictured(name), GOLDEN / f"page_{name}.png") < 0.01


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    (GOLDEN / "fonts.txt").write_text(fonts(), encoding="utf-8")
    for view_name in VIEWS:
        pictured(view_name).quantize(64).save(GOLDEN / f"page_{view_name}.png", optimize=True)
    sys.exit(0)
