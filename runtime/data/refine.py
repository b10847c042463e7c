"""Modalities that are wished for beside those that data suggest: what is said stands first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...compiler.language.nodes import Feature, Modality
from .formats import ArrayHeader
from .suggest import axes_of


def together(
    suggested: Sequence[Modality],
    given: Sequence[Modality],
    headers: Mapping[str, ArrayHeader],
) -> tuple[Modality, ...]:
    """The modalities that data suggest, without what those that are given say themselves.

    One that is given stands for what is suggested by its name, and takes its features from other
    modalities. Features without axes get those that the data have.
    """
    names = {modality.name for modality in given}
    taken = {feature.name for modality in given for feature in modality.features}
    kept = [
        replace(modality, features=left)
        for modality in suggested
        if modality.name not in names
        and (left := tuple(f for f in modality.features if f.name not in taken))
    ]
    filled = [
        replace(modality, features=tuple(_filled(f, headers) for f in modality.features))
        for modality in given
    ]
    return (*kept, *filled)


def _filled(feature: Feature, headers: Mapping[str, ArrayHeader]) -> Feature:
    if feature.axes is not None or feature.name not in headers:
        return feature
    return replace(feature, axes=axes_of(headers[feature.name], headers))
