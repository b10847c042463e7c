"""What a network is to those who predict with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import Diagnostic, Note, Report
from ...compiler.measure.memory import network_memory, require_memory
from ...compiler.network.network import Network
from ...compiler.program.program import Program
from ..data.dataset import Dataset
from ..data.files import Source, arrays_of
from ..data.identity import DataIdentity, data_identity
from ..data.memory import held
from ..data.split import SPLIT
from ..progress import Progress
from ..settings import Settings
from .own_backbones import require_own_backbones

SECONDS = 600
"""How long a model may run whose needs are not known, where nothing else is said."""


class Predictor(Protocol):
    """A network to predict with, and its Program.

    `output` says what it gives: `logits` or `probabilities`; `learned` the data that it was trained
    on, where that is known. `backbones` are the digests of those that it was trained together with,
    by modality, where it reads what they give. `names` are the arrays of data that it reads.
    """

    network: Network
    program: Program
    settings: Settings
    output: str
    learned: DataIdentity | None
    backbones: Mapping[str, str]
    names: tuple[str, ...]

    def read(self, data: Source, settings: Settings, *, labelled: bool) -> Dataset:
        """The samples of data, with labels and split where they are `labelled`.

        Warns (`DataWarning`) of what is to be doubted. Raises DiagnosticError where they do not fit
        the network, or the memory.
        """
        ...

    def outputs(
        self, data: Dataset, samples: NDArray[Any], settings: Settings, progress: Progress
    ) -> NDArray[Any]:
        """What the network gives for some samples, (samples, K), float32."""
        ...


def split_warnings(predictor: Predictor, data: Source) -> tuple[Diagnostic, ...]:
    """What is to be doubted of a split that is drawn from data which may have been learned."""
    learned = predictor.learned
    if SPLIT in arrays_of(data):
        return ()
    if learned and learned.digest == data_identity(data, predictor.names).digest:
        return ()
    report = Report()
    message = "the data have no `split`, and may not be those that the network learned from"
    remedy = "give every sample that is to be scored the `split` 2"
    note = Note("the test samples that are drawn from them may have been learned")
    report.add("W508", message, help=remedy, notes=[note])
    return tuple(report.diagnostics)


def require_readable(predictor: Predictor, data: Source, settings: Settings) -> None:
    """Raises DiagnosticError for features that a network was not trained for.

    And where data, weights or a batch need more memory than there is.
    """
    require_own_backbones(predictor.backbones, predictor.network.spec, data)
    there = held(data, predictor.network, settings.at_once, settings.memory)
    network = network_memory(predictor.program, min(settings.at_once, there.samples))
    require_memory(there.memory + network, "predicting", settings.memory)
