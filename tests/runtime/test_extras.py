"""Libraries of optional extras: one that is missing is said with what installs it."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

import fusewright as fw
from fusewright.runtime.extras import EXTRAS, missing, needed

from ..support.paths import ROOT

IMPORTED = {"pillow": "PIL", "scikit-learn": "sklearn"}
"""Packages that are imported by another name than they are installed by."""


def test_a_library_that_is_there_is_given() -> None:
    assert needed("json", "formats") is json


def test_a_library_that_is_missing_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(fw.DiagnosticError) as caught:
        needed("h5py", "formats")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E509"
    assert diagnostic.message == "`h5py` is needed for this, and is not installed"
    assert diagnostic.help == "install it: `pip install 'fusewright[formats]'`"


def test_a_library_that_lacks_another_one_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lacking.py").write_text("import nowhere_to_be_found\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        needed("lacking", "formats")
    with pytest.raises(fw.DiagnosticError, match="`nowhere` is needed"):
        needed("nowhere.within", "formats")


def test_extras_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra, requirements in project["optional-dependencies"].items():
        names = [re.split(r"[<>=\[]", one)[0] for one in requirements]
        modules = {IMPORTED.get(name, name.replace("-", "_")) for name in names}
        assert modules == {*EXTRAS[extra]}, extra


@pytest.mark.parametrize(
    ("module", "requirement"),
    [("sklearn.svm", "'fusewright[torch]'"), ("PIL", "'fusewright[raw]'"), ("pygls", "pygls")],
)
def test_a_missing_library_is_of_the_extra_that_has_it(module: str, requirement: str) -> None:
    (diagnostic,) = missing(module).diagnostics
    assert diagnostic.help == f"install it: `pip install {requirement}`"
