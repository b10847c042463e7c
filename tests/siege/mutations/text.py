"""Texts of any language by tokens: swapped, dropped, doubled, copied, replaced; and by lines."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from random import Random

from fusewright.compiler.language.nodes import KEYWORDS

from . import TIMES
from .tree import json_bytes, mutated_tree

TOKENS = re.compile(
    r'\s+|#[^\n]*|"(?:\\.|[^"\\\n])*"|`[^`\n]*`|<[/!?]?\w+|\d+(?:\.\d+)?|\w+|.', re.DOTALL
)
NUMBERS: Sequence[str] = (
    *("0", "1", "2", "4", "7", "64", "300", "-1", "1e9", "1e308", "100000", "1000000000"),
    *("9" * 41, "0.5", "1M", "nan", "inf", "1e999", "0x10", "1_000"),
)
PIECES: Sequence[str] = (*'{}[]()?,:=|*@`"#\n+-/_.;<>&%', "{A | B}", "?", "*s", *sorted(KEYWORDS))


def mutated_text(original: bytes, random: Random) -> bytes:
    """A text with a few of its tokens changed; what is not UTF-8 is read as if it were."""
    known, words = _tokens(original)
    tokens = [*known]
    for _ in range(random.choice(TIMES)):
        at, other = _place(tokens, random), _place(tokens, random)
        if at < 0 or other < 0:
            break
        match random.choice(("swap", "drop", "double", "replace", "replace", "copy")):
            case "swap":
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case "drop":
                del tokens[at]
            case "double":
                tokens[at:at] = tokens[at : at + random.choice((1, 2, 12))]
            case "copy":
                tokens[at:at] = tokens[other : other + random.choice((1, 8, 60))]
            case _:
                tokens[at] = _replacement(tokens[at], words, random)
    return "".join(tokens).encode()


@lru_cache(maxsize=200)
def _tokens(original: bytes) -> tuple[Sequence[str], Sequence[str]]:
    """All tokens of a text, and those that are words."""
    tokens: list[str] = TOKENS.findall(original.decode("utf-8", "replace"))
    return tokens, [token for token in tokens if not token.isspace()]


def _place(tokens: Sequence[str], random: Random) -> int:
    """The place of a token that is no space; -1 where none is found."""
    for _ in range(100 if tokens else 0):
        at = random.randrange(len(tokens))
        if not tokens[at].isspace():
            return at
    return -1


def _replacement(token: str, words: Sequence[str], random: Random) -> str:
    if token[0].isdigit():
        return random.choice(NUMBERS)
    if token[0].isalpha() and random.random() < 0.8:
        alike = [word for word in words if word[0].isalpha()]
        return random.choice(alike or words)
    return random.choice(PIECES)


def mutated_lines(original: bytes, random: Random) -> bytes:
    """Lines of JSON, one of which is changed, dropped, doubled, moved or cut."""
    lines = original.splitlines(keepends=True)
    at, other = random.randrange(len(lines)), random.randrange(len(lines))
    match random.choice(("record", "record", "record", "drop", "double", "swap", "cut")):
        case "record":
            lines[at] = json_bytes(mutated_tree(json.loads(lines[at]), random), random) + b"\n"
        case "drop":
            del lines[at]
        case "double":
            lines[at:at] = [lines[at]] * random.choice((1, 2, 50))
        case "swap":
            lines[at], lines[other] = lines[other], lines[at]
        case _:
            lines[at] = lines[at][: random.randrange(len(lines[at]))]
    return b"".join(lines)
