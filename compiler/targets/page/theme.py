"""Colours of a page's picture, which follow the reader's light or dark screen.

Each colour of a style is drawn as a code of its own, and each code becomes a CSS variable.
"""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any

from ..diagram.styles import SCREEN, STYLES, Style
from ..html import Html, inside

_COLOURS = [f.name for f in fields(Style) if str(getattr(SCREEN, f.name)).startswith("#")]
_CODES: dict[str, Any] = {name: f"#0100{number:02x}" for number, name in enumerate(_COLOURS, 1)}
SYMBOLS = replace(SCREEN, name="symbols", **_CODES)
"""The style whose colours are codes."""
_SIZE = re.compile(r'(<svg) width="[^"]*" height="[^"]*"')


def symbolic(picture: str) -> Html:
    """An SVG drawn with `SYMBOLS`, inside HTML, with variables for its codes."""
    text = inside(picture)
    for name, code in _CODES.items():
        text = text.replace(f'"{code}"', f'"var(--{name.replace("_", "-")})"')
    return Html(_SIZE.sub(r"\1", text, count=1))


def variables() -> str:
    """The variables, for light and dark screens."""
    light, dark = (
        " ".join(f"--{n.replace('_', '-')}: {getattr(style, n)};" for n in _COLOURS)
        for style in (SCREEN, STYLES["dark"])
    )
    return (
        f":root {{ color-scheme: light dark; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    )
