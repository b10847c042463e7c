"""The command `import`: genotypes of the published code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..app import Output, app, print_or_write


@app.command(name="import")
def import_(
    genotype: Annotated[str, typer.Argument(help="A file with the genotype's text, or the text.")],
    spec: Annotated[Path, typer.Option(help="The specification that it belongs to.")],
    output: Output = None,
) -> None:
    """Read a genotype in the notation of the published BM-NAS code."""
    from ...compiler.load import load
    from ...compiler.published.genotype import genotype_from_text
    from ...compiler.published.notation import LONGEST_GENOTYPE
    from ...compiler.system.files import read_text

    is_text = "Genotype(" in genotype
    text = genotype if is_text else read_text(Path(genotype), LONGEST_GENOTYPE)
    result = genotype_from_text(text, load(spec), "<genotype>" if is_text else genotype)
    print_or_write(str(result), output)
