"""The site that `make site` built, served for the tests of a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..support.paths import ROOT
from ..support.served import served

SITE = ROOT / "build" / "site"


@pytest.fixture(scope="session")
def site() -> Path:
    """Where the site is; skipped where it is not built, unless FUSEWRIGHT_BROWSER=required."""
    if not (SITE / "playground" / "index.html").is_file():
        if os.environ.get("FUSEWRIGHT_BROWSER") == "required":
            pytest.fail("the site is not built: `make site`")
        pytest.skip("the site is not built: `make site` builds it")
    return SITE


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with served(site) as base:
        yield base
