"""Which metric of a head selects, how records name them, and where a label counts as predicted."""

from __future__ import annotations

from ..compiler.network.network import Head

LABEL_THRESHOLD = 0.3
"""The sigmoid above which a label counts as predicted, as the paper has it."""


def is_thresholded(head: Head) -> bool:
    """Whether the metric that selects depends on that threshold, of which a loss knows nothing."""
    return head.kind == "labels" or any(map(is_thresholded, head.parts))


SEVERAL_SCORE = "score"
"""The mean of the metrics that select of several heads, weighted as their losses are."""
SELECTION_METRIC = {
    "classes": "accuracy",
    "labels": "f1_weighted",
    "values": "r2",
    "several": SEVERAL_SCORE,
}
"""The metric that a search selects by, by the kind of head; higher is better."""


_SPOKEN = {"f1": "F1", "r2": "R²", "auroc": "AUROC", "map": "mAP"}


def spoken(name: str) -> str:
    """A metric as a reader says it: `validation_f1_weighted` is `validation F1 weighted`."""
    return " ".join(_SPOKEN.get(word, word) for word in name.split("_"))


def on_validation(metric: str) -> str:
    """A metric of the validation split, as a record of a search names it."""
    return f"validation_{metric}"


TRAIN_LOSS = "train_loss"
"""The loss over an epoch of training, in a record."""
VALIDATION_LOSS = on_validation("loss")
BEST_EPOCH = "best_epoch"
"""The epoch whose weights a training has kept so far, where it stops early."""


def selection_metric(kind: str) -> str:
    """The number in a record that a search selects by, by the kind of head."""
    return on_validation(SELECTION_METRIC[kind])
