"""Training an ensemble: every member as `train` trains it, all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any

from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.program.join import member_name
from ..data.dataset import Source
from ..parallel.processes import rank
from ..runs.ensemble import Ensemble
from ..runs.folder import RunFolder
from ..runs.names import GENOTYPE, WEIGHTS
from ..settings import Settings
from .together import train_all


@dataclass(frozen=True)
class EnsembleResult:
    """The weights of every member after the last epoch, and a record for every epoch.

    Names of weights begin with the member's number, from 1.
    """

    ensemble: Ensemble
    weights: Mapping[str, NDArray[Any]]
    history: tuple[dict[str, Any], ...]


def train_ensemble(
    ensemble: Ensemble,
    data: Source,
    *,
    out: str | PathLike[str] | None = None,
    settings: Settings | None = None,
    overwrite: bool = False,
    **options: Any,
) -> EnsembleResult:
    """Trains the members of an ensemble on the training and validation splits.

    Without `settings` each is trained with those that it was found with; `options` override them.
    With `out`, the ensemble and its weights are written there. Raises DiagnosticError where the
    members, the data or the settings cannot be used.
    """
    each = [
        (settings or member.settings or Settings()).with_options(**options)
        for member in ensemble.members
    ]
    specs = [member.genotype for member in ensemble.members]
    folder = RunFolder.create(out, "train", overwrite) if out is not None else None
    if folder is not None and (folder.path / GENOTYPE).exists():
        message = f"`{folder.path}` holds a single genotype"
        raise fail("E507", message, help="choose another folder for an ensemble")
    results = train_all(specs, data, each)
    weights = {
        member_name(str(number), name): array
        for number, result in enumerate(results, 1)
        for name, array in result.weights.items()
    }
    shares = [member.weight for member in ensemble.members]
    history = tuple(
        {
            "epoch": records[0]["epoch"],
            "train_loss": sum(
                share * record["train_loss"] for share, record in zip(shares, records, strict=True)
            ),
        }
        for records in zip(*(result.history for result in results), strict=True)
    )
    if folder is not None and rank() == 0:
        folder.write_run(None, each[0], data)
        folder.begin_history(history)
        ensemble.write(folder)
        folder.write_tensors(WEIGHTS, weights)
    return EnsembleResult(ensemble, weights, history)
