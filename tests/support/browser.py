"""Opens pages in headless Chromium, offline, and looks at them as a person would.

What that needs comes from three places: Chromium and its driver from the system, Selenium from
PyPI, axe-core from npm, into the virtual environment: `make test` puts it there.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
SAME_EVERYWHERE = "--force-color-profile=srgb --font-render-hinting=none --disable-lcd-text".split()
NO_NETWORK = "--host-resolver-rules=MAP * ~NOTFOUND"
ONLY_HERE = f"{NO_NETWORK} , EXCLUDE 127.0.0.1"
"""For pages that are served by this machine."""
AXE = Path(sys.prefix, "npm", "node_modules", "axe-core", "axe.min.js")
RUN_AXE = """
const done = arguments[arguments.length - 1];
const lines = ({ id, help, nodes }) =>
  nodes.map(({ target }) => `${id}: ${help}: ${target.join(" ")}`);
axe.run().then(
  ({ violations }) => done(violations.flatMap(lines)),
  (error) => done([String(error)]),
);
"""
TO_SECOND_FRAME = """
const done = arguments[arguments.length - 1];
const start = performance.now();
{ %s }
requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
"""
TIMES = 7
TOLERANCE = 32
"""Of 255, in one of red, green and blue: more than what the edges of letters differ by."""


def chromium() -> str | None:
    """The path of an installed Chromium."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def missing() -> str:
    """What is not installed of that which pages are tested with; empty if nothing."""
    found = {
        "Chromium": chromium(),
        "chromedriver (Debian's chromium-driver)": shutil.which("chromedriver"),
        f"axe-core ({AXE})": AXE.is_file(),
    }
    return ", ".join(name for name, there in found.items() if not there)


NEEDED = pytest.mark.skipif(
    bool(missing()) and os.environ.get("FUSEWRIGHT_BROWSER") != "required",
    reason=f"there is no {missing()}",
)
"""Marks tests of pages: skipped where something is missing, unless FUSEWRIGHT_BROWSER=required."""


@contextmanager
def opened(
    page: Path | str, *, width: int = 1200, height: int = 900, dark: bool = False
) -> Generator[webdriver.Chrome, None, None]:
    """A page as it is opened from its file or address, in a viewport of that many pixels.

    NOTE: `--window-size` would count the height of the bars that headless Chromium does not show.
    """
    assert not missing(), f"there is no {missing()}"
    media = {
        "prefers-color-scheme": "dark" if dark else "light",
        "prefers-reduced-motion": "reduce",
    }
    view = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    is_served = isinstance(page, str)
    with _started(ONLY_HERE if is_served else NO_NETWORK) as driver:
        _command(driver, "Emulation.setDeviceMetricsOverride", **view)
        features = [{"name": name, "value": value} for name, value in media.items()]
        _command(driver, "Emulation.setEmulatedMedia", features=features)
        driver.get(page if isinstance(page, str) else page.absolute().as_uri())
        yield driver


def console(driver: webdriver.Chrome) -> list[str]:
    """What the browser has logged since the last call, uncaught errors and debug messages too."""
    entries: list[dict[str, str]] = driver.get_log("browser")  # type: ignore[no-untyped-call]
    return [f"{entry['level']}: {entry['message']}" for entry in entries]


def axe(driver: webdriver.Chrome) -> list[str]:
    """What axe-core has against the page as it is now: `rule: what it asks for: selector`."""
    lines: list[str] = driver.execute_async_script(AXE.read_text(encoding="utf-8") + RUN_AXE)
    return lines


def frame_time(driver: webdriver.Chrome, script: str) -> float:
    """Milliseconds from an interaction, in JavaScript, to the second frame after it: a median.

    NOTE: Frames come 60 times a second, so that an interaction that takes no time at all takes
    17 to 33 ms.
    """
    timed = TO_SECOND_FRAME % script
    times: list[float] = [driver.execute_async_script(timed) for _ in range(TIMES)]
    return median(times)


def screenshot(driver: webdriver.Chrome) -> Image.Image:
    """The viewport."""
    return Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")


def differs(image: Image.Image, golden: Path) -> float:
    """The share of pixels that differ by more than TOLERANCE; 1 where the sizes differ."""
    with Image.open(golden) as opened:
        other = opened.convert("RGB")
    if image.size != other.size:
        return 1.0
    distance = np.abs(np.asarray(image, np.int16) - np.asarray(other, np.int16))
    return float((distance.max(axis=2) > TOLERANCE).mean())


def fonts() -> str:
    """The fonts that pages are set in here; nothing where that is not known."""
    if shutil.which("fc-match") is None:
        return ""
    names = ("Helvetica", "Times New Roman", "math")
    command = ["fc-match", "--format=%{family} "]
    return "".join(
        subprocess.run([*command, n], capture_output=True, text=True, check=True).stdout
        for n in names
    )


@contextmanager
def _started(network: str) -> Generator[webdriver.Chrome, None, None]:
    """Chromium through its installed driver: Selenium looks for no other, and nothing is left."""
    options = webdriver.ChromeOptions()
    options.binary_location = chromium() or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, *SAME_EVERYWHERE, network):
        options.add_argument(flag)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        service = Service(shutil.which("chromedriver"), env={**os.environ, "TMPDIR": folder})
        driver = webdriver.Chrome(options, service)
        try:
            yield driver
        finally:
            driver.quit()


def _command(driver: webdriver.Chrome, name: str, **parameters: Any) -> None:
    """A command of Chromium's DevTools protocol."""
    driver.execute_cdp_cmd(name, parameters)
