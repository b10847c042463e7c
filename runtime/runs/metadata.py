"""What the metadata of an artifact say of the run that it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...compiler.diagnostics.diagnostic import DiagnosticError
from ...compiler.documents.records import RecordKind, read_record
from ..settings import Settings
from .names import TRAINED_WITH

METRICS_KEY, RUN_KEY, SPACE_KEY = "fusewright.metrics", "fusewright.run", "fusewright.space"
"""Where an artifact's metadata hold the run's last record, its settings, and what it searched."""


def settings_of(metadata: Mapping[str, str]) -> Settings:
    """The settings of the run that an artifact tells of, as far as it can be believed."""
    record = _run_of(metadata)
    try:
        return Settings(split_seed=record["split_seed"]) if record else Settings()
    except DiagnosticError:
        return Settings()


def trained_with_of(metadata: Mapping[str, str]) -> Mapping[str, str]:
    """The backbones that the network of an artifact was trained together with, as its run has."""
    found: Mapping[str, str] = _run_of(metadata).get(TRAINED_WITH, {})
    return found


def _run_of(metadata: Mapping[str, str]) -> Mapping[str, Any]:
    """What an artifact says of its run; nothing where that cannot be believed."""
    try:
        text = metadata.get(RUN_KEY, "")
        record: Mapping[str, Any] = read_record(text, RUN_KEY, RecordKind(schema="run"))
    except DiagnosticError:
        return {}
    return record
