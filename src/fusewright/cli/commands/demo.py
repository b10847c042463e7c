"""The command `demo`: everything on bundled real data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..app import app
from ..screen.warned import data_warnings


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="The folder to write.")] = Path("demo-run"),
) -> None:
    """Run everything on bundled real data: search, train, compare, export, draw, report."""
    from ...runtime.demo.run import demo as run

    with data_warnings():
        run(out)
