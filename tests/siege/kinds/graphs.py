"""Graphs as GraphML and node-link JSON, Programs as text, and the published genotypes."""

from __future__ import annotations

from fusewright.compiler.program.parser import parse_program

from ..mutations import either
from ..mutations.archive import mutated_archive
from ..mutations.raw import flipped_bits, mutated_bytes
from ..mutations.text import mutated_text
from ..mutations.tree import mutated_json
from ..readers import Call, Command, text_of
from ..target import Case, Kind

KINDS = (
    Kind(
        "GraphML",
        either(mutated_text, mutated_text, mutated_bytes),
        [
            Case(
                "space.graphml",
                [
                    Command.of("check space.graphml"),
                    Command.of("convert space.graphml --to fuse"),
                    Command.of("info space.graphml"),
                ],
            )
        ],
    ),
    Kind(
        "graph as JSON",
        either(mutated_json, mutated_json, mutated_text, mutated_bytes),
        [
            Case(
                "graph.json",
                [
                    Command.of("check graph.json"),
                    Command.of("convert graph.json --to fuse"),
                    Command.of("info graph.json"),
                ],
            )
        ],
    ),
    Kind(
        "program",
        either(mutated_text, mutated_text, mutated_bytes),
        [Case("program.txt", [Call(lambda file: parse_program(text_of(file), file))])],
    ),
    Kind(
        "published genotype",
        either(mutated_text, mutated_text, mutated_bytes),
        [
            Case("genotype.txt", [Command.of("import genotype.txt --spec published.fuse")]),
            Case("layers.txt", [Command.of("import layers.txt --spec published.fuse --alphas")]),
        ],
    ),
    Kind(
        "pickled genotype",
        either(mutated_bytes, flipped_bits),
        [Case("found.pkl", [Command.of("import found.pkl --spec found.fuse")])],
    ),
    Kind(
        "published weights",
        either(mutated_archive, mutated_archive, mutated_bytes),
        [
            Case(
                "found.pt",
                [
                    Command.of(
                        "import found.pkl --spec found.fuse --weights found.pt -o f.safetensors"
                    )
                ],
            )
        ],
    ),
)
