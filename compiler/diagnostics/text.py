"""Text from names and files, made fit for one line of a message."""

from __future__ import annotations


def printable(text: str) -> str:
    """A text in which what cannot be printed stands as its escape."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
