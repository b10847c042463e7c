"""A data set of the paper as it lies in a folder, beside what it has to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...compiler.diagnostics.diagnostic import Diagnostic, DiagnosticError, diagnosed, fail
from ...compiler.system.files import is_there
from ..progress import Progress, no_progress
from .data import Column, RawData
from .decoders import decoder
from .public import PublicSet

MOST_SAID = 20
"""Values that are broken of which a diagnostic each is given."""


@dataclass(frozen=True)
class Checked:
    """The samples of each part, what lacks something by column, and what is wrong.

    What lacks, and values that are broken, are known where all was read.
    """

    found: Mapping[str, int]
    lacking: Mapping[str, int]
    diagnostics: tuple[Diagnostic, ...]


def check_public(
    public: PublicSet, folder: Path, *, decode: bool = False, progress: Progress = no_progress
) -> Checked:
    """Counts the samples of a data set, and with `decode` reads and decodes every value.

    Raises DiagnosticError where the folder is none of this data set.
    """
    if not is_there(folder):
        message = f"`{folder}` cannot be read: no such file or directory"
        raise fail("E504", message, help=f"`{public.name}` is a folder with {public.lays}")
    raw = public.opened(folder)
    split: Any = raw.column("split").whole()
    counts = Counter(split.tolist())
    found = {part: counts[part] for part in public.parts}
    wrong = _counted(public, found)
    lacking: dict[str, int] = {}
    if decode:
        columns = {name: one for name, one in raw.columns.items() if _is_decoded(one)}
        for number, (name, column) in enumerate(columns.items()):
            done, whole = number * raw.samples, len(columns) * raw.samples
            lacking[name] = _decoded(
                raw, column, wrong, lambda n, d=done, w=whole: progress(d + n, w)
            )
    return Checked(found, lacking, tuple(wrong))


def _is_decoded(column: Column) -> bool:
    return column.medium in ("picture", "video", "skeleton") or column.whole() is None


def _counted(public: PublicSet, found: Mapping[str, int]) -> list[Diagnostic]:
    """What is said of counts that are neither those of all samples, nor without those listed."""
    without = {part: count - public.listed.get(part, 0) for part, count in public.parts.items()}
    if found in (dict(public.parts), without):
        return []
    wrong: list[Diagnostic] = []
    for part, count in public.parts.items():
        if found[part] not in (count, without[part]):
            stated = f"{count:,}" if count == without[part] else f"{count:,} or {without[part]:,}"
            message = f"`{public.name}` has {found[part]:,} samples of `{part}`, not {stated}"
            wrong.append(diagnosed("E503", message, None, "are all files of the data set there?"))
    return wrong


def _decoded(raw: RawData, column: Column, wrong: list[Diagnostic], progress: Any) -> int:
    """How many samples have nothing in a column; what is broken is added to what is wrong."""
    kind = decoder(column.medium or "numbers")
    transform, lacking = kind.Transform(), 0
    for sample in range(raw.samples):
        try:
            content = column.read(sample)
            if content is None:
                lacking += 1
            else:
                kind.decode(content, column.place(sample), transform)
        except DiagnosticError as error:
            wrong += error.diagnostics[: max(0, MOST_SAID - len(wrong))]
        progress(sample + 1)
    return lacking
