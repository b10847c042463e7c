"""The command `import`: networks of the published codes, and their weights."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.diagnostics.text import printable
from ..app import Output, app, print_or_write

SHOWN = 5
"""How many weights that nothing reads are named."""


@app.command(name="import")
def import_(
    genotype: Annotated[
        str,
        typer.Argument(
            metavar="FILE|TEXT",
            help="A genotype's text, log or pickle; or a list of MFAS's layers.",
        ),
    ],
    spec: Annotated[Path, typer.Option(help="The specification that it belongs to.")],
    *,
    weights: Annotated[
        Path | None, typer.Option(help="A state dict of the published network, `.pt`.")
    ] = None,
    faithful: Annotated[
        bool,
        typer.Option(
            "--faithful/--fixed", help="What the published code runs, or what the genotype says."
        ),
    ] = False,
    alphas: Annotated[
        bool, typer.Option("--alphas", help="MFAS: features are weighed, as by its own option.")
    ] = False,
    output: Output = None,
) -> None:
    """Read a network of the published BM-NAS or MFAS code, and its weights if they are given."""
    from ...compiler.load import load
    from ...compiler.published.importing import MARK, import_file, import_text

    is_text = MARK in genotype or genotype.lstrip().startswith("[")
    read = import_text if is_text else import_file
    result, differ = read(genotype, load(spec), faithful=faithful, alphas=alphas)
    for sentence in differ:
        print(f"note: {sentence}", file=sys.stderr)
    if differ:
        taken = "what it merges" if faithful else "what is said"
        other = "--fixed" if faithful else "--faithful"
        print(f"note: {taken} is taken; `{other}` takes the other", file=sys.stderr)
    if weights is None:
        print_or_write(str(result), output)
        return
    if output is None or output.suffix != ".safetensors":
        message = "weights are written with their specification, to a `.safetensors` file"
        raise fail("E506", message, help="give `-o NAME.safetensors`")
    from ...compiler.system.files import write_file
    from ...runtime.deploy.published import import_weights

    content, rest = import_weights(result, weights)
    if rest:
        shown = ", ".join(f"`{printable(name)}`" for name in rest[:SHOWN])
        more = f" and {len(rest) - SHOWN} more" if len(rest) > SHOWN else ""
        print(f"note: nothing of the network reads {shown}{more}", file=sys.stderr)
    write_file(output, content)
