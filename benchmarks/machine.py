"""What a benchmark ran on."""

from __future__ import annotations

import platform
from importlib.metadata import version


def machine(*packages: str) -> str:
    """The processor, how many of them, and the versions of Python and of packages."""
    from fusewright.runtime.latency.measure import machine as here

    known = here()
    versions = ", ".join(
        [f"Python {platform.python_version()}", *(f"{p} {version(p)}" for p in packages)]
    )
    return f"{known['processor']}, {known['cores']} cores, {known['system']}; {versions}"
