"""The typer application and the options that several commands share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ..compiler.load import load
from ..compiler.override import override, parse_numbers
from ..compiler.spec import Spec

app = typer.Typer(
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
