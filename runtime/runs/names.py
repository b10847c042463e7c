"""The files of a run folder, by name; a stage is the command that writes, `search` or `train`."""

from __future__ import annotations

SPECIFICATION = "specification.fuse"
"""What was searched."""
GENOTYPE = "genotype.fuse"
"""What a search found, or what was trained."""
WEIGHTS = "weights.safetensors"
"""The trained network."""
BACKBONES = "backbones.safetensors"
"""The backbones that were trained together with the network."""
SEARCH_WEIGHTS = "found.safetensors"
"""What the genotype was scored with: a hypernet with architecture parameters, or a candidate."""
HISTORY = "history.jsonl"
"""A record for every round of the search and every epoch of the training."""
ENSEMBLE = "ensemble.json"
"""The members of an ensemble and their weights; `ENSEMBLE_FOLDER` of a search holds it."""
ENSEMBLE_FOLDER = "ensemble"
TOGETHER = "ensemble"
"""In the record of a search's last round, the metrics of the ensemble."""
GIVEN_UP = "given_up"
"""In the record of a search, what was not done to keep a limit of time."""
CONTROLS = "controls.json"
"""What the search is compared with."""
MISSING = "missing.json"
"""How the trained network does where modalities are missing."""
DATA = "data.json"
"""What identifies the data of a search, with the times of files."""
PROFILE = "profile.json"
"""The machine that latency was limited on."""
CHECKPOINT = "checkpoint.pt"
"""Where the search is, to go on from."""
PARTS = "checkpoint.parts"
"""A folder of candidates that rest, each written once."""
TRAINING = "training.pt"
"""Where a training is that has not ended, to go on from."""
EVENTS = "tensorboard"
"""A folder of events for TensorBoard, stage by stage."""
DIGESTS = "digests"
"""In a record, what binds the files that it tells of to it (`digests.py`)."""
TRAINED_WITH = "backbones"
"""In a record, the digests of the backbones that a network was trained together with."""
LOCK = "run.lock"
"""Who writes into the folder, while that lasts."""

FORMAT = 1
"""The form of a run folder, which its records state; `about.schema.json` says what is read."""
LONGEST_HISTORY = 1 << 30
"""Bytes of the history."""


def checkpoint_file(stage: str) -> str:
    """Where a stage is, to go on from."""
    return CHECKPOINT if stage == "search" else TRAINING


def settings_file(stage: str) -> str:
    """The settings of a stage."""
    return f"{stage}.toml"


def about_file(stage: str) -> str:
    """The versions, the cost, and what the data was."""
    return f"{stage}.json"
