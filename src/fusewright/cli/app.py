"""The typer application and the options that several commands share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ..compiler.diagnostics import fail
from ..compiler.load import load
from ..compiler.override import override, parse_numbers
from ..compiler.spec import Spec


class Commands(TyperGroup):
    """The commands; what one of them needs and is not installed is a diagnostic."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package in ("", "fusewright"):
                raise
            message = f"`{package}` is needed for this, and is not installed"
            raise fail("E509", message, help=f"install it: `pip install {package}`") from None


app = typer.Typer(
    cls=Commands,
    name="fusewright",
    help="A declarative compiler for multimodal fusion architectures.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

SpecFile = Annotated[Path, typer.Argument(metavar="FILE", help="A .fuse, .json or .yaml file.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Override a number.")
]


def load_with(file: Path, sets: list[str] | None) -> Spec:
    """The specification in a file, with the numbers that `--set` gives."""
    return override(load(file), parse_numbers(sets or []))


def print_json(value: Any) -> None:
    """Prints a value as JSON on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False))
