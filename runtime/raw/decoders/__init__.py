"""What makes arrays of raw values, one file for each medium: found by their place.

A module has its `ENDINGS`, the dataclass `Transform` that says everything about how it decodes, the
axis of `TIME` of what it gives, if any, and `decode`.
"""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Mapping
from dataclasses import asdict, fields
from functools import cache
from hashlib import sha256
from importlib import import_module
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ....compiler.diagnostics.diagnostic import did_you_mean, fail, one_of


class Decoder(Protocol):
    """The module of a decoder."""

    ENDINGS: tuple[str, ...]
    TIME: int | None
    Transform: type[Any]

    def decode(
        self,
        content: Any,
        place: str,
        transform: Any,
        generator: np.random.Generator | None = None,
    ) -> NDArray[Any]:
        """The array that a backbone takes for one sample; with a `generator`, an augmented one.

        Raises DiagnosticError where the content cannot be decoded.
        """
        ...


@cache
def media() -> tuple[str, ...]:
    """The media that there are decoders for."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


@cache
def decoder(medium: str) -> Decoder:
    """The decoder of a medium; raises DiagnosticError where there is none."""
    if medium not in media():
        remedy = did_you_mean(medium, media()) or f"there are {one_of(media())}"
        raise fail("E506", f"there is no decoder `{medium}`", help=remedy)
    return cast("Decoder", import_module(f".{medium}", __name__))


@cache
def _by_ending() -> Mapping[str, str]:
    return {ending: medium for medium in media() for ending in decoder(medium).ENDINGS}


def medium_of(name: str) -> str | None:
    """The medium of a file by the ending of its name."""
    ending = name[name.rfind(".") :].lower() if "." in name[-16:] else ""
    return _by_ending().get(ending)


def files_of(medium: str) -> str:
    """The medium of the files that a decoder takes: its own, or that which it is made from."""
    return str(getattr(decoder(medium), "FILES", medium))


def transform_of(medium: str, values: Mapping[str, Any]) -> Any:
    """The transform of a medium with these values, the usual ones for the rest.

    Raises DiagnosticError for a name that it does not have.
    """
    kind = decoder(medium).Transform
    known = [field.name for field in fields(kind)]
    if stray := next((name for name in values if name not in known), None):
        remedy = did_you_mean(stray, known) or f"it has {one_of(known)}"
        raise fail("E506", f"the transform of `{medium}` has no `{stray}`", help=remedy)
    plain = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
    return kind(**plain)


def transform_digest(medium: str, transform: Any) -> str:
    """The SHA-256 of everything that decoding depends on but the raw value."""
    record = {"medium": medium, **asdict(transform)}
    return sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
