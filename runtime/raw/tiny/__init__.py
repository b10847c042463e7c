"""Small data in the forms of public data sets, drawn at random: what tests and trials run on.

A module for each, named as its module in `public/`, with `write`. What it writes says nothing of
the real data but how they are laid out; a class shows in every modality, so that it can be learned.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from ....compiler.diagnostics.diagnostic import fail
from ....compiler.system.files import entries, is_file, make_folder, write_file
from ..public import PublicSet

MARK = "SMALL.txt"
"""The file that says of a folder that it holds small data, which may be written anew."""
FEWEST, MOST = 8, 10_000


def write_tiny(public: PublicSet, folder: Path, samples: int, seed: int = 0) -> None:
    """Writes so many samples of a data set to a folder; all parts of the split are in it.

    Raises DiagnosticError where the folder holds anything that was not written so, or samples are
    too few or too many.
    """
    if not FEWEST <= samples <= MOST:
        message = f"{samples:,} samples are not from {FEWEST} to {MOST:,}"
        raise fail("E506", message, help="as `--samples 24`")
    make_folder(folder, parents=True)
    if entries(folder) and not is_file(folder / MARK):
        message = f"`{folder}` holds something else than small data"
        raise fail("E504", message, help="name a new folder")
    write_file(folder / MARK, b"Small data in the form of others, drawn at random.\n")
    module: Any = import_module(f".{public.module}", __name__)
    module.write(folder, samples, seed)
