"""The settings of an extraction: one frozen dataclass, from defaults and options."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.system.options import Limits, option, require_one
from ..store.types import FEATURE_TYPES

_READ_BY = ("extract",)
_DECODING = ("extract", "train", "evaluate", "predict")
"""What decodes raw values."""
_COUNT = Limits(1, 2**31, without_most=True)
_SEEDS = Limits(0, 2**63, without_most=True)
MOST_VIEWS = 1_000


@dataclass(frozen=True, kw_only=True)
class ExtractSettings:
    """How raw data become a store.

    `column` are `NAME=COLUMN`, of a modality, of `labels`, `split` or `groups`; several columns of
    numbers are joined: `NAME=A,B`. `transform` are `MODALITY.KEY=VALUE`. Raises DiagnosticError for
    values that cannot be used.
    """

    column: tuple[str, ...] = option(
        (),
        "Where a modality, `labels`, `split` or `groups` stand, if not in a column of that name.",
        read_by=_DECODING,
        metavar="NAME=COLUMN",
        type=list[str],
    )
    transform: tuple[str, ...] = option(
        (),
        "What is done to raw values, as `image.resize=256` or `text.longest=32`.",
        read_by=_DECODING,
        metavar="MODALITY.KEY=VALUE",
        type=list[str],
    )
    dtype: str = option(
        "float32", "How features are stored.", read_by=_READ_BY, choices=FEATURE_TYPES
    )
    unpooled: bool = option(
        False, "Keep features whole, whatever their adapters read of them.", read_by=_READ_BY
    )
    shard_samples: int = option(256, "Samples in a shard.", read_by=_READ_BY, limits=_COUNT)
    batch: int = option(
        32, "Samples that a backbone takes at once.", read_by=_READ_BY, limits=_COUNT
    )
    workers: int = option(2, "Threads that decode.", read_by=_DECODING, limits=Limits(1, 1000))
    views: int = option(
        1,
        "Views of each training sample: itself, and augmented ones.",
        read_by=_READ_BY,
        limits=Limits(1, MOST_VIEWS),
    )
    seed: int = option(
        0,
        "Decides augmentation, and weights that are random.",
        read_by=_READ_BY,
        limits=_SEEDS,
    )
    split_seed: int = option(
        0,
        "Draws the split that views need, where the data have none.",
        read_by=_READ_BY,
        limits=_SEEDS,
    )
    device: str = option("cpu", "Where backbones run, as `cuda`.", read_by=_READ_BY)

    def __post_init__(self) -> None:
        require_one("number type", self.dtype, FEATURE_TYPES, "it is one of")
        for item in fields(self):
            limits, value = item.metadata["limits"], getattr(self, item.name)
            if limits is not None and not limits.admit(value):
                message = f"`{item.name}` is {value}, not {limits.text}"
                raise fail("E506", message)
        _ = self.columns, self.transforms

    def with_options(self, **options: Any) -> ExtractSettings:
        """These settings with those options that are given."""
        given = {name: value for name, value in options.items() if value is not None}
        lists: dict[str, Any] = {
            n: tuple(v) if isinstance(v, list) else v for n, v in given.items()
        }
        return replace(self, **lists)

    @property
    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """The names of columns by what stands in them."""
        pairs = _pairs(self.column, "column", "image=path")
        return {name: tuple(part.strip() for part in value.split(",")) for name, value in pairs}

    @property
    def transforms(self) -> Mapping[str, Mapping[str, Any]]:
        """The values of transforms that are given, by modality."""
        found: dict[str, dict[str, Any]] = {}
        for name, value in _pairs(self.transform, "transform", "image.resize=256"):
            modality, _, key = name.rpartition(".")
            if not modality:
                message = f"`--transform {name}={value}` names no modality"
                raise fail("E506", message, help="write `--transform image.resize=256`")
            found.setdefault(modality, {})[key] = _value(value)
        return found


def _pairs(texts: Sequence[str], option: str, form: str) -> list[tuple[str, str]]:
    pairs = [text.partition("=") for text in texts]
    for text, (name, equals, value) in zip(texts, pairs, strict=True):
        if not (name and equals and value):
            raise fail("E506", f"`--{option} {text}` is not `NAME=VALUE`", help=f"as `{form}`")
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _value(text: str) -> Any:
    """A value as JSON writes it, or the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
