"""Ensembles as pictures and pages: every member over the features that all have."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.graph.build import build
from fusewright.compiler.targets.diagram import Drawing, EnsembleGraph, dot, render
from fusewright.compiler.targets.page import page
from fusewright.runtime.runs.ensemble import write_ensemble
from fusewright.runtime.runs.folder import RunFolder

from ...support.ensembles import ensemble
from ...support.running import command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_ensemble(ensemble(), RunFolder(tmp_path / "ensemble"))
    return tmp_path


def data_of(text: str) -> Any:
    """What the script of a page shows."""
    found = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_members_stand_in_frames_over_common_features() -> None:
    text = dot(EnsembleGraph.of(ensemble()))
    assert [len(re.findall(rf'^ *"{name}" \[', text, re.MULTILINE)) for name in "ABD"] == [1, 1, 1]
    for name in ("member_1", "member_2", "member_3"):
        assert f'subgraph "cluster_{name}"' in text
        assert f'"{name}%00head" -> "&%mean"' in text
    assert '"member_3%00K" -> "member_3%00M.x"' in text
    assert text == dot(EnsembleGraph.of(ensemble()))


def test_an_ensemble_has_every_format(folder: Path) -> None:
    for kind, start in {"svg": "<?xml", "dot": "digraph", "html": "<!doctype html>"}.items():
        command(folder, "draw", "ensemble", "-o", f"e.{kind}")
        assert (folder / f"e.{kind}").read_text(encoding="utf-8").startswith(start)
    assert render(EnsembleGraph.of(ensemble()), "png").startswith(b"\x89PNG")


def test_a_page_says_what_each_node_is() -> None:
    data = data_of(page(EnsembleGraph.of(ensemble())))
    alone = [data_of(page(build(checked(one.genotype)))) for one in ensemble().members]
    assert data["network"]["kind"] == "ensemble of 3 networks"
    for size in ("parameters", "macs"):
        assert data["network"][size] == sum(one["network"][size] for one in alone)
        assert data["nodes"]["A"][size] == sum(one["nodes"]["A"][size] for one in alone)
    assert {"A", "B", "D", "member_1%00K", "member_3%00M.S", "&%mean"} <= data["nodes"].keys()
    assert data["nodes"]["member_3%00M"]["name"] == "member_3: M"
    assert data["nodes"]["member_3%00M.x"]["slots"][0]["nodes"] == ["member_3%00K"]
    places = data["nodes"]["member_2%00K.S"]["operations"]
    assert [data["operations"][place]["name"] for place in places] == ["LinearGLU"]


@pytest.mark.parametrize("option", ["--compact", "--cell=K", "--since=1", "--round=1", "--set=C=4"])
def test_what_is_of_a_single_network_is_refused(option: str, folder: Path) -> None:
    with pytest.raises(AssertionError):  # its exit status
        command(folder, "draw", "ensemble", "-o", "e.svg", option)
    assert not (folder / "e.svg").exists()


def test_a_cell_of_an_ensemble_is_not_drawn_alone() -> None:
    with pytest.raises(fw.DiagnosticError, match="an ensemble is drawn whole"):
        dot(EnsembleGraph.of(ensemble()), Drawing(cell="K"))
