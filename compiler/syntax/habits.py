"""What people write who come from other languages, and how Fuse says it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..language.nodes import HEAD_KINDS


@dataclass(frozen=True, slots=True)
class Place:
    """Where the unexpected stands: what it is, what stands before, and the bracket around it."""

    found: str
    before: str
    after: str
    bracket: str


_HABITS: tuple[tuple[Callable[[Place], bool], str], ...] = (
    (
        lambda p: p.found.isdigit() and not p.found.isascii(),
        "a number is written with the digits from 0 to 9",
    ),
    (lambda p: p.after.startswith(("//", "/*")), "a comment begins with `#`"),
    (lambda p: p.found == "{" and not p.before, "JSON stands in a file that ends in `.json`"),
    (lambda p: p.found == "=" and p.bracket == "[", "an axis is a name and a size: `[c 64]`"),
    (lambda p: p.found.isdigit() and p.bracket == "[", "name the axis: `[c 64]`"),
    (lambda p: p.found == ":" and p.bracket == "[", "an axis is a name and a size: `[c 64]`"),
    (lambda p: p.found == ":", "a number is given with `=`: `C = 64`"),
    (lambda p: p.found == ";", "nothing separates statements: begin a new line"),
    (lambda p: p.found == "or", "one of two is `{A | B}`"),
    (lambda p: p.found == "," and p.bracket == "{", "candidates are separated by `|`: `{A | B}`"),
    (
        lambda p: p.found.isdigit() and p.before.split()[-1:] in [[kind] for kind in HEAD_KINDS],
        "the number comes first: `predict 23 labels`",
    ),
    (lambda p: p.found in ("def", "function", "fn"), "an operation is `op NAME(x, y) = …`"),
    (lambda p: p.found in ("import", "include"), "a library is taken with `use NAME`"),
    (lambda p: p.found == "^" or p.after.startswith("**"), "a square is `x * x`"),
    (
        lambda p: bool(re.search(r"=\s*\w+\s*$", p.before)) and p.found in "+-*/@",
        "a Step applies an operation: `Sum(x, y)`; define your own with `op`",
    ),
    (
        lambda p: p.found == "-" and bool(re.search(r"\w$", p.before)),
        "a name with other characters than letters, digits and `_` stands in backticks",
    ),
    (lambda p: bool(re.search(r"\bfrom\s*$", p.before)), "a backbone stands in quotes"),
)


def habit(place: Place) -> str | None:
    """The remedy for a habit of another language, where the place shows one."""
    return next((remedy for shows, remedy in _HABITS if shows(place)), None)
