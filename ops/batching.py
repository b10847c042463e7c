"""How a primitive is built over stacks: what many networks have, one after the other in memory.

A stack of batched values is (rows, batch, axes…), one of others, such as weights, (rows, axes…).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SAMPLES, WEIGHTS, SHARED, CONSTANT = "samples", "weights", "shared", "constant"
"""What an argument is: a stack of batched values or of others, or one such value for all rows."""
STACKS = (SAMPLES, WEIGHTS)
Kinds = Sequence[tuple[str, int]]
"""Of every argument, what it is, and how many axes each of its values has."""


def aligned(
    torch: Any, record: Any, arguments: Sequence[Any], of: Kinds, settings: dict[str, Any]
) -> Any:
    """The primitive's own torch form, where it works element by element or on the last axes."""
    return record.torch(torch, *alongside(arguments, of), **settings)


def alongside(arguments: Sequence[Any], of: Kinds) -> list[Any]:
    """The arguments, with stacks of weights given axes of size 1 where the others have more."""
    rank = max(axes for _, axes in of)
    batch = any(kind in (SAMPLES, SHARED) for kind, _ in of)
    return [
        spread(x, rank - axes + batch) if kind == WEIGHTS else x
        for x, (kind, axes) in zip(arguments, of, strict=True)
    ]


def spread(stack: Any, count: int) -> Any:
    """The stack with so many axes of size 1 behind its first."""
    return stack[(slice(None), *([None] * count))] if count else stack


def everywhere(arguments: Sequence[Any], of: Kinds) -> list[Any]:
    """The arguments as stacks; one value for all stands in every row, and is not copied."""
    pairs = [*zip(arguments, of, strict=True)]
    count = next(x.shape[0] for x, (kind, _) in pairs if kind in STACKS)
    return [
        x if kind in STACKS else x.unsqueeze(0).expand(count, *[-1] * (axes + (kind == SHARED)))
        for x, (kind, axes) in pairs
    ]
