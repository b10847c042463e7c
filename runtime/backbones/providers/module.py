"""`module:NAME`: what a function makes that the command line or the configuration names.

The function takes nothing, and gives a module of torch. What that takes stands in its attribute
`inputs`, as `read_inputs` reads it, and how raw data become that, if it is said, in `transform`.
The weights that it has are its own.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from torch import nn

from ....compiler.diagnostics.diagnostic import did_you_mean
from ..inputs import read_inputs
from ..weights import load_state, read_state
from . import Made, Request


def make(request: Request) -> Made:
    """What the function of that name gives; raises DiagnosticError where none is named."""
    factories = request.options.factories
    if request.model not in factories:
        remedy = did_you_mean(request.model, factories) or (
            f"give it: `--backbone {request.model}=package.module:function`"
        )
        message = f"`{request.reference}` is a function that was not named for this run"
        raise request.fail(message, remedy)
    module = _call(request, factories[request.model])
    transform: Any = getattr(module, "transform", {})
    if not isinstance(transform, Mapping):
        raise request.fail(f"`transform` of `{request.reference}` is no mapping of plain values")
    inputs = read_inputs(getattr(module, "inputs", None), request.reference)
    described = dict(cast("Mapping[str, Any]", transform))
    return Made(module, inputs, described, weights="own")


def _call(request: Request, place: str) -> nn.Module:
    home, _, name = place.partition(":")
    here = str(Path.cwd())  # what lies where the command is called, as `python -m` has it
    sys.path.insert(0, here)
    try:
        function = getattr(import_module(home), name)
    except (ImportError, AttributeError) as error:
        raise request.fail(f"`{place}` cannot be imported: {error}") from None
    finally:
        sys.path.remove(here)
    module = function()
    if not isinstance(module, nn.Module):
        message = f"`{place}` gives {type(module).__name__}, not a module of torch"
        raise request.fail(message, "return a `torch.nn.Module`")
    return module


def publish(request: Request, made: Made) -> None:
    """Nothing: what the function gives has its weights."""


def load(request: Request, made: Made, path: str) -> None:
    """Puts the weights of a file in; raises DiagnosticError where they do not fit."""
    load_state(made.module, read_state(path, request.reference), request.reference, path)
