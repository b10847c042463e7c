"""Names of places in a network, of its inputs and outputs, and of architecture parameters."""

from __future__ import annotations

from collections.abc import Sequence


def presence_name(modality: str) -> str:
    """The input that says which samples have an optional modality."""
    return f"{modality}.present"


def lengths_name(feature: str) -> str:
    """The input that holds the lengths of a feature's samples."""
    return f"{feature}.lengths"


OUTPUT = "output"
"""The place of what is combined for the head; no Cell or feature has this name."""
LABELS = "labels"
"""The place of what is known of the values to predict; no Cell or feature has this name."""
CLASS_NAMES = f"{LABELS}.names"
"""The array of data that says what classes, labels or values are called, in their order."""
TARGET_SCALE, TARGET_SHIFT = f"{LABELS}.scale", f"{LABELS}.shift"
"""The deviation and the mean of each value that is predicted, over the training samples."""


def labels_name(head: str) -> str:
    """The array of data that holds the labels of one of several heads."""
    return f"{head}.{LABELS}"


def class_names_name(labels: str) -> str:
    """The array of data that says what those of an array of labels are called, as CLASS_NAMES."""
    return f"{labels}.names"


def target_names(head: str | None) -> tuple[str, str]:
    """The names of the deviation and the mean of what a head predicts, which may have a name."""
    if head is None:
        return TARGET_SCALE, TARGET_SHIFT
    place = identifier(head)
    return f"{place}.{TARGET_SCALE}", f"{place}.{TARGET_SHIFT}"


LOGITS, PROBABILITIES = "logits", "probabilities"
"""What a network gives, (batch, K), as artifacts name it."""
EMBEDDING = "embedding"
"""What the head takes, (batch, L·channels), as artifacts name it."""


def output_name(head: str | None, output: str) -> str:
    """What an artifact calls the logits or probabilities of a head, which may have a name."""
    return output if head is None else f"{identifier(head)}.{output}"


def identifier(*parts: str) -> str:
    """The name of a place in the network, with its parts joined by dots.

    A dot inside a part is written %2E, so that two places never share a name.
    """
    return ".".join(p.replace("%", "%25").replace(".", "%2E") for p in parts)


def place_of(identifier: str) -> tuple[str, ...]:
    """The parts that `identifier` joined."""
    parts = identifier.split(".")
    return tuple(p.replace("%2E", ".").replace("%25", "%") if "%" in p else p for p in parts)


def architecture_name(place: Sequence[str], letter: str, slot: int | None = None) -> str:
    """The name of α, β or γ of a place; under `per_input` of one of its slots, from 1."""
    return identifier(*place, letter if slot is None else f"{letter}_{slot}")


_INPUT_NAMES = "xyz"


def input_name(index: int) -> str:
    """What the inputs of a Cell are called inside it: x, y, z, x4, x5, …"""
    return _INPUT_NAMES[index] if index < len(_INPUT_NAMES) else f"x{index + 1}"
