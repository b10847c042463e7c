"""A specification whose output is left open: any subset of its features and Cells."""

from __future__ import annotations

from dataclasses import replace

from .nodes import Others, Possibly
from .spec import Spec


def with_open_output(spec: Spec) -> Spec:
    """The specification with `output *?`."""
    return replace(spec, outputs=(Possibly(Others()),))
