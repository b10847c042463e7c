"""What artifacts say of themselves, by the keys of their metadata."""

from __future__ import annotations

SPEC_KEY = "fusewright.spec"
"""Where artifacts hold the specification that they were compiled from."""
ENSEMBLE_KEY = "fusewright.ensemble"
"""Where they hold the ensemble that they were compiled from."""
