"""The command `train`: a network's weights."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.diagnostics.text import printable
from ...compiler.language.spec import Spec
from ...runtime.backbones.options import BackboneOptions
from ...runtime.extract.settings import ExtractSettings
from ...runtime.joint.settings import JointSettings
from ...runtime.metrics import TRAIN_LOSS, VALIDATION_LOSS
from ...runtime.runs.names import BACKBONES, SEARCH_WEIGHTS, WEIGHTS
from ...runtime.settings import Settings, read_settings
from ..app import (
    EitherData,
    Json,
    Out,
    Overwrite,
    Quiet,
    Raw,
    Resume,
    Root,
    Sets,
    SpecFile,
    app,
    load_with,
    print_json,
    print_values,
)
from ..options import (
    Backbones,
    Config,
    backbones_from,
    require_none,
    require_one_place,
    settings_from,
    with_options,
)
from ..screen.bar import Bar
from ..screen.rounds import numbers_in
from ..screen.warned import data_warnings

Weights = Annotated[
    Path | None,
    typer.Option(help=f"Weights to start from, such as RUN/{SEARCH_WEIGHTS}; else from scratch."),
]
Distil = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN|ONNX", help="A trained ensemble or network, whose predictions are learned too."
    ),
]


@app.command()
@with_options(Settings, "train")
@with_options(JointSettings, "train", into="together")
@with_options(BackboneOptions, "train", into="given")
@with_options(ExtractSettings, "train", into="decoding")
def train(
    file: SpecFile,
    out: Out,
    *,
    data: EitherData = None,
    raw: Raw = None,
    root: Root = None,
    decoding: dict[str, Any],
    options: dict[str, Any],
    weights: Weights = None,
    distil: Distil = None,
    joint: Annotated[
        bool, typer.Option("--joint", help="Train the backbones too; the data are raw inputs.")
    ] = False,
    together: dict[str, Any],
    backbones: Backbones = None,
    given: dict[str, Any],
    config: Config = None,
    sets: Sets = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Train a network on the training and validation splits; writes RUN/weights.safetensors."""
    from ...runtime.predict.teach import soft_targets
    from ...runtime.runs.beside import settings_beside, stated_beside
    from ...runtime.runs.folder import RunFolder
    from ...runtime.training.train import require_for_one
    from ...runtime.training.train import train as run

    if not joint:
        others = {"backbones": backbones, "raw": raw, "root": root}
        require_none({**together, **given, **decoding, **others}, "--joint")
    require_one_place(data, raw)
    if RunFolder(file).holds_ensemble:
        single = {
            "weights": weights,
            "distil": distil,
            "set": sets,
            "joint": joint,
            "resume": resume,
        }
        _refuse(name for name, one in single.items() if one)
        usual = read_settings(config) if config is not None else None
        assert data is not None
        _train_ensemble(file, data, out, usual, options, overwrite, json)
        return
    require_for_one(options)
    beside = settings_beside(file) if config is None else None
    settings = settings_from(config, options, beside)
    if config is None and beside is None and (missing := stated_beside(file)):
        note = f"note: the settings that `{file}` was found with stayed behind, in `{missing}`"
        print(f"{printable(note)}; the usual ones are used", file=sys.stderr)
    spec = load_with(file, sets)
    if joint:
        if distil:
            raise fail("E506", "a joint training has no teacher", help="leave out `--distil`")
        chosen = backbones_from(backbones, given)
        own = {"weights": weights, "backbones": chosen, "overwrite": overwrite, "resume": resume}
        taken: Any = data
        if raw is not None:
            from ...runtime.joint.decoded import decoded

            how = ExtractSettings().with_options(**decoding)
            taken = decoded(spec, raw, settings=how, backbones=chosen, root=root)
        _train_joint(spec, taken, out, settings, {**own, **together}, json)
        return
    assert data is not None
    soft = soft_targets(distil, spec, data, settings) if distil else None
    with data_warnings() as warned, _epochs("train", settings.epochs) as report:
        result = run(
            spec,
            data,
            weights=weights,
            out=out,
            settings=settings,
            overwrite=overwrite,
            resume=resume,
            report=report,
            soft=soft,
        )
    summary = {"weights": str(out / WEIGHTS), **result.history[-1]}
    print_json({**summary, "warnings": warned}) if json else print_values(summary)


def _train_joint(
    spec: Spec,
    data: Any,
    out: Path,
    settings: Settings,
    options: dict[str, Any],
    json: bool,
) -> None:
    """Trains a network together with its backbones."""
    from ...runtime.joint.train import train_joint

    with _epochs("train", settings.epochs) as report:
        result = train_joint(spec, data, out=out, settings=settings, report=report, **options)
    summary = {"weights": str(out / WEIGHTS), "backbones": str(out / BACKBONES)}
    summary |= result.history[-1]
    print_json(summary) if json else print_values(summary)


def _train_ensemble(
    folder: Path,
    data: Path,
    out: Path,
    settings: Settings | None,
    options: dict[str, Any],
    overwrite: bool,
    json: bool,
) -> None:
    """Trains the members of an ensemble together."""
    from ...runtime.runs.ensemble import member_settings, read_ensemble
    from ...runtime.training.ensemble import train_ensemble

    ensemble = read_ensemble(folder)
    with data_warnings() as warned, Bar("train") as bar:
        result = train_ensemble(
            ensemble,
            data,
            out=out,
            settings=settings,
            each=member_settings(ensemble, folder),
            overwrite=overwrite,
            progress=bar.show,
            **options,
        )
    members = len(result.ensemble.members)
    summary = {"weights": str(out / WEIGHTS), "members": members, **result.history[-1]}
    print_json({**summary, "warnings": warned}) if json else print_values(summary)


def _refuse(given: Iterable[str]) -> None:
    """Raises DiagnosticError for an option that an ensemble does not take."""
    for name in given:
        message = f"`--{name}` is for a single network, not for an ensemble"
        raise fail("E506", message, help="leave it out, or train a member by itself")


@contextmanager
def _epochs(what: str, epochs: int) -> Generator[Callable[[dict[str, Any]], None]]:
    """A bar over epochs, with the last one's numbers beside it."""
    with Bar(what) as bar:

        def report(record: dict[str, Any]) -> None:
            shown = (f"{k} {record[k]:.4f}" for k in (TRAIN_LOSS, VALIDATION_LOSS) if k in record)
            bar.show(record["epoch"], epochs, "  ".join(shown), numbers_in(record))

        yield report
