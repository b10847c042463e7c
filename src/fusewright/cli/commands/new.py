"""The command `new`: a first specification, from flags, data, an example or a few questions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...compiler.diagnostics.diagnostic import DiagnosticError, fail
from ...compiler.system.files import is_there
from ..app import Output, app
from ..screen.warned import data_warnings

if TYPE_CHECKING:
    from ...runtime.data.new import Wishes


CELLS, STEPS = 2, 2


@app.command()
def new(
    name: Annotated[str | None, typer.Option(help="The network's name.")] = None,
    modality: Annotated[
        list[str] | None,
        typer.Option(metavar="'NAME: FEATURES'", help="As 'image: A[c 512, h 7, w 7], B[c 64]'."),
    ] = None,
    predict: Annotated[
        list[str] | None,
        typer.Option(help="As '23 labels'; several heads with names, as 'action 10 classes'."),
    ] = None,
    cells: Annotated[int, typer.Option(help="The number of Cells.")] = CELLS,
    steps: Annotated[int, typer.Option(help="The number of Steps of a Cell.")] = STEPS,
    inner: Annotated[str | None, typer.Option(help="As 'C=128, L=8'.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Declare the features of a data file or folder.")
    ] = None,
    example: Annotated[str | None, typer.Option(help="Copy an example, as ntu1.")] = None,
    output: Output = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write a commented specification to start from; on a terminal, without flags, it asks."""
    from ...runtime.data.new import Wishes, example_text, new_text

    if output is not None and is_there(output) and not force:
        raise fail("E507", f"`{output}` is there already", help="give `--force` to overwrite it")
    if example is not None:
        if any((name, modality, predict, inner, data)) or (cells, steps) != (CELLS, STEPS):
            raise typer.BadParameter("it goes alone", param_hint="--example")
        text = example_text(example)
    else:
        heads = " predict ".join(predict or ()) or None
        wishes = Wishes(name or "fusion", tuple(modality or ()), heads, cells, steps, inner, data)
        if not modality and data is None:
            wishes = _asked(wishes)
        with data_warnings():
            text = new_text(wishes)
    if output is None:
        print(text, end="")
        return
    from ...compiler.system.files import write_file

    write_file(output, text.encode())


def on_terminal() -> bool:
    """Whether there is someone to ask."""
    return sys.stdin.isatty()


def _asked(wishes: Wishes) -> Wishes:
    """The wishes with what a few questions add to them, each asked until it can be read."""
    from ...runtime.data.new import read_inner, read_modality, read_predict

    if not on_terminal():
        raise typer.BadParameter("say what to fuse: --modality, --data or --example")
    name = _ask("Name of the network", lambda text: read_inner(text, None), wishes.name)
    modalities: list[str] = []
    question = "A modality, as `image: A[c 512, h 7, w 7], B[c 64]`"
    while text := _ask(question, read_modality, "" if modalities else None):
        modalities.append(text)
        question = "Another modality (nothing ends)"
    predict = wishes.predict or _ask("What is predicted, as `23 labels`", read_predict, None)
    cells = int(typer.prompt("Cells", default=wishes.cells, type=int, err=True))
    steps = int(typer.prompt("Steps of a Cell", default=wishes.steps, type=int, err=True))
    return replace(
        wishes,
        name=name,
        modalities=tuple(modalities),
        predict=predict,
        cells=cells,
        steps=steps,
    )


def _ask(question: str, read: Callable[[str], object], default: str | None) -> str:
    """An answer that `read` accepts; the default may be empty."""
    while True:
        shown = bool(default)
        answer = str(typer.prompt(question, default=default, show_default=shown, err=True))
        try:
            if answer:
                read(answer)
        except DiagnosticError as error:
            typer.echo(str(error), err=True)
        else:
            return answer
