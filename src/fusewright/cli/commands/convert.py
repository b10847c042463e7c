"""The command `convert`: a specification in another spelling."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ..app import Output, SpecFile, app, print_or_write


class Spelling(StrEnum):
    fuse = "fuse"
    json = "json"
    yaml = "yaml"
    published = "published"
    graphml = "graphml"
    node_link = "node-link"


@app.command()
def convert(
    file: SpecFile,
    to: Annotated[Spelling, typer.Option(help="The spelling to convert to.")],
    output: Output = None,
) -> None:
    """Convert a specification to .fuse, JSON, YAML, the published code's genotype, or a graph."""
    from ...compiler.load import load, spell

    print_or_write(spell(load(file), to.value), output)
