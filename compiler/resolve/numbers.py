"""The network's named numbers: C, L, the dropout rate, and what a specification adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..diagnostics.diagnostic import Report
from ..diagnostics.source import Span, span_of
from ..language.nodes import NetworkHeader, first
from .scope import whole


class OwnNumber(NamedTuple):
    """A number that has its name from the language; `usual` is what a first specification has."""

    meaning: str
    usual: int | float
    required: bool


OWN_NUMBERS: Mapping[str, OwnNumber] = {
    "C": OwnNumber("inner number of channels", 128, True),
    "L": OwnNumber("inner length", 8, True),
    "dropout": OwnNumber("rate that `dropout(x)` takes", 0.1, False),
}
"""What a network states of its inner shape `(batch, L, C)` and of its equations."""


def numbers_of(header: NetworkHeader | None, report: Report) -> Mapping[str, int | float]:
    """The numbers by name; reports those that are missing, stand twice or are out of range."""
    numbers: dict[str, int | float] = {}
    places: dict[str, Span | None] = {}
    if header is None:
        return {key: 1 for key, own in OWN_NUMBERS.items() if own.required}
    for key, value in header.numbers:
        place = span_of(key) or header.span
        if key in numbers:
            message = f"the number `{key}` is given twice"
            report.add("E202", message, place, help="keep one of them")
        if key == "name":
            message = "a number cannot be called `name`"
            report.add("E211", message, place, help="choose another name")
        plain = first(value)
        numbers[str(key)] = int(plain) if isinstance(plain, int) else float(plain)
        places[key] = span_of(plain) or place
    for key in (key for key, own in OWN_NUMBERS.items() if own.required):
        if key not in numbers:
            remedy = f"write `network {header.name}({key} = …)`"
            message = f"the network does not state `{key}`, its {OWN_NUMBERS[key].meaning}"
            report.add("E007", message, header.span, help=remedy)
            numbers[key] = 1
        elif not whole(numbers[key]):
            message = f"`{key}` is {numbers[key]}, not a whole number from 1"
            report.add("E306", message, places[key], help=f"write `{key} = 8`, say")
            numbers[key] = 1
    if not 0 <= numbers.get("dropout", 0) < 1:
        message = f"`dropout` is {numbers['dropout']}, not a rate from 0 to below 1"
        report.add("E306", message, places["dropout"], help="write `dropout = 0.1`, say")
    return numbers
