"""The command `search`: the holes of a specification, filled."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.language.spec import Spec
from ...compiler.system.options import either
from ...runtime.metrics import selection_metric
from ...runtime.runs.names import GENOTYPE, GIVEN_UP
from ...runtime.settings import Settings
from ...runtime.strategies import readers_of
from ..app import (
    Data,
    Json,
    Out,
    Overwrite,
    Quiet,
    Resume,
    Sets,
    SpecFile,
    app,
    load_with,
    print_json,
    print_values,
)
from ..options import Config, settings_from, with_options
from ..screen.bar import Bar
from ..screen.rounds import rounds
from ..screen.warned import data_warnings

Controls = Annotated[
    bool | None,
    typer.Option(
        help="Compare with random genotypes too, which takes as long as the search; or with "
        "nothing. Simple models, late fusion and all features are the usual controls.",
        show_default=False,
    ),
]

BESIDE = (
    "no candidate of the space is decided above a {} over all features; "
    "`--no-perceptrons` leaves that out"
)


def panel(setting: str) -> str | None:
    """The heading that a setting stands under: the strategies and selections that read it."""
    readers = readers_of(setting)
    return f"Settings of {either(readers)}" if readers else "Settings"


@app.command()
@with_options(Settings, "search", panel=panel)
def search(
    file: SpecFile,
    data: Data,
    out: Out,
    options: dict[str, Any],
    config: Config = None,
    controls: Controls = None,
    sets: Sets = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Search the holes of a specification; writes RUN/genotype.fuse."""
    began = perf_counter()
    from ...runtime.data.seen import Readings
    from ...runtime.parallel.processes import rank
    from ...runtime.search.allowance import Allowance
    from ...runtime.search.controls import count_of_controls
    from ...runtime.search.perceptron import called
    from ...runtime.search.plans import said
    from ...runtime.search.search import search as run

    settings = settings_from(config, options)
    settings.require_effect([name for name, value in options.items() if value is not None])
    _require_time(settings, controls)
    spec, readings = load_with(file, sets), Readings()
    kind = spec.predict.kind if spec.predict else "several" if spec.heads else "classes"
    metric = selection_metric(kind)
    is_counted = settings.minutes and controls is not False
    after = count_of_controls(spec, settings) if is_counted else 0
    allowance = Allowance.of(settings, after, perf_counter() - began)
    with data_warnings() as warned, rounds(metric) as report:
        result = run(
            spec,
            data,
            out=out,
            settings=settings,
            overwrite=overwrite,
            resume=resume,
            readings=readings,
            report=report,
            allowance=allowance,
        )
    best = result.history[result.best_round - 1]
    metrics = {k: v for k, v in best.items() if isinstance(v, float)}
    named = {"kind": best["kind"]} if "kind" in best else {}
    place = {"genotype": str(out / GENOTYPE), "best_round": result.best_round}
    summary = {**place, **named, **metrics}
    given_up = result.given_up
    if not json and not rank():
        print(result.genotype)
        print_values(summary)
        if named:
            print(BESIDE.format(called(result.genotype)))
        if given_up:
            print(said(given_up, settings.minutes))
    compared = None
    if controls is not False:
        kept = {"readings": readings, "random": controls is True, "allowance": allowance}
        compared = _compared(spec, data, result, settings, out, kept)
    if rank():
        return
    if json:
        controlled = {} if compared is None else {"controls": asdict(compared)}
        left = {GIVEN_UP: given_up} if given_up else {}
        print_json({**summary, **left, **controlled, "warnings": warned})
        return
    if compared is not None:
        _show_controls(compared)


def _require_time(settings: Settings, controls: bool | None) -> None:
    """Raises DiagnosticError where a limit of time is to be kept with random genotypes."""
    if settings.minutes and controls:
        message = "`minutes` is no limit of a search that is compared with random genotypes"
        remedy = "these take as long as the search: leave `--controls` out, or `--minutes`"
        raise fail("E506", message, help=remedy)


def _compared(
    spec: Spec, data: Path, result: Any, settings: Any, out: Path, options: dict[str, Any]
) -> Any:
    """The controls of a search, with a bar over the networks that are trained."""
    from ...runtime.search.controls import compare_with_controls

    with Bar("controls") as bar:
        return compare_with_controls(
            spec,
            data,
            result,
            settings=settings,
            out=out,
            told=lambda name, score: bar.show(bar.done + 1, None, f"{name} {score:.4f}"),
            **options,
        )


def _show_controls(found: Any) -> None:
    """The controls as a table."""
    from ...runtime.runs.controls import how_scored

    print(f"controls, {how_scored([found])}:")
    width = max(len(row.name) for row in found.rows)
    for row in found.rows:
        cost = f"{row.weight_steps:,.1f} weight steps" if row.weight_steps else ""
        several = f"{len(row.scores)} trained" if len(row.scores) > 1 else ""
        said = ", ".join(filter(None, (several, _ahead(row), cost)))
        print(f"  {row.name:<{width}}  {row.score:.4f}  {said}".rstrip())
    cost = f"the search cost {found.weight_steps:,.1f} weight steps"
    print(f"{cost}: {found.bought} genotypes' worth" if found.bought else cost)
    if found.better:
        names = ", ".join(f"{row.name} ({row.score:.4f})" for row in found.better)
        print(f"higher than the found genotype ({found.rows[0].score:.4f}): {names}")
        print(_advice(found.better[0]))
    for line in found.left_out:
        print(f"left out: {line}")


def _advice(best: Any) -> str:
    """What to deploy, where a control is higher."""
    if best.ahead is None or best.ahead.high < 0:
        return f"on these samples {best.name} is what to deploy"
    return (
        f"{best.name} is what to deploy where it costs less: these samples do not tell them apart"
    )


def _ahead(row: Any) -> str:
    """By how much the found genotype is ahead of a control."""
    return "" if row.ahead is None else f"the genotype is ahead by {row.ahead}"
