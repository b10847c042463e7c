"""Options made from dataclasses of them: each that a command reads can be given to it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import Field, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..compiler.diagnostics.diagnostic import fail
from ..runtime.backbones.options import BackboneOptions, read_options
from ..runtime.settings import Settings, read_settings
from . import complete

if TYPE_CHECKING:
    from ..runtime.predict.predictor import Predictor

Config = Annotated[Path | None, typer.Option(help="Settings as a .toml file.")]
Backbones = Annotated[
    Path | None, typer.Option("--backbones", help="Backbones and their weights as a .toml file.")
]

Joint = Annotated[
    bool, typer.Option("--joint", help="From raw inputs: a run, or an ONNX file with backbones.")
]
Seconds = Annotated[
    int | None,
    typer.Option(min=1, max=10**6, help="With --joint: how long a file may run; else 600."),
]


def with_options(
    kind: type,
    reader: str,
    into: str = "options",
    panel: Callable[[str], str | None] = lambda name: None,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the options of a dataclass that `reader` reads, in place of its parameter
    that is called `into`.

    That parameter then holds the options that are given, by name, and None for the others. `panel`
    says under which heading of the help an option stands.
    """
    items = [item for item in fields(kind) if reader in item.metadata["read_by"]]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(**arguments: Any) -> None:
            options = {item.name: _value(item, arguments.pop(item.name)) for item in items}
            command(**arguments, **{into: options})

        parameters: list[inspect.Parameter] = []
        for own in inspect.signature(command, eval_str=True).parameters.values():
            given = [_parameter(item, panel(item.name)) for item in items]
            parameters += given if own.name == into else [own]
        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
        signature = inspect.Signature(parameters)
        run.__dict__["__signature__"] = signature
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        return run

    return decorate


def _parameter(item: Field[Any], panel: str | None) -> inspect.Parameter:
    """An option; what is true by default is switched off by `--no-…`."""
    option = f"--{'no-' * (item.default is True)}{item.name.replace('_', '-')}"
    said, choices = item.metadata, item.metadata["choices"]
    shown = typer.Option(
        option,
        metavar=said["metavar"],
        help=said["help"],
        rich_help_panel=panel,
        autocompletion=complete.one_of(choices) if choices else None,
    )
    annotation: Any = Annotated[item.metadata["type"] | None, shown]
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(item.name, keyword, default=None, annotation=annotation)


def _value(item: Field[Any], value: Any) -> Any:
    """What is given for an option; a switch turns its default over."""
    return not item.default if value is True else value


def backbones_from(config: Path | None, options: dict[str, Any]) -> BackboneOptions:
    """The options of backbones of a file, with those that are given."""
    known = read_options(config) if config is not None else BackboneOptions()
    return known.with_options(**options)


def require_none(options: dict[str, Any], switch: str) -> None:
    """Raises DiagnosticError for an option that is read with a switch alone."""
    for name in (name for name, value in options.items() if value):
        message = f"`--{name.replace('_', '-')}` is for what runs with backbones"
        raise fail("E506", message, help=f"add `{switch}`, or leave it out")


def require_one_place(data: Path | None, raw: Path | None) -> None:
    """Raises DiagnosticError unless data are named in one way."""
    if (data is None) == (raw is None):
        message = "data are named by `--data`, or with `--joint` by `--raw`"
        raise fail("E506", message, help="give one of them")


def opened(
    model: Path,
    data: Path | None,
    raw: Path | None,
    root: Path | None,
    *,
    joint: bool,
    seconds: int | None,
    decoding: dict[str, Any],
    backbones: Path | None,
    given: dict[str, Any],
) -> tuple[Predictor, Any]:
    """A model that predicts, and the data that it reads: what raw data are decoded to, if it is
    `joint`.

    Raises DiagnosticError for options that do not go together.
    """
    from ..compiler.system.files import is_folder
    from ..runtime.predict.open import open_predictor
    from ..runtime.predict.predictor import SECONDS

    weights = {**given, "backbones": backbones}
    others = {**weights, **decoding, "root": root, "raw": raw, "seconds": seconds}
    if not joint:
        require_none(others, "--joint")
    require_one_place(data, raw)
    if raw is None:
        require_none(
            {**decoding, "root": root, **(weights if not is_folder(model) else {})}, "--raw"
        )
    chosen = backbones_from(backbones, given)
    predictor = open_predictor(model, joint=joint, seconds=seconds or SECONDS, backbones=chosen)
    if raw is None:
        return predictor, data
    from ..runtime.extract.settings import ExtractSettings
    from ..runtime.joint.decoded import decoded

    how = ExtractSettings().with_options(**decoding)
    # Weights make no difference to what values are decoded to.
    plain = BackboneOptions(backbone=chosen.backbone, download=chosen.download, initial=True)
    spec = predictor.network.spec
    return predictor, decoded(spec, raw, settings=how, backbones=plain, root=root)


def settings_from(
    config: Path | None, options: dict[str, Any], usual: Settings | None = None
) -> Settings:
    """The settings of a file, or else the usual ones, with those options that are given."""
    settings = read_settings(config) if config is not None else usual or Settings()
    return settings.with_options(**options)
