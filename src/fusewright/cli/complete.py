"""What a shell completes: runs, genotypes, files and values, found by their names alone.

A completer is given what was typed of a word, opens no file, and imports nothing that computes.
Where it has nothing to offer the shell completes files itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from pathlib import Path

from ..runtime.runs.names import ENSEMBLE, GENOTYPE, about_file

Completer = Callable[[str], list[str]]

MOST = 1000
"""Entries of a folder that are looked at."""
RUN_FILES = (ENSEMBLE, *(about_file(stage) for stage in ("search", "train")))
"""Files of which a run has one."""
SPECIFICATIONS = (".fuse", ".json", ".yaml", ".yml")


def word_completed() -> str:
    """The first word of the line that a shell completes; empty where none is completed."""
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or ""
    return next(iter(line.split()[1:]), "")


def runs(incomplete: str) -> list[str]:
    """The run folders that begin so, here and in the folders that begin so."""
    return [*_runs(incomplete)]


def networks(incomplete: str) -> list[str]:
    """Specifications that begin so, and the genotypes of runs."""
    genotypes = (Path(run, GENOTYPE) for run in _runs(incomplete))
    return [*_files(incomplete, SPECIFICATIONS), *(str(g) for g in genotypes if g.is_file())]


def trained(incomplete: str) -> list[str]:
    """Runs and ONNX files that begin so."""
    return [*_runs(incomplete), *_files(incomplete, (".onnx",))]


def networks_and_runs(incomplete: str) -> list[str]:
    """Specifications, genotypes and runs that begin so."""
    return [*_runs(incomplete), *networks(incomplete)]


def one_of(values: Collection[str]) -> Completer:
    """A completer of values."""

    def complete(incomplete: str) -> list[str]:
        return [value for value in values if value.startswith(incomplete)]

    return complete


def styles(incomplete: str) -> list[str]:
    """The styles of pictures."""
    from ..compiler.targets.diagram.styles import STYLES

    return one_of(STYLES)(incomplete)


def directions(incomplete: str) -> list[str]:
    """Where pictures flow to."""
    from ..compiler.targets.diagram.styles import DIRECTIONS

    return one_of(DIRECTIONS)(incomplete)


def codes(incomplete: str) -> list[str]:
    """The codes of diagnostics."""
    from ..compiler.diagnostics.codes import CODES

    return one_of(CODES)(incomplete)


def _runs(incomplete: str) -> Iterator[str]:
    for path, is_folder in _entries(incomplete):
        if not is_folder:
            continue
        if _is_run(path):
            yield path
            continue
        for inner, is_inner_folder in _entries(f"{path}/"):
            if is_inner_folder and _is_run(inner):
                yield inner


def _is_run(folder: str) -> bool:
    return any(Path(folder, name).is_file() for name in RUN_FILES)


def _files(incomplete: str, endings: tuple[str, ...]) -> Iterator[str]:
    for path, is_folder in _entries(incomplete):
        if not is_folder and path.endswith(endings):
            yield path


def _entries(incomplete: str) -> list[tuple[str, bool]]:
    """The entries of the folder of a path that begin so, and whether each is a folder."""
    folder, slash, begun = incomplete.rpartition("/")
    folder += slash
    try:
        with os.scandir(Path(folder).expanduser()) as found:
            entries = [
                (f"{folder}{entry.name}", entry.is_dir())
                for entry in islice(found, MOST)
                if entry.name.startswith(begun) and entry.name.startswith(".") <= bool(begun)
            ]
    except (OSError, RuntimeError):  # a home that is not known
        return []
    return sorted(entries)
