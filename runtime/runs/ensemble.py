"""An ensemble as files: `ensemble.json`, and a specification for each member."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.documents.ensemble import ensemble_text, read_ensemble_text
from ...compiler.documents.records import RecordKind
from ...compiler.language.ensemble import Ensemble
from ...compiler.language.spec import Spec
from ...compiler.load import load
from ...compiler.system.files import read_text, write_file
from ..settings import Settings
from .folder import RunFolder, settings_beside
from .names import ENSEMBLE

_KIND = RecordKind("ensemble", remedy="search again, or copy the whole folder")


def write_ensemble(
    ensemble: Ensemble, folder: RunFolder, each: Sequence[Settings | None] = ()
) -> None:
    """Writes the members into a folder, and then the file that names them.

    `each` are the settings that a member was found with, if any.
    """
    (folder.path / ENSEMBLE).unlink(missing_ok=True)
    files = {member_file(name): one.genotype for name, one in ensemble.named.items()}
    for (name, genotype), settings in zip_longest(files.items(), each):
        folder.write_genotype(genotype, settings, name)
    write_file(folder.path / ENSEMBLE, ensemble_text(ensemble, [*files]).encode())


def member_file(name: str) -> str:
    """The file of a member."""
    return f"{name}.fuse"


def member_settings(ensemble: Ensemble, folder: Path) -> list[Settings | None]:
    """The settings that the members in a folder were found with."""
    return [settings_beside(folder / member_file(name)) for name in ensemble.named]


def read_ensemble(folder: Path) -> Ensemble:
    """The ensemble in a folder; raises DiagnosticError where there is none, or it is damaged."""
    path = folder / ENSEMBLE
    if not path.is_file():
        raise fail("E507", f"`{folder}` holds no ensemble", help="`fusewright search` writes one")

    def genotype(file: str, member: str) -> Spec:
        if file != member_file(member):
            raise _KIND.wrong(
                str(path), f"the genotype of `{member}` is not `{member_file(member)}`"
            )
        return load(folder / file)

    return read_ensemble_text(read_text(path), str(path), genotype, _KIND)
