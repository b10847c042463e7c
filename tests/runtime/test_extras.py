"""Libraries of optional extras: one that is missing is said with what installs it."""

from __future__ import annotations

import json
import sys

import pytest

import fusewright as fw
from fusewright.runtime.extras import needed


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
