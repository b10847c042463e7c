"""ONNX files, which are read, predicted with and learned from; torch programs, which are read."""

from __future__ import annotations

from ..mutations.archive import mutated_archive
from ..mutations.model import mutated_model
from ..readers import Command
from ..target import Case, Kind

KINDS = (
    Kind(
        "ONNX",
        mutated_model,
        [
            Case(
                "network.onnx",
                [
                    Command.of("load network.onnx"),
                    Command.of("load network.onnx --json"),
                    Command.of("draw network.onnx -o out.dot"),
                    Command.of("evaluate network.onnx --data data.npz"),
                    Command.of("predict network.onnx --data data.npz -o out.csv"),
                    Command.of("predict network.onnx --joint --data data.npz -o out.csv"),
                    Command.of(
                        "train network.fuse --data data.npz --distil network.onnx"
                        " --out run --epochs 1 --threads 1"
                    ),
                ],
            )
        ],
    ),
    Kind(
        "torch program",
        mutated_archive,
        [Case("network.pt2", [Command.of("load network.pt2")])],
    ),
)
