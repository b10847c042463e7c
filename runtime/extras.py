"""Libraries of optional extras, imported where they are used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..compiler.diagnostics.diagnostic import fail


def needed(module: str, extra: str) -> Any:
    """A library that an extra installs; raises DiagnosticError where it is not there."""
    try:
        return import_module(module)
    except ModuleNotFoundError:
        library = module.partition(".")[0]
        remedy = f"install it: `pip install 'fusewright[{extra}]'`"
        message = f"`{library}` is needed for this, and is not installed"
        raise fail("E509", message, help=remedy) from None
