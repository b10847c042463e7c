"""A trained network run by torch."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray

from ..compiler.compile import compile
from ..compiler.network import LOGITS, Network
from ..compiler.weights import Weights
from .batches import Batches
from .data import Dataset
from .fitting import device_of
from .predictor import Progress
from .settings import Settings


class TorchPredictor:
    """A network with its weights, as a torch module in evaluation mode."""

    output = LOGITS

    def __init__(self, network: Network, weights: Weights, settings: Settings) -> None:
        self.network, self.settings = network, settings
        self._module = compile(network.spec, "torch", weights=weights).eval()

    @torch.no_grad()
    def outputs(
        self, data: Dataset, samples: NDArray[Any], settings: Settings, progress: Progress
    ) -> NDArray[Any]:
        device = device_of(settings)
        module, found = self._module.to(device), list[torch.Tensor]()
        for batch in Batches(data, samples, settings.batch, device).in_order():
            found.append(module(batch.features).cpu())
            progress(sum(len(f) for f in found), len(samples))
        logits: NDArray[Any] = torch.cat(found).numpy()
        return logits
