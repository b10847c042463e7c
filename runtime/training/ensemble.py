"""Training an ensemble: every member as `train` trains it, all of them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from os import PathLike
from typing import Any

from numpy.typing import NDArray

from ...compiler.graph.build import build
from ...compiler.language.ensemble import Ensemble, EnsembleMember
from ...compiler.language.spec import Spec
from ...compiler.lowering.lower import lower
from ...compiler.program.join import member_name
from ..data.checks import data_warnings, warn
from ..data.classes import named
from ..data.dataset import names_read
from ..data.files import Source
from ..data.guidance import guidance
from ..data.identity import data_identity
from ..data.sources import Data, source_of
from ..fields import MOST_SEEDS
from ..metrics import BEST_EPOCH
from ..parallel.processes import join, rank
from ..progress import Progress, no_progress
from ..runs.begin import begun
from ..runs.ensemble import write_ensemble
from ..runs.names import WEIGHTS
from ..runs.tensorboard import watching
from ..settings import Settings
from .own_functions import functions_in
from .together import Member, members_of, train_members
from .train import require_validation


@dataclass(frozen=True)
class EnsembleResult:
    """The weights of every member after the last epoch, and a record for every epoch.

    Names of weights begin with that of the member. Records have means over members, by what they
    count. With patience, weights are those of each member's best epoch, and a record those of the
    best that each had until then.
    """

    ensemble: Ensemble
    weights: Mapping[str, NDArray[Any]]
    history: tuple[dict[str, Any], ...]


def train_ensemble(
    ensemble: Ensemble,
    data: Data,
    *,
    out: str | PathLike[str] | None = None,
    settings: Settings | None = None,
    each: Sequence[Settings | None] = (),
    overwrite: bool = False,
    progress: Progress = no_progress,
    **options: Any,
) -> EnsembleResult:
    """Trains the members of an ensemble on the training and validation splits.

    With `patience` validation is held out, and each member stops for itself.
    Each is trained with its own of `each`, where it has one, unless `settings` are given;
    `options` override them. It is trained with several seeds, `member_seeds` of them from its own
    on, and these are the members of what is found (Lakshminarayanan and others, 2017). With `out`,
    the ensemble and its weights are written there. `progress` receives how many epochs of members
    are done, of how many. Raises DiagnosticError where the members, the data or the settings cannot
    be used.
    """
    data = source_of(data)
    functions, options = functions_in(options)
    usual = (settings or Settings()).with_options(**options)
    require_validation(usual)
    ensemble, own = _with_seeds(_named(ensemble, data), each, usual.member_seeds)
    chosen = [(settings or one or Settings()).with_options(**options) for one in own]
    chosen = [
        one.with_options(seed=(one.seed + number % usual.member_seeds) % MOST_SEEDS)
        for number, one in enumerate(chosen)
    ]
    join(chosen[0].device)
    with begun(out, "train", overwrite) as folder:
        first, *others = members_of(
            [one.genotype for one in ensemble.members], data, chosen, functions
        )
        program = lower(build(first.network))
        members = [replace(first, program=program), *others]
        doubts = data_warnings(first.data, first.network)
        doubts += guidance(first.data, first.network, program)
        warned = warn(doubts) if rank() == 0 else []
        result = _trained(ensemble, members, progress)
        if folder is not None and rank() == 0:
            folder.begin_training()
            folder.write_settings(chosen[0].for_samples(first.data.learned))
            folder.begin_history(result.history)
            with watching(folder.path if chosen[0].tensorboard else None, "train") as watch:
                for record in result.history:
                    watch(record["epoch"], record)
            write_ensemble(ensemble, folder, own)
            folder.write_tensors(WEIGHTS, result.weights)
            names = {name for member in members for name in names_read(member.network)}
            folder.write_about(data_identity(data, names).record(), warnings=warned)
    return result


def _with_seeds(
    ensemble: Ensemble, each: Sequence[Settings | None], seeds: int
) -> tuple[Ensemble, list[Settings | None]]:
    """Every member so many times, with the settings that it was found with.

    Members that are alike, such as those of an ensemble that was trained, are one first.
    """
    weights: dict[tuple[Spec, Settings | None], float] = {}
    for one, own in zip_longest(ensemble.members, each):
        key = one.genotype, own
        weights[key] = weights.get(key, 0) + one.weight
    members = [
        (EnsembleMember(genotype, weight / seeds), own)
        for (genotype, own), weight in weights.items()
        for _ in range(seeds)
    ]
    return Ensemble(tuple(one for one, _ in members)), [own for _, own in members]


def _named(ensemble: Ensemble, data: Source) -> Ensemble:
    """The ensemble, whose members name what they predict where the data do."""
    members = (replace(m, genotype=named(m.genotype, data)) for m in ensemble.members)
    return replace(ensemble, members=tuple(members))


def _trained(ensemble: Ensemble, members: Sequence[Member], progress: Progress) -> EnsembleResult:
    """The ensemble of members that have been trained."""
    results = train_members(members, progress)
    weights = {
        member_name(member, name): array
        for member, result in zip(ensemble.named, results, strict=True)
        for name, array in result.weights.items()
    }
    shares = [member.weight for member in ensemble.members]
    history: list[dict[str, Any]] = []
    for epoch in range(1, max(len(result.history) for result in results) + 1):
        records = [_standing(result.history, epoch) for result in results]
        means = {
            name: sum(share * one[name] for share, one in zip(shares, records, strict=True))
            for name in records[0]
            if name not in ("epoch", BEST_EPOCH)
        }
        history.append({"epoch": epoch, **means})
    return EnsembleResult(ensemble, weights, tuple(history))


def _standing(history: Sequence[dict[str, Any]], epoch: int) -> dict[str, Any]:
    """The record of an epoch of a member, or with patience of the best one until then."""
    last = history[min(epoch, len(history)) - 1]
    return history[last[BEST_EPOCH] - 1] if BEST_EPOCH in last else last
