"""Reports of finished runs: pages, controls, statistics, consensus, and events for TensorBoard."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fusewright as fw
from fusewright.cli.screen.rounds import Standing
from fusewright.compiler.check.check import checked
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.network.choices import fill
from fusewright.compiler.network.holes import holes_of
from fusewright.compiler.network.rules import admits
from fusewright.compiler.resolve.unfill import unfill
from fusewright.compiler.targets.html import html
from fusewright.runtime.genotypes.agreement import agreements, mean_pairwise
from fusewright.runtime.genotypes.sample import draw
from fusewright.runtime.report.build import report, selected_by
from fusewright.runtime.runs.controls import read_controls
from fusewright.runtime.runs.read import Search, read_run
from fusewright.runtime.runs.statistics import paired_interval, summary
from fusewright.runtime.runs.tensorboard import tag
from fusewright.runtime.search.baselines import late_fusion
from fusewright.runtime.search.consensus import consensus
from fusewright.runtime.search.controls import compare_with_controls
from fusewright.runtime.search.simbamm import simbamm
from fusewright.runtime.strategies import FOLLOWED_BY as STRATEGIES

from ...support.programs import specs
from ...support.running import command, problem, spec
from ...support.stopping import stop_after

DATA = problem(90)
QUICK = fw.Settings(
    epochs=2,
    batch=16,
    max_learning_rate=0.02,
    strategy="darts",
    candidates=3,
    trial_epochs=2,
    rungs=2,
    passes=1,
    relax="per_input",
)
WAYS = [(s, selection) for s, kinds in STRATEGIES.items() for selection in (kinds or ("",))]
seeds = st.integers(0, 2**31)
SCRIPT, QUOTES, RIGHT_TO_LEFT = "<script>alert(1)</script>", "a\"b'c & -->", "עברית"
LONG = "N" * 500


def found(out: Path, space: Spec | None = None, **options: Any) -> fw.SearchResult:
    settings = QUICK.with_options(**options)
    return fw.search(space or spec(), DATA, out=out, settings=settings)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three finished runs with controls and trained weights."""
    place = tmp_path_factory.mktemp("runs")
    paths = [place / str(seed) for seed in range(3)]
    for seed, path in enumerate(paths):
        settings = QUICK.with_options(seed=seed)
        result = fw.search(spec(), DATA, out=path, settings=settings)
        compare_with_controls(spec(), DATA, result, settings=settings, out=path)
        fw.train(result.genotype, DATA, out=path, settings=settings)
    return paths


class Reader(HTMLParser):
    """The elements of a page, with their attributes, and whether each was closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def require_safe(page: str) -> None:
    """A page that is well formed, runs nothing and reads nothing from elsewhere."""
    reader = Reader(page)
    assert not reader.open
    for element, attributes in reader.elements:
        assert element not in ("script", "link", "img", "iframe", "object", "base", "foreignobject")
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name not in ("src", "href", "xlink:href", "srcset")
            assert name.startswith("xmlns") or "://" not in (value or "")
    assert "@import" not in page
    assert "url(" not in page


def test_a_report_says_what_data_runs_read(runs: list[Path], tmp_path: Path) -> None:
    facts = report(runs).facts["data"]
    (one,) = facts
    assert one["runs"] == [str(run) for run in runs]
    assert {part["name"] for part in one["arrays"]} == {*DATA}
    page = str(report(runs).page)
    assert all(part["sha256"][:12] in page for part in one["arrays"])
    printed = command(tmp_path, "report", *map(str, runs))
    assert f"data: arrays in memory, {one_size(one)} bytes, SHA-256 {one['sha256'][:12]}" in printed


@pytest.mark.parametrize(
    ("predict", "strategy", "select", "by"),
    [
        ("3 classes", "darts", "argmax", "validation accuracy"),
        ("3 classes", "single-path", "ranking", "validation accuracy and validation loss together"),
        (
            "3 classes",
            "halving",
            "folds",
            "validation accuracy and validation loss together, in the end over folds",
        ),
        ("3 labels", "single-path", "ranking", "validation F1 weighted"),
        ("3 labels", "halving", "folds", "validation F1 weighted, in the end over folds"),
        ("a 3 labels predict b 1 values", "single-path", "ranking", "validation score"),
    ],
)
def test_a_report_says_what_was_selected_by(
    predict: str, strategy: str, select: str, by: str
) -> None:
    network = checked(spec(predict=predict))
    settings = fw.Settings(strategy=strategy, select=select)
    assert selected_by(Search(network, settings, {}, (), None)) == by


def one_size(record: Mapping[str, Any]) -> str:
    return f"{sum(part['bytes'] for part in record['arrays']):,}"


# Genotypes as choices


@given(specs(), seeds)
def test_a_genotype_is_read_back_into_its_choices(space: Spec, seed: int) -> None:
    network = checked(space)
    genotype = fill(network, draw(network, np.random.default_rng(seed)))
    choices = unfill(network, genotype)
    assert fill(network, choices) == genotype
    assert unfill(network, fw.loads(str(genotype))) == choices


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("cell J(A, B) { S = Sum(x, y) } cell K_2(A, D) { S = Sum(x, y) }", "the Cells are others"),
        ("cell K_1(A, B) { T = Sum(x, y) } cell K_2(A, D) { S = Sum(x, y) }", "the Steps of `K_1`"),
        ("cell K_1(A, B) { S = Attention(x, y) } cell K_2(A, D) { S = Sum(x, y) }", "no candidate"),
        ("cell K[2](?, ?) { S = Sum(x, y) }", "is open"),
        ("cell K_1(A, B) { S = ?(x, y) } cell K_2(A, D) { S = Sum(x, y) }", "is open"),
    ],
)
def test_what_is_no_genotype_of_a_space_is_diagnosed(cells: str, message: str) -> None:
    with pytest.raises(fw.DiagnosticError, match=message) as caught:
        unfill(checked(spec()), spec(cells))
    assert [d.code for d in caught.value.diagnostics] == ["E602"]


# Statistics


def test_means_and_deviations_are_those_of_the_sample() -> None:
    assert summary([1.0, 2.0, 3.0]) == summary((1, 2, 3))
    assert summary([1.0, 2.0, 3.0]).deviation == pytest.approx(1.0)
    assert summary([4.0]).deviation is None


def test_one_pair_has_no_interval_and_constant_differences_a_point() -> None:
    assert paired_interval([1.0], [0.5]) is None
    assert paired_interval([], []) is None
    constant = paired_interval([0.75, 1.25, 3.0], [0.5, 1.0, 2.75])
    assert constant is not None
    assert (constant.mean, constant.low, constant.high) == pytest.approx((0.25, 0.25, 0.25))
    assert paired_interval([1, 2, 4], [0, 0, 0]) == paired_interval([1, 2, 4], [0, 0, 0])
    with pytest.raises(ValueError, match="broadcast"):
        paired_interval([1.0, 2.0, 3.0], [1.0, 2.0])


def test_intervals_cover_the_difference_as_often_as_they_say() -> None:
    generator = np.random.default_rng(0)
    covered = 0
    for trial in range(400):
        base = generator.normal(size=40)
        other = base + generator.normal(size=40)
        interval = paired_interval([*(base + 0.3)], [*other], resamples=1000, seed=trial)
        assert interval is not None
        covered += interval.low <= 0.3 <= interval.high
    assert 0.90 <= covered / 400 <= 0.98


# Controls


def test_controls_are_scored_on_validation_and_bought_by_the_search(runs: list[Path]) -> None:
    controls = read_controls(runs[0])
    assert controls is not None
    genotype, *others, mean, best = controls.rows
    late = next(row for row in others if row.name == "late fusion")
    assert genotype.name == "found genotype"
    assert mean.score == pytest.approx(np.mean(mean.scores))
    assert best.score == max(best.scores)
    assert best.scores == mean.scores[: controls.bought]
    assert controls.bought == 1 or best.weight_steps <= controls.weight_steps
    assert late.weight_steps < genotype.weight_steps


def test_controls_never_read_the_test_split() -> None:
    hidden = {k: v.copy() for k, v in DATA.items()}
    test = hidden["split"] == 2
    for name in "ABD":
        hidden[name][test] = 1e6
    hidden["labels"][test] = 0
    result = fw.search(spec(), DATA, settings=QUICK)
    a, b = (compare_with_controls(spec(), d, result, settings=QUICK) for d in (DATA, hidden))
    assert [r.scores for r in a.rows] == [r.scores for r in b.rows]


def test_simbamm_reads_every_feature_through_two_layers() -> None:
    network = checked(simbamm(spec()))
    assert not network.cells
    parameters = [p.name for p in lower(simbamm(spec()).graph).parameters]
    assert {name for name in parameters if name.endswith("position")} == {
        f"{f.name}.adapt.position" for f in network.features
    }
    layers = {name for name in parameters if name.endswith("Q")}
    assert layers == {"output.combine.Layer.Q", "output.combine.Q"}


def test_the_class_token_is_what_it_is_when_the_last_layer_computes_every_token() -> None:
    control = simbamm(spec())
    library = resources.files("fusewright.ops.libraries").joinpath("simbamm.fuse").read_text()
    begun = library[library.index("role combine") :].split("\nrole ")[0]
    every = begun.replace("first(n)", "n").replace("first(encoded)", "encoded")
    assert every != begun
    whole = fw.loads(str(control).replace("use simbamm", f"use simbamm\n\n{every}"))
    weights = fw.train(control, DATA, settings=QUICK).weights
    of_token, of_all = (fw.predict(one, DATA, weights=weights) for one in (control, whole))
    np.testing.assert_allclose(of_token, of_all, atol=1e-5)


def test_late_fusion_has_the_last_feature_of_each_modality() -> None:
    network = checked(late_fusion(spec()))
    assert network.output_candidates == ("B", "D")
    assert not network.cells


def test_a_new_search_leaves_no_controls_of_an_old_one(runs: list[Path], tmp_path: Path) -> None:
    copytree(runs[0], tmp_path / "run")
    fw.search(spec(), DATA, out=tmp_path / "run", settings=QUICK, overwrite=True)
    assert read_controls(tmp_path / "run") is None


# Consensus and agreement


def test_runs_that_agree_have_their_genotype_as_consensus(runs: list[Path]) -> None:
    agreed = consensus([runs[0], runs[0]])
    assert agreed.genotype == fw.load(runs[0] / "genotype.fuse")
    assert all(s.share == 1 for s in agreed.support)
    assert mean_pairwise(agreed.agreement) == 1


@pytest.mark.parametrize("relax", ["shared", "per_input"])
def test_a_consensus_satisfies_the_rule(relax: str, tmp_path: Path) -> None:
    paths = [tmp_path / str(seed) for seed in range(4)]
    ways = [("darts", ""), ("halving", ""), ("single-path", ""), ("darts", "perturbation")]
    for seed, (strategy, select) in enumerate(ways):
        found(paths[seed], seed=seed, strategy=strategy, select=select, relax=relax)
    network = read_run(paths[0]).search
    assert network is not None
    choices = unfill(network.network, consensus(paths).genotype)
    chosen = choices.inputs
    assert all(admits(network.network, i, c, chosen[:i]) for i, c in enumerate(chosen))


def test_agreement_counts_what_genotypes_have_in_common() -> None:
    network = checked(spec())
    cells = "cell K_1(%s) { S = Sum(x, y) } cell K_2(B, D) { S = %s(x, y) }"
    ways = (("A, B", "Sum"), ("A, D", "ConcatFC"))
    a, b = (unfill(network, spec(cells % way)) for way in ways)
    by_name = {one.hole.title: one for one in agreements(network, [a, b])}
    assert by_name["K_1: inputs"].shares == {"A": 1.0, "B": 0.5, "D": 0.5}
    assert by_name["K_1: inputs"].pairwise == 0.5
    assert by_name["K_2, S: operation"].pairwise == 0
    assert agreements(network, [a])[0].pairwise is None


def test_runs_of_different_specifications_are_refused(runs: list[Path], tmp_path: Path) -> None:
    found(tmp_path, spec("cell K[2](?, ?) { S = Sum(x, y) }"))
    with pytest.raises(fw.DiagnosticError, match="different specifications"):
        consensus([runs[0], tmp_path])


@pytest.mark.parametrize("relax", ["shared", "per_input"])
def test_mixtures_are_the_records_of_a_search(relax: Any) -> None:
    result = fw.search(spec(), DATA, settings=QUICK.with_options(relax=relax))
    network = checked(spec())
    choices = unfill(network, result.genotype)
    known = {hole.parameter: hole for hole in holes_of(network, relax)}
    logits = result.history[0]["architecture"]
    assert set(logits) <= set(known)
    for name, rows in logits.items():
        assert len(rows) == len(known[name].candidates)
        assert set(known[name].picks(choices)) <= set(known[name].candidates)


# Pages


@pytest.mark.parametrize(("strategy", "select"), WAYS)
def test_every_strategy_has_a_page(strategy: str, select: str, tmp_path: Path) -> None:
    found(tmp_path / "run", strategy=strategy, select=select)
    page = report([tmp_path / "run"]).page
    require_safe(page)
    assert "What was searched" in page
    assert ("How the holes settled" in page) == (strategy in ("darts", "gdas") or
                                                 select == "perturbation")  # fmt: skip
    assert "The dot is the round whose genotype was kept." in page


def test_several_runs_are_compared(runs: list[Path], tmp_path: Path) -> None:
    shown = report(runs, out=tmp_path / "report.html", data=DATA)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    require_safe(page)
    for heading in ("Stability of the genotype", "Controls", "On the test split", "Training"):
        assert f"<h2>{heading}</h2>" in page
    scores = [fw.evaluate(run, DATA)["accuracy"] for run in runs]
    (row,) = shown.facts["test"]["accuracy"]
    assert row["mean"] == pytest.approx(np.mean(scores))
    assert row["deviation"] == pytest.approx(np.std(scores, ddof=1))
    space = shown.facts["spaces"][0]
    assert space["controls"][0]["ahead"] is None
    assert len(space["controls"][1]["ahead"]) == 3
    json.dumps(shown.facts)


def test_what_stands_behind_a_score_is_shown(tmp_path: Path) -> None:
    names = f"`{SCRIPT}`, `{RIGHT_TO_LEFT}`, `{LONG}`"
    network = spec("cell K(A, D) { S = Sum(x, y) }", f"3 classes {{ {names} }}")
    fw.train(network, DATA, out=tmp_path / "run", settings=QUICK)
    shown = report([tmp_path / "run"], data=DATA)
    require_safe(shown.page)
    assert SCRIPT not in shown.page
    assert shown.page.count("background:color-mix") == 9
    assert "Reliability, in 15 bins" in shown.page
    expected = fw.evaluate(tmp_path / "run", DATA).details.as_json()
    assert shown.facts["details"] == [{"run": str(tmp_path / "run"), **expected}]


def test_trained_controls_are_compared_on_test(runs: list[Path], tmp_path: Path) -> None:
    late = [tmp_path / str(seed) for seed in range(3)]
    for seed, path in enumerate(late):
        fw.train(late_fusion(spec()), DATA, out=path, settings=QUICK.with_options(seed=seed))
    first, second = report([*runs, *late], data=DATA).facts["test"]["accuracy"]
    assert "without Cells" in second["name"]
    assert first["ahead"] is None
    assert second["ahead"][0] == pytest.approx(first["mean"] - second["mean"])


HOSTILE = f"""
network `{SCRIPT}`(C = 4, L = 2)
modality `{QUOTES}` {{ `{RIGHT_TO_LEFT}`[c 3] `{LONG}`[t 2, c 5] }}
modality right {{ `</style><b>`[c 4] }}
pool Sum, ConcatFC
cell `&lt;`[2](?, ?) {{ `]]>` = ?(x, y) }}
predict 3 classes
"""


def test_names_are_escaped(tmp_path: Path) -> None:
    names = {"A": RIGHT_TO_LEFT, "B": LONG, "D": "</style><b>"}
    data = {names.get(n, n): a for n, a in DATA.items()}
    settings = QUICK.with_options(tensorboard=True)
    out = tmp_path / "a & <b>'\"\n"
    fw.search(fw.loads(HOSTILE), data, out=out, settings=settings)
    page = report([out]).page
    require_safe(page)
    assert html(SCRIPT) in page
    assert SCRIPT not in page
    assert LONG in page
    assert RIGHT_TO_LEFT in page


def test_what_a_history_holds_is_escaped(runs: list[Path], tmp_path: Path) -> None:
    copytree(runs[0], tmp_path / "run")
    about = json.loads((tmp_path / "run/search.json").read_text())
    about["versions"] = {SCRIPT: SCRIPT, "evil": "\u202eevil"}
    (tmp_path / "run/search.json").write_text(json.dumps(about))
    report([tmp_path / "run"], out=tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    require_safe(page)
    assert "\u202e" not in page


def changed_record(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    """Changes the first record of a history."""

    def damage(text: str) -> str:
        first, *rest = text.splitlines()
        record = json.loads(first)
        change(record)
        return "\n".join([json.dumps(record), *rest])

    return damage


DAMAGE: Mapping[str, Callable[[str], str]] = {
    "cut": lambda text: text[: len(text) // 2 + 7],
    "no object": lambda text: "17\n" + text,
    "no text": lambda text: text + "\x00",
    "nested": lambda text: "[" * 100_000,
    "no round": changed_record(lambda r: r.pop("round")),
    "entropy": changed_record(lambda r: r.update(entropy=[1])),
    "no number": changed_record(lambda r: r.update(entropy={"K": "high"})),
    "ragged": changed_record(lambda r: r.update(architecture={"K": [[1], [2, 3]]})),
    "not finite": changed_record(lambda r: r.update(architecture={"K": [float("nan")]})),
    "drops": changed_record(lambda r: r.update(drops=["a"])),
    "huge": changed_record(lambda r: r.update(round=float("inf"))),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_history_is_diagnosed(
    damage: Callable[[str], str], runs: list[Path], tmp_path: Path
) -> None:
    copytree(runs[0], tmp_path / "run")
    history = tmp_path / "run/history.jsonl"
    history.write_text(damage(history.read_text(encoding="utf-8")), encoding="utf-8")
    for read in (report, consensus):
        with pytest.raises(fw.DiagnosticError, match="is damaged") as caught:
            read([tmp_path / "run"])
        assert [d.code for d in caught.value.diagnostics] == ["E507"]


@pytest.mark.parametrize("content", ["", "[]", '{"rows": []}', "null", '{"rows": [{"name": 1}]}'])
def test_damaged_controls_are_diagnosed(content: str, runs: list[Path], tmp_path: Path) -> None:
    copytree(runs[0], tmp_path / "run")
    (tmp_path / "run/controls.json").write_text(content)
    with pytest.raises(fw.DiagnosticError, match="is damaged"):
        report([tmp_path / "run"])


def test_what_is_no_run_is_diagnosed(tmp_path: Path) -> None:
    with pytest.raises(fw.DiagnosticError, match="is no run folder"):
        report([tmp_path / "none"])
    with pytest.raises(fw.DiagnosticError, match="holds no finished run"):
        report([tmp_path])


def test_a_round_without_a_best_one_is_read_too(runs: list[Path], tmp_path: Path) -> None:
    copytree(runs[0], tmp_path / "run")
    history = tmp_path / "run/history.jsonl"
    history.write_text(re.sub(r', "best_round": \d+', "", history.read_text()))
    about = json.loads((tmp_path / "run/search.json").read_text())
    del about["digests"]  # of before there were any
    (tmp_path / "run/search.json").write_text(json.dumps(about))
    assert "not recorded" in report([tmp_path / "run"]).page
    assert consensus([tmp_path / "run"]).genotype == fw.load(tmp_path / "run/genotype.fuse")


# Events


def events(place: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(place), size_guidance={"images": 0, "tensors": 0})
    found.Reload()
    return found


def test_events_hold_every_round_once_when_a_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        stop_after(5, patched)
        with pytest.raises(fw.DiagnosticError, match="was stopped"):
            found(tmp_path, tensorboard=True, epochs=3)
    result = fw.search(
        spec(), DATA, out=tmp_path, settings=QUICK.with_options(tensorboard=True, epochs=3),
        resume=True,
    )  # fmt: skip
    seen = events(tmp_path / "tensorboard/search")
    for name in ("train_loss", "validation_accuracy", "entropy/K_1.S.gamma", "cost/weight_steps"):
        assert [e.step for e in seen.Scalars(name)] == [1, 2, 3]
    losses = [e.value for e in seen.Scalars("train_loss")]
    assert losses == pytest.approx([r["train_loss"] for r in result.history])
    changes = [
        r["round"]
        for i, r in enumerate(result.history)
        if i == 0 or r["genotype"] != result.history[i - 1]["genotype"]
    ]
    assert [e.step for e in seen.Images("genotype/picture")] == changes
    assert [e.step for e in seen.Tensors("genotype/text_summary")] == [1, 2, 3]


def test_events_are_written_for_a_training_and_only_where_asked(tmp_path: Path) -> None:
    genotype = found(tmp_path / "run").genotype
    assert not (tmp_path / "run/tensorboard").exists()
    fw.train(genotype, DATA, out=tmp_path / "run", settings=QUICK, tensorboard=True)
    seen = events(tmp_path / "run/tensorboard/train")
    assert [e.step for e in seen.Scalars("train_loss")] == [1, 2]


def test_tags_of_different_names_differ() -> None:
    names = ["a/b", "a%2Fb", "<b>", "a b", LONG + "x", LONG + "y", RIGHT_TO_LEFT]
    assert len({tag(n) for n in names}) == len(names)
    assert all("/" not in tag(n) and "<" not in tag(n) and len(tag(n)) <= 200 for n in names)


# The command line


def test_a_line_says_how_a_search_stands() -> None:
    standing = Standing("validation_accuracy")
    record: dict[str, Any] = {
        "round": 1,
        "best_round": 1,
        "validation_accuracy": 0.5,
        "cost": {"weight_steps": 1234.5},
        "entropy": {"K": float(np.log(2)), "S": 0.0},
        "architecture": {"K": [0.0, 0.0], "S": [[9.0, -9.0], [9.0, -9.0]]},
    }
    shown = standing.shown(record)
    assert "best 0.5000" in shown
    assert "holes 50 % settled" in shown
    later = {**record, "round": 2, "validation_accuracy": 0.4}
    assert "best 0.5000" in standing.shown(later)
    assert "settled" not in standing.shown({"round": 3, "cost": {"weight_steps": 1.0}})


def test_the_commands_report_and_agree(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", **DATA)
    (tmp_path / "space.fuse").write_text(str(spec()), encoding="utf-8")
    (tmp_path / "run.toml").write_text(replace(QUICK, epochs=1).to_toml(), encoding="utf-8")
    shown = command(
        tmp_path, "search", "space.fuse", "--data", "data.npz", "--out", "run", "--config",
        "run.toml", "--controls", "--tensorboard",
    )  # fmt: skip
    assert "random genotypes, the best" in shown
    assert (tmp_path / "run/tensorboard/search").is_dir()
    facts = json.loads(command(tmp_path, "report", "run", "-o", "page.html", "--json"))
    assert facts["runs"] == ["run"]
    require_safe((tmp_path / "page.html").read_text(encoding="utf-8"))
    agreed = command(tmp_path, "consensus", "run", "run", "-o", "agreed.fuse")
    assert "K_1: inputs: " in agreed
    assert fw.load(tmp_path / "agreed.fuse") == fw.load(tmp_path / "run/genotype.fuse")
    found = json.loads(command(tmp_path, "consensus", "run", "--json"))
    assert found["genotype"] == str(fw.load(tmp_path / "run/genotype.fuse"))
