"""How a picture looks: for print, for a light screen, and for a dark one.

Colours are of the palette of Okabe and Ito, which people with any colour vision tell apart. No
meaning rests on colour alone: the two levels differ in width, holes and candidates are dashed, and
changes carry a sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from ...diagnostics.diagnostic import did_you_mean, fail, one_of
from .statements import Look

Direction = Literal["bottom-up", "left-right"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
"""Where a picture flows to."""
Change = Literal["added", "removed", "changed"]
SIGNS: Mapping[Change, str] = {"added": "+", "removed": "\N{MINUS SIGN}", "changed": "~"}


@dataclass(frozen=True, kw_only=True)
class Style:
    """Colours, fonts and sizes in points.

    `font` is a list of families; `measured` the one of them whose widths the program that pip
    brings knows. `upper` belongs to edges into and out of Cells, `ink` to those inside.
    """

    name: str
    direction: Direction = "bottom-up"
    font: str = "Helvetica,Arial,sans-serif"
    measured: str = "Helvetica"
    size: float = 10
    small: float = 8
    page: str = "#ffffff"
    box: str = "#ffffff"
    ink: str = "#222222"
    note: str = "#666666"
    upper: str = "#0072b2"
    hole: str = "#a84300"
    candidate: str = "#777777"
    quiet: str = "#c4c4c4"
    quiet_text: str = "#767676"
    quiet_box: str = "#fafafa"
    lane: str = "#f0f0f0"
    cell: str = "#e6f1f8"
    bar: str = "#0072b2"
    track: str = "#dddddd"
    added: str = "#00704f"
    removed: str = "#b03a00"
    changed: str = "#7a4a92"

    @property
    def is_upward(self) -> bool:
        return self.direction == "bottom-up"

    @property
    def entry(self) -> str:
        """The side of a box at which edges come in."""
        return "s" if self.is_upward else "w"

    @property
    def top(self) -> str:
        """What Graphviz calls the upper end of a frame, which turns with the picture."""
        return "b" if self.is_upward else "t"

    def change(self, change: Change) -> str:
        """The colour of a change."""
        return {"added": self.added, "removed": self.removed, "changed": self.changed}[change]

    def of_box(self, used: bool, open: bool, change: Change | None) -> Look:
        """The frame of a node, apart from its shape."""
        if change is not None:
            style = "rounded,filled,dashed" if change == "removed" else "rounded,filled"
            return {"style": style, "color": self.change(change), "penwidth": 1.6}
        if not used:
            return {"color": self.quiet, "fontcolor": self.quiet_text, "fillcolor": self.quiet_box}
        return {"style": "rounded,filled,dashed", "color": self.hole} if open else {}

    def of_edge(
        self, upper: bool, used: bool, open: bool, change: Change | None, weight: float | None
    ) -> Look:
        """An edge: of a candidate where it is `open`; `weight` is its share in a mixture."""
        color = self.upper if upper else self.ink
        if weight is not None:
            width = round(0.4 + (2.6 if upper else 2.2) * weight, 2)
            return {"color": faded(color, weight), "penwidth": width, "arrowsize": 0.4}
        if change is not None:
            look: Look = {"color": self.change(change), "penwidth": 1.6 if upper else 1.2}
            return {**look, "style": "dashed"} if change == "removed" else look
        if not used:
            return {"color": self.quiet}
        if open:
            return {
                "style": "dashed",
                "penwidth": 0.7,
                "color": self.upper if upper else self.candidate,
            }
        return {"color": color, "penwidth": 1.3} if upper else {}

    @property
    def unchanged(self) -> Look:
        """An edge beside others that changed."""
        return {"color": self.candidate, "penwidth": 0.6}

    @property
    def of_page(self) -> Look:
        return {
            "fontname": self.font,
            "fontsize": self.size,
            "fontcolor": self.ink,
            "rankdir": "BT" if self.is_upward else "LR",
            "compound": "true",
            "newrank": "true",
            "remincross": "false",
            "bgcolor": self.page,
            "pad": 0.1,
        }

    @property
    def of_nodes(self) -> Look:
        return {
            "fontname": self.font,
            "fontsize": self.size,
            "fontcolor": self.ink,
            "shape": "box",
            "style": "rounded,filled",
            "fillcolor": self.box,
            "color": self.ink,
            "margin": "0.08,0.04",
            "height": 0.25,
            "width": 0.3,
            "penwidth": 0.8,
        }

    @property
    def of_edges(self) -> Look:
        return {"color": self.ink, "arrowsize": 0.5, "penwidth": 0.8}


def faded(color: str, weight: float) -> str:
    """A colour whose opacity is a weight, never so low that it vanishes."""
    return f"{color}{round(255 * (0.1 + 0.9 * min(1.0, max(0.0, weight)))):02x}"


SCREEN = Style(name="screen")
STYLES: Mapping[str, Style] = {
    style.name: style
    for style in (
        SCREEN,
        Style(
            name="dark",
            page="#12171d",
            box="#1b232c",
            ink="#e6e6e6",
            note="#a9b4bf",
            upper="#56b4e9",
            hole="#f0b33a",
            candidate="#98a2ad",
            quiet="#4a545f",
            quiet_text="#98a2ad",
            quiet_box="#151b22",
            lane="#222b35",
            cell="#142636",
            bar="#56b4e9",
            track="#36424e",
            added="#2fc99b",
            removed="#ff8a4a",
            changed="#d9a0d0",
        ),
        replace(
            SCREEN,
            name="paper",
            font="Times New Roman,Times,Liberation Serif,serif",
            measured="Times",
            size=11,
            small=9.5,
            ink="#000000",
            note="#444444",
            upper="#005a8f",
            quiet="#b0b0b0",
            quiet_text="#707070",
            lane="#eeeeee",
            cell="#f2f7fb",
            bar="#005a8f",
        ),
    )
}
"""Styles by their names."""


def style_named(name: str, direction: str = "bottom-up") -> Style:
    """The style of that name, flowing to a direction; raises DiagnosticError without such ones."""
    if name not in STYLES:
        remedy = did_you_mean(name, STYLES) or f"styles are {one_of(list(STYLES))}"
        raise fail("E506", f"unknown style `{name}`", help=remedy)
    if direction not in DIRECTIONS:
        message = f"a picture does not flow `{direction}`"
        raise fail("E506", message, help=f"directions are {one_of(DIRECTIONS)}")
    return replace(STYLES[name], direction=direction)
