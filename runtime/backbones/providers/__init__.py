"""Providers of backbones, one file each, found by its place: `timm.py` provides `timm:NAME`.

A provider imports its library when it is asked for a model. `make` builds the module, with random
weights; `publish` puts the weights in that are published for it, where they are to be had.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal, Protocol, cast

from torch import nn

from ....compiler.diagnostics.diagnostic import DiagnosticError, did_you_mean, fail, one_of
from ....compiler.diagnostics.source import Span, span_of
from ..inputs import Input
from ..options import BackboneOptions


@dataclass(frozen=True, slots=True)
class Request:
    """A backbone that is asked for as `PROVIDER:MODEL`, and where that stands."""

    provider: str
    model: str
    options: BackboneOptions
    span: Span | None = None

    @property
    def reference(self) -> str:
        """What it is called: `PROVIDER:MODEL`."""
        return f"{self.provider}:{self.model}"

    @property
    def file(self) -> str | None:
        """The file of weights that is given for it."""
        return self.options.weights.get(self.reference)

    def fail(self, message: str, remedy: str | None = None) -> DiagnosticError:
        """The diagnostic of a backbone that cannot be opened, at its place."""
        return fail("E514", message, self.span, help=remedy)

    def unknown(self, known: list[str]) -> DiagnosticError:
        """The diagnostic of a model that the provider does not have."""
        remedy = did_you_mean(self.model, known) or f"models are {one_of(known)}"
        return self.fail(f"`{self.provider}` has no model `{self.model}`", remedy)


@dataclass(frozen=True, slots=True)
class Made:
    """A module, what it takes, how raw data become that, and files of its own that say more.

    `transform` is of plain values. `model` is its name wherever its files lie, where that is not
    what was asked for. Weights are the module's `own`, or `beside` it, in what was asked for.
    `channels_last` where maps are (h, w, c).
    """

    module: nn.Module
    inputs: tuple[Input, ...]
    transform: Mapping[str, Any] = field(default_factory=dict[str, Any])
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    version: str = ""
    model: str = ""
    weights: Literal["", "own", "beside"] = ""
    channels_last: bool = False


class Provider(Protocol):
    """The module of a provider."""

    def make(self, request: Request) -> Made: ...

    def publish(self, request: Request, made: Made) -> None: ...

    def load(self, request: Request, made: Made, path: str) -> None: ...


PROVIDERS = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))
LEFT_OUT: Mapping[str, str] = {
    "torch": "loading an exported program runs whatever code its file holds",
}
"""What is no provider, and why."""


def request_of(reference: str, options: BackboneOptions) -> Request:
    """What a reference asks for; raises DiagnosticError where there is no such provider."""
    provider, colon, model = str(reference).partition(":")
    span = span_of(reference)
    if not (colon and provider and model):
        message = f"`{reference}` is no backbone"
        raise fail("E514", message, span, help=f"write `PROVIDER:MODEL`, of {one_of(PROVIDERS)}")
    if provider in LEFT_OUT:
        remedy = "write a function that builds the model, and give it with `--backbone`"
        raise fail("E514", f"`{reference}` is not opened: {LEFT_OUT[provider]}", span, help=remedy)
    if provider not in PROVIDERS:
        remedy = did_you_mean(provider, PROVIDERS) or f"providers are {one_of(PROVIDERS)}"
        raise fail("E514", f"unknown provider `{provider}` of backbones", span, help=remedy)
    return Request(provider, model, options, span)


def provider_of(request: Request) -> Provider:
    """The provider that is asked."""
    return cast("Provider", import_module(f".{request.provider}", __name__))
