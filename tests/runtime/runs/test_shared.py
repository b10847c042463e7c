"""Runs of one search space that each of them has written differently."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fusewright as fw
from fusewright.runtime.report.build import report
from fusewright.runtime.report.pages import pages
from fusewright.runtime.runs.read import read_run
from fusewright.runtime.runs.shared import sharing
from fusewright.runtime.search.consensus import consensus

from ...support.running import QUICK, problem, spec
from ...support.stopping import stop_after

DATA = problem(60)
SPACE = spec()
"""`A` and `B` of one modality, `D` of another, in two Cells with open inputs."""
WRITTEN = spec(
    "cell K_1(?, ?) { S = ?(x, y) } cell K_2(?, ?) { S = ?(x, y) return S } output K_1, K_2"
)
REORDERED = spec(features="modality right { D[c 4] } modality left { B[t 2, c 5] A[c 3] }")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    place = tmp_path_factory.mktemp("shared")
    for number, space in enumerate((SPACE, WRITTEN, REORDERED)):
        fw.search(space, DATA, out=place / str(number), settings=QUICK, relax="per_input")
    return [place / str(number) for number in range(3)]


def test_a_consensus_is_of_what_specifications_mean(runs: list[Path]) -> None:
    assert consensus(runs[:2]).genotype == consensus([runs[0], runs[0]]).genotype
    agreed = consensus(runs)
    assert [one.place for one in agreed.support][:2] == ["K_1: inputs", "K_1, S: operation"]
    assert "K_1" in pages(runs)


def test_weights_go_to_the_candidates_that_they_are_of(runs: list[Path]) -> None:
    _, (one, other) = sharing([read_run(runs[0]), read_run(runs[2])])
    own, own_search = read_run(runs[2]).search, other.search
    assert own is not None
    assert own_search is not None
    assert one.search is not None
    assert own_search.network.space == one.search.network.space
    before, after = own.rounds[-1].architecture, own_search.rounds[-1].architecture
    name = next(iter(after))
    assert np.array_equal(after[name], before[name][[2, 1, 0]])  # A, B, D of D, B, A
    assert before.keys() == after.keys()


def test_a_report_has_one_part_for_one_space(runs: list[Path]) -> None:
    assert report(runs[:2]).page.count("The specification</summary>") == 1


def test_a_search_goes_on_with_a_specification_that_means_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fw.search(SPACE, DATA, settings=QUICK)
    with monkeypatch.context() as patched:
        stop_after(2, patched)
        with pytest.raises(fw.DiagnosticError, match="was stopped"):
            fw.search(SPACE, DATA, out=tmp_path / "run", settings=QUICK)
    with pytest.raises(fw.DiagnosticError, match="another `specification`"):
        fw.search(REORDERED, DATA, out=tmp_path / "run", settings=QUICK, resume=True)
    found = fw.search(WRITTEN, DATA, out=tmp_path / "run", settings=QUICK, resume=True)
    assert found.weights.keys() == whole.weights.keys()
    assert all(np.array_equal(found.weights[k], whole.weights[k]) for k in whole.weights)
