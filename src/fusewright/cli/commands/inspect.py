"""The command `inspect`: what there is to tap in a backbone, and what a specification taps."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ...compiler.language.spec import Spec
from ...compiler.load import spell
from ...runtime.backbones.options import BackboneOptions
from ..app import Json, app, print_json
from ..options import Backbones, backbones_from, with_options


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
    from ...runtime.backbones.inspect import inspect as look_at

    options = backbones_from(backbones, given)
    found = look_at(model, backbones=options)
    if isinstance(found, Spec):
        print(spell(found, "json" if json else "fuse"), end="")
        return
    print_json(found.record()) if json else print(f"{found.table(depth)}\n\n{found.text}")
