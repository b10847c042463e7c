"""Values with one part changed, for tests of what reads files that anyone may have written."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

Path = tuple[Any, ...]
"""Keys and places from a whole to a part of it."""
OTHERS: Mapping[str, Any] = {
    "nothing": None,
    "true": True,
    "negative": -1,
    "zero": 0,
    "huge": 10**30,
    "fraction": 0.5,
    "undefined": math.nan,
    "infinite": math.inf,
    "a text": "x\x1b",
    "an empty text": "",
    "a list": [],
    "an object": {},
}
MANY, SHOWN = 5, 1
"""Where there are more than so many of a kind, so many are changed."""


def changes(whole: Any, *, tensors: bool = False) -> Iterator[tuple[str, str, Any]]:
    """The place, the kind of change, and the whole so changed; every part is changed in turn.

    Of parts at like places, such as one of each item of a list, the first is changed.
    """
    seen = set[tuple[str, str]]()
    for path, part in parts(whole):
        place = "".join("[]" if isinstance(key, int) else f".{key}" for key in path)
        instead = [*_instead(part, tensors), *([("gone", ...)] if path else [])]
        for kind, other in instead:
            if (place, kind) not in seen:
                seen.add((place, kind))
                yield place, kind, put(whole, path, other)


def parts(whole: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every part with the way to it; of many tensors or objects of one kind, the first alone."""
    yield path, whole
    if isinstance(whole, dict):
        alike: dict[str, int] = {}
        for key, inner in whole.items():
            shape = _shape(inner)
            alike[shape] = alike.get(shape, 0) + 1
            is_many = len(whole) > MANY and isinstance(inner, (Tensor, dict))
            if alike[shape] <= SHOWN or not is_many:
                yield from parts(inner, (*path, key))
    elif isinstance(whole, list):
        for place, inner in enumerate(whole):
            yield from parts(inner, (*path, place))


def put(whole: Any, path: Path, other: Any) -> Any:
    """The whole with another part at the end of a path, or none for `...`; nothing is changed."""
    if not path:
        return other
    key, *rest = path
    copy = dict(whole) if isinstance(whole, dict) else list(whole)
    if other is ... and not rest:
        del copy[key]
    else:
        copy[key] = put(whole[key], tuple(rest), other)
    return copy


def _shape(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(map(str, value))}}}"
    return type(value).__name__


def _instead(part: Any, tensors: bool) -> Iterator[tuple[str, Any]]:
    for kind, other in OTHERS.items():
        if type(other) is not type(part) or other != part:
            yield kind, other
    match part:
        case list():
            yield "longer", [*part, *(part[-1:] or [0])]
            yield "doubled", [*part, *part]
        case dict():
            yield "a key more", {**part, "more": 0}
        case str():
            yield "a longer text", part + "x"
            yield "a very long text", part + "x" * 2_000_000
        case int() if not isinstance(part, bool):
            yield "one more", part + 1
        case float():
            yield "another number", part * 1.5
        case Tensor():
            yield "another tensor", torch.zeros_like(part)
            yield "another shape", part[None]
            yield "a dtype", part.to(torch.float64 if part.dtype is torch.float32 else torch.int32)
            yield "not finite", torch.full_like(part.float(), math.nan)
            yield "a huge view", torch.zeros(1).expand(10**12)
            yield "sparse", part.float().reshape(-1).to_sparse()
        case _:
            pass
    if tensors and not isinstance(part, Tensor):
        yield "a tensor", torch.zeros(2)
