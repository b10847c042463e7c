"""Numbers inside equations: sizes, counts and rates, bounded so that none grows out of hand."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, isfinite, prod
from typing import TypeAlias

from ..diagnostics.diagnostic import fail
from ..diagnostics.source import Span
from ..language import expression as x
from ..resolve.scope import LARGEST_SIZE

Numbers: TypeAlias = Mapping[str, int | float]
LARGEST_NUMBER = 2.0**53
MOST_ELEMENTS = 2**28
"""How many numbers one parameter, or one value of a sample, may have."""


def arithmetic(e: x.Binary, left: int | float, right: int | float) -> int | float:
    """The result of an operator on numbers; raises DiagnosticError beyond ±2^53."""
    if e.operator == "/" and right == 0:
        raise fail("E303", "a division by zero", e.span, help="divide by another number")
    match e.operator:
        case "+":
            value = left + right
        case "-":
            value = left - right
        case "*":
            value = left * right
        case "/":
            value = left / right
        case "@":
            raise fail("E303", "`@` needs a value on its left", e.span, help="use `*` for numbers")
    return bounded(value, e.span)


def bounded(value: int | float, span: Span | None) -> int | float:
    """The number itself; raises DiagnosticError where it is too large to compute with."""
    if not isfinite(value) or abs(value) > LARGEST_NUMBER:
        raise fail("E306", "a number is too large", span, help="keep numbers below 2^53")
    return value


def size_of(value: int | float, e: x.Expression) -> int:
    """A number as a size; a division has been rounded up."""
    size = ceil(bounded(value, e.span)) if isinstance(e, x.Binary) else bounded(value, e.span)
    if size != int(size) or not 1 <= size <= LARGEST_SIZE:
        message = f"a size is {value:g}, not a whole number from 1 to {LARGEST_SIZE:,}"
        raise fail("E306", message, e.span, help="write a size in that range")
    return int(size)


def count_of(value: int | float, name: str, span: Span | None) -> int:
    """A number as a count, such as that of attention heads."""
    if bounded(value, span) != int(value) or not 1 <= value <= LARGEST_SIZE:
        message = f"`{name}` is {value:g}, not a whole number from 1"
        raise fail("E306", message, span, help=f"write `{name} = 4`, say")
    return int(value)


def require_moderate(sizes: tuple[int, ...], name: str, span: Span | None) -> None:
    """Raises DiagnosticError where a parameter, or a value of a sample, would be too large."""
    if prod(sizes) > MOST_ELEMENTS:
        message = f"`{name}` would have {prod(sizes):,} numbers"
        raise fail("E308", message, span, help=f"at most {MOST_ELEMENTS:,} are possible")
