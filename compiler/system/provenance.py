"""Where a result comes from: the versions that made it, and files by their size and hash."""

from __future__ import annotations

import platform
from hashlib import file_digest
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..diagnostics.diagnostic import fail
from .files import open_file, reason

PACKAGES = ("fusewright", "numpy", "onnx", "onnxruntime", "torch", "torchmetrics")


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that compute."""
    return {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}


def own_version() -> str:
    """The version of Fusewright."""
    return _version(PACKAGES[0])


def described(file: Path) -> dict[str, Any]:
    """The size of a file in bytes and its SHA-256.

    Raises DiagnosticError where it is no regular file, or cannot be read to its end.
    """
    with open_file(file) as stream:
        try:
            digest = file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise fail("E504", f"`{file}` cannot be read: {reason(error)}") from None
        return {"bytes": stream.tell(), "sha256": digest}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
