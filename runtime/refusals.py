"""What settings cannot be: values by themselves, and values that contradict one another."""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any

from ..compiler.diagnostics.diagnostic import fail, one_of
from ..compiler.documents.records import LARGEST
from ..compiler.documents.tree import described
from ..compiler.system.memory import parse_memory
from ..compiler.system.options import Limits, require_one
from .fields import TUNED, Fields, searched
from .losses import FOCAL, OWN, weights_in
from .strategies import FOLLOWED_BY, LIMITED, SHARING, UNROLLED
from .tuning import ranges

LONGEST_VALUE = 10_000
"""Characters of a text."""
KINDS = {
    int: "a whole number of 64 bits",
    float: "a number",
    str: f"a text of at most {LONGEST_VALUE:,} characters",
    bool: "true or false",
}


def require_possible(settings: Fields) -> None:
    """Raises DiagnosticError for values that cannot be used, alone or together."""
    _require_each(settings)
    _require_together(settings)


def _require_each(settings: Fields) -> None:
    by_name = {item.name: item for item in fields(settings)}
    for name, item in by_name.items():
        _require_value(item, getattr(settings, name))
    for name, values in ranges(settings.tune, TUNED).items():
        for value in values:
            _require_value(by_name[name], value)
    if settings.memory:
        parse_memory(settings.memory)
    weights_in(settings.class_weights)


def _require_together(settings: Fields) -> None:
    if settings.select:
        _require_following(settings.select, settings.strategy)
    if settings.storage and settings.strategy not in SHARING:
        message = f"`{settings.strategy}` cannot share a storage"
        raise fail("E506", message, help=f"strategies that can are {one_of(SHARING)}")
    if settings.minutes and settings.strategy not in LIMITED:
        message = f"`{settings.strategy}` keeps no limit of time"
        remedy = f"the strategy that does is {one_of(LIMITED)}; else leave `minutes` out"
        raise fail("E506", message, help=remedy)
    smooths = settings.smoothing or "smoothing" in searched(settings)
    if settings.loss.startswith(OWN) and (settings.class_weights or smooths):
        which = "class_weights" if settings.class_weights else "smoothing"
        message = f"the setting `{which}` has no effect on a loss of your own"
        raise fail("E506", message, help="leave it out: weigh and smooth in the loss")
    if settings.focus != Fields.focus and settings.loss != FOCAL:
        raise fail(
            "E506",
            "the setting `focus` has no effect without the focal loss",
            help="add `--loss focal`, or leave it out",
        )
    if settings.patience and settings.validation_weight:
        message = "`validation_weight` has no effect with `patience`: validation is not learned"
        raise fail("E506", message, help="leave one of them out")
    if settings.second_order and settings.strategy not in UNROLLED:
        message = f"`{settings.strategy}` has no architecture step to unroll"
        raise fail("E506", message, help=f"strategies that have one are {one_of(UNROLLED)}")
    if settings.second_order and settings.precision == "float16":
        raise fail("E506", "the second order cannot be computed in float16")


def _require_value(item: Field[Any], value: Any) -> None:
    """Raises DiagnosticError where a setting cannot have a value."""
    _check_type(item.name, value, type(item.default))
    limits: Limits | None = item.metadata["limits"]
    if limits is not None and not limits.admit(value):
        raise fail("E506", f"the setting `{item.name}` is {described(value)}, not {limits.text}")
    if item.name == "loss" and value.startswith(OWN):
        return
    if item.metadata["choices"] and (value or item.default):
        require_one(item.name, value, item.metadata["choices"])


def _require_following(select: str, strategy: str) -> None:
    """Raises DiagnosticError where a selection cannot follow a strategy."""
    if select in FOLLOWED_BY[strategy]:
        return
    able = [name for name, selections in FOLLOWED_BY.items() if select in selections]
    own = FOLLOWED_BY[strategy]
    after = f"`{strategy}` is followed by {one_of(own)}" if own else f"nothing follows `{strategy}`"
    message = f"the selection `{select}` does not follow the strategy `{strategy}`"
    raise fail("E506", message, help=f"it follows {one_of(able)}; {after}")


def _check_type(name: str, value: Any, expected: type) -> None:
    allowed = (int, float) if expected is float else (expected,)
    fits = isinstance(value, allowed) and isinstance(value, bool) == (expected is bool)
    if fits and isinstance(value, str):
        fits = len(value) <= LONGEST_VALUE
    elif fits and isinstance(value, int):
        fits = abs(value) <= LARGEST
    if not fits:
        raise fail("E506", f"the setting `{name}` is {described(value)}, not {KINDS[expected]}")
