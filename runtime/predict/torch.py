"""A trained network run by torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from torch import nn

from ...compiler.network.names import LOGITS
from ...compiler.targets.target import Subject
from ...compiler.targets.torch.module import compile_torch
from ..data.batches import Batches
from ..data.dataset import Dataset, names_read
from ..data.files import Source
from ..data.identity import DataIdentity
from ..progress import Progress
from ..settings import Settings
from ..training.fitting import device_of, predict_all
from .features import read_features

NOTHING: Mapping[str, str] = {}


class TorchPredictor:
    """A network with its weights, as a torch module."""

    output = LOGITS

    def __init__(
        self,
        subject: Subject,
        settings: Settings,
        learned: DataIdentity | None = None,
        backbones: Mapping[str, str] = NOTHING,
    ) -> None:
        self.learned, self.backbones = learned, backbones
        self.network, self.settings, self.program = subject.network, settings, subject.program
        self.names = names_read(self.network)
        self._module = compile_torch(subject)

    def read(self, data: Source, settings: Settings, *, labelled: bool) -> Dataset:
        return read_features(self, data, settings, labelled=labelled)

    def outputs(
        self, data: Dataset, samples: NDArray[Any], settings: Settings, progress: Progress
    ) -> NDArray[Any]:
        return outputs_of(self._module, data, samples, settings, progress)


def outputs_of(
    module: nn.Module,
    data: Dataset,
    samples: NDArray[Any],
    settings: Settings,
    progress: Progress,
) -> NDArray[Any]:
    """The logits that a module gives for some samples, (samples, K)."""
    device = device_of(settings)
    batches = Batches(data, samples, settings.at_once, device)
    logits: NDArray[Any] = predict_all(module.to(device), batches, progress).numpy()
    return logits
