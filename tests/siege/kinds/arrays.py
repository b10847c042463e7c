"""Arrays of data and weights, in `.npz` and `.safetensors` files and folders of them."""

from __future__ import annotations

from ..mutations import either
from ..mutations.archive import mutated_archive
from ..mutations.arrays import mutated_header, mutated_npz, mutated_tensors
from ..mutations.raw import flipped_bits, mutated_bytes
from ..readers import Command
from ..target import Case, Kind

MUTATED_NPZ = either(
    mutated_npz, mutated_npz, mutated_npz, mutated_archive, mutated_bytes, flipped_bits
)
MUTATED_SAFETENSORS = either(
    mutated_tensors, mutated_tensors, mutated_header, mutated_header, mutated_bytes
)

BRIEF_SEARCH = "--no-controls --config settings.toml --strategy random --candidates 1"


def _readers(data: str) -> list[Command]:
    return [
        *[Command.of(f"predict network.onnx --data {data} -o out.npz")] * 2,
        *[Command.of(f"evaluate network.onnx --data {data}")] * 2,
        *[Command.of(f"new --data {data}")] * 2,
        Command.of(f"predict trained --data {data} -o out.csv"),
        Command.of(f"search space.fuse --data {data} --out run {BRIEF_SEARCH}"),
        Command.of(f"train network.fuse --data {data} --out run --epochs 1 --threads 1"),
        Command.of(f"report trained --data {data} -o out.html"),
        Command.of(f"compile trained -o out.onnx --precision int8-static --data {data}"),
    ]


KINDS = (
    Kind(
        "npz",
        MUTATED_NPZ,
        [
            Case("data.npz", _readers("data.npz")),
            Case("data/features.npz", _readers("data")),
        ],
    ),
    Kind(
        "safetensors",
        MUTATED_SAFETENSORS,
        [
            Case("data.safetensors", _readers("data.safetensors")),
            Case("data/x.safetensors", _readers("data")),
        ],
    ),
    Kind(
        "weights",
        MUTATED_SAFETENSORS,
        [
            Case(
                "network.safetensors",
                [
                    Command.of("load network.safetensors"),
                    Command.of("load network.safetensors --json"),
                    Command.of("draw network.safetensors -o out.dot"),
                    Command.of("compile network.safetensors -o out.safetensors"),
                    Command.of(
                        "compile network.fuse --weights network.safetensors -o out.safetensors"
                    ),
                    Command.of(
                        "train network.fuse --data data.npz --weights network.safetensors"
                        " --out run --epochs 1 --threads 1"
                    ),
                ],
            ),
            Case(
                "trained/weights.safetensors",
                [
                    Command.of("predict trained --data data.npz -o out.npz"),
                    Command.of("evaluate trained --data data.npz"),
                    Command.of("compile trained -o out.safetensors"),
                ],
            ),
            Case(
                "together/weights.safetensors",
                [Command.of("predict together --data data.npz -o out.npz")],
            ),
        ],
    ),
)
