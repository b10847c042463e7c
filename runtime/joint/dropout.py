"""Modality dropout of raw samples.

A backbone runs on what a sample has, be it lacking or not; what it gives is 0 then, as in a store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...compiler.network.names import presence_name
from ...compiler.network.network import Network
from ...compiler.program.program import Input
from ..data.absence import Absence
from ..data.dataset import Dataset
from ..data.rows import Array
from ..settings import Settings
from ..training.modality_dropout import ModalityDropout
from .modalities import WHOLE_LENGTH, RawModality


def with_dropout(
    data: Dataset,
    network: Network,
    inputs: Sequence[Input],
    modalities: Sequence[RawModality],
    settings: Settings,
) -> Dataset:
    """The raw data with what samples may lack, where the settings say so.

    Every modality has its presence then. `inputs` are those of the network; raises DiagnosticError
    where it has one modality.
    """
    dropout = ModalityDropout.of(network, settings)
    if dropout is None:
        return data
    every = np.ones(len(data.labels), np.int64)
    marks = {presence_name(modality.name): modality.name for modality in network.modalities}
    data = replace(data, features=dict.fromkeys(marks, every) | {**data.features})
    owners = {**dropout.owners, **marks}
    values: dict[str, Array] = {name: np.zeros((), every.dtype) for name in marks}
    for item in inputs:
        if item.name in data.features and item.name not in marks:
            values[item.name] = dropout.nothing(item, data.features[item.name])[0, ...]
    for modality in modalities:
        if modality.lengths is not None and modality.lengths in data.features:
            owners[modality.lengths] = modality.name
            values[modality.lengths] = np.array(WHOLE_LENGTH)
    places = [modality.name for modality in network.modalities]
    members = {name: places.index(owners[name]) for name in values}
    return replace(
        data, absence=Absence(dropout.probability, dropout.present(data), members, values)
    )
