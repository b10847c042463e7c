"""Tables of the paper on small data: what is run, kept, written, and said where it cannot be."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.syntax.parse import parse
from fusewright.runtime.backbones.options import BackboneOptions
from fusewright.runtime.data.new import example_settings, example_text
from fusewright.runtime.raw.public import public_sets
from fusewright.runtime.raw.tiny import write_tiny
from fusewright.runtime.reproduce import sets, work
from fusewright.runtime.reproduce.figures import agreement
from fusewright.runtime.reproduce.paper import (
    BM_NAS,
    Alone,
    NotHere,
    Printed,
    Row,
    Searched,
    System,
    Table,
)
from fusewright.runtime.reproduce.rows import Rows
from fusewright.runtime.reproduce.run import Reproduced, plan, reproduce
from fusewright.runtime.reproduce.sets import Given, Material, materials, read_given
from fusewright.runtime.reproduce.systems import brought, fixed, other_features, other_steps
from fusewright.runtime.reproduce.tables import FIGURE_7, NTU, TABLE_6, TABLE_7, TABLES, table_of
from fusewright.runtime.reproduce.work import Worker, key_of
from fusewright.runtime.store.manifest import read_manifest

from ...support.running import OPEN, as_npz, command, problem, spec

SMALL = {
    name: {**method, "candidates": 4, "trial_epochs": 1} if "candidates" in method else method
    for name, method in sets.METHODS.items()
}


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lets a small problem stand in for every set of the paper; a folder to write into."""
    data = as_npz(problem(90), tmp_path)
    search = fw.Settings(strategy="darts", relax="shared", epochs=2, batch=16, threads=1)
    training = fw.Settings(epochs=2, batch=16, threads=1)

    def stand_in(one: Any, out: Path) -> Material:
        space = spec(OPEN)
        return Material("made up", one.title, space, search, training, (30, 30, 30), data)

    monkeypatch.setattr(sets, "_stand_in", stand_in)
    monkeypatch.setattr("fusewright.runtime.search.candidates.surrogate.STEPS", 5)
    for module in ("work", "plan"):
        monkeypatch.setattr(f"fusewright.runtime.reproduce.{module}.METHODS", SMALL)
    return tmp_path / "out"


def run(table: Table, out: Path, seeds: int = 2) -> Reproduced:
    return reproduce(table, out, {}, seeds=seeds)


def few(*rows: Row, reference: str = "") -> Table:
    return Table("6", "Table 6: few", NTU, rows, reference or rows[-1].name)


FEW = few(
    Row("Video", Alone(0), Printed(score=90.0)), Row("Skeleton", Alone(1), Printed(score=95.0))
)

# What comes out


def test_a_table_is_written_beside_the_paper_and_never_mixed_with_it(small: Path) -> None:
    found = run(TABLE_6, small, seeds=1)
    assert [len(one.done) for one in found.outcomes] == [1] * 4
    text = (small / "table-6.md").read_text(encoding="utf-8")
    paper, here = text.split("## What came out here")
    assert "90.48 ± 0.24" in paper
    assert "made up" not in paper
    assert "**made up, which stands in for NTU RGB-D**" in here
    assert "90.48" not in here
    record = json.loads((small / "table-6.json").read_text(encoding="utf-8"))
    assert [row["paper"]["score"] for row in record["rows"]] == [86.35, 89.49, 89.5, 90.48]
    searched = record["rows"][-1]["here"]
    assert searched["weight_steps"] > 0
    assert searched["reference_ahead_by"] is None
    for row in record["rows"][:-1]:
        low, high = (row["here"]["reference_ahead_by"][name] for name in ("low", "high"))
        assert low <= row["here"]["reference_ahead_by"]["mean"] <= high
    for one in found.outcomes:
        assert one.interval is not None
        assert one.interval.low <= one.interval.mean <= one.interval.high
        assert one.interval.mean == pytest.approx(one.scores.mean / 100)


def test_other_steps_take_what_the_search_found(small: Path) -> None:
    found = run(TABLE_7, small, seeds=1)
    genotypes = [fw.loads(one.done[0].genotype) for one in found.outcomes]
    inputs = [[cell.inputs for cell in one.cells] for one in genotypes]
    assert all(own == inputs[-1] for own in inputs)
    steps = [[s.operation for s in one.cells[0].steps] for one in genotypes[:-1]]
    names = [[str(getattr(operation, "name", "")) for operation in own] for own in steps]
    assert names[0] == ["bmnas.Sum"]
    assert names[2] == ["bmnas.Attention", "bmnas.ConcatFC"]  # of which the first is two


def test_what_is_there_is_not_run_again(small: Path) -> None:
    first = run(FEW, small)
    with patch.object(work, "train", side_effect=AssertionError("it trains")):
        again = run(FEW, small)
    assert again.outcomes == first.outcomes
    more = run(FEW, small, seeds=3)
    assert [one.done[:2] for one in more.outcomes] == [one.done for one in first.outcomes]


def test_it_goes_on_after_it_was_killed_anywhere(small: Path) -> None:
    """Between rows, in the middle of a line, and before a row's outputs are told of."""
    whole = run(FEW, small)
    path = small / "rows.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    for cut in (b"", lines[0], lines[0] + lines[1][:40], b"".join(lines[:3]) + b"{"):
        path.write_bytes(cut)
        again = run(FEW, small)
        scores = [[d.score for d in one.done] for one in again.outcomes]
        assert scores == [[d.score for d in one.done] for one in whole.outcomes]
        assert len(path.read_bytes().splitlines()) == len(lines)


def test_a_search_that_was_stopped_goes_on(small: Path) -> None:
    table = few(Row("BM-NAS", Searched(), Printed(score=90.0)))
    stops = fw.DiagnosticError(
        (replace(_refused(fw.search, spec(OPEN), {}), code="E510", message="it was stopped"),)
    )
    with (
        patch.object(work, "search", side_effect=stops),
        pytest.raises(fw.DiagnosticError, match="run the same command again") as caught,
    ):
        run(table, small)
    assert caught.value.diagnostics[0].code == "E510"
    assert run(table, small, seeds=1).outcomes[0].done


def _refused(call: Any, *arguments: Any) -> Any:
    with pytest.raises(fw.DiagnosticError) as caught:
        call(*arguments)
    return caught.value.diagnostics[0]


# What cannot be run


def test_a_row_that_fails_says_why_and_others_are_run(small: Path) -> None:
    broken = Row("Broken", System("none", ""), Printed(score=80.0))
    other = Row("Elsewhere", NotHere("it has another backbone"), Printed(score=70.0))
    found = run(few(broken, other, *FEW.rows), small)
    assert [bool(one.done) for one in found.outcomes] == [False, False, True, True]
    text = (small / "table-6.md").read_text(encoding="utf-8")
    assert "- Broken: there is no example `systems/none`" in text
    assert "- Elsewhere: it has another backbone" in text


def test_where_no_row_can_be_run_nothing_is_written(small: Path) -> None:
    table = few(Row("Elsewhere", NotHere("it has another backbone")))
    for call in (lambda: run(table, small), lambda: plan(table, small, {})):
        with pytest.raises(fw.DiagnosticError, match="no row of Table 6 could be run") as caught:
            call()
        assert caught.value.diagnostics[0].code == "E506"
        assert "it has another backbone" in str(caught.value)
    assert not small.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda line: line.replace(b'"score": 0.', b'"score": 0.9'), "was changed"),
        (lambda line: line.replace(b'"seed": 0', b'"seed": -1'), "at least 0"),
        (lambda line: b"[]\n" + line, "not an object"),
        (lambda line: b"[]\n" + line + b'{"row', "not an object"),
        (lambda line: b"\xff" + line, "not UTF-8"),
        (lambda line: line.replace(b'"key": "', b'"key": "../'), "of the form"),
    ],
)
def test_rows_that_were_changed_are_refused(change: Any, said: str, small: Path) -> None:
    table = few(FEW.rows[0])
    run(table, small, seeds=1)
    path = small / "rows.jsonl"
    changed = change(path.read_bytes())
    assert changed != path.read_bytes()
    path.write_bytes(changed)
    with pytest.raises(fw.DiagnosticError, match=said) as caught:
        run(table, small, seeds=1)
    assert [d.code for d in caught.value.diagnostics] == ["E507"]
    assert path.read_bytes() == changed


def test_outputs_that_were_changed_or_are_gone_are_refused(small: Path) -> None:
    table = few(FEW.rows[0])
    run(table, small, seeds=1)
    (path,) = (small / "outputs").iterdir()
    np.save(path, np.ones((30, 3)))
    with pytest.raises(fw.DiagnosticError, match="was changed after it was written"):
        run(table, small, seeds=1)
    path.unlink()
    with pytest.raises(fw.DiagnosticError, match="is gone"):
        run(table, small, seeds=1)


@pytest.mark.parametrize(
    "outputs",
    [
        np.ones((7, 3), np.float32),
        np.full((30, 3), np.nan, np.float32),
        np.array([["a"] * 3] * 30),
        np.array([[None] * 3] * 30, object),
    ],
    ids=["shape", "not finite", "texts", "objects"],
)
def test_outputs_with_a_digest_that_fits_are_refused_all_the_same(
    outputs: NDArray[Any], small: Path
) -> None:
    run(few(FEW.rows[0]), small, seeds=1)
    (path,), rows = (small / "outputs").iterdir(), Rows(small)
    np.save(path, outputs)
    (one,) = rows.done.values()
    sealed = replace(one, outputs=sha256(path.read_bytes()).hexdigest())
    with pytest.raises(fw.DiagnosticError) as caught:
        rows.outputs(sealed, (30, 3))
    assert [d.code for d in caught.value.diagnostics] == ["E507"]


def test_other_data_are_other_rows(small: Path) -> None:
    run(FEW, small)
    before = len(Rows(small).done)
    as_npz(problem(90, seed=1), small.parent)
    found = run(FEW, small)
    assert len(Rows(small).done) == 2 * before
    assert all(len(one.done) == 2 for one in found.outcomes)


def test_a_folder_that_cannot_be_written_into(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small.mkdir()
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(fw.DiagnosticError, match="cannot write into") as caught:
        run(FEW, small)
    assert caught.value.diagnostics[0].code == "E504"


def test_a_file_where_the_folder_should_be(small: Path) -> None:
    small.write_text("")
    with pytest.raises(fw.DiagnosticError, match="cannot write into") as caught:
        run(FEW, small)
    assert caught.value.diagnostics[0].code == "E504"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["ntu"], "names no data"),
        (["ntu:"], "names no data"),
        (["nut:x"], "did you mean `ntu`"),
        (["ntu:a", "ntu:b"], "are given twice"),
    ],
)
def test_data_that_are_named_wrongly(given: Sequence[str], said: str) -> None:
    with pytest.raises(fw.DiagnosticError, match=said):
        read_given(given)
    with pytest.raises(fw.DiagnosticError, match="are given twice"):
        read_given(["ntu:a"], ["ntu-search:b"])
    assert read_given(["mmimdb:a:b"]) == {"mmimdb": Given(Path("a:b"))}
    assert read_given([], ["ntu-search:b"]) == {"ntu": Given(Path("b"), "ntu-search:b")}


def test_features_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(fw.DiagnosticError, match="it is not there"):
        plan(TABLE_6, tmp_path, {"ntu": Given(tmp_path / "none")})


@pytest.mark.parametrize("name", ["9", "", "figure-9", "table", "x" * 5000])
def test_a_table_that_the_paper_has_not(name: str) -> None:
    with pytest.raises(fw.DiagnosticError, match="is no table or figure") as caught:
        table_of(name)
    assert len(str(caught.value)) < 1000


def test_tables_by_their_names() -> None:
    names = ("6", "table 6", "Table-7", "Figure-8")
    assert [table_of(name).key for name in names] == ["6", "6", "7", "figure-8"]


# The paper's data


def test_the_papers_data_are_read_where_they_are_given(small: Path, tmp_path: Path) -> None:
    """Features with the names and channels of NTU's, of few samples."""
    network = checked(parse(example_text("ntu1"), "ntu1"))
    generator = np.random.default_rng(0)
    arrays: dict[str, Any] = {"labels": np.arange(240) % 60, "split": np.arange(240) // 60 % 3}
    for feature in network.features:
        shape = [a.size or 1 for a in feature.axes or ()]
        arrays[feature.name] = generator.normal(size=(240, *shape)).astype(np.float32)
    np.savez(tmp_path / "ntu.npz", **arrays)
    given = {"ntu": Given(tmp_path / "ntu.npz")}
    material = materials(small, given)["ntu"]
    assert (material.title, material.stands_in) == ("NTU RGB-D", "")
    assert material.search == example_settings("ntu1")
    rows = plan(TABLE_6, small, given)
    assert {one.data for one in rows} == {"NTU RGB-D"}
    with patch.object(sets, "EVALUATION_EPOCHS", 1):
        found = reproduce(few(FEW.rows[0]), small, given, seeds=1)
    text = (small / "table-6.md").read_text(encoding="utf-8")
    assert "stands in" not in text
    assert found.outcomes[0].done[0].data == "NTU RGB-D"


def test_the_papers_raw_data_go_through_its_backbones(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small MM-IMDB in its true form; a system has a store of what it reads by itself."""
    write_tiny(public_sets()["mmimdb"], tmp_path / "raw", 16)
    text = example_text("mmimdb1").replace('"paper:vgg19"', '"paper:vgg19@32"')
    text = re.sub(r"(?<=, [hw] )\d+", "*", text)
    monkeypatch.setattr(sets, "example_text", lambda _: text)
    monkeypatch.setattr(sets, "EVALUATION_EPOCHS", 1)
    given = read_given([], [f"mmimdb:{tmp_path / 'raw'}"])
    table = replace(FEW, data="mmimdb", rows=[Row("GMU", System("gmu"), Printed(score=61.7))])
    found = reproduce(table, small, given, seeds=1, backbones=BackboneOptions(initial=True))
    (one,) = found.outcomes
    assert (one.data, one.stands_in, len(one.done)) == ("MM-IMDB", "", 1)
    read = [read_manifest(small / "stores" / name) for name in ("mmimdb", "mmimdb-gmu")]
    features = [{a.name for a in manifest.arrays if a.axes} for manifest in read]
    assert features[1] == {"Image_3", "Text_1"} < features[0]
    again = reproduce(table, small, given, seeds=1, backbones=BackboneOptions(initial=True))
    assert again.outcomes[0].done == one.done


# Systems


def test_a_system_is_brought_to_other_features() -> None:
    """The last feature becomes the last, whatever is between; C of K classes is K here."""
    space = spec(OPEN)
    system = fw.loads(
        "network s(C = 7, L = 1) use bmnas "
        "modality v { V_1[c 9] V_3[c 8] V_4[c 6] } modality w { W_2[c 5] W_4[c 5] } "
        "cell F(V_1, W_4) { S = Sum(x, y) } cell G(V_4, F) { S = Sum(x, y) } "
        "output F, G, W_4 predict 7 classes"
    )
    found = brought(system, space)
    checked(found)
    text = str(found)
    assert "cell F(A, D)" in text
    assert "cell G(B, F)" in text
    assert "C = 3" in text
    assert brought(space, space) == space


def test_what_a_row_needs_is_made() -> None:
    space = spec(OPEN)
    assert "output B" in str(fixed(Alone(0), space))
    gmu = fixed(System("none", "fusion.GMU(x, y)"), space)
    assert "(B, D)" in str(gmu)
    checked(gmu)
    genotype = fixed(System("none", "bmnas.Sum(x, y)"), space)
    found = fw.search(space, problem(), strategy="random", candidates=1, trial_epochs=1).genotype
    drawn = {str(other_features(space, found, seed)) for seed in range(8)}
    assert len(drawn) > 1
    for text in drawn:
        own = fw.loads(text)
        assert [c.steps for c in own.cells] == [c.steps for c in found.cells]
    assert "role merge(x, s) = s" in str(other_steps(genotype, "F = bmnas.Sum(x, y)"))


def test_keys_tell_rows_apart(small: Path) -> None:
    material = materials(small, {})["ntu"]
    ways = [row.way for table in TABLES.values() for row in table.rows]
    runnable = dict.fromkeys(w for w in ways if not isinstance(w, NotHere | System))
    keys = {key_of(way, material, seed) for way in runnable for seed in range(2)}
    assert len(keys) == 2 * len(runnable)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.key)
def test_every_table_has_its_reference_and_figures(table: Table) -> None:
    names = [row.name for row in table.rows]
    assert len(names) == len({*names})
    assert table.reference in names
    assert table_of(table.key) is table
    printed = [row.printed for row in table.rows if "DC-NAS" not in row.name]
    assert all(p.score is not None or p.hours is not None for p in printed)
    for row in table.rows:
        if isinstance(row.way, Searched) and row.way.configuration:
            assert row.way.method == BM_NAS
            assert str(row.printed.hours) in example_text(row.way.configuration)


# Figures


def test_a_figure_is_a_picture_whose_panels_keep_the_paper_apart(small: Path) -> None:
    table = replace(FIGURE_7, rows=[r for r in FIGURE_7.rows if r.name in ("NTU 1", "Ego 2")])
    small_rows = [replace(row, way=Searched()) for row in table.rows]
    run(replace(table, rows=small_rows), small, seeds=1)
    picture = ElementTree.fromstring((small / "figure-7.svg").read_text(encoding="utf-8"))
    shown = [text.text or "" for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    panels = [text for text in shown if text.startswith(("the paper, ", "here, "))]
    assert panels == ["the paper, NTU", "the paper, Ego", "here, made up for NTU",
                      "here, made up for Ego"]  # fmt: skip
    run(replace(table, rows=small_rows, key="figure-8"), small, seeds=1)
    curves = (small / "figure-8.svg").read_text(encoding="utf-8")
    assert "the paper" not in curves
    assert curves.count("<polyline") == 2


def test_agreement_of_rankings() -> None:
    assert agreement([1, 2, 3], [4, 5, 6]) == 1
    assert agreement([1, 2, 3], [6, 5, 4]) == -1
    assert agreement([1, 2, 3], [1, 1, 1]) == 0
    assert agreement([1], [1]) is None


# On the command line


def test_the_command_plans_and_runs(small: Path) -> None:
    shown = command(small.parent, "reproduce", "6", "--plan")
    assert "NTU RGB-D is missing (`--raw ntu:FOLDER`): made up stands in for it" in shown
    assert "multiply-adds" in shown
    assert not small.exists()
    planned = json.loads(command(small.parent, "reproduce", "6", "--plan", "--json"))
    assert [row["row"] for row in planned["rows"]] == [row.name for row in TABLE_6.rows]
    assert all(row["macs"] > 0 for row in planned["rows"])
    line = ("reproduce", "6", "--out", "out", "--seeds", "1", "--json")
    done = json.loads(command(small.parent, *line))
    assert [row["seeds"] for row in done["rows"]] == [1] * 4
    assert all((small.parent / path).is_file() for path in done["files"])
    text = command(small.parent, *line[:-1])
    assert "## What came out here" in text


def test_a_worker_tells_what_it_does(small: Path) -> None:
    told: list[str] = []
    small.mkdir()
    worker = Worker(Rows(small), told.append, {}, BackboneOptions())
    worker.run(Alone(1), materials(small, {})["ntu"], 0)
    assert told == ["modality 2 alone on made up, seed 0"]
