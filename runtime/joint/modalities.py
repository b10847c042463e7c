"""Raw inputs: what the backbones of a specification take, and the features that they give.

A modality with a backbone is one input of its own name, (batch, …); where samples differ in length
and the backbone takes a mask, `MODALITY.lengths`, (batch,), says how much of each counts. A
modality without one is its features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import torch
from torch import Tensor, nn

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.language.spec import Spec
from ...compiler.network.names import lengths_name, presence_name
from ...compiler.network.network import Network
from ..backbones.backbone import Backbone, open_backbone
from ..backbones.inputs import Input
from ..backbones.options import BackboneOptions
from ..backbones.shapes import layouts
from ..backbones.specification import backbones_of, path_of
from ..backbones.taps import tapped

WHOLE_LENGTH = -1
"""The length of a sample all of which counts."""


@dataclass(frozen=True)
class RawModality:
    """A modality with raw samples and a backbone: which part of it each feature is, by name."""

    name: str
    backbone: Backbone
    paths: Mapping[str, str]

    @property
    def input(self) -> Input:
        """What the backbone takes."""
        return self.backbone.input

    @property
    def mask(self) -> Input | None:
        """The input that says what of a sample counts, where the backbone has one."""
        masks = [item for item in self.backbone.inputs if item.kind == "mask"]
        return masks[0] if masks and "t" in self.input.free else None

    @property
    def lengths(self) -> str | None:
        """The name of the input that says how long samples are; None where they are alike."""
        return None if self.mask is None else lengths_name(self.name)

    @cached_property
    def counted(self) -> Mapping[str, int]:
        """The place of `t`, with the batch, in the features whose samples differ in length."""
        found = layouts(self.backbone, list(dict.fromkeys(self.paths.values())))
        places: dict[str, int] = {}
        for feature, path in self.paths.items():
            for place, (name, size) in enumerate(
                zip(found[path].names, found[path].sizes, strict=True)
            ):
                if name == "t" and size is None:
                    places[feature] = place + 1
        return places

    @property
    def named(self) -> dict[str, Input]:
        """The raw inputs by name, without lengths."""
        return {self.name: self.input}


def raw_modalities(
    spec: Spec, options: BackboneOptions, network: Network, *, seed: int = 0
) -> tuple[RawModality, ...]:
    """The modalities of a specification with their backbones, each opened once.

    Raises DiagnosticError where one cannot be opened, takes more than one input, or is named like a
    feature.
    """
    opened = backbones_of(spec, partial(open_backbone, options=options, seed=seed))
    found: list[RawModality] = []
    for modality in spec.modalities:
        if modality.backbone is None:
            continue
        if any(feature.name == modality.name for feature in network.features):
            message = f"`{modality.name}` is a modality and a feature, and both would be inputs"
            raise fail("E506", message, modality.span, help="rename one of them")
        backbone = opened[modality.backbone]
        if [item for item in backbone.inputs[1:] if not item.optional]:
            message = f"`{backbone.name}` takes more than one input"
            raise fail("E514", message, modality.span, help="wrap it, for `--backbone`")
        paths = {str(feature.name): path_of(feature) for feature in modality.features}
        found.append(RawModality(str(modality.name), backbone, paths))
    if not found:
        message = "the specification names no backbone, so there is nothing to join"
        raise fail("E506", message, help='name one: `modality NAME from "PROVIDER:MODEL" { … }`')
    return tuple(found)


class Extractor(nn.Module):
    """The backbones of some modalities: `forward({"image": tensor, …})` gives features by name.

    With the features whose samples differ in length come their lengths. Without `stop`, backbones
    are run to their ends, as those who trace them need.
    """

    def __init__(self, modalities: Sequence[RawModality], *, stop: bool = True) -> None:
        super().__init__()
        self.modalities = tuple(modalities)
        modules = {id(s.backbone): s.backbone.module for s in modalities}
        self.backbones = nn.ModuleList(modules.values())
        self._taps = [
            tapped(s.backbone, list(dict.fromkeys(s.paths.values())), stop=stop) for s in modalities
        ]

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Features (batch, axes…), and lengths (batch,), by name."""
        found: dict[str, Tensor] = {}
        for modality, taps in zip(self.modalities, self._taps, strict=True):
            values = inputs[modality.name]
            given = {modality.input.name: values}
            counted = inputs.get(modality.lengths) if modality.lengths is not None else None
            if modality.mask is not None and counted is not None:
                given[modality.mask.name] = masked(values, counted)
            parts = taps(given)
            for feature, path in modality.paths.items():
                found[feature] = parts[path]
                if feature in modality.counted and counted is not None:
                    time = parts[path].shape[modality.counted[feature]]
                    found[lengths_name(feature)] = _lengths(counted, values.shape[1], time)
        return found

    def silenced(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """As `forward`, with 0 where a sample has nothing, which is what a store holds."""
        found: dict[str, Tensor] = self(inputs)
        for modality in self.modalities:
            present = inputs.get(presence_name(modality.name))
            for name in modality.paths:
                feature = found[name]
                if present is not None:
                    feature = torch.where(_along(present != 0, feature, 0), feature, 0.0)
                if (lengths := found.get(lengths_name(name))) is not None:
                    time = modality.counted[name]
                    places = torch.arange(feature.shape[time], device=feature.device)
                    there = _along(places < lengths[:, None], feature, time)
                    feature = torch.where(there, feature, 0.0)
                found[name] = feature
        return found


def _along(flags: Tensor, feature: Tensor, time: int) -> Tensor:
    """Flags (batch,) or (batch, t), as they are compared with a feature whose `t` stands there."""
    sizes = [n if axis in (0, time) else 1 for axis, n in enumerate(feature.shape)]
    return flags.reshape(sizes)


def masked(values: Tensor, lengths: Tensor) -> Tensor:
    """1 where a place of values (batch, t, …) counts, else 0; of a length below 0 all do."""
    lengths = lengths.reshape(-1, 1)
    places = torch.arange(values.shape[1], device=values.device)
    return ((places < lengths) | (lengths < 0)).expand(values.shape[:2]).long()


def _lengths(lengths: Tensor, before: int, after: int) -> Tensor:
    """Lengths (batch,) of what has `after` places for `before` of them; -1 stays."""
    scaled = lengths if before == after else (lengths * after + before - 1) // before
    return torch.where(lengths < 0, lengths, scaled.clamp(min=1))
