"""The command `inspect`: what there is to tap in a backbone, and what a specification taps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...compiler.diagnostics.text import printable
from ...compiler.load import load, spell
from ...compiler.system.files import is_file
from ...runtime.backbones.options import BackboneOptions
from ..app import Json, app, print_json
from ..options import Backbones, backbones_from, with_options

if TYPE_CHECKING:
    from ...runtime.backbones.outline import Outline


@app.command()
@with_options(BackboneOptions, "inspect", into="given")
def inspect(
    model: Annotated[
        str, typer.Argument(metavar="PROVIDER:MODEL|FILE", help="A backbone, or a specification.")
    ],
    given: dict[str, Any],
    depth: Annotated[int | None, typer.Option(min=1, help="How deep the tree is shown.")] = None,
    backbones: Backbones = None,
    json: Json = False,
) -> None:
    """Show the parts of a backbone and what they give; of a specification, it with its shapes."""
    from ...runtime.backbones.backbone import open_structure
    from ...runtime.backbones.outline import outline
    from ...runtime.backbones.specification import with_shapes

    options = backbones_from(backbones, given)
    if is_file(model):
        spec = with_shapes(load(model), options)
        print(spell(spec, "json" if json else "fuse"), end="")
        return
    found = outline(open_structure(model, options))
    print_json(found.record()) if json else _show(found, depth)


def _show(found: Outline, depth: int | None) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for heading in ("part", "class", "gives"):
        table.add_column(heading, no_wrap=True, overflow="fold")
    table.add_column("parameters", justify="right")
    for part in found.parts:
        if depth is None or part.depth <= depth:
            path = "  " * part.depth + printable(part.path or "(the whole)")
            cells = (path, printable(part.kind), part.shown, f"{part.parameters:,}")
            table.add_row(*map(Text, cells))
    Console(soft_wrap=True, highlight=False).print(table)
    print(f"\n{found.text}")
