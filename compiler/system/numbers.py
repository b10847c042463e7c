"""Numbers that are given as texts, outside of the language and of documents."""

from __future__ import annotations


def number_of(text: str) -> int | float:
    """The number that a text is; raises ValueError where it is none in the digits from 0 to 9."""
    if not text.isascii():
        raise ValueError(text)
    return int(text) if text.isdecimal() else float(text)
