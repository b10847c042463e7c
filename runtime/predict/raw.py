"""A trained network together with its backbones, run by torch from raw inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from torch import Tensor, nn

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.network.names import LOGITS
from ...compiler.targets.ensemble import EnsembleSubject
from ...compiler.targets.target import Subject
from ...compiler.targets.torch.module import compile_torch
from ..backbones.options import BackboneOptions
from ..data.dataset import Dataset
from ..data.files import Source
from ..data.identity import DataIdentity
from ..joint.data import load_raw, names_of_raw
from ..joint.modalities import Extractor, raw_modalities
from ..progress import Progress
from ..runs.folder import RunFolder
from ..runs.names import BACKBONES
from ..settings import Settings
from .torch import outputs_of


class RawPredictor:
    """A network with its weights and the backbones before it, as one torch module.

    These have the weights of the run where it trained them, and else those of the options. Raises
    DiagnosticError where one cannot be opened.
    """

    output = LOGITS

    def __init__(
        self,
        subject: Subject,
        settings: Settings,
        folder: RunFolder,
        options: BackboneOptions,
        learned: DataIdentity | None,
    ) -> None:
        if isinstance(subject, EnsembleSubject):
            message = "an ensemble is not joined with backbones"
            raise fail("E506", message, help="take a single network")
        self.network, self.settings, self.program = subject.network, settings, subject.program
        self.learned = learned
        self.backbones: Mapping[str, str] = {}
        spec = self.network.spec
        given = options.with_trained(spec, folder.path / BACKBONES)
        self._modalities = raw_modalities(spec, given, self.network, seed=settings.seed)
        self._module = _Joined(compile_torch(subject), Extractor(self._modalities))
        self.names = names_of_raw(self.network, self._modalities)

    def read(self, data: Source, settings: Settings, *, labelled: bool) -> Dataset:
        return load_raw(
            data,
            self.network,
            self._modalities,
            settings.split_seed,
            labelled=labelled,
            memory=settings.memory,
        )

    def outputs(
        self, data: Dataset, samples: NDArray[Any], settings: Settings, progress: Progress
    ) -> NDArray[Any]:
        return outputs_of(self._module, data, samples, settings, progress)


class _Joined(nn.Module):
    """`forward({"image": tensor, …})` gives logits (batch, K)."""

    def __init__(self, network: nn.Module, extractor: Extractor) -> None:
        super().__init__()
        self.network, self.extractor = network, extractor

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        logits: Tensor = self.network({**inputs, **self.extractor.silenced(inputs)})
        return logits
