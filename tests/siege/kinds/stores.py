"""Feature stores: manifests and shards, which every command that takes data reads."""

from __future__ import annotations

from ..mutations import either
from ..mutations.raw import flipped_bits, mutated_bytes
from ..readers import Command
from ..target import Case, Kind
from .arrays import BRIEF_SEARCH, MUTATED_SAFETENSORS
from .runs import MUTATED_JSON

STORE = "stores/store"
READERS = (
    *[Command.of(f"features check {STORE}")] * 2,
    Command.of(f"features show {STORE}"),
    Command.of("features list stores"),
    Command.of(f"features import {STORE} --out imported"),
    Command.of(f"new --data {STORE}"),
    Command.of(f"predict network.onnx --data {STORE} -o out.npz"),
    Command.of(f"search space.fuse --data {STORE} --out run {BRIEF_SEARCH}"),
    Command.of(f"features remove {STORE}"),
    Command.of("features prune stores --most 1KB"),
)

KINDS = (
    Kind("manifest of a store", MUTATED_JSON, [Case(f"{STORE}/manifest.json", READERS)]),
    Kind(
        "shard",
        either(MUTATED_SAFETENSORS, MUTATED_SAFETENSORS, mutated_bytes, flipped_bits),
        [Case(f"{STORE}/*.safetensors", READERS)],
    ),
)
