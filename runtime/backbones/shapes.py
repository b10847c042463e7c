"""What the parts of a backbone give for a sample: shapes, and what their axes mean.

An axis means what it follows: the one whose size changes with the height of the input is `h`. Where
a model takes no other size than its own, axes are as their number suggests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...compiler.diagnostics.diagnostic import DiagnosticError, fail
from ...compiler.diagnostics.source import span_of
from ...compiler.system.files import first_line
from ...ops.types import Axis
from .backbone import Backbone
from .trial import BATCH, Shape, trial

_BY_RANK: Mapping[int, tuple[str, ...]] = {
    1: ("c",),
    2: ("t", "c"),
    3: ("c", "h", "w"),
    4: ("c", "t", "h", "w"),
}
_CHANNELS_LAST = ("h", "w", "c")
_LONGER: Mapping[str, int] = {"h": 64, "w": 128, "t": 16}
"""By how much an input is made larger in each axis, to see what follows it."""
_SOUND = 8_000


@dataclass(frozen=True, slots=True)
class Layout:
    """The sizes of what a part gives for a sample, and what its axes are called.

    A size is None where it follows one of the input that differs from sample to sample. A name is
    None where it cannot be told; names are `seen` where they follow from sizes that change.
    """

    sizes: tuple[int | None, ...]
    names: tuple[str | None, ...]
    seen: bool

    @property
    def axes(self) -> tuple[Axis, ...] | None:
        """The axes by name; None where not all can be told, or there are no channels."""
        known = [name for name in self.names if name is not None]
        if len(set(known)) < len(self.sizes) or "c" not in known:
            return None
        return tuple(map(Axis, known, self.sizes))


def layouts(backbone: Backbone, paths: Sequence[str]) -> dict[str, Layout]:
    """The layout of what each part gives for a sample.

    Raises DiagnosticError for a part that cannot be tapped, or that does not keep samples apart in
    its first axis; and where the backbone does not run on what it says that it takes.
    """
    whole = _whole(backbone, paths)
    resized = {a: _resized(backbone, paths, a) for a in backbone.input.axes if a != "c"}
    found: dict[str, Layout] = {}
    for path, shape in whole.items():
        followed: dict[int, list[str]] = {}
        for axis, other in resized.items():
            if other is not None and len(other[path]) == len(shape):
                for place, (one, two) in enumerate(zip(shape, other[path], strict=True)):
                    if one != two and place:
                        followed.setdefault(place, []).append(axis)
        found[path] = _layout(backbone, shape, followed)
    return found


def _whole(backbone: Backbone, paths: Sequence[str]) -> dict[str, Shape]:
    """Shapes for the backbone's own sizes, once it is known that samples are kept apart."""
    try:
        whole, more = trial(backbone, paths), trial(backbone, paths, batch=BATCH + 1)
    except DiagnosticError:
        raise
    except Exception as error:  # noqa: BLE001  (a model raises what it likes)
        message = f"`{backbone.name}` does not run on what it says that it takes: "
        message += first_line(error)
        raise fail("E514", message, help="is its input described right?") from None
    for path in paths:
        if (whole[path][:1], more[path][:1]) != ((BATCH,), (BATCH + 1,)):
            message = f"`{path}` of `{backbone.name}` has no axis of samples at its beginning"
            raise fail("E514", message, span_of(path), help="tap what it stands in")
    return whole


def _resized(backbone: Backbone, paths: Sequence[str], axis: str) -> dict[str, Shape] | None:
    """Shapes where the input is longer in an axis; None where the model does not take that.

    What has a longest length, as texts by their positions, is shorter where it cannot be longer.
    """
    size = backbone.input.sizes[axis]
    more = _SOUND if backbone.input.kind == "sound" else _LONGER[axis]
    for other in (size + more, size // 2) if axis in backbone.input.free else (size + more,):
        try:
            return trial(backbone, paths, {axis: other})
        except Exception:  # noqa: BLE001  (a model raises what it likes)
            continue
    return None


def _layout(backbone: Backbone, shape: Shape, followed: Mapping[int, list[str]]) -> Layout:
    """The layout of a shape whose places change with those axes of the input."""
    places = range(1, len(shape))
    names: list[str | None] = [_name(followed.get(place, ())) for place in places]
    if names.count(None) == 1:
        names[names.index(None)] = "c"
    if not followed:
        names = _usual(shape[1:], channels_last=backbone.made.channels_last)
    free = backbone.input.free
    sizes = [None if free & {*followed.get(place, ())} else shape[place] for place in places]
    return Layout(tuple(sizes), tuple(names), bool(followed))


def _usual(sizes: Shape, *, channels_last: bool) -> list[str | None]:
    """What axes of these sizes are usually called; maps have as many rows as columns."""
    names = _CHANNELS_LAST if channels_last and len(sizes) == 3 else _BY_RANK.get(len(sizes), ())
    by_name = dict(zip(names, sizes, strict=True)) if names else {}
    is_map = by_name.get("h") == by_name.get("w")
    return list(names) if names and is_map else [None] * len(sizes)


def _name(followed: Sequence[str]) -> str | None:
    """What an axis is called that follows these axes of the input: places of both sides are `t`."""
    return (followed[0] if len(followed) == 1 else "t") if followed else None
