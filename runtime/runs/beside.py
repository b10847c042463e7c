"""The settings beside a genotype: those that a search found it with, which its training takes.

The text of a genotype names their file and its digest, in its first line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.system.files import is_file, open_file, reason
from ..fields import KEPT
from ..settings import Settings, read_settings
from .digests import digest

BESIDE = "# found with the settings of "
"""How the text of a genotype begins that has settings beside it."""
_KNOWN_BY = ", sha256 "
"""What stands between the name of that file and its digest."""
LONGEST_LINE = 1_000


def of_a_genotype(settings: Settings) -> dict[str, Any]:
    """Those of the settings that are kept with a genotype, by name."""
    return {name: getattr(settings, name) for name in KEPT}


def stated(settings: Path) -> str:
    """What a genotype says of the file of its settings, which is written."""
    return f"{BESIDE}{settings.name}{_KNOWN_BY}{digest(settings)}"


def settings_beside(genotype: Path) -> Settings | None:
    """The settings that a search wrote beside a genotype; None where there are none.

    Raises DiagnosticError where those of another genotype stand in their place.
    """
    name, known = _stated(genotype)
    path = genotype.parent / Path(name).name
    if not name or not is_file(path):
        return None
    settings = read_settings(path)
    if known and digest(path) != known:
        message = f"`{path}` is not what `{genotype}` was found with"
        remedy = f"put its own file back, or say that it is meant: `--config {path}`"
        raise fail("E507", message, help=remedy)
    return settings


def stated_beside(genotype: Path) -> str:
    """The file that a genotype names as that of its settings; empty where it names none."""
    return _stated(genotype)[0]


def _stated(genotype: Path) -> tuple[str, str]:
    """The file of its settings that a genotype names, and its digest, each where it is named.

    Raises DiagnosticError where the system does not let a genotype be read that is there.
    """
    if not is_file(genotype):
        return "", ""
    with open_file(genotype) as stream:
        try:
            line = stream.readline(LONGEST_LINE).decode("utf-8", "replace")
        except OSError as error:
            raise fail("E504", f"`{genotype}` cannot be read: {reason(error)}") from None
    if not line.startswith(BESIDE):
        return "", ""
    name, _, known = line.removeprefix(BESIDE).partition(_KNOWN_BY)
    return name.strip(), known.strip()
