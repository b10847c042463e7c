"""A target is one folder with one record, which `compile`, `deploy` and `load` find there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fusewright as fw
import fusewright.compiler.targets as package
from fusewright.compiler.targets.target import ORDER, file_targets, target_of, targets
from fusewright.runtime.deploy.deploy import deploy

from ...support.running import FIXED, spec

NAMES = '''
from ...documents.spellings import loads
from ...system.files import read_text
from ..target import Target


def names(subject):
    """The specification, and the names of weights as comments."""
    return "".join([str(subject.network.spec), *(f"# {name}\\n" for name in subject.arrays)])


TARGET = Target(
    "names",
    names,
    ending=".names",
    encode=lambda subject: names(subject).encode(),
    specification=lambda path: loads(read_text(path), str(path), "fuse"),
)
'''


@pytest.fixture
def with_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder with one more record among the targets."""
    (tmp_path / "targets/names").mkdir(parents=True)
    (tmp_path / "targets/names/target.py").write_text(NAMES, encoding="utf-8")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path / "targets")])
    targets.cache_clear()
    yield
    monkeypatch.undo()
    for name in ("names.target", "names"):
        sys.modules.pop(f"{package.__name__}.{name}")
    targets.cache_clear()


@pytest.mark.usefixtures("with_names")
def test_a_target_is_a_record(tmp_path: Path) -> None:
    compile: Any = fw.compile
    text = compile(spec(FIXED), "names")
    assert text.startswith(str(spec(FIXED)))
    assert "# head.W\n" in text
    found = deploy(spec(FIXED), tmp_path / "net.names", initial=True)
    assert found["target"] == "names"
    assert (tmp_path / "net.names").read_text(encoding="utf-8") == text
    assert fw.load(tmp_path / "net.names") == spec(FIXED)
    with pytest.raises(fw.DiagnosticError, match="`names` takes no option `opset`"):
        deploy(spec(FIXED), tmp_path / "net.names", initial=True, opset=20)
    assert list(targets()) == [*ORDER, "names"]


def test_endings_name_targets() -> None:
    assert tuple(targets()) == ORDER
    for name, target in file_targets().items():
        assert target_of(f"net{target.ending}") is target
        assert target.name == name
    assert target_of("net") is target_of("net.fuse") is None
