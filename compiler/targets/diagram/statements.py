"""Statements of DOT, safely written.

NOTE: what a specification names enters a picture through `text`, `tooltip` and `node` alone. None
of them leaves it a way to end a string or a label, and so to set an attribute of its own.
"""

from __future__ import annotations

import html
import json
import unicodedata
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import quote

from ...diagnostics.text import printable

Look: TypeAlias = Mapping[str, object]
"""Attributes of a node, an edge or a cluster."""

LONGEST_NAME = 28


def text(name: str) -> str:
    """A name as text of an HTML-like label, its middle left out where it is long.

    A backslash begins an escape there too. A name written from right to left is isolated, so that
    it does not turn round what stands beside it.
    """
    shown = printable(shortened(name))
    if any(unicodedata.bidirectional(c) in ("R", "AL") for c in shown):
        shown = f"\N{FIRST STRONG ISOLATE}{shown}\N{POP DIRECTIONAL ISOLATE}"
    return html.escape(shown).replace("\\", "\\\\")


def tooltip(name: str) -> str:
    """A name as a tooltip, from which Graphviz takes escapes twice."""
    return html.escape(printable(name)).replace("\\", "\\\\\\\\")


def node(name: str) -> str:
    """A node of the Graph as a node of the picture: what means something in DOT or XML as %XX.

    No two become one: in a node of the Graph, every % already begins such a code. Graphviz takes a
    name that begins with % for one of its own, so an & stands before it, as in no other place.
    """
    code = "".join(
        c if c.isprintable() and c not in '<>&"\\' else quote(c, safe="", errors="surrogatepass")
        for c in name
    )
    return f"&{code}" if code.startswith("%") else code


def shortened(name: str) -> str:
    """A name without its middle where it is long; characters of East Asia are twice as wide."""
    is_wide = any(unicodedata.east_asian_width(c) in ("W", "F") for c in name)
    longest = LONGEST_NAME // (2 if is_wide else 1)
    half = longest // 2
    return name if len(name) <= longest else f"{name[:half]}…{name[1 - half :]}"


def quoted(value: object) -> str:
    """A string of DOT, in which the quote alone has to be escaped."""
    escaped = str(value).replace('"', '\\"')
    return f'"{escaped}"'


def attributes(look: Look, label: str | None = None) -> str:
    """`[label=<…>, key="value", …]`; the label is HTML-like."""
    listed = [] if label is None else [f"label=<{label}>"]
    listed += [f"{key}={quoted(value)}" for key, value in look.items()]
    return f"[{', '.join(listed)}]"


def box(name: str, label: str, tip: str, look: Look, *more: str) -> str:
    """A node; `more` stands in the tooltip, each on a line of its own."""
    shown = "&#10;".join(map(tooltip, (tip, *more)))
    return f"{quoted(node(name))} {attributes({**look, 'tooltip': shown}, label)};"


def edge(
    tail: str,
    head: str,
    look: Look = MappingProxyType({}),
    port: str = "",
    label: str | None = None,
) -> str:
    return f"{quoted(node(tail))} -> {quoted(node(head))}{port} {attributes(look, label)};"


def unread(sources: Mapping[int, Mapping[int, str] | str]) -> Look:
    """What a node reads without an edge that is drawn, slot by slot, for programs that read DOT.

    It is the nodes by their place among the candidates, or `*` for everything that comes before it
    where it stands.
    """
    listed = {
        str(slot): nodes if isinstance(nodes, str) else {str(i): node(n) for i, n in nodes.items()}
        for slot, nodes in sources.items()
    }
    return {"reads": json.dumps(listed, ensure_ascii=False)} if listed else {}


def same_rank(names: Sequence[str]) -> str:
    return f'{{ rank="same"; {"; ".join(quoted(node(n)) for n in names)}; }}'
