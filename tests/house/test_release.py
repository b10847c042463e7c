"""What is released: the same bytes each time, the examples with it, one version."""

from __future__ import annotations

import io
import json
import re
import tarfile
import tomllib
import zipfile

import pytest
from release.build import build, plain_tar

from ..support.paths import ROOT

VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "version"
]


@pytest.fixture(scope="module")
def built() -> dict[str, bytes]:
    return build()


def test_the_wheel_has_the_package_and_its_examples(built: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(built[f"fusewright-{VERSION}-py3-none-any.whl"])) as wheel:
        names = set(wheel.namelist())
        times = {member.date_time for member in wheel.infolist()}
    files = [*ROOT.glob("examples/*.fuse"), *ROOT.glob("examples/systems/*.fuse")]
    examples = {f"fusewright/{file.relative_to(ROOT)}" for file in files}
    assert examples <= names
    assert "fusewright/py.typed" in names
    assert "fusewright/grammars/fuse.lark" in names
    assert not [n for n in names if "vscode" in n or n.startswith("fusewright/tests")]
    assert len(times) == 1  # that of the commit, whenever it is built


def test_the_sdist_belongs_to_nobody_and_to_one_time(built: dict[str, bytes]) -> None:
    with tarfile.open(fileobj=io.BytesIO(built[f"fusewright-{VERSION}.tar.gz"])) as sdist:
        members = sdist.getmembers()
    assert {(m.mtime, m.uid, m.gid, m.uname) for m in members} == {(members[0].mtime, 0, 0, "")}
    assert [m.name for m in members] == sorted(m.name for m in members)


def test_who_packs_a_folder_and_when_does_not_matter() -> None:
    def packed(time: int, owner: int, *names: str) -> bytes:
        written = io.BytesIO()
        with tarfile.open(fileobj=written, mode="w:gz") as archive:
            for name in names:
                member = tarfile.TarInfo(name)
                member.size, member.mtime, member.uid = 1, time, owner
                archive.addfile(member, io.BytesIO(b"x"))
        return written.getvalue()

    assert plain_tar(packed(5, 0, "a", "b"), 9) == plain_tar(packed(7, 1000, "b", "a"), 9)


def test_the_version_is_that_of_the_project_everywhere() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    extension = json.loads((ROOT / "grammars/vscode/package.json").read_text(encoding="utf-8"))
    assert re.findall(r"^version: (\S+)$", citation, re.MULTILINE) == [VERSION]
    assert extension["version"] == VERSION
