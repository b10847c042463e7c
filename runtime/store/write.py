"""Writing a store: shards in any order and from any process, the manifest last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.system.files import entries, is_folder, make_folder, remove, write_durably
from .manifest import (
    MANIFEST,
    MOST_SHARDS,
    Manifest,
    Shard,
    invalid_plan,
    is_of_store,
    is_shard_file,
    require_consistent,
    with_longest,
)
from .shard import tensors_of, whole_shard, write_shard


class StoreWriter:
    """Writes the store of a plan into a folder of its own.

    What an earlier process left there counts where it is of the same plan: shards of a modality
    whose arrays or origin are others are written anew, the others stay. Several processes may write
    different shards of one store; when all are written, one of them finishes it.
    """

    def __init__(self, folder: Path, plan: Manifest) -> None:
        """Raises DiagnosticError where no store can be as the plan says, or the folder is used."""
        require_consistent(plan, invalid_plan)
        _require_few(plan)
        self.folder, self.plan = folder, plan
        self._written: dict[tuple[str | None, int], Shard] = {}
        _require_own(folder)

    @cached_property
    def done(self) -> Mapping[str | None, frozenset[int]]:
        """By modality, the numbers of the shards that are there already; every byte is read."""
        for modality in self.plan.modalities:
            for number in self.plan.numbers:
                found = whole_shard(self.folder, self.plan, modality, number)
                if found is not None:
                    self._written.setdefault((modality, number), found)
        return {
            modality: frozenset(n for m, n in self._written if m == modality)
            for modality in self.plan.modalities
        }

    def write(self, number: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Writes the shards of a number: those of every modality whose arrays are given.

        Arrays are (samples, …). Raises DiagnosticError where they do not fit the plan, or nothing
        can be written; no shard is ever half written.
        """
        self._begin()
        for modality in self.plan.modalities:
            names = [array.name for array in self.plan.arrays_of(modality)]
            given = {name: arrays[name] for name in names if name in arrays}
            if not given:
                continue
            if lacking := [name for name in names if name not in given]:
                raise fail("E513", f"`{lacking[0]}` is not given for shard {number}")
            shard = write_shard(self.folder, self.plan, modality, number, given)
            self._written[modality, number] = shard

    def _begin(self) -> None:
        """Makes the folder; a manifest that is there would tell of other shards from now on."""
        make_folder(self.folder, parents=True)
        remove(self.folder / MANIFEST)

    def finish(self, **known: Any) -> Manifest:
        """Writes the manifest, which makes the shards a store, and removes shards of before.

        `known` are fields of the manifest that are known only at the end, such as `classes`. Raises
        DiagnosticError where a shard is missing.
        """
        plan = replace(self.plan, **known)
        shards = tuple(self._shard(m, n) for m in plan.modalities for n in plan.numbers)
        manifest = replace(with_longest(plan, self._longest()), shards=shards)
        write_durably(self.folder / MANIFEST, [manifest.text().encode()])
        own = {shard.file for shard in shards}
        for file in entries(self.folder):
            if is_shard_file(file.name) and file.name not in own:
                remove(file)
        return manifest

    def _shard(self, modality: str | None, number: int) -> Shard:
        """A shard that this process or another one wrote; of another's every byte is read."""
        shard = self._written.get((modality, number))
        shard = shard or whole_shard(self.folder, self.plan, modality, number)
        if shard is None:
            name = Shard(modality, number, 0, 0, "").file
            message = f"`{self.folder / name}` is not written, or not whole"
            raise fail("E513", message, help="extract or import it again: what is whole stays")
        return shard

    def _longest(self) -> dict[str, tuple[int, ...]]:
        """The longest shape of a sample in any shard, by array."""
        longest: dict[str, tuple[int, ...]] = {}
        for modality in self.plan.modalities:
            for number in self.plan.numbers:
                tensors = tensors_of(self.folder, self.plan, modality, number)
                for name, tensor in tensors.items():
                    shape = tensor.shape[1:]
                    before = longest.get(name, shape)
                    longest[name] = tuple(map(max, before, shape))
        return longest


def _require_few(plan: Manifest) -> None:
    """Raises DiagnosticError where a store would have more shards than can be read."""
    shards = len(plan.modalities) * len(plan.numbers)
    if shards > MOST_SHARDS:
        raise invalid_plan(f"it would have {shards:,} shards, and at most are {MOST_SHARDS:,}")


def _require_own(folder: Path) -> None:
    """Raises DiagnosticError where a folder holds what is of no store."""
    if not is_folder(folder):
        return
    foreign = [file.name for file in entries(folder) if not is_of_store(file.name)]
    if foreign:
        message = f"`{folder}` holds `{foreign[0]}`, which is of no feature store"
        raise fail("E513", message, help="a store has a folder of its own: choose another one")
