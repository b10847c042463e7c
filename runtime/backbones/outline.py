"""What there is to tap in a backbone: its tree, with what each part gives, and a selection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from string import digits
from typing import Any

from torch import nn

from ...compiler.diagnostics.text import printable
from ...compiler.language.nodes import Feature, FeatureAxis, Modality
from ...compiler.language.printer import modality_lines
from .backbone import Backbone
from .hooks import WHOLE
from .shapes import Layout, layouts
from .trial import tappable

MOST_FEATURES = 4
"""Features of the block that is proposed."""
_STAGE_DEPTH = 2
"""How deep stages of models stand, rather than what they are made of."""
_APART = ("", ".", "_")
"""What stands before the number of a layer in a row; `dropout1` is a part of a layer."""
_MODALITIES = {"picture": "image", "numbers": "values"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a backbone: its class, its parameters, and what it gives where it can be tapped."""

    path: str
    kind: str
    parameters: int
    layout: Layout | None

    @property
    def depth(self) -> int:
        """How many parts it stands in."""
        return self.path.count(".") + (self.path != WHOLE)

    @property
    def names(self) -> frozenset[str]:
        """The names of the axes of what it gives, where they are known."""
        axes = self.layout.axes if self.layout else None
        return frozenset(axis.name for axis in axes or ())

    @property
    def shown(self) -> str:
        """What it gives for a sample, as a specification writes it where the axes are known."""
        if self.layout is None:
            return ""
        axes = self.layout.axes
        if axes is not None:
            return f"[{', '.join(map(str, axes))}]"
        return f"({', '.join('*' if size is None else str(size) for size in self.layout.sizes)})"

    def record(self) -> dict[str, Any]:
        """The part as plain values."""
        axes = self.layout.axes if self.layout else None
        return {
            "path": self.path,
            "class": self.kind,
            "parameters": self.parameters,
            "shape": list(self.layout.sizes) if self.layout else None,
            "axes": [list(axis) for axis in axes] if axes else None,
        }


@dataclass(frozen=True, slots=True, repr=False)
class Outline:
    """The parts of a backbone in the order of its tree, and a `modality` that takes some."""

    backbone: Backbone
    parts: tuple[Part, ...]
    modality: Modality

    @property
    def text(self) -> str:
        """The modality as a specification has it."""
        return "\n".join(line for line, _ in modality_lines(self.modality))

    def table(self, depth: int | None = None) -> str:
        """The tree in columns, no deeper than `depth`."""
        rows = [("part", "class", "gives", "parameters")]
        for part in self.parts:
            if depth is None or part.depth <= depth:
                path = "  " * part.depth + printable(part.path or "(the whole)")
                rows.append((path, printable(part.kind), part.shown, f"{part.parameters:,}"))
        *wide, last = (max(map(len, column)) for column in zip(*rows, strict=True))
        lines = (
            [
                *(text.ljust(width) for text, width in zip(row, wide, strict=False)),
                row[-1].rjust(last),
            ]
            for row in rows
        )
        return "\n".join(map("  ".join, lines))

    def __str__(self) -> str:
        return f"{self.table()}\n\n{self.text}"

    __repr__ = __str__

    def record(self) -> dict[str, Any]:
        """The outline as plain values."""
        return {
            "model": self.backbone.name,
            "inputs": [
                {"name": item.name, "kind": item.kind, "shape": list(item.shape)}
                for item in self.backbone.inputs
            ],
            "transform": dict(self.backbone.transform),
            "parts": [part.record() for part in self.parts],
            "modality": self.text,
        }


def outline(backbone: Backbone) -> Outline:
    """The outline of a backbone; raises DiagnosticError where it does not run."""
    finished = tappable(backbone)
    found = layouts(backbone, finished)
    parts = tuple(
        Part(path, type(module).__name__, _parameters(module), found.get(path))
        for path, module in backbone.module.named_modules()
    )
    by_path = {part.path: part for part in parts}
    chosen = _stages([by_path[path] for path in finished if path != WHOLE])
    return Outline(backbone, parts, _modality(backbone, chosen or [by_path[WHOLE]]))


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _stages(finished: Sequence[Part]) -> list[Part]:
    """Parts to begin with: of a row of layers that give tokens some, else where maps get smaller.

    `finished` are parts in the order in which they come to an end.
    """
    known = [part for part in finished if part.layout and part.layout.axes]
    rows: dict[tuple[object, ...], list[Part]] = {}
    lasts: dict[tuple[int | None, ...], Part] = {}
    for part in known:
        names, sizes = part.names, part.layout.sizes if part.layout else ()
        row = part.path.rstrip(digits)
        if row != part.path and row[-1:] in _APART and names == frozenset("tc"):
            rows.setdefault((row, part.kind, sizes), []).append(part)
        if len(names) > 2 and prod(size or 2 for size in sizes) > max(size or 2 for size in sizes):
            pairs = zip(part.layout.names if part.layout else (), sizes, strict=True)
            places = tuple(size for name, size in pairs if name != "c")
            if part.depth <= _STAGE_DEPTH or places not in lasts:
                lasts[places] = part
    longest = max(rows.values(), key=len, default=[])
    return _evenly(longest) if len(longest) > len(lasts) else [*lasts.values()][-MOST_FEATURES:]


def _evenly(parts: list[Part]) -> list[Part]:
    """Some parts, the last among them, as far apart as they can be."""
    count = min(MOST_FEATURES, len(parts))
    return [parts[(place + 1) * len(parts) // count - 1] for place in range(count)]


def _modality(backbone: Backbone, parts: Sequence[Part]) -> Modality:
    name = _MODALITIES.get(backbone.input.kind, backbone.input.kind)
    features = [
        Feature(f"{name.capitalize()}_{number}", _axes(part), part.path or None)
        for number, part in enumerate(parts, 1)
    ]
    return Modality(name, tuple(features), backbone=backbone.name)


def _axes(part: Part) -> tuple[FeatureAxis, ...] | None:
    axes = part.layout.axes if part.layout else None
    if axes is None:
        return None
    return tuple(FeatureAxis(a.name, "*" if a.size is None else a.size) for a in axes)
