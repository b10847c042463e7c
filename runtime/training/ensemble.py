"""Training an ensemble: every member as `train` trains it, all of them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from os import PathLike
from typing import Any

from numpy.typing import NDArray

from ...compiler.check.check import checked
from ...compiler.language.ensemble import Ensemble
from ...compiler.program.join import member_name
from ..data.dataset import names_read
from ..data.files import Source
from ..data.identity import data_identity
from ..parallel.processes import rank
from ..progress import Progress, no_progress
from ..runs.ensemble import write_ensemble
from ..runs.folder import RunFolder
from ..runs.names import WEIGHTS
from ..runs.tensorboard import watching
from ..settings import Settings
from .together import train_all


@dataclass(frozen=True)
class EnsembleResult:
    """The weights of every member after the last epoch, and a record for every epoch.

    Names of weights begin with that of the member.
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
    each: Sequence[Settings | None] = (),
    overwrite: bool = False,
    progress: Progress = no_progress,
    **options: Any,
) -> EnsembleResult:
    """Trains the members of an ensemble on the training and validation splits.

    Each is trained with its own of `each`, where it has one, unless `settings` are given;
    `options` override them. With `out`, the ensemble and its weights are written there. `progress`
    receives how many epochs of members are done, of how many. Raises DiagnosticError where the
    members, the data or the settings cannot be used.
    """
    own = [one for _, one in zip_longest(ensemble.members, each)]
    chosen = [(settings or one or Settings()).with_options(**options) for one in own]
    specs = [member.genotype for member in ensemble.members]
    folder = RunFolder.create(out, "train", overwrite) if out is not None else None
    results = train_all(specs, data, chosen, progress)
    weights = {
        member_name(member, name): array
        for member, result in zip(ensemble.named, results, strict=True)
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
        names = {name for spec in specs for name in names_read(checked(spec))}
        folder.write_run(None, chosen[0], data_identity(data, names).record())
        folder.begin_history(history)
        with watching(folder.path if chosen[0].tensorboard else None, "train") as watch:
            for record in history:
                watch(record["epoch"], record)
        write_ensemble(ensemble, folder, own)
        folder.write_tensors(WEIGHTS, weights)
    return EnsembleResult(ensemble, weights, history)
