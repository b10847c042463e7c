"""HTML, with everything escaped that is not HTML already.

NOTE: a text enters a page through `html` alone; so names in a specification or a history cannot
become markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from ..diagnostics.text import printable

_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)


class Html(str):
    """A text that is HTML already."""

    __slots__ = ()


def html(value: object) -> Html:
    """A value as HTML; what cannot be printed stands as its escape."""
    return value if isinstance(value, Html) else Html(escape(printable(str(value))))


def inside(svg: str) -> str:
    """An SVG file inside HTML, where its declaration and its comments have no place."""
    return _COMMENT.sub("", svg[svg.index("<svg") :])


def joined(parts: Iterable[object]) -> Html:
    """Parts one after the other."""
    return Html("".join(map(html, parts)))
