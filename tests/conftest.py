"""Profiles of the property tests: `prove` tries ten times as many programs as `test`."""

from __future__ import annotations

import os
from typing import Any

import torch
from hypothesis import HealthCheck, settings

_COMMON: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
    "derandomize": True,
}
# On few cores, threads that wait for each other cost more than they save on small tensors.
torch.set_num_threads(1)
settings.register_profile("test", max_examples=60, **_COMMON)
settings.register_profile("prove", max_examples=600, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))
