"""Raw data through one small interface: columns of samples in a stable order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import DiagnosticError, did_you_mean, fail, one_of

Content: TypeAlias = bytes | str | NDArray[Any] | tuple[bytes, ...]
"""What a sample has in a column: the bytes of a file, a text, numbers, or files one after the
other, which are the frames of a video."""
LABELS = ("labels", "label")
SPLIT = ("split",)
GROUPS = ("groups", "group")


class Column(Protocol):
    """A column: a value for each sample."""

    @property
    def medium(self) -> str | None:
        """The decoder that its values are meant for, as far as they say: `picture`, `text`, …"""
        ...

    def read(self, sample: int) -> Content | None:
        """What a sample has, None where it has nothing; raises DiagnosticError where that is
        there and cannot be read."""
        ...

    def place(self, sample: int) -> str:
        """What a diagnostic calls the value of a sample."""
        ...

    def whole(self) -> NDArray[Any] | None:
        """All values as numbers (samples, …) or texts (samples,), where they are that and whole."""
        ...


@dataclass(frozen=True)
class RawData:
    """Samples as they were gathered: columns by name, of so many samples in a stable order.

    `names` are those of classes by column, where whole numbers stand for them.
    """

    place: str
    samples: int
    columns: Mapping[str, Column]
    names: Mapping[str, tuple[str, ...]]

    def column(self, name: str) -> Column:
        """The column of a name; raises DiagnosticError where there is none."""
        if name in self.columns:
            return self.columns[name]
        remedy = did_you_mean(name, self.columns) or f"there is {one_of([*self.columns])}"
        raise fail("E501", f"`{self.place}` has no column `{name}`", help=remedy)

    def first(self, names: tuple[str, ...]) -> str | None:
        """The first of these names that a column has."""
        return next((name for name in names if name in self.columns), None)


def content_digest(content: Content | None) -> str:
    """The SHA-256 of what a sample has: of its kind, its shape and type, and its bytes."""
    match content:
        case None:
            return sha256(b"nothing").hexdigest()
        case bytes():
            return sha256(b"bytes:" + content).hexdigest()
        case str():
            return sha256(b"text:" + content.encode("utf-8", "surrogatepass")).hexdigest()
        case tuple():
            each = b"".join(sha256(frame).digest() for frame in content)
            return sha256(b"frames:" + each).hexdigest()
        case _:
            kind = f"{content.dtype.str}:{content.shape};".encode()
            return sha256(kind + np.ascontiguousarray(content).tobytes()).hexdigest()


def named(content: Content) -> str:
    """What a diagnostic calls what no decoder of its kind takes."""
    match content:
        case str():
            return "a text"
        case bytes():
            return "a file"
        case tuple():
            return "several files"
        case _:
            return "numbers"


def undecodable(place: str, why: str, remedy: str | None = None) -> DiagnosticError:
    """The diagnostic for a value that no array can be made of."""
    return fail("E504", f"{place} cannot be decoded: {why}", help=remedy)
