"""Profiles of the property tests, and what is left out where torch is not installed.

`prove` tries ten times as many programs as `test`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

_COMMON: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
    "derandomize": True,
}
settings.register_profile("test", max_examples=60, **_COMMON)
settings.register_profile("prove", max_examples=600, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))
EXTRA = ("torch", "torchmetrics", "lightning_fabric", "optuna", "sklearn", "tensorboard")
"""What the extra `torch` installs; without it, what imports one of them is skipped."""
MISSING = tuple(name for name in EXTRA if find_spec(name) is None)
# On few cores, threads that wait for each other cost more than they save on small tensors; commands
# that tests start in processes of their own have one thread too.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["JE_ARROW_MALLOC_CONF"] = "background_thread:false"  # some of them fork
if "torch" not in MISSING:
    import torch

    torch.set_num_threads(1)


def pytest_make_parametrize_id(val: Any, argname: str) -> str | None:
    """What files hold names no test: some hold the time of their writing, and processes differ."""
    return argname if isinstance(val, bytes) else None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Leaves out a file that imports what is missing."""
    report = yield
    shown = str(report.longrepr) if report.failed else ""
    missing = next((name for name in MISSING if f"No module named '{name}" in shown), None)
    if missing is not None:
        report.outcome = "skipped"
        report.longrepr = (str(collector.path), 0, f"Skipped: `{missing}` is not installed")
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """Skips a test that imports what is missing while it runs."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in MISSING:
            raise
        pytest.skip(f"`{error.name}` is not installed")


@pytest.fixture(autouse=bool(MISSING))
def _skips_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skips a test whose command, in this process, says that what is missing is not installed."""
    from fusewright.cli import app

    def failing(code: str, message: str, *places: Any, **more: Any) -> Exception:
        if code == "E509":
            pytest.skip(message)
        return fail(code, message, *places, **more)

    fail: Callable[..., Exception] = vars(app)["fail"]
    monkeypatch.setattr(app, "fail", failing)
