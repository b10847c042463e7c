"""Specifications as text, JSON and YAML, and the short texts of options."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random

from fusewright.compiler.check.examine import examine_file
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.documents.spellings import Spelling, loads
from fusewright.compiler.load import spell
from fusewright.compiler.syntax.format import format_text

from ..corpus import corpus
from ..mutations import either
from ..mutations.raw import mutated_bytes
from ..mutations.text import mutated_text
from ..mutations.tree import json_bytes, mutated_tree, yaml_bytes
from ..readers import CONTENT, Call, Command, Reader
from ..target import Case, Kind
from .arrays import BRIEF_SEARCH

SPELLINGS: Sequence[Spelling] = ("fuse", "json", "yaml")


def in_all_spellings(file: str) -> None:
    """Examines a file; what is right is formatted, and says the same in every spelling."""
    examination = examine_file(file)
    errors = [d for d in examination.diagnostics if d.is_error]
    if errors:
        raise DiagnosticError(errors)
    if file.endswith(".fuse"):
        formatted = format_text(examination.source.text)
        assert format_text(formatted) == formatted, "formatting twice differs from once"
    for spelling in SPELLINGS:
        again = loads(spell(examination.spec, spelling), "again", spelling)
        assert again == examination.spec, f"the program changes in {spelling}"


def _texts(_: bytes, random: Random) -> bytes:
    mutate = either(mutated_text, mutated_text, mutated_bytes)
    return mutate(random.choice(corpus().texts), random)


def _json(_: bytes, random: Random) -> bytes:
    document = random.choice(corpus().documents)
    if random.random() < 0.2:
        return either(mutated_text, mutated_bytes)(document, random)
    return json_bytes(mutated_tree(json.loads(document), random), random)


def _yaml(original: bytes, random: Random) -> bytes:
    if random.random() < 0.3:
        return either(mutated_text, mutated_bytes)(original, random)
    tree = json.loads(random.choice(corpus().documents))
    return yaml_bytes(mutated_tree(tree, random), random)


def _readers(file: str) -> Sequence[Reader]:
    """What reads a specification and takes moments; half of the time it is only examined."""
    once = (
        Command.of(f"check {file}"),
        Command.of(f"check --json {file} space.fuse"),
        Command.of(f"info {file} --json"),
        Command.of(f"info {file} --stage program"),
        Command.of(f"convert {file} --to graphml -o out.graphml"),
        Command.of(f"format {file} --diff"),
        Command.of(f"format {file}"),
        Command.of(f"diff space.fuse {file}"),
        Command.of(f"diff {file} space.fuse"),
        Command.of(f"ops {file}"),
    )
    return (*once, *[Call(in_all_spellings)] * 10)


KINDS = (
    Kind("text", _texts, [Case("space.fuse", _readers("space.fuse"))]),
    Kind("JSON", _json, [Case("space.json", _readers("space.json"))]),
    Kind("YAML", _yaml, [Case("space.yaml", _readers("space.yaml"))]),
    Kind(
        "text of a small network",
        either(mutated_text, mutated_text, mutated_bytes),
        [
            Case(
                "network.fuse",
                [
                    Command.of("draw network.fuse -o out.dot"),
                    Command.of("draw space.fuse --since network.fuse -o out.dot"),
                    Command.of("compile network.fuse --initial -o out.safetensors"),
                    Command.of("compile network.fuse -o out.py"),
                    Command.of("import genotype.txt --spec network.fuse"),
                    Command.of("predict network.fuse --data data.npz -o out.csv"),
                    Command.of("evaluate network.fuse --data data.npz"),
                    Command.of("load network.fuse"),
                    Command.of("profile network.fuse -o out.json --repetitions 1"),
                    Command.of("train network.fuse --data data.npz --out run --epochs 1"),
                ],
            ),
            Case(
                "space.fuse",
                [
                    Command.of(f"search space.fuse --data data.npz --out run {BRIEF_SEARCH}"),
                    Command.of("draw space.fuse -o out.html"),
                    Command.of("features import data.npz --out imported --spec space.fuse"),
                ],
            ),
        ],
    ),
    Kind(
        "options",
        either(mutated_text, mutated_text, mutated_bytes),
        [
            Case("numbers.txt", [Command.of("info space.fuse --set", CONTENT)]),
            Case(
                "tune.txt",
                [Command.of("search none.fuse --data data.npz --out run --tune", CONTENT)],
            ),
            Case("modality.txt", [Command.of("new --predict", "3 classes", "--modality", CONTENT)]),
        ],
    ),
)
