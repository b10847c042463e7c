"""Numbers of the network set from outside: `--set C=64`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..diagnostics.diagnostic import did_you_mean, fail, one_of
from ..system.numbers import number_of
from .spec import Spec


def override(spec: Spec, numbers: Mapping[str, int | float]) -> Spec:
    """The specification with some of its network's numbers replaced.

    Raises DiagnosticError for a number that the network does not state.
    """
    if not numbers or spec.network is None:
        return spec
    stated = dict(spec.network.numbers)
    for name in numbers:
        if name not in stated:
            remedy = did_you_mean(name, stated) or f"it states {one_of(list(stated))}"
            message = f"the network states no number `{name}`"
            raise fail("E207", message, spec.network.span, help=remedy)
    header = replace(spec.network, numbers=tuple((stated | dict(numbers)).items()))
    return replace(spec, network=header)


def parse_numbers(settings: Iterable[str]) -> dict[str, int | float]:
    """Numbers given as `NAME=VALUE`; raises DiagnosticError where one is not."""
    numbers: dict[str, int | float] = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        try:
            numbers[name.strip()] = number_of(value.strip())
        except ValueError:
            message = f"`{setting}` does not set a number"
            raise fail("E506", message, help="write `--set C=64`") from None
    return numbers
