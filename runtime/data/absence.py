"""Samples without some of their modalities: what they give instead, and which of them do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .rows import Array


@dataclass(frozen=True)
class Absence:
    """How often samples are learned without a modality, and what stands for it then.

    Each modality is lacking with the `probability`, but never all of those that a sample has:
    `present`, (samples, modalities). By the name of an input, `modalities` has the place of the
    modality that it belongs to, and `values` what it is without that, (axes…).
    """

    probability: float
    present: NDArray[np.bool_]
    modalities: Mapping[str, int]
    values: Mapping[str, Array]

    def lacking(self, samples: NDArray[np.int64], *seeds: int) -> NDArray[np.bool_]:
        """Which modalities samples (…, samples) lack, (…, samples, modalities).

        One seed draws for all of several networks alike, several for each of them.
        """
        present = self.present[samples]
        each = [np.random.default_rng(seed).random(present.shape[-2:]) for seed in seeds]
        drawn = np.where(present, np.stack(each) if len(each) > 1 else each[0], -1.0)
        lacking: NDArray[np.bool_] = present & (drawn < self.probability)
        np.put_along_axis(lacking, drawn.argmax(-1, keepdims=True), False, -1)
        return lacking
