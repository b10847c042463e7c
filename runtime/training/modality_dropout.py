"""Modality dropout: in training, samples lack modalities at random, as they may where it counts.

After Neverova et al., "ModDrop: Adaptive Multi-modal Gesture Recognition" (2016). To the network, a
modality that is lacking is one that is absent: its features are zeros, and its presence is 0 where
it is optional. What is computed from features before training is of one modality at a time then, so
that a sample without it has what zeros give. Which samples lack what depends on the seed and the
pass, like their order; where features are evaluated, none is lacking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.network.names import lengths_name, presence_name
from ...compiler.network.network import Network, NetworkModality
from ...compiler.program.program import Input
from ..data.dataset import Dataset
from ..data.rows import Array, Rows
from ..settings import Settings


@dataclass(frozen=True)
class ModalityDropout:
    """How often samples lack a modality; `owners` are the modalities of inputs, by name."""

    probability: float
    modalities: Sequence[NetworkModality]
    owners: Mapping[str, str]

    @classmethod
    def of(cls, network: Network, settings: Settings) -> ModalityDropout | None:
        """That of a network under its settings, if any.

        Raises DiagnosticError where the network has one modality.
        """
        if not settings.modality_dropout:
            return None
        if len(network.modalities) < 2:
            message = f"`{network.name}` has one modality, which `modality_dropout` cannot take"
            raise fail("E506", message, help="leave out `modality_dropout`")
        owners = {presence_name(m.name): m.name for m in network.modalities if m.optional}
        for feature in network.features:
            own = feature.name, lengths_name(feature.name)
            owners |= dict.fromkeys(own, feature.modality)
        return cls(settings.modality_dropout, network.modalities, owners)

    def with_presence(self, data: Dataset) -> Dataset:
        """The data with the presence of every optional modality."""
        every = np.ones(len(data.labels), np.int64)
        names = [presence_name(m.name) for m in self.modalities if m.optional]
        return replace(data, features=dict.fromkeys(names, every) | {**data.features})

    def present(self, data: Dataset) -> NDArray[np.bool_]:
        """Which modalities samples have, (samples, modalities)."""
        every = np.ones(len(data.labels), np.int64)
        names = (presence_name(modality.name) for modality in self.modalities)
        have = [np.asarray(data.features.get(name, every), bool) for name in names]
        return np.stack(have, -1)

    def place(self, inputs: Sequence[Input]) -> int:
        """The place of the modality that inputs belong to."""
        (owner,) = {self.owners[item.name] for item in inputs}
        return [modality.name for modality in self.modalities].index(owner)

    @staticmethod
    def nothing(item: Input, given: Rows) -> Array:
        """What an input, of samples as those that are given, is of one that lacks its modality."""
        value = item.default if item.kind == "lengths" else 0
        return np.full((1, *given.shape[1:]), value, given.dtype)


def require_several_modalities(network: Network, settings: Settings) -> None:
    """Raises DiagnosticError where a search could let a network of one modality lack it."""
    name = "modality_dropout"
    for value in (settings.modality_dropout, *settings.tuned.get(name, ())):
        ModalityDropout.of(network, settings.with_options(**{name: value}))


def without_if_alone(network: Network, settings: Settings) -> Settings:
    """The settings; without modality dropout for features of one modality straight to the head."""
    modalities = {feature.name: feature.modality for feature in network.features}
    taken = {*network.output_candidates, *network.read_by_heads}
    if taken <= modalities.keys() and len({modalities[name] for name in taken}) == 1:
        return settings.with_options(modality_dropout=0.0)
    return settings
