"""Which metric of a head selects, how records name them, and where a label counts as predicted."""

from __future__ import annotations

LABEL_THRESHOLD = 0.3
"""The sigmoid above which a label counts as predicted, as the paper has it."""


SELECTION_METRIC = {"classes": "accuracy", "labels": "f1_weighted", "values": "r2"}
"""The metric that a search selects by, by the kind of head; higher is better."""


def on_validation(metric: str) -> str:
    """A metric of the validation split, as a record of a search names it."""
    return f"validation_{metric}"


TRAIN_LOSS = "train_loss"
"""The loss over an epoch of training, in a record."""
VALIDATION_LOSS = on_validation("loss")


def selection_metric(kind: str) -> str:
    """The number in a record that a search selects by, by the kind of head."""
    return on_validation(SELECTION_METRIC[kind])
