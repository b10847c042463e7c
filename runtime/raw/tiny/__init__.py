"""Small data in the forms of public data sets, drawn at random: what tests and trials run on.

A module for each, named as its module in `public/`, with `write`. What it writes says nothing of
the real data but how they are laid out; a class shows in every modality, so that it can be learned.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from ..public import PublicSet


def write_tiny(public: PublicSet, folder: Path, samples: int, seed: int = 0) -> None:
    """Writes about so many samples of a data set to a folder; raises DiagnosticError.

    All parts of the split are in it.
    """
    module: Any = import_module(f".{public.module}", __name__)
    module.write(folder, samples, seed)
