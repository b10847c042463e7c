"""What tests of searches share."""

from __future__ import annotations

import pytest


@pytest.fixture
def quick_surrogate(monkeypatch: pytest.MonkeyPatch) -> None:
    """How well a candidate is predicted makes no difference to how a search goes on."""
    monkeypatch.setattr("fusewright.runtime.search.candidates.surrogate.STEPS", 10)
