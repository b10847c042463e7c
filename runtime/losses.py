"""Losses by name, the heads they are for, and weights of classes as they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from ..compiler.diagnostics.diagnostic import did_you_mean, fail, one_of
from ..compiler.diagnostics.text import shortened
from ..compiler.network.network import EVIDENTIAL, HEAD_LOSSES, Head
from ..compiler.system.numbers import number_of

FOCAL, ABSOLUTE, HUBER = "focal", "absolute", "huber"
LOSSES = {name: kinds for name, kinds in HEAD_LOSSES.items() if name != EVIDENTIAL}
"""The losses that settings may name: those of heads, but for evidence, whose heads say so."""
OWN = "own:"
"""How the name of a loss begins that is a function of Python's."""
BALANCED = "balanced"
LARGEST_WEIGHT = 1e6
FORM = "write `balanced`, `1, 2, 0.5` in the order of the classes, or `NAME = 2, NAME = 0.5`"


def own_name(given: object) -> str:
    """How a run records a function, or an object by its class, that is given in Python."""
    kind = given if hasattr(given, "__qualname__") else type(given)
    module = getattr(kind, "__module__", "")
    return f"{OWN}{module}.{getattr(kind, '__qualname__', '')}".replace(",", "")


def weights_in(text: str) -> Sequence[float] | Mapping[str, float]:
    """Weights of classes in a text, in their order or by name; none of `balanced`.

    Raises DiagnosticError where the text is none of these.
    """
    if text.strip() in ("", BALANCED):
        return ()
    pieces = [piece.strip() for piece in text.split(",")]
    if not any("=" in piece for piece in pieces):
        return [_weight(piece) for piece in pieces]
    named: dict[str, float] = {}
    for piece in pieces:
        name, is_named, number = (part.strip() for part in piece.rpartition("="))
        if not is_named or name in named:
            what = "twice" if name in named else "without `NAME =`"
            raise fail("E506", f"`class_weights` has `{shortened(piece)}` {what}", help=FORM)
        named[name] = _weight(number)
    return named


def _weight(text: str) -> float:
    try:
        value = float(number_of(text))
    except ValueError:
        value = -1.0
    if not (isfinite(value) and 0 < value <= LARGEST_WEIGHT):
        message = f"`{shortened(text)}` in `class_weights` is no number above 0"
        raise fail("E506", message, help=FORM)
    return value


def given_weights(text: str, head: Head) -> list[float] | None:
    """A weight for each class or label of a head; None where they follow from the labels.

    One that is not named has the weight 1. Raises DiagnosticError where they do not fit the head.
    """
    if head.kind == "values":
        message = f"`class_weights` are for classes and labels, not for {head.count} values"
        raise fail("E506", message, help="leave them out")
    given = weights_in(text)
    if not given:
        return None
    if isinstance(given, Mapping):
        names = list(head.names or map(str, range(head.count)))
        for name in given:
            if name not in names:
                remedy = did_you_mean(name, names) or f"they are {one_of(names)}"
                message = f"`class_weights` names `{shortened(name)}`, which is not predicted"
                raise fail("E506", message, help=remedy)
        return [given.get(name, 1.0) for name in names]
    if len(given) != head.count:
        message = f"`class_weights` has {len(given)} numbers for {head.count} {head.kind}"
        raise fail("E506", message, help=FORM)
    return [*given]


def require_loss(name: str, head: Head) -> None:
    """Raises DiagnosticError where a loss is not one of what a head predicts."""
    if name and not name.startswith(OWN) and head.kind not in LOSSES[name]:
        able = [f"`{one}`" for one, kinds in LOSSES.items() if head.kind in kinds]
        message = f"the loss `{name}` is not one of {head.count} {head.kind}"
        raise fail("E506", message, help=f"those are {' and '.join(able)}; or leave it out")
