"""Folders in which models of Hugging Face are kept: their records, read as data that others wrote.

A folder is named by its path, or by the name that its model was downloaded under. Its weights are
left to the library; what stands here looks at everything else first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ...compiler.diagnostics.diagnostic import DiagnosticError
from ...compiler.diagnostics.source import Source
from ...compiler.diagnostics.text import shortened
from ...compiler.documents.json_text import read_json
from ...compiler.system.files import read_text
from ..extras import needed
from .transforms import INTERPOLATIONS, picture_transform, sound_transform

PLAIN = (None, "eager", "sdpa")
"""Implementations of attention that torch has; others are code that is fetched by their names."""
MOST_LAYERS = 1_000
_COUNTED = ("layer", "depth", "block", "repeat", "expert")
_SIZED = ("size", "dim", "channel", "capacity", "length")
"""What stands in the names of numbers of layers, and of numbers that say how large these are."""
CODE = ("auto_map", "custom_pipelines", "quantization_config")
"""What in a configuration brings in code that is not the library's for the model."""
_RATE = 16_000
_FILES = ("config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True)
class ModelFolder:
    """The records of a model's folder by the names of their files, and where its files lie."""

    files: Mapping[str, str]
    records: Mapping[str, Mapping[str, Any]]

    @property
    def config(self) -> Mapping[str, Any]:
        """What the model's configuration says."""
        return self.records["config.json"]

    @property
    def preparation(self) -> Mapping[str, Any]:
        """How its inputs are prepared; empty where that is not said."""
        return self.records.get("preprocessor_config.json", {})

    def picture(self, size: tuple[int, int], colours: int) -> dict[str, Any]:
        """The transform of pictures of this size."""
        said = self.preparation
        resample = said.get("resample")
        known = type(resample) is int and 0 <= resample < len(INTERPOLATIONS)
        crop = said.get("crop_size") if said.get("do_center_crop", True) else None
        resize = _sides(said.get("size")) if crop is not None else None
        more: dict[str, Any] = {} if resize is None else {"resize": resize}
        for ours, theirs in (("mean", "image_mean"), ("std", "image_std")):
            if _are_numbers(said.get(theirs)):
                more[ours] = said[theirs]
        interpolation = INTERPOLATIONS[cast("int", resample)] if known else "bilinear"
        return picture_transform(size, interpolation=interpolation, colours=colours, **more)

    def sound(self) -> dict[str, Any]:
        """The transform of sounds."""
        rate = self.preparation.get("sampling_rate", _RATE)
        return sound_transform(
            rate if type(rate) is int and rate > 0 else _RATE,
            standardised=self.preparation.get("do_normalize") is True,
        )

    @property
    def size(self) -> tuple[int, int] | None:
        """The height and width that pictures are brought to, where that is said."""
        said = self.preparation
        sides = _sides(said.get("crop_size")) or _sides(said.get("size"))
        if isinstance(sides, int):
            return sides, sides
        return (sides[0], sides[1]) if sides else None


def _sides(said: object) -> int | list[int] | None:
    """The shorter side, or the height and the width, of a size as configurations have it."""
    match said:
        case int(side) if type(said) is int and side > 0:
            return side
        case {"height": int(height), "width": int(width)} if height > 0 and width > 0:
            return [height, width]
        case {"shortest_edge": int(side)} if side > 0:
            return side
        case _:
            return None


def _are_numbers(value: object) -> bool:
    items = cast("Sequence[object]", value)
    return isinstance(value, list) and all(isinstance(item, (int, float)) for item in items)


def read_folder(name: str, *, download: bool) -> ModelFolder:
    """The records of a model; raises DiagnosticError, or ValueError where it is not to be used.

    FileNotFoundError where there is no such model here.
    """
    cached_file = needed("transformers.utils", "transformers").cached_file
    files: dict[str, str] = {}
    for file in _FILES:
        try:
            found = cached_file(
                name,
                file,
                local_files_only=not download,
                _raise_exceptions_for_missing_entries=False,
                _raise_exceptions_for_connection_errors=False,
            )
        except (OSError, ValueError):
            found = None
        if found is not None:
            files[file] = found
    if "config.json" not in files:
        raise FileNotFoundError(name)
    records = {file: _record(path) for file, path in files.items() if file != "tokenizer.json"}
    _refuse_code(records["config.json"])
    return ModelFolder(files, records)


def _record(path: str) -> Mapping[str, Any]:
    try:
        value: object = read_json(Source(path, read_text(path))).plain()
    except DiagnosticError as error:
        raise ValueError(error.diagnostics[0].message) from None
    if not isinstance(value, Mapping):
        raise ValueError(f"`{path}` is no object")
    return cast("Mapping[str, Any]", value)


def _refuse_code(config: Mapping[str, Any]) -> None:
    """Raises ValueError where a configuration names code, or a model without end."""
    for key, value in _entries(config):
        if key in CODE and value:
            raise ValueError(f"its configuration brings in code of its own (`{key}`)")
        if key.endswith("_implementation") and value not in PLAIN:
            raise ValueError(f"its configuration brings in code by `{shortened(key)}`")
        if _is_count(key) and _most(value) > MOST_LAYERS:
            raise ValueError(f"`{shortened(key)}` is above {MOST_LAYERS:,}")


def _is_count(key: str) -> bool:
    """Whether a key says how many layers there are, rather than how large they are."""
    return any(part in key for part in _COUNTED) and not any(part in key for part in _SIZED)


def _most(value: object) -> int:
    """What a whole number counts, and a list of them together; 0 for anything else."""
    if isinstance(value, list):
        return sum(max(0, _most(item)) for item in cast("list[object]", value))
    return value if isinstance(value, int) else 0


def _entries(value: object) -> Iterator[tuple[str, object]]:
    """Every key with its value, of objects within objects too."""
    if isinstance(value, Mapping):
        for key, item in cast("Mapping[str, object]", value).items():
            yield key, item
            yield from _entries(item)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _entries(item)
