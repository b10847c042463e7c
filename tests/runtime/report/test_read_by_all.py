"""Reports with what stands behind the scores can be read by all, in light and in the dark."""

from __future__ import annotations

from pathlib import Path

import pytest

import fusewright as fw

from ...support.browser import NEEDED, axe, console, opened
from ...support.running import FIXED, QUICK, problem, spec


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of classes and of values: every class, the confusion, calibration, and errors."""
    place = tmp_path_factory.mktemp("report")
    for kind in ("classes", "values"):
        predict = {"classes": "3 classes { a, b, c }", "values": "1 values"}[kind]
        trained = fw.train(spec(FIXED, predict=predict), problem(90, kind), settings=QUICK)
        fw.report([trained], data=problem(90, kind), out=place / f"{kind}.html")
    return place


@NEEDED
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 400])
def test_details_can_be_read_by_all(report: Path, dark: bool, width: int) -> None:
    with opened(report / "classes.html", dark=dark, width=width) as driver:
        for kind, shown in (("classes", ".confusion"), ("values", "table")):
            driver.get((report / f"{kind}.html").as_uri())
            assert driver.find_elements("css selector", shown), kind
            driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = 1)")
            assert axe(driver) == [], kind
            assert console(driver) == [], kind
