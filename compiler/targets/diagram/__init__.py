"""The diagram target: a fusion Graph as DOT text, and through it as SVG, PNG or PDF.

`whole.py` says what is in a picture of a network, `single.py` in that of a Cell, `compact.py` in
that of a large network; `overlay.py` what is said beyond the network. `statements.py` writes DOT,
and `engine.py` has it drawn.
"""

from __future__ import annotations

from .engine import FORMATS, formats
from .ensemble import EnsembleGraph
from .picture import LEGIBLE, ONE_COLUMN, TWO_COLUMNS, Drawing, Drawn, dot, render, smallest_text
from .styles import STYLES, style_named
from .weights import of_mixtures

__all__ = [
    "FORMATS",
    "LEGIBLE",
    "ONE_COLUMN",
    "STYLES",
    "TWO_COLUMNS",
    "Drawing",
    "Drawn",
    "EnsembleGraph",
    "dot",
    "formats",
    "of_mixtures",
    "render",
    "smallest_text",
    "style_named",
]
