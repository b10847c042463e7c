"""Searching the holes of a specification: Algorithm 1, first order, over the hypernet.

Every epoch is a pass of weight steps over the training batches and one of architecture steps over
the validation batches. Then the hypernet is measured on validation in evaluation mode, and the
genotype that its architecture parameters stand for is derived. The genotype of the best epoch is
kept, the later one on ties. The test split is never read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any, cast

from numpy.typing import NDArray

from ..compiler.check import checked
from ..compiler.diagnostics import fail
from ..compiler.lower import Relaxation
from ..compiler.network import Network
from ..compiler.spec import Budget, RuleRequirement, Spec
from ..compiler.targets.torch.module import FusionModule
from .data import TRAIN, VALIDATION, Dataset, Source, load_data
from .derive import derive
from .fitting import (
    ArchitectureOptimiser,
    Report,
    WeightOptimiser,
    device_of,
    one_pass,
    score,
    seeded,
    training_batches,
)
from .objective import selection_score
from .prepare import prepare
from .run import RunFolder
from .settings import RULE_NAMES, Settings


@dataclass(frozen=True)
class SearchResult:
    """The genotype of the best epoch, that epoch's hypernet, and a record for every epoch."""

    genotype: Spec
    best_epoch: int
    hypernet: Mapping[str, NDArray[Any]]
    history: tuple[dict[str, Any], ...]


def search(
    spec: Spec,
    data: Source,
    *,
    out: str | PathLike[str] | None = None,
    settings: Settings | None = None,
    overwrite: bool = False,
    report: Report | None = None,
    **options: Any,
) -> SearchResult:
    """Searches the holes of a specification; `options` override `settings` by name.

    `data` is a file, a folder, or arrays by name. With `out`, everything that is needed to repeat
    the run is written there. Raises DiagnosticError where the specification, the data or the
    settings cannot be used.
    """
    settings = (settings or Settings()).with_options(**options)
    network = checked(_with_rule(spec, settings))
    if not network.has_holes:
        message = f"`{network.name}` has no hole, so there is nothing to search"
        raise fail("E403", message, help="train it: `fusewright train`")
    _refuse_budgets(network)
    samples = load_data(data, network, settings.split_seed)
    folder = RunFolder.create(out, "search", overwrite) if out is not None else None
    result = _search(network, samples, settings, report)
    if folder is not None:
        folder.write_run(network.spec, settings, data, result.history)
        folder.write_tensors("hypernet", result.hypernet)
        folder.write_spec("genotype", result.genotype)
    return result


def _search(
    network: Network, data: Dataset, settings: Settings, report: Report | None
) -> SearchResult:
    relax = cast(Relaxation, settings.relax)
    device = device_of(settings)
    with seeded(settings.seed, device) as generator:
        hypernet, data = prepare(network, data, settings, device, relax)
        train = training_batches(data, (TRAIN,), settings, device)
        validation = training_batches(data, (VALIDATION,), settings, device)
        weights = WeightOptimiser(hypernet, settings, len(train))
        architecture = ArchitectureOptimiser(hypernet, settings)
        history: list[dict[str, Any]] = []
        best: tuple[float, SearchResult] | None = None
        for epoch in range(1, settings.epochs + 1):
            loss = one_pass(train.shuffled(generator), network.head, weights)
            one_pass(validation.shuffled(generator), network.head, architecture)
            metrics = score(hypernet, validation, network.head)
            logits = _architecture(hypernet)
            genotype = derive(network, logits, relax)
            record = {
                "epoch": epoch,
                "train_loss": loss,
                **{f"validation_{name}": value for name, value in metrics.items()},
                "genotype": str(genotype),
                "architecture": {name: array.tolist() for name, array in logits.items()},
            }
            history.append(record)
            found = selection_score(network.head, metrics)
            if best is None or found >= best[0]:
                best = found, SearchResult(genotype, epoch, hypernet.arrays(), ())
            if report is not None:
                report(record)
    if best is None:
        raise AssertionError("a search has at least one epoch")
    return replace(best[1], history=tuple(history))


def _architecture(hypernet: FusionModule) -> dict[str, NDArray[Any]]:
    kinds = {p.name: p.kind for p in hypernet.program.parameters}
    return {k: v for k, v in hypernet.arrays().items() if kinds[k] == "architecture"}


def _with_rule(spec: Spec, settings: Settings) -> Spec:
    """The specification under the rule of the settings, where they name one."""
    if not settings.rule:
        return spec
    budgets = tuple(r for r in spec.requirements if isinstance(r, Budget))
    rule = RuleRequirement(RULE_NAMES[settings.rule])
    return replace(spec, requirements=(rule, *budgets))


def _refuse_budgets(network: Network) -> None:
    for budget in network.budgets:
        message = f"searching under a budget of {budget.quantity} is not possible yet"
        raise fail("E506", message, budget.span, help="remove the `require` line to search")
