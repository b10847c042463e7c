"""What people write who come from other languages, and how Fuse says it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from ..language.nodes import HEAD_KINDS


@dataclass(frozen=True, slots=True)
class Place:
    """Where the unexpected stands: what it is, what stands before, and the bracket around it."""

    found: str
    before: str
    after: str
    bracket: str


_FORMS: Mapping[str, str] = {
    "cell": "a Cell is `cell NAME(?, ?) { … }`",
    "fuse": "the version is a number: `fuse 1`",
    "modality": "a modality is `modality NAME { FEATURE[c 64] }`",
    "network": "the network is `network NAME(C = 128, L = 8)`",
    "op": "an operation is `op NAME(x, y) = …`",
    "output": "what the head reads is listed: `output Cell_1, Cell_2`",
    "pool": "the operations are listed: `pool Sum, Attention`",
    "predict": "what is predicted is a number and a kind: `predict 23 labels`",
    "require": "what is required is a rule or a limit: `require parameters < 1M`",
    "role": "a role is `role adapt(f) = …`",
    "use": "a library stands by its name: `use bmnas`",
}
"""How each statement is written."""
_TRAINED_BY = ("loss", "metric", "metrics", "optimizer", "optimiser", "epochs", "lr", "train")
_BRACKETS = ("{", "(", "[", "=", ":", "->", '"')


def _statement(place: Place) -> str:
    """The keyword of the statement that the place stands in, outside of its brackets."""
    word = re.match(r"\s*([a-z]+)\b", place.before)
    return word.group(1) if word and not place.bracket else ""


def _is(statement: str, found: str, place: Place) -> bool:
    return _statement(place) == statement and place.found == found


def _is_word(words: tuple[str, ...], place: Place) -> bool:
    return place.found.lower() in words and not place.bracket


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
    (partial(_is, "use", ","), "each library has a line of its own: `use bmnas`, `use fusion`"),
    (lambda p: p.found == ":" and p.bracket == "(", "a number is given with `=`: `C = 64`"),
    (
        partial(_is_word, _TRAINED_BY),
        "how a network is trained stands in settings, such as `--loss focal`; without one, the "
        "loss follows from what is predicted: `classes`, `labels` or `values`",
    ),
    (lambda p: p.found == ";", "nothing separates statements: begin a new line"),
    (lambda p: p.found == "or", "one of two is `{A | B}`"),
    (
        lambda p: p.found == "," and p.bracket == "{" and p.before.rstrip().endswith("]"),
        "features follow each other without commas: `A[c 64] B[c 64]`",
    ),
    (lambda p: p.found == "," and p.bracket == "{", "candidates are separated by `|`: `{A | B}`"),
    (
        lambda p: p.found.isdigit() and p.before.split()[-1:] in [[kind] for kind in HEAD_KINDS],
        "the number comes first: `predict 23 labels`",
    ),
    (partial(_is_word, ("def", "function", "fn")), _FORMS["op"]),
    (
        lambda p: p.found == "optional" and _declares(p) and not p.bracket,
        '`optional` comes before `from`: `modality NAME optional from "…" { … }`',
    ),
    (
        lambda p: (
            (p.found == "optional" and not p.before.strip())
            or bool(re.fullmatch(r"\s*modality\s+optional\s*", p.before))
        ),
        "`optional` comes behind the name: `modality NAME optional { … }`",
    ),
    (
        lambda p: p.bracket == "{" and _declares(p) and p.before.split()[-1:] == ["from"],
        'a modality is `from` a backbone, and a feature stands `at` a part of it: `A[c 64] at "…"`',
    ),
    (partial(_is_word, ("import", "include", "from")), "a library is taken with `use NAME`"),
    (lambda p: p.found == "^" or (p.before + p.found).endswith("**"), "a square is `x * x`"),
    (
        lambda p: p.found == "." and bool(re.search(r"\w\.\w+$", p.before)),
        "before an operation stands its library at most: `relu(x)`, `fusion.GMU(x, y)`",
    ),
    (
        lambda p: bool(re.search(r"=\s*\w+\s*$", p.before)) and p.found in "+-*/@",
        "a Step applies an operation: `Sum(x, y)`; define your own with `op`",
    ),
    (
        lambda p: p.found == "-" and bool(re.search(r"\w$", p.before)),
        "a name with other characters than letters, digits and `_` stands in backticks",
    ),
    (lambda p: bool(re.search(r"\bfrom\s*$", p.before)), "a backbone stands in quotes"),
    (
        lambda p: p.found in ("(", "=") and p.bracket == "{" and _declares(p),
        "a feature is a name and its axes: `A[c 64]`",
    ),
    (
        lambda p: p.found == ":" and p.bracket == "{",
        "a feature is `A[c 64]`, a Step is `Step = Sum(x, y)`",
    ),
)


def _declares(place: Place) -> bool:
    return bool(re.match(r"\s*modality\b", place.before))


def habit(place: Place) -> str | None:
    """The remedy for a habit of another language, where the place shows one."""
    shown = next((remedy for shows, remedy in _HABITS if shows(place)), None)
    if shown is None and place.found.startswith(_BRACKETS):
        return _FORMS.get(_statement(place))
    return shown
