"""What a network is to those who predict with it."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray

from ...compiler.network.network import Network
from ...compiler.program.program import Program
from ..data.dataset import Dataset
from ..progress import Progress
from ..settings import Settings


class Predictor(Protocol):
    """A network to predict with, and its Program.

    `output` says what it gives: `logits` or `probabilities`.
    """

    network: Network
    program: Program
    settings: Settings
    output: str

    def outputs(
        self, data: Dataset, samples: NDArray[Any], settings: Settings, progress: Progress
    ) -> NDArray[Any]:
        """What the network gives for some samples, (samples, K), float32."""
        ...
