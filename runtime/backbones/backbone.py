"""A backbone: a model that is ready to run, what it takes, and which one it is."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import torch
from torch import nn

from .identity import Identity, structure_digest, weights_digest
from .inputs import Input
from .options import BackboneOptions
from .providers import Made, Provider, Request, provider_of, request_of

Weights = Literal["given", "published", "own", "initial", "none"]
"""Where weights come from: a file that was given, the library, the function that made the model,
random numbers; of a structure alone there are none."""


@dataclass(frozen=True, eq=False)
class Backbone:
    """A model in inference mode, and where its weights come from."""

    request: Request
    made: Made
    weights: Weights

    @property
    def name(self) -> str:
        """What it was asked for as: `PROVIDER:MODEL`."""
        return self.request.reference

    @property
    def module(self) -> nn.Module:
        """The model."""
        return self.made.module

    @property
    def inputs(self) -> tuple[Input, ...]:
        """What it takes: the first by its place, the others by name."""
        return self.made.inputs

    @property
    def transform(self) -> Mapping[str, Any]:
        """How raw data become its first input, in plain values."""
        return self.made.transform

    @property
    def files(self) -> Mapping[str, str]:
        """The files that `transform` needs, by what they are, as a `tokenizer`."""
        return self.made.files

    @property
    def input(self) -> Input:
        """The input that the raw data become; the others follow from it."""
        return self.inputs[0]

    @cached_property
    def identity(self) -> Identity:
        """Which backbone it is, with these weights; computed once."""
        version = self.made.version.partition("+")[0]
        structure, weights = structure_digest(self.module), weights_digest(self.module)
        model = self.made.model or self.request.model
        return Identity(self.request.provider, model, version, structure, weights)

    @property
    def identity_now(self) -> Identity:
        """Which one it is, whose weights may have been changed since it was opened."""
        return replace(self.identity, weights=weights_digest(self.module))


def open_backbone(reference: str, options: BackboneOptions, *, seed: int = 0) -> Backbone:
    """The backbone `PROVIDER:MODEL` with its weights, on the CPU.

    `seed` decides those that are random. Raises DiagnosticError where there is none, where its
    library is not installed, and where its weights cannot be had or do not fit.
    """
    request = request_of(reference, options)
    provider = provider_of(request)
    with _seeded(seed):
        made = provider.make(request)
        weights = _fill(provider, request, made)
    made.module.eval()
    return Backbone(request, made, weights)


def open_structure(reference: str, options: BackboneOptions) -> Backbone:
    """The backbone `PROVIDER:MODEL` without weights, on the meta device: its tree and its shapes.

    Raises DiagnosticError as `open_backbone` does, but for weights.
    """
    request = request_of(reference, options)
    provider = provider_of(request)
    try:
        with torch.device("meta"), _seeded(0):
            made = provider.make(request)
    except (NotImplementedError, RuntimeError):  # it computes while it is built
        made = provider.make(request)
    made.module.to("meta").eval()
    return Backbone(request, made, "none")


def _fill(provider: Provider, request: Request, made: Made) -> Weights:
    """Puts weights into a module, and says where they come from."""
    if request.file is not None:
        provider.load(request, made, request.file)
        return "given"
    if made.weights == "own":
        return "own"
    if request.options.initial and not made.weights:
        return "initial"
    provider.publish(request, made)
    return "published"


@contextmanager
def _seeded(seed: int) -> Generator[None]:
    """Random numbers of torch that are decided by a seed, and leave those outside as they are."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
