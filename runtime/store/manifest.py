"""What a store says of itself: `manifest.json`, whose schema is `grammars/store.schema.json`.

A manifest names no files: those of shards follow from the modality and the number, so that nothing
in it can lead out of the folder. It has no times, and equal extractions write equal ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

from ...compiler.diagnostics.diagnostic import DiagnosticError, fail
from ...compiler.documents.records import RecordKind, read_record
from ...compiler.language.nodes import name_problem
from ...compiler.system.drafts import PREFIX as DRAFTS
from ...compiler.system.files import is_file, is_folder, read_text
from .types import NUMBER_TYPES

MANIFEST = "manifest.json"
KIND = RecordKind("E513", remedy="extract or import it again", schema="store")
FORMAT = 1
OPEN = "*"
"""The size of an axis along which samples differ: `t *`."""
SAMPLES = "samples"
"""How files of arrays are called that belong to no modality, as `labels` do."""
LOCK = "store.lock"
"""Who writes into the folder, while that lasts."""
_SHARD_FILE = re.compile(r"[A-Za-z0-9_]+(~[0-9a-f]{8})?-[0-9]{5,}\.safetensors")
_LONGEST_STEM = 60
SHARD_BYTES = 1 << 27
"""About what the largest shard takes of what is in memory while it is written."""
MOST_SHARDS = 50_000
"""As many as a manifest that is read has room for."""
USUAL_LENGTH = 256
"""What an open axis counts as there."""
Axis: TypeAlias = tuple[str, int | str]


@dataclass(frozen=True, slots=True)
class StoredArray:
    """An array of a store: its `axes` as the language writes them, and the `shape` of a sample.

    Axes are `("t", "*"), ("c", 64)`; None for what is no feature, such as labels. The shape has
    None where the axis is open and the longest is not known yet, which a finished manifest says:
    shards may be shorter there, and what they lack is read as 0. `dtype` is one of `NUMBER_TYPES`.
    An array belongs to a `modality`, which is extracted as one, or to none.
    """

    name: str
    axes: tuple[Axis, ...] | None
    shape: tuple[int | None, ...]
    dtype: str = "float32"
    modality: str | None = None

    @classmethod
    def of_feature(
        cls, name: str, axes: Iterable[Axis], modality: str, dtype: str = "float32"
    ) -> StoredArray:
        """A feature, whose shape is that of its axes."""
        axes = tuple(axes)
        shape = tuple(size if isinstance(size, int) else None for _, size in axes)
        return cls(name, axes, shape, dtype, modality)

    def is_open(self, axis: int) -> bool:
        """Whether shards may differ along an axis."""
        return self.axes is not None and self.axes[axis][1] == OPEN


@dataclass(frozen=True, slots=True)
class Origin:
    """What the arrays of a modality were made from: digests, each where there was such a thing."""

    specification: str | None = None
    weights: str | None = None
    transform: str | None = None
    data: str | None = None


@dataclass(frozen=True, slots=True)
class Shard:
    """A file of the arrays of a modality for consecutive samples, with its size and SHA-256."""

    modality: str | None
    number: int
    samples: int
    bytes: int
    sha256: str

    @property
    def file(self) -> str:
        """The name of its file."""
        return shard_file(self.modality, self.number)


@dataclass(frozen=True)
class Manifest:
    """A store: its `samples`, so many `in_shard` but in the last one, and the arrays that each has.

    Without `shards` it is the plan of a store that is to be written.
    """

    samples: int
    in_shard: int
    arrays: tuple[StoredArray, ...]
    classes: tuple[str, ...] | None = None
    origins: Mapping[str | None, Origin] = field(default_factory=dict[str | None, Origin])
    shards: tuple[Shard, ...] = ()

    @property
    def modalities(self) -> tuple[str | None, ...]:
        """Those that arrays belong to, in their order; None is that of arrays of no modality."""
        return tuple(dict.fromkeys(array.modality for array in self.arrays))

    @property
    def numbers(self) -> range:
        """The numbers of the shards of a modality."""
        return range(-(-self.samples // self.in_shard))

    @property
    def bytes(self) -> int:
        """What its shards take."""
        return sum(shard.bytes for shard in self.shards)

    def array(self, name: str) -> StoredArray:
        """An array by its name; raises KeyError where there is none."""
        return {array.name: array for array in self.arrays}[name]

    def arrays_of(self, modality: str | None) -> tuple[StoredArray, ...]:
        """The arrays of a modality, which stand together in its shards."""
        return tuple(array for array in self.arrays if array.modality == modality)

    def bounds(self, number: int) -> tuple[int, int]:
        """The first sample of the shards of a number, and the one behind the last."""
        start = number * self.in_shard
        return start, min(start + self.in_shard, self.samples)

    def count(self, number: int) -> int:
        """The samples of the shards of a number."""
        first, last = self.bounds(number)
        return last - first

    def key(self, modality: str | None) -> str:
        """What tells shards of a modality from those of any other plan, or of another origin."""
        arrays = [(a.name, a.axes, _plan_shape(a), a.dtype) for a in self.arrays_of(modality)]
        origin = asdict(self.origins.get(modality, Origin()))
        facts = [FORMAT, modality, self.samples, self.in_shard, arrays, origin]
        return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def text(self) -> str:
        """The manifest as it is written."""
        origins = sorted(self.origins.items(), key=lambda one: one[0] or "")
        lists = {
            "arrays": [asdict(array) for array in self.arrays],
            "origins": [{"modality": modality, **asdict(origin)} for modality, origin in origins],
            "shards": [asdict(shard) for shard in self.shards],
        }
        facts = {"format": FORMAT, "samples": self.samples, "in_shard": self.in_shard}
        lines = [f'"{name}": {_json(value)}' for name, value in facts.items()]
        lines.append(f'"classes": {_json(self.classes)}')
        lines += [f'"{name}": [{_lines(records)}]' for name, records in lists.items()]
        return "{\n" + ",\n".join(lines) + "\n}\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _lines(records: Iterable[Mapping[str, Any]]) -> str:
    """A line for each record."""
    return ",".join(f"\n {_json(record)}" for record in records)


def usual_in_shard(arrays: Iterable[StoredArray]) -> int:
    """How many samples of such arrays make shards of a size that is handled well."""
    sizes: dict[str | None, int] = {}
    for array in arrays:
        numbers = prod(USUAL_LENGTH if size is None else size for size in array.shape)
        taken = numbers * NUMBER_TYPES[array.dtype].size
        sizes[array.modality] = sizes.get(array.modality, 0) + taken
    return max(1, SHARD_BYTES // max(sizes.values(), default=1))


def shard_file(modality: str | None, number: int) -> str:
    """The name of a shard's file: that of the modality where it can stand in one, or near it."""
    return f"{_stem(modality)}-{number:05}.safetensors"


def is_shard_file(name: str) -> bool:
    """Whether a file is called as shards are."""
    return _SHARD_FILE.fullmatch(name) is not None


def is_of_store(name: str) -> bool:
    """Whether a file is called as those that stand in a store, or that are drafted there."""
    return name in (MANIFEST, LOCK) or is_shard_file(name) or name.startswith(DRAFTS)


def _stem(modality: str | None) -> str:
    if modality is None:
        return SAMPLES
    plain = re.sub(r"[^A-Za-z0-9_]", "_", modality)[:_LONGEST_STEM]
    if plain == modality and plain != SAMPLES:
        return plain
    return f"{plain}~{sha256(modality.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _plan_shape(array: StoredArray) -> list[int | None]:
    """The shape of an array as it was before the longest samples were known."""
    return [None if array.is_open(i) else size for i, size in enumerate(array.shape)]


# Reading


def is_store(path: Any) -> bool:
    """Whether a path is that of a store: a folder with a manifest."""
    return is_folder(path) and is_file(Path(path) / MANIFEST)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a store; raises DiagnosticError where it is none, or contradicts itself."""
    path = folder / MANIFEST
    if not is_file(path):
        message = f"`{folder}` is no feature store: it has no `{MANIFEST}`"
        raise fail("E513", message, help="was it written to its end? extract or import it again")
    record = read_record(read_text(path), str(path), KIND)
    manifest = Manifest(
        record["samples"],
        record["in_shard"],
        tuple(_stored_array(array) for array in record["arrays"]),
        None if record["classes"] is None else tuple(record["classes"]),
        {one.pop("modality"): Origin(**one) for one in record["origins"]},
        tuple(Shard(**shard) for shard in record["shards"]),
    )
    require_consistent(manifest, lambda why: KIND.wrong(str(path), why))
    if not _shards_fit(manifest):
        raise KIND.wrong(str(path), "its shards are not those of its samples, each once in order")
    return manifest


def _shards_fit(manifest: Manifest) -> bool:
    """Whether shards are those of the samples, by modality and number."""
    if len(manifest.shards) != len(manifest.modalities) * len(manifest.numbers):
        return False
    places = [(modality, n) for modality in manifest.modalities for n in manifest.numbers]
    return all(
        (shard.modality, shard.number, shard.samples) == (*place, manifest.count(place[1]))
        for shard, place in zip(manifest.shards, places, strict=True)
    )


def _stored_array(record: Mapping[str, Any]) -> StoredArray:
    axes = record["axes"]
    axes = None if axes is None else tuple((name, size) for name, size in axes)
    return StoredArray(**{**record, "axes": axes, "shape": tuple(record["shape"])})


def require_consistent(manifest: Manifest, wrong: Any) -> None:
    """Raises what `wrong` makes of a reason where arrays contradict themselves or each other."""
    names = [array.name for array in manifest.arrays]
    if len(set(names)) < len(names):
        raise wrong("an array stands in it twice")
    for name in (*names, *(m for m in manifest.modalities if m is not None)):
        if problem := name_problem(name):
            raise wrong(problem)
    for array in manifest.arrays:
        if array.dtype not in NUMBER_TYPES:
            raise wrong(f"`{array.name}` is of the type `{array.dtype}`, which stores do not have")
        sizes = None if array.axes is None else [size for _, size in array.axes]
        if sizes is not None and (
            len(sizes) != len(array.shape)
            or not all(s in (OPEN, n) for s, n in zip(sizes, array.shape, strict=True))
        ):
            raise wrong(f"the axes of `{array.name}` are not those of its shape")
        if any(n is None and not array.is_open(i) for i, n in enumerate(array.shape)):
            raise wrong(f"the shape of `{array.name}` is not known")
    files = [shard_file(modality, 0) for modality in manifest.modalities]
    if len(set(files)) < len(files):
        raise wrong("two modalities have one file")


def with_longest(manifest: Manifest, shapes: Mapping[str, tuple[int, ...]]) -> Manifest:
    """The manifest with the longest shape of a sample that any shard has, by array."""
    arrays = tuple(replace(array, shape=shapes[array.name]) for array in manifest.arrays)
    return replace(manifest, arrays=arrays)


def invalid_plan(why: str) -> DiagnosticError:
    """The diagnostic for a plan that no store can have."""
    return fail("E513", f"this cannot be a feature store: {why}")
