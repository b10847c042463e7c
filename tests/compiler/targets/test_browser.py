"""What a test of a page relies on, on a page with one mistake of each kind."""

from __future__ import annotations

import socket
from collections.abc import Generator
from pathlib import Path

import pytest
from PIL import Image
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from ...support import browser

pytestmark = browser.NEEDED

PAGE = """<!doctype html>
<html lang="en">
<title>A page</title>
<style>
  body { background: white }
  @media (prefers-color-scheme: dark) { body { background: black } }
</style>
<main>
  <h1>A page</h1>
  <button onclick="console.log('pressed')">Press</button>
  <img id="unnamed" src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">
</main>
<script>console.error("loaded")</script>
</html>
"""
BUSY = "for (const until = performance.now() + 100; performance.now() < until; );"
ASK = "fetch(arguments[0], { mode: 'no-cors' }).finally(arguments[1])"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("browser") / "page.html"
    file.write_text(PAGE, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def driver(page: Path) -> Generator[Chrome, None, None]:
    with browser.opened(page) as driver:
        yield driver


def test_the_console_is_read_from_the_start_and_once(page: Path) -> None:
    with browser.opened(page) as driver:
        (loaded,) = browser.console(driver)
        driver.find_element(By.TAG_NAME, "button").click()
        (pressed,) = browser.console(driver)
        assert not browser.console(driver)
    assert loaded.startswith("SEVERE")
    assert '"loaded"' in loaded
    assert '"pressed"' in pressed


def test_axe_names_the_rule_and_the_element(driver: Chrome) -> None:
    (line,) = browser.axe(driver)
    assert line.startswith("image-alt: ")
    assert line.endswith(": #unnamed")


def test_the_time_to_a_frame_holds_the_interaction(driver: Chrome) -> None:
    assert browser.frame_time(driver, BUSY) >= 100


def test_there_is_no_network(driver: Chrome) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        driver.execute_async_script(ASK, f"http://127.0.0.1:{port}/")
        with pytest.raises(BlockingIOError):
            server.accept()


def test_the_viewport_and_its_colours_are_those_asked_for(page: Path) -> None:
    with browser.opened(page, width=400, height=300, dark=True) as driver:
        image = browser.screenshot(driver)
        assert driver.execute_script("return matchMedia('(prefers-reduced-motion)').matches")
    assert image.size == (400, 300)
    assert image.getpixel((399, 299)) == (0, 0, 0)


def test_a_picture_differs_by_the_pixels_that_do(driver: Chrome, tmp_path: Path) -> None:
    image, golden = browser.screenshot(driver), tmp_path / "golden.png"
    image.save(golden)
    assert browser.differs(browser.screenshot(driver), golden) == 0
    image.paste("black", (600, 450, 1200, 900))
    assert browser.differs(image, golden) == 0.25
    assert browser.differs(Image.new("RGB", (3, 2)), golden) == 1


def test_what_is_missing_is_named(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "AXE", page / "axe.min.js")
    with pytest.raises(AssertionError, match="there is no axe-core"), browser.opened(page):
        pass
