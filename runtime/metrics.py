"""Which metric of a head selects, and where a label counts as predicted."""

from __future__ import annotations

LABEL_THRESHOLD = 0.3
"""The sigmoid above which a label counts as predicted, as the paper has it."""


SELECTION_METRIC = {"classes": "accuracy", "labels": "f1_weighted", "values": "r2"}
"""The metric that a search selects by, by the kind of head; higher is better."""
