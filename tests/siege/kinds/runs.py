"""Run folders: settings, histories, checkpoints, controls, profiles, ensembles, studies."""

from __future__ import annotations

import tomllib

from ..mutations import either
from ..mutations.checkpoint import mutated_checkpoint
from ..mutations.raw import mutated_bytes
from ..mutations.text import mutated_lines, mutated_text
from ..mutations.tree import as_tree, mutated_json, toml_bytes
from ..readers import Command
from ..target import Case, Kind
from .arrays import BRIEF_SEARCH, MUTATED_SAFETENSORS

MUTATED_JSON = either(mutated_json, mutated_json, mutated_json, mutated_text, mutated_bytes)
MUTATED_TOML = either(
    as_tree(lambda data: tomllib.loads(data.decode()), toml_bytes), mutated_text, mutated_bytes
)
MUTATED_TEXT = either(mutated_text, mutated_text, mutated_bytes)
MUTATED_LINES = either(mutated_lines, mutated_lines, mutated_lines, mutated_text, mutated_bytes)
_SEARCH = "search space.fuse --data data.npz --out searched --no-controls --config settings.toml"
RESUME = Command.of(f"{_SEARCH} --resume")
REPORT = Command.of("report searched -o out.html")
SHOWN = (
    REPORT,
    Command.of("draw searched -o out.html"),
    Command.of("draw searched -o out.dot"),
    Command.of("consensus searched"),
)
PREDICT = Command.of("predict trained --data data.npz -o out.csv")
PREDICT_TOGETHER = Command.of("predict together --data data.npz -o out.csv")
TRAIN = Command.of("train searched/genotype.fuse --data data.npz --out run --epochs 1 --threads 1")
TRAIN_ON = Command.of(
    "train network.fuse --data data.npz --out stopped --config settings.toml --resume"
)
TRAIN_LOCKED = Command.of("train network.fuse --data data.npz --out locked --epochs 1 --threads 1")
TRAIN_TOGETHER = Command.of(
    "train searched/ensemble --data data.npz --out run --epochs 1 --threads 1"
)

KINDS = (
    Kind(
        "settings",
        MUTATED_TOML,
        [
            Case(
                "settings.toml",
                [
                    Command.of("train space.fuse --data data.npz --out run --config settings.toml"),
                    Command.of(
                        "search network.fuse --data data.npz --out run --config settings.toml"
                    ),
                ],
            ),
            Case("searched/search.toml", SHOWN),
            Case("trained/train.toml", [Command.of("report trained -o out.html"), PREDICT]),
            Case("searched/genotype.toml", [TRAIN]),
        ],
    ),
    Kind(
        "history",
        MUTATED_LINES,
        [
            Case("searched/history.jsonl", (*SHOWN, RESUME)),
            Case("trained/history.jsonl", [Command.of("report trained -o out.html")]),
            Case("trained/history.jsonl", [Command.of("compile trained -o out.safetensors")]),
        ],
    ),
    Kind(
        "record",
        MUTATED_JSON,
        [
            Case("searched/search.json", (*SHOWN, RESUME)),
            Case("trained/train.json", [Command.of("report trained -o out.html"), PREDICT]),
            Case("searched/controls.json", SHOWN),
            Case("searched/data.json", [RESUME]),
            Case("trained/missing.json", [Command.of("report trained -o out.html")]),
            Case("locked/run.lock", [TRAIN_LOCKED]),
        ],
    ),
    Kind(
        "profile of latency",
        MUTATED_JSON,
        [
            Case(
                "profile.json",
                [
                    Command.of("info network.fuse --profile profile.json"),
                    Command.of(
                        "search space.fuse --data data.npz --out run --profile profile.json"
                        f" {BRIEF_SEARCH}"
                    ),
                ],
            ),
            Case("searched/profile.json", SHOWN),
        ],
    ),
    Kind(
        "ensemble",
        MUTATED_JSON,
        [
            Case(
                "together/ensemble.json", [PREDICT_TOGETHER, Command.of("draw together -o out.dot")]
            ),
            Case("searched/ensemble/ensemble.json", [REPORT, TRAIN_TOGETHER]),
        ],
    ),
    Kind(
        "specification in a run",
        MUTATED_TEXT,
        [
            Case("searched/specification.fuse", SHOWN),
            Case("searched/genotype.fuse", (*SHOWN, TRAIN)),
            Case("trained/genotype.fuse", [PREDICT, Command.of("compile trained -o out.py")]),
        ],
    ),
    Kind(
        "checkpoint",
        mutated_checkpoint,
        [
            Case("searched/checkpoint.pt", [RESUME]),
            Case("searched/checkpoint.parts/*.pt", [RESUME]),
            Case("stopped/training.pt", [TRAIN_ON]),
        ],
    ),
    Kind(
        "found weights",
        MUTATED_SAFETENSORS,
        [
            Case(
                "searched/found.safetensors",
                [
                    REPORT,
                    Command.of(
                        "train searched/genotype.fuse --data data.npz --out run --epochs 1"
                        " --threads 1 --weights searched/found.safetensors"
                    ),
                ],
            )
        ],
    ),
    Kind(
        "study",
        MUTATED_LINES,
        [
            Case(
                "study.log",
                [
                    Command.of(
                        "search space.fuse --data data.npz --out run --no-controls"
                        " --config settings.toml --strategy tpe --storage study.log --candidates 2"
                    )
                ],
            )
        ],
    ),
)
