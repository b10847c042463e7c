"""The page of one or several runs, and its facts as a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from ...compiler.check.check import checked
from ...compiler.resolve.unfill import unfilled
from ...compiler.system.display import Displayed
from ...compiler.system.files import write_file
from ...compiler.targets.html import Html, joined
from ...compiler.tools.meaning import meaning
from ..data.files import Source
from ..data.sources import Data, source_of
from ..genotypes.agreement import Agreement, agreements, mean_pairwise
from ..metrics import VALIDATION_LOSS, is_thresholded, spoken
from ..predict.details import Evaluation
from ..runs.controls import Controls
from ..runs.given import AnyRun, Run, any_run_of, listed
from ..runs.read import FinishedRun, Search
from .charts import grid
from .data import data_reports, data_section
from .details import details_facts, details_section
from .doubts import doubts_of, doubts_section
from .ensembles import ensemble_reports, ensembles_section
from .missing import measured_missing, missing_facts, missing_section
from .page import code, folded, page, paragraph, section
from .scores import Row, control_rows, controls_section, tested_rows, tested_section
from .searches import details, diagram, overview, stability
from .trainings import training_figure

MOST_DRAWN = 8
Told = Callable[[int, int], None]
"""Receives how many runs have been evaluated, of how many."""


@dataclass(frozen=True, repr=False)
class RunReport(Displayed):
    """A page, what it says as a record, and a line for each of the data that runs read."""

    page: Html
    facts: Mapping[str, Any]
    data: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """How many runs it is of, and what they scored on test where that was measured."""
        runs, tested = self.facts["runs"], self.facts["test"]
        scores = [f"{name} {row['mean']:.4f}" for name, rows in tested.items() for row in rows[:1]]
        return f"RunReport({'; '.join([f'runs {len(runs)}', *scores])})"


def report(
    runs: Run | Sequence[Run],
    *,
    out: str | PathLike[str] | None = None,
    data: Data | None = None,
    told: Told | None = None,
) -> RunReport:
    """The report of finished runs, written to `out` where that is given.

    A run is its folder, what `read_run` gave, or the result of a search or training. With `data`,
    trained runs are evaluated on its test split. Raises DiagnosticError where a run is not finished
    or is damaged.
    """
    given = listed(runs)
    every = [any_run_of(one) for one in given]
    single = [run for run in every if isinstance(run, FinishedRun)]
    groups: dict[str, list[FinishedRun]] = {}
    for run in single:
        if run.search is not None:
            groups.setdefault(meaning(run.search.network), []).append(run)
    trained = [run for run in every if run.training is not None]
    source = None if data is None else source_of(data)
    models = [one for one, run in zip(given, every, strict=True) if run.training is not None]
    scored, ensembles = _scored(models, source, told), ensemble_reports(every)
    tested = _tested(trained, scored)
    behind = [(run.name, one.details) for run, one in zip(trained, scored, strict=False)]
    doubts = doubts_of(every)
    parts = [doubts_section(doubts)]
    parts += [_space(group, len(groups) > 1) for group in groups.values()]
    missing = measured_missing(every)
    untrained = [run.name for run in every if run.training is None] if data is not None else []
    parts += [_trainings(trained), tested_section(tested), details_section(behind)]
    parts += [_untested(untrained)]
    parts += [missing_section(missing)]
    parts += _genotypes(single)
    used = data_reports(every)
    parts += [ensembles_section(ensembles), data_section(used)]
    facts = {
        **_facts(every, list(groups.values()), tested),
        "details": details_facts(behind),
        "missing": missing_facts(missing),
        "ensembles": [one.as_json() for one in ensembles],
        "untested": untrained,
        "warnings": doubts,
        "data": [one.as_json() for one in used],
    }
    result = RunReport(page(_title(every), parts), facts, tuple(map(str, used)))
    if out is not None:
        write_file(Path(out), result.page.encode("utf-8", "replace"))
    return result


def _title(runs: Sequence[AnyRun]) -> str:
    genotypes = [
        run.genotype if isinstance(run, FinishedRun) else run.ensemble.members[0].genotype
        for run in runs
    ]
    names = list(dict.fromkeys(checked(genotype).name for genotype in genotypes))
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more}: {len(runs)} run{'s' if len(runs) > 1 else ''}"


def _space(runs: Sequence[FinishedRun], several: bool) -> Html:
    """Everything about the searches of one specification."""
    first = runs[0].search
    assert first is not None
    network = first.network
    what = [
        paragraph(f"Rule for filling holes: {network.rule}. Selected by {selected_by(first)}."),
        folded("The specification", code(str(network.space)), open=True),
        folded("Its diagram", diagram(network, "")),
    ]
    each = [details(r, r.search, len(runs) == 1) for r in runs if r.search is not None]
    parts = [
        section("What was searched", *what),
        section("The searches", overview(runs), *each),
        stability(*_agreement(runs)),
        controls_section(_controls(runs)),
    ]
    return section(f"Search space `{network.name}`", *parts) if several else joined(parts)


def selected_by(search: Search) -> str:
    """What decided which genotype is kept."""
    by, settings = spoken(search.metric), search.settings
    if settings.weighs_losses and not is_thresholded(search.network.head):
        by += f" and {spoken(VALIDATION_LOSS)} together"
    return f"{by}, in the end over folds" if settings.compares_by_folds else by


def _agreement(runs: Sequence[FinishedRun]) -> tuple[tuple[Agreement, ...], int]:
    """How far the genotypes agree that are points of the space, and how many they are."""
    searches = [(r, r.search) for r in runs if r.search is not None]
    every = [unfilled(search.network, run.genotype) for run, search in searches]
    choices = [one for one in every if one is not None]
    return agreements(searches[0][1].network, choices) if choices else (), len(choices)


def _controls(runs: Sequence[FinishedRun]) -> list[Controls]:
    return [r.search.controls for r in runs if r.search and r.search.controls]


def _genotypes(runs: Sequence[FinishedRun]) -> list[Html]:
    """Each distinct genotype with its picture, and the runs that hold it."""
    holders: dict[str, list[FinishedRun]] = {}
    for run in runs:
        holders.setdefault(str(run.genotype), []).append(run)
    cards = [
        joined(
            [
                diagram(checked(held[0].genotype), ", ".join(r.name for r in held)),
                folded("In the language", code(text), open=len(holders) == 1),
            ]
        )
        for text, held in list(holders.items())[:MOST_DRAWN]
    ]
    more = len(holders) - MOST_DRAWN
    left = paragraph(f"and {more} more genotypes") if more > 0 else Html()
    title = "The genotype" if len(holders) == 1 else "The genotypes"
    return [section(title, *cards, left)]


def _untested(names: Sequence[str]) -> Html:
    """Which runs the data were no use to; nothing where there is none."""
    if not names:
        return Html()
    text = "not trained, and therefore not scored on the test split: " + ", ".join(names)
    return section("Not scored", paragraph(text[0].upper() + text[1:] + "."))


def _trainings(runs: Sequence[AnyRun]) -> Html:
    """The losses of each trained run."""
    return section("Training", grid(training_figure(run) for run in runs))


def _scored(models: Sequence[Any], data: Source | None, told: Told | None) -> Sequence[Evaluation]:
    """What each of the models that were trained gives on test; nothing without data."""
    if data is None or not models:
        return []
    from ..predict.evaluate import evaluate

    found: list[Evaluation] = []
    for model in models:
        found.append(evaluate(model, data))
        if told is not None:
            told(len(found), len(models))
    return found


def _tested(trained: Sequence[AnyRun], scored: Sequence[Evaluation]) -> dict[str, list[Row]]:
    """The rows of each metric on test."""
    names = dict.fromkeys(name for scores in scored for name in scores)
    return {name: tested_rows(trained, scored, name) for name in names}


def _facts(
    runs: Sequence[AnyRun],
    groups: Sequence[Sequence[FinishedRun]],
    tested: Mapping[str, Sequence[Row]],
) -> dict[str, Any]:
    searches = [
        {
            "run": run.name,
            "strategy": run.search.settings.strategy,
            "seed": run.search.settings.seed,
            "best_round": run.search.best.number if run.search.best else None,
            run.search.metric: run.search.score,
            "weight_steps": run.search.weight_steps,
        }
        for run in runs
        if isinstance(run, FinishedRun) and run.search is not None
    ]
    return {
        "runs": [run.name for run in runs],
        "searches": searches,
        "spaces": [
            {
                "runs": [run.name for run in group],
                "pairwise_agreement": mean_pairwise(_agreement(group)[0]),
                "controls": [row.as_json() for row in control_rows(_controls(group))],
            }
            for group in groups
        ],
        "test": {name: [row.as_json() for row in rows] for name, rows in tested.items()},
    }
