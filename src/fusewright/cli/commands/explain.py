"""The command that explains a diagnostic code."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from .. import complete
from ..app import Json, app, print_json


@app.command()
def explain(
    code: Annotated[
        str,
        typer.Argument(
            metavar="CODE", help="The code of a diagnostic: E203.", autocompletion=complete.codes
        ),
    ],
    json: Json = False,
) -> None:
    """Explain a diagnostic code: what it means, why, and an example wrong and right."""
    from ...compiler.diagnostics.codes import CODES
    from ...compiler.diagnostics.explain import explanation

    text = explanation(code)
    if json:
        key = code.upper()
        print_json({"code": key, "summary": CODES[key], "text": text})
    elif sys.stdout.isatty():
        _show_rendered(text)
    else:
        print(text, end="")


def _show_rendered(text: str) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))
