"""How a network does where modalities are missing, as a record: `missing.json` of a run folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...compiler.system.files import write_file
from .digests import read_beside, stated_of
from .files import MEASURE
from .lock import locked
from .names import DIGESTS, MISSING, WEIGHTS

_LEARNED = (WEIGHTS,)
"""What a record of missing modalities tells of."""


@dataclass(frozen=True)
class MissingPoint:
    """The metric where a share of samples lack modalities, and its 95 % interval over samples."""

    share: float
    score: float
    low: float
    high: float


@dataclass(frozen=True)
class MissingCurve:
    """The metric along the share of samples that lack some modalities, each by itself.

    Shares are of those samples that have the modality.
    """

    modalities: tuple[str, ...]
    points: tuple[MissingPoint, ...]

    @property
    def name(self) -> str:
        """What a reader calls it."""
        return f"without {' or '.join(self.modalities)}"


@dataclass(frozen=True)
class Robustness:
    """Curves of each optional modality, and of all where there are several.

    `metric` is what they are scored by on so many test `samples`, over so many random `masks`;
    `data` is the digest of the data. No sample may lack what is `needed`.
    """

    metric: str
    samples: int
    masks: int
    curves: tuple[MissingCurve, ...]
    needed: tuple[str, ...] = ()
    data: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def keep(self, folder: Path) -> None:
        """Writes it into the run folder of its network; raises DiagnosticError as `locked` does."""
        with locked(folder, "evaluate"):
            record = {**self.as_json(), DIGESTS: stated_of(folder, "train", _LEARNED)}
            write_file(folder / MISSING, json.dumps(record, indent=1).encode())


def read_robustness(folder: Path) -> Robustness | None:
    """What a run folder says of missing modalities, None where it says nothing.

    Raises DiagnosticError where the file is damaged, or tells of another training.
    """
    record = read_beside(folder / MISSING, "train", _LEARNED, MEASURE)
    if record is None:
        return None
    return Robustness(
        record["metric"],
        record["samples"],
        record["masks"],
        tuple(map(_curve, record["curves"])),
        tuple(record["needed"]),
        record["data"],
    )


def _curve(record: Mapping[str, Any]) -> MissingCurve:
    points = (
        MissingPoint(*(float(point[key]) for key in ("share", "score", "low", "high")))
        for point in record["points"]
    )
    return MissingCurve(tuple(record["modalities"]), tuple(points))
