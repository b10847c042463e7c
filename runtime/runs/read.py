"""Finished runs, read back from their folders for reports.

Whatever is read is checked here: a record that is no record is a diagnostic, so that what comes
later can rely on numbers being numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.check.check import checked
from ...compiler.diagnostics.diagnostic import fail
from ...compiler.language.ensemble import Ensemble
from ...compiler.language.spec import Spec
from ...compiler.load import load
from ...compiler.network.holes import shares
from ...compiler.network.network import Network
from ...compiler.resolve.resolve import resolve
from ...compiler.system.display import Displayed
from ...compiler.system.files import is_folder, is_there
from ...compiler.tools.meaning import meaning
from ..metrics import selection_metric
from ..settings import Settings
from .controls import Controls, read_controls
from .ensemble import read_ensemble
from .files import ABOUT, read_kind
from .folder import RunFolder
from .missing import Robustness, read_robustness
from .names import ENSEMBLE_FOLDER, GENOTYPE, HISTORY, SPECIFICATION, TOGETHER, WEIGHTS, about_file


@dataclass(frozen=True)
class Record:
    """A round of a search or an epoch of a training.

    `numbers` are its finite numbers by name, `architecture` the logits of the mixtures by name, as
    in a hypernet; `drops` what the candidates of `hole` were measured to be worth. `best_round` is
    the round whose genotype was kept so far, `together` the numbers of an ensemble.
    """

    number: int
    numbers: Mapping[str, float]
    entropy: Mapping[str, float] = field(default_factory=dict[str, float])
    architecture: Mapping[str, NDArray[np.float64]] = field(
        default_factory=dict[str, NDArray[np.float64]]
    )
    hole: str = ""
    drops: tuple[float, ...] = ()
    genotype: str = ""
    best_round: int | None = None
    weight_steps: float | None = None
    together: Mapping[str, float] = field(default_factory=dict[str, float])

    def weights(self, name: str) -> NDArray[np.float64]:
        """The weights of a mixture's candidates: of a row of two logits, that of Identity."""
        return shares(self.architecture[name])


@dataclass(frozen=True)
class Search:
    """A search: `about` are the versions, the machine, the data and the cost."""

    network: Network
    settings: Settings
    about: Mapping[str, Any]
    rounds: tuple[Record, ...]
    controls: Controls | None

    @property
    def metric(self) -> str:
        """The number in a record that it selected by."""
        return selection_metric(self.network.head.kind)

    @property
    def best(self) -> Record | None:
        """The round whose genotype was kept, as far as the records say."""
        best = next((r.best_round for r in reversed(self.rounds) if r.best_round is not None), None)
        return next((r for r in self.rounds if r.number == best), None)

    @property
    def score(self) -> float | None:
        """The metric of the round that was kept, where that is known."""
        return self.best.numbers.get(self.metric) if self.best else None

    @property
    def weight_steps(self) -> float | None:
        """What the whole search cost."""
        return self.rounds[-1].weight_steps if self.rounds else None


@dataclass(frozen=True)
class Training:
    """A training; the weights of its last epoch stand in the folder.

    `missing` is how these do where modalities are missing, where that was measured.
    """

    settings: Settings
    about: Mapping[str, Any]
    epochs: tuple[Record, ...]
    missing: Robustness | None = None


@dataclass(frozen=True, repr=False)
class FinishedRun(Displayed):
    """A run folder with the search, the training, or both that wrote into it."""

    path: Path
    genotype: Spec
    search: Search | None
    training: Training | None
    ensemble: Ensemble | None = None

    def __repr__(self) -> str:
        """What wrote there."""
        rounds = [f"a search of {len(self.search.rounds)} rounds"] if self.search else []
        epochs = [f"a training of {len(self.training.epochs)} epochs"] if self.training else []
        return f"FinishedRun({self.name!r}: {' and '.join([*rounds, *epochs])})"

    def __str__(self) -> str:
        return f"{self.name}:\n\n{self.genotype}"

    @property
    def name(self) -> str:
        """What a reader calls it."""
        return str(self.path)

    @property
    def kind(self) -> tuple[str, str]:
        """What runs are scored together by, and its name: the space of a search, or a network."""
        if self.search is not None:
            network = self.search.network
            return meaning(network), f"found by searches of {network.name}"
        without = "" if self.genotype.cells else ", without Cells"
        return meaning(resolve(self.genotype)), self.name + without


@dataclass(frozen=True)
class TrainedEnsemble:
    """The folder of an ensemble that was trained."""

    path: Path
    ensemble: Ensemble
    training: Training

    @property
    def name(self) -> str:
        """What a reader calls it."""
        return str(self.path)

    @property
    def kind(self) -> tuple[str, str]:
        """What runs are scored together by, and its name."""
        return str(self.ensemble), f"{self.name}, {len(self.ensemble.members)} networks"


def read_run(path: str | PathLike[str]) -> FinishedRun:
    """The run in a folder.

    Raises DiagnosticError where it is not finished, is damaged, or has parts of another one.
    """
    folder = RunFolder(Path(path))
    if not is_folder(folder.path):
        raise fail("E507", f"`{path}` is no run folder", help="give what `--out` named")
    has_search = is_there(folder.path / about_file("search"))
    has_training = is_there(folder.path / WEIGHTS)
    if not (has_search or has_training):
        remedy = "give the folder of a search or training that was finished"
        raise fail("E507", f"`{path}` holds no finished run", help=remedy)
    genotype = load(folder.require(GENOTYPE))
    search = _search(folder) if has_search else None
    training = _training(folder) if has_training else None
    found = RunFolder(folder.path / ENSEMBLE_FOLDER)
    ensemble = read_ensemble(found.path) if found.holds_ensemble else None
    for stage in ["search"] * has_search + ["train"] * has_training:
        folder.require_own(stage)
    return FinishedRun(folder.path, genotype, search, training, ensemble)


def read_trained_ensemble(folder: RunFolder) -> TrainedEnsemble:
    """The ensemble in a folder.

    Raises DiagnosticError where it is not trained, is damaged, or has parts of another one.
    """
    ensemble = read_ensemble(folder.path)
    folder.require(WEIGHTS)
    training = _training(folder)
    folder.require_own("train")
    return TrainedEnsemble(folder.path, ensemble, training)


def _search(folder: RunFolder) -> Search:
    network = checked(load(folder.require(SPECIFICATION)))
    rounds = records_of(folder, "search", "round")
    return Search(
        network,
        folder.settings("search"),
        _about(folder, "search"),
        rounds,
        read_controls(folder.path),
    )


def _training(folder: RunFolder) -> Training:
    epochs = records_of(folder, "train", "epoch")
    missing = read_robustness(folder.path)
    return Training(folder.settings("train"), _about(folder, "train"), epochs, missing)


def _about(folder: RunFolder, stage: str) -> Mapping[str, Any]:
    path = folder.require(about_file(stage))
    about: Mapping[str, Any] = read_kind(path)
    return about


def records_of(folder: RunFolder, stage: str, counted: str) -> tuple[Record, ...]:
    """The records of a stage; raises DiagnosticError where its history is damaged."""
    path = folder.require(HISTORY)
    found = folder.history(stage)
    if not all(counted in record for record in found):
        message = f"`{path}` is damaged: a record of `{stage}` has no `{counted}`"
        raise fail("E507", message, help=ABOUT.remedy)
    return records(found, counted)


def records(history: Sequence[Mapping[str, Any]], counted: str) -> tuple[Record, ...]:
    """A history whose rounds or epochs are counted."""
    return tuple(record_of(record, record[counted]) for record in history)


def record_of(record: Mapping[str, Any], number: int) -> Record:
    """A record as it stands in a history."""
    architecture, cost = record.get("architecture", {}), record.get("cost", {})
    return Record(
        number,
        _numbers(record),
        _numbers(record.get("entropy", {})),
        {name: np.asarray(logits, np.float64) for name, logits in architecture.items()},
        record.get("hole", ""),
        tuple(map(float, record.get("drops", ()))),
        record.get("genotype", ""),
        record.get("best_round"),
        cost.get("weight_steps"),
        _numbers(record.get(TOGETHER, {})),
    )


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Those of values that are finite numbers."""
    return {name: float(value) for name, value in values.items() if _is_number(value)}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
