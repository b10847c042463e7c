"""The site: every public name has its place, links lead somewhere, all can read the pages."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import fusewright as fw

from ..support.browser import NEEDED, axe, console, opened
from ..support.paths import DOCS

PATIENCE = 120
"""Seconds that axe-core may take of a page, since tests share their machine."""


class _Page(HTMLParser):
    """The links of a page, and what can be linked to in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.add(value)
            if name in ("id", "name") and value:
                self.places.add(value)


def test_every_public_name_has_its_line_in_the_reference() -> None:
    page = (DOCS / "reference.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^::: fusewright\.(\w+)$", page, re.MULTILINE)) == sorted(fw.__all__)


def test_every_link_leads_somewhere(site: Path) -> None:
    pages = {p: _Page(p.read_text(encoding="utf-8")) for p in sorted(site.rglob("*.html"))}
    broken = []
    for page, read in pages.items():
        for link in read.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or page.name == "404.html":
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            place = unquote(parts.fragment)
            known = pages.get(target)
            if not target.exists() or (place and known and place not in known.places):
                broken.append(f"{page.relative_to(site)}: {link}")
    assert len(pages) > 20
    assert broken == []


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    fetched = re.compile(
        r'<(?:script|img|iframe)[^>]*src="(https?:)?//|<link[^>]*stylesheet[^>]*href="https?:'
    )
    found = [p.name for p in site.glob("*.html") if fetched.search(p.read_text(encoding="utf-8"))]
    assert found == []


@NEEDED
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pages_can_be_read_by_all(address: str, dark: bool) -> None:
    """Of each layout one page: the first, prose with tables, the reference."""
    with opened(f"{address}/index.html", width=1280, dark=dark) as driver:
        driver.set_script_timeout(PATIENCE)
        for page in ("index", "start", "comparison", "reference", "training", "tutorials/deploy"):
            driver.get(f"{address}/{page}.html")
            assert axe(driver) == [], page
            assert console(driver) == [], page


@NEEDED
def test_wide_tables_are_scrolled_by_the_keyboard_on_a_telephone(address: str) -> None:
    with opened(f"{address}/index.html", width=400) as driver:
        driver.set_script_timeout(PATIENCE)
        for page in ("comparison", "estimators", "training"):
            driver.get(f"{address}/{page}.html")
            assert axe(driver) == [], page
