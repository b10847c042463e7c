"""What a network is to those who predict with it."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray

from ...compiler.network.network import Network
from ..data.dataset import Dataset
from ..progress import Progress
from ..settings import Settings


class Predictor(Protocol):
    """A network to predict with; `output` says what it gives: `logits` or `probabilities`."""

    network: Network
    settings: Settings
    output: str

    def outputs(
        self, data: Dataset, samples: NDArray[Any], settings: Settings, progress: Progress
    ) -> NDArray[Any]:
        """What the network gives for some samples, (samples, K), float32."""
        ...
