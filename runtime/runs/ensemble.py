"""An ensemble as files: `ensemble.json`, and a specification for each member."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.documents.ensemble import ensemble_text, read_ensemble_text
from ...compiler.language.ensemble import Ensemble
from ...compiler.language.spec import Spec
from ...compiler.load import load
from ...compiler.system.files import is_file, read_text, remove, write_file
from ..settings import Settings
from .beside import settings_beside
from .digests import digest, require_own
from .files import kind_of
from .folder import RunFolder
from .names import DIGESTS, ENSEMBLE


def write_ensemble(
    ensemble: Ensemble, folder: RunFolder, each: Sequence[Settings | None] = ()
) -> None:
    """Writes the members into a folder, and then the file that names them.

    `each` are the settings that a member was found with, if any.
    """
    remove(folder.path / ENSEMBLE)
    files = {member_file(name): one.genotype for name, one in ensemble.named.items()}
    for (name, genotype), settings in zip_longest(files.items(), each):
        folder.write_genotype(genotype, settings, name)
    members = {name: digest(folder.path / name) for name in files}
    text = ensemble_text(ensemble, [*files], {DIGESTS: members})
    write_file(folder.path / ENSEMBLE, text.encode())


def member_file(name: str) -> str:
    """The file of a member."""
    return f"{name}.fuse"


def member_settings(ensemble: Ensemble, folder: Path) -> list[Settings | None]:
    """The settings that the members in a folder were found with."""
    return [settings_beside(folder / member_file(name)) for name in ensemble.named]


def read_ensemble(folder: Path) -> Ensemble:
    """The ensemble in a folder; raises DiagnosticError where there is none, or it is damaged.

    Members that are not of this ensemble are a diagnostic too.
    """
    path = folder / ENSEMBLE
    if not is_file(path):
        raise fail("E507", f"`{folder}` holds no ensemble", help="`fusewright search` writes one")

    def genotype(file: str, member: str) -> Spec:
        if file != member_file(member):
            raise kind_of(path).wrong(
                str(path), f"the genotype of `{member}` is not `{member_file(member)}`"
            )
        return load(folder / file)

    ensemble = read_ensemble_text(read_text(path), str(path), genotype, kind_of(path))
    require_own(path, map(member_file, ensemble.named))
    return ensemble
