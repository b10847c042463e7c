"""The typer application, and the arguments that several commands share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ..compiler.diagnostics.text import json_text, printable
from ..compiler.language.override import override, parse_numbers
from ..compiler.language.spec import Spec
from ..compiler.load import load
from . import complete
from .screen.bar import be_quiet, in_json


class Commands(TyperGroup):
    """The commands; what one of them needs and is not installed is a diagnostic."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        for text in args:
            _require_plain_digits(text.partition("=")[2] if text.startswith("--") else text)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package in ("", "fusewright"):
                raise
            from ..runtime.extras import missing

            raise missing(package) from None


def _require_plain_digits(text: str) -> None:
    """Refuses a number in digits of another script, which the option parser would take."""
    if text.isascii():
        return
    try:
        float(text)
    except ValueError:
        return
    raise typer.BadParameter(f"`{text}` is not written with the digits from 0 to 9")


app = typer.Typer(
    cls=Commands,
    name="fusewright",
    help="A declarative compiler for multimodal fusion architectures.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        from ..compiler.system.provenance import own_version

        print(f"fusewright {own_version()}")
        raise typer.Exit


@app.callback()
def fusewright(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=_show_version),
    ] = False,
) -> None:
    """A group of commands, however many of them are registered."""


_A_SPEC: Mapping[str, Any] = {
    "help": "A .fuse, .json or .yaml file.",
    "autocompletion": complete.networks,
}
SpecFile = Annotated[Path, typer.Argument(metavar="FILE", **_A_SPEC)]
NamedSpec = Annotated[Path, typer.Argument(**_A_SPEC)]
"""One of several, called as its parameter is."""
SpecFiles = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE", help=".fuse, .json or .yaml files.", autocompletion=complete.networks
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.", callback=in_json)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.", callback=be_quiet)]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Override a number.")
]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="Write to this file.")]
_ARRAYS = typer.Option(help="A file, folder or store of arrays.", show_default=False)
Data = Annotated[Path, _ARRAYS]
EitherData = Annotated[Path | None, _ARRAYS]
Raw = Annotated[Path | None, typer.Option(help="With --joint: raw data, as `extract` takes them.")]
Root = Annotated[Path | None, typer.Option(help="The folder below which raw files may lie.")]
Out = Annotated[Path, typer.Option(metavar="RUN", help="The run folder to write.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a run that is there.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")]
Runs = Annotated[
    list[Path],
    typer.Argument(metavar="RUN…", help="Folders of finished runs.", autocompletion=complete.runs),
]
Trained = Annotated[
    Path,
    typer.Argument(
        metavar="RUN|ONNX",
        help="A trained run's folder, or an ONNX file.",
        autocompletion=complete.trained,
    ),
]


def load_with(file: Path, sets: list[str] | None) -> Spec:
    """The specification in a file, with the numbers that `--set` gives."""
    return override(load(file), parse_numbers(sets or []))


def print_json(value: Any) -> None:
    """Prints a value as JSON on standard output."""
    print(json_text(value, indent=2))


def print_values(values: dict[str, Any]) -> None:
    """Prints a line for each value."""
    for key, value in values.items():
        shown = f"{value:.4f}" if isinstance(value, float) else printable(str(value))
        print(f"{key}: {shown}")


def print_or_write(text: str, output: Path | None) -> None:
    """Prints a text, or writes it to a file where one is named."""
    if output is None:
        print(text, end="")
        return
    from ..compiler.system.files import write_file

    write_file(output, text.encode())
