"""Libraries of optional extras, imported where they are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from ..compiler.diagnostics.diagnostic import DiagnosticError, fail

EXTRAS: Mapping[str, Sequence[str]] = {
    "torch": ("lightning_fabric", "optuna", "sklearn", "tensorboard", "torch", "torchmetrics"),
    "formats": ("h5py", "pyarrow"),
    "raw": ("av", "PIL", "scipy", "soundfile", "tokenizers"),
    "transformers": ("transformers",),
    "timm": ("timm",),
    "torchvision": ("torchvision",),
    "joint": ("onnxscript",),
}
"""The packages that each extra of `pyproject.toml` installs, as they are imported."""


def needed(module: str, extra: str) -> Any:
    """A library that an extra installs; raises DiagnosticError where it is not there.

    ModuleNotFoundError where it is there, and another one that it imports is not.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):
            raise
        raise missing(module, extra) from None


def missing(module: str, extra: str | None = None) -> DiagnosticError:
    """The diagnostic where a library is not installed; it names its extra, if it is of one."""
    package = module.partition(".")[0]
    extra = extra or next((name for name, of in EXTRAS.items() if package in of), None)
    requirement = f"'fusewright[{extra}]'" if extra else package
    message = f"`{package}` is needed for this, and is not installed"
    return fail("E509", message, help=f"install it: `pip install {requirement}`")
