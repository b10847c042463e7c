"""Texts from names and files, made fit for a message, a terminal, and JSON that is printed."""

from __future__ import annotations

import re
from typing import Any

LONGEST_NAME_SHOWN = 60
LONGEST_QUOTED = 300
LONGEST_SAID = 4_000
_LONG_NAME = re.compile(rf"(?<=`)[^`\s/]{{{LONGEST_NAME_SHOWN + 1},}}(?=`)")
_LONG_QUOTED = re.compile(rf"(?<=`)[^`]{{{LONGEST_QUOTED + 1},}}(?=`)")
_UNUSUAL = re.compile(r"[^\n\x20-\x7e]")


def printable(text: str) -> str:
    """A text in which what cannot be printed stands as its escape.

    That is what controls the terminal, the direction of text or where lines end, and what is of no
    width: all that `str.isprintable` says no to.
    """
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(char: str) -> str:
    return char if char.isprintable() else repr(char)[1:-1]


def shortened(text: str, limit: int = LONGEST_NAME_SHOWN) -> str:
    """A text as a message shows it: without its middle where it is long."""
    half = limit // 2
    return text if len(text) <= limit else f"{text[: limit - half - 1]}…{text[-half:]}"


def said(text: str) -> str:
    """What a diagnostic says, in one line: names in backticks are shortened, and the whole is.

    A path and what has spaces may be longer than a name, so that it can be found again.
    """
    text = _LONG_NAME.sub(lambda match: shortened(match[0]), text)
    text = _LONG_QUOTED.sub(lambda match: shortened(match[0], LONGEST_QUOTED), text)
    return printable(shortened(text, LONGEST_SAID))


def json_text(value: Any, **layout: Any) -> str:
    """A value as JSON, in every script but for what cannot be printed, which is escaped."""
    import json

    text = json.dumps(value, ensure_ascii=False, **layout)
    return _UNUSUAL.sub(lambda m: m[0] if m[0].isprintable() else json.dumps(m[0])[1:-1], text)
