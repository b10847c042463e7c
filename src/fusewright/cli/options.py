"""Options made from the settings of a run: each setting that a command reads can be given to it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from ..runtime.settings import Settings, read_settings

Config = Annotated[Path | None, typer.Option(help="Settings as a .toml file.")]


def with_settings(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command an option for each of these settings, in place of its parameter `options`.

    That parameter then holds the settings that are given, by name, and None for the others.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(**arguments: Any) -> None:
            options = {name: arguments.pop(name) for name in names}
            command(**arguments, options=options)

        own = inspect.signature(command, eval_str=True).parameters
        parameters: list[inspect.Parameter] = []
        for name, parameter in own.items():
            parameters += (
                _options(names)
                if name == "options"
                else [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)]
            )
        signature = inspect.Signature(parameters)
        run.__dict__["__signature__"] = signature
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        return run

    return decorate


def _options(names: tuple[str, ...]) -> list[inspect.Parameter]:
    settings = {item.name: item for item in fields(Settings)}
    kind = inspect.Parameter.KEYWORD_ONLY
    found: list[inspect.Parameter] = []
    for name in names:
        item = settings[name]
        option = f"--{name.replace('_', '-')}"
        shown = typer.Option(option, metavar=item.metadata["metavar"], help=item.metadata["help"])
        annotation: Any = Annotated[type(item.default) | None, shown]
        found.append(inspect.Parameter(name, kind, default=None, annotation=annotation))
    return found


def settings_from(config: Path | None, options: dict[str, Any]) -> Settings:
    """The settings of a file, or else the usual ones, with those options that are given."""
    settings = read_settings(config) if config is not None else Settings()
    return settings.with_options(**options)
