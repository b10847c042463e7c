"""A specification or a Graph as a picture: what `fw.draw` does."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import Any

from .check.check import checked
from .diagnostics.diagnostic import fail
from .graph.build import build
from .load import Given, spec_of
from .system.files import write_file
from .targets.diagram import FORMATS, Drawing, render, style_named


def draw(
    model: Given,
    output: str | PathLike[str] | None = None,
    *,
    format: str = "",
    style: str = "screen",
    direction: str = "bottom-up",
    **options: Any,
) -> bytes:
    """The picture of what says a specification, written to a file where one is named.

    `format` is svg, png, pdf or dot, by default what the file's ending says, or else svg; it
    flows `bottom-up` or `left-right` (`direction`). `options` are those of `Drawing`: `width` in
    inches, `cell`, `compact`. Raises DiagnosticError where the model is wrong, or the format or
    file cannot be written.
    """
    spec = spec_of(model)
    chosen = format or (Path(output).suffix.lstrip(".").lower() if output is not None else "svg")
    if chosen not in FORMATS:
        listed = ", ".join(FORMATS)
        raise fail("E504", f"`{chosen}` is no picture format", help=f"formats are {listed}")
    picture = render(
        build(checked(spec)), chosen, Drawing(style_named(style, direction), **options)
    )
    if output is not None:
        write_file(Path(fspath(output)), picture)
    return picture
