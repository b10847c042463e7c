"""A specification's features straight to what combines them, without a Cell."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from .nodes import Predict, Reference
from .spec import Spec


def without_cells(spec: Spec, names: Collection[str] | None = None) -> Spec:
    """The network of some features, of all where none are named.

    Its requirements are left out; heads read what is left of what they read.
    """
    every = [f.name for m in spec.modalities for f in m.features]
    taken = every if names is None else names
    outputs = tuple(map(Reference, taken))
    heads = _reading(spec, taken)
    return replace(spec, pool=None, cells=(), outputs=outputs, requirements=(), heads=heads)


def _reading(spec: Spec, names: Collection[str]) -> tuple[Predict, ...]:
    """The heads of a network that has these features alone: what reads none of them, or Cells,
    reads the output."""
    known = {*names, *(head.name for head in spec.heads)}
    return tuple(
        replace(head, reads=tuple(r for r in head.reads if r.name in known)) for head in spec.heads
    )


def defines_roles(spec: Spec) -> bool:
    """Whether a specification says itself what surrounds Cells, or a part of it."""
    return any(definition.role for definition in spec.definitions)


def is_beside(network: Spec, space: Spec) -> bool:
    """Whether a network that was found in a space has roles of its own, and is no point of it."""
    return defines_roles(network) and not defines_roles(space)
