"""Where each modality comes from: a column of raw data, a decoder, and a backbone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

from ...compiler.diagnostics.diagnostic import did_you_mean, fail, one_of
from ...compiler.language.nodes import Modality
from ...compiler.language.spec import Spec
from ...compiler.network.network import Network, NetworkFeature
from ..backbones.backbone import Backbone, open_backbone
from ..backbones.options import BackboneOptions
from ..backbones.specification import backbones_of, path_of
from ..raw.data import GROUPS, LABELS, SPLIT, Column, RawData
from ..raw.decoders import Decoder, decoder, files_of, media, transform_digest, transform_of
from ..raw.decoders.text import read_tokenizer
from ..store.manifest import OPEN
from .known import column_of
from .pooling import Pooling
from .settings import ExtractSettings

Axes = tuple[tuple[str, int | str], ...]


@dataclass(frozen=True)
class SourceFeature:
    """A feature: the part of its backbone that it is, its axes as they are declared and as they
    are stored, and how it is pooled in between, if it is."""

    name: str
    path: str
    declared: tuple[str, ...]
    axes: Axes
    pooling: Pooling | None

    @property
    def time(self) -> int | None:
        """The place of time among the declared axes, where samples may differ in it."""
        is_open = ("t", OPEN) in self.axes
        return self.declared.index("t") if is_open or self.pools_time else None

    @property
    def pools_time(self) -> bool:
        """Whether time is pooled."""
        return self.pooling is not None and "t" in self.declared

    @property
    def has_lengths(self) -> bool:
        """Whether it is stored with the lengths of its samples."""
        return ("t", OPEN) in self.axes


@dataclass(frozen=True, eq=False)
class ModalitySource:
    """A modality: its column, how a value of it is decoded, and what takes that."""

    name: str
    optional: bool
    column: Column
    medium: str
    transform: Any
    backbone: Backbone | None
    features: tuple[SourceFeature, ...]

    @property
    def decoder(self) -> Decoder:
        """What decodes its values."""
        return decoder(self.medium)

    @property
    def time(self) -> int | None:
        """The axis of time of what is decoded, without that of samples."""
        if self.backbone is None and self.medium == "numbers":
            return self.features[0].time
        return self.decoder.TIME

    @property
    def specification(self) -> str:
        """The SHA-256 of what the specification says of it, as far as stored features follow."""
        features = [(f.name, f.path, f.declared, f.axes, repr(f.pooling)) for f in self.features]
        return _digest([self.name, self.optional, features])

    @property
    def weights(self) -> str | None:
        """The SHA-256 of what identifies its backbone."""
        return None if self.backbone is None else self.backbone.identity.digest

    def transformed(self, views: int, seed: int) -> str:
        """The SHA-256 of its transform, with what augments it."""
        digest = transform_digest(self.medium, self.transform)
        return digest if views == 1 else _digest([digest, views, seed])


def _digest(facts: Any) -> str:
    return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def sources_of(
    spec: Spec,
    network: Network,
    raw: RawData,
    poolings: Mapping[str, Pooling | None],
    settings: ExtractSettings,
    options: BackboneOptions,
) -> tuple[ModalitySource, ...]:
    """The source of every modality of a specification, whose backbones are opened.

    `network` has the axes that the backbones give, where the specification does not say them.
    Raises DiagnosticError where a column, a decoder or a backbone is lacking.
    """
    names = [modality.name for modality in spec.modalities]
    for given in {*settings.columns, *settings.transforms} - {*names, LABELS[0], *SPLIT, GROUPS[0]}:
        remedy = did_you_mean(given, names) or f"modalities are {one_of(names)}"
        raise fail("E506", f"`{given}` is no modality of the specification", help=remedy)
    opened = backbones_of(spec, partial(open_backbone, options=options, seed=settings.seed))
    found: list[ModalitySource] = []
    for modality in spec.modalities:
        backbone = None if modality.backbone is None else opened[modality.backbone]
        features = _features(modality, network, poolings)
        found.append(_source(modality, features, raw, backbone, settings))
    return tuple(found)


def _features(
    modality: Modality, network: Network, poolings: Mapping[str, Pooling | None]
) -> tuple[SourceFeature, ...]:
    features: list[SourceFeature] = []
    for feature in modality.features:
        resolved = network.feature_by_name[feature.name]
        written = feature.axes or ()
        fixed = {axis.name for axis in written if axis.size != OPEN}
        pooling = _usable(poolings[feature.name], resolved, fixed)
        features.append(_feature(feature.name, path_of(feature), resolved, pooling))
    return tuple(features)


def _usable(pooling: Pooling | None, feature: NetworkFeature, fixed: set[str]) -> Pooling | None:
    """How a feature is pooled, if that makes it smaller and no size that is written is another."""
    axes = feature.axes or ()
    if pooling is None:
        return None
    sizes = pooling.sizes([axis.name for axis in axes])
    if not sizes or fixed & sizes.keys():
        return None
    known = {axis.name: axis.size for axis in axes}
    is_smaller = all((known[n] or size) >= size for n, size in sizes.items())
    differs = any(known[n] != size for n, size in sizes.items())
    return pooling if is_smaller and differs else None


def _feature(
    name: str, path: str, feature: NetworkFeature, pooling: Pooling | None
) -> SourceFeature:
    declared = tuple(axis.name for axis in feature.axes or ())
    sizes = pooling.sizes(declared) if pooling else {}
    axes = tuple((a.name, sizes.get(a.name, a.size or OPEN)) for a in feature.axes or ())
    return SourceFeature(name, path, declared, axes, pooling)


def _source(
    modality: Modality,
    features: tuple[SourceFeature, ...],
    raw: RawData,
    backbone: Backbone | None,
    settings: ExtractSettings,
) -> ModalitySource:
    wanted = None if backbone is None else str(backbone.transform.get("kind", backbone.input.kind))
    column = _column(modality, wanted, raw, settings)
    medium = wanted or column.medium or "numbers"
    if medium not in media() or (backbone is None and medium == "text"):
        message = f"no decoder makes what `{modality.name}` takes, which is `{medium}`"
        raise fail("E501", message, modality.span, help=f"there are decoders of {one_of(media())}")
    if backbone is None and len(features) > 1:
        message = f"`{modality.name}` has no backbone, so that its raw values can be one feature"
        raise fail("E501", message, modality.span, help="make modalities of the other features")
    transform = _transform(modality, medium, backbone, settings)
    return ModalitySource(
        modality.name, modality.optional, column, medium, transform, backbone, features
    )


def _column(
    modality: Modality, medium: str | None, raw: RawData, settings: ExtractSettings
) -> Column:
    """The column that was chosen, that of the modality's name, or the only one of its medium."""
    name = modality.name
    if name in settings.columns:
        return column_of(raw, settings.columns[name])
    if name in raw.columns:
        return raw.columns[name]
    known = {one for names in (LABELS, SPLIT, GROUPS) for one in names}
    others = {n: column for n, column in raw.columns.items() if n not in known}
    files = files_of(medium) if medium in media() else medium
    meant = [n for n, column in others.items() if files and column.medium == files]
    if len(meant) == 1:
        return others[meant[0]]
    message = f"`{raw.place}` has no column for the modality `{name}`"
    remedy = f"name it: `--column {name}=COLUMN`; there is {one_of([*raw.columns])}"
    raise fail("E501", message, modality.span, help=remedy)


def _transform(
    modality: Modality, medium: str, backbone: Backbone | None, settings: ExtractSettings
) -> Any:
    """The backbone's transform, with the values that are given instead."""
    values = dict(backbone.transform) if backbone is not None else {}
    values.pop("kind", None)
    if backbone is not None and not values:
        values = _fitting(backbone)
    given = dict(settings.transforms.get(modality.name, {}))
    if medium == "text":
        path = given.pop("tokenizer", None) or (backbone and backbone.files.get("tokenizer"))
        if path:
            values["tokenizer"] = read_tokenizer(str(path))
        elif values.get("tokenizer") == "":
            message = f"the backbone of `{modality.name}` comes without a tokenizer"
            remedy = f"give its file: `--transform {modality.name}.tokenizer=tokenizer.json`"
            raise fail("E506", message, modality.span, help=remedy)
    return transform_of(medium, {**values, **given})


def _fitting(backbone: Backbone) -> dict[str, Any]:
    """What makes raw values fit a backbone that says no more than the sizes that it takes."""
    taken = backbone.input
    sizes = dict(zip(taken.axes, taken.shape, strict=True))
    match taken.kind:
        case "picture" | "video":
            colours = 1 if sizes["c"] == 1 else 3
            plain = {"colours": colours, "mean": (0.0,) * colours, "std": (1.0,) * colours}
            height, width = sizes["h"], sizes["w"]
            resize = (height, width) if height and width else None
            frames = {"frames": sizes["t"]} if taken.kind == "video" and sizes["t"] else {}
            return {**plain, "resize": resize, **frames}
        case "text":
            return {"longest": sizes["t"]} if sizes["t"] else {}
        case "spectrogram":
            return {"mels": sizes["c"]} if sizes["c"] else {}
        case _:
            return {}
