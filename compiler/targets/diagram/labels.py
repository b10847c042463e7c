"""What stands in the boxes of a picture, as HTML-like labels of Graphviz."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...language.nodes import HeadKind
from ...network.network import Application, Head, NetworkFeature, NetworkStep, Slot
from .overlay import Overlay
from .statements import shortened, text
from .styles import SIGNS, Change, Style

SINGULAR: Mapping[HeadKind, str] = {"classes": "class", "labels": "label", "values": "value"}
LONGEST_LINE, MOST_LINES = 24, 4
BAR = 44
"""The length of a full bar, in points."""
GAP = "\N{NO-BREAK SPACE}"
"""Between two runs of text; browsers leave out a plain space at the beginning of one."""
MOST_BARS = 12
"""Operations of a Step that have a bar, or an equation in its tooltip."""


@dataclass(frozen=True)
class Labels:
    """Labels in a style."""

    style: Style

    def bold(self, name: str) -> str:
        return f"<B>{text(name)}</B>"

    def small(self, markup: str, color: str = "") -> str:
        look = f'POINT-SIZE="{self.style.small:g}" COLOR="{color or self.style.note}"'
        return f"<FONT {look}>{markup}</FONT>"

    def beside(self, markup: str) -> str:
        """Small text after a larger one."""
        return self.small(f"{GAP}{markup}")

    def signed(self, label: str, change: Change | None) -> str:
        """A label behind the sign of a change."""
        if change is None:
            return label
        sign = f'<FONT COLOR="{self.style.change(change)}"><B>{SIGNS[change]}</B></FONT>'
        return f"{sign}{GAP}{label}"

    def feature(self, feature: NetworkFeature, used: bool) -> str:
        sizes = " × ".join("*" if a.size is None else str(a.size) for a in feature.axes or ())
        color = "" if used else self.style.quiet_text
        return text(feature.name) + (f"<BR/>{self.small(sizes, color)}" if sizes else "")

    def hole(self, slot: Slot, free: bool) -> str:
        """`?` with the number of candidates, or the names of those that it is restricted to."""
        listed = "" if free else alternatives(slot.candidates)
        return listed or f"?{self.beside(f'of {len(slot.candidates)}')}"

    def input(self, name: str, node: str, slot: Slot, free: bool, overlay: Overlay) -> str:
        """An input of a Cell, with what may fill it or what did and does."""
        label = self.signed(text(name), overlay.changed.get(node))
        if node in overlay.lines:
            return label + "".join(f"<BR/>{line}" for line in overlay.lines[node])
        return label + (f" = {self.hole(slot, free)}" if slot.open else "")

    def step(self, node: str, step: NetworkStep, free: Sequence[bool], overlay: Overlay) -> str:
        """A Step with its operation, the candidates of a hole, or its weights as bars."""
        shares = overlay.operations.get(node)
        label = self.signed(self.bold(step.name), overlay.changed.get(node))
        bars = ""
        if node in overlay.lines:
            label += "".join(f"<BR/>{line}" for line in overlay.lines[node])
        elif shares is not None:
            bars = self._bars([o.label for o in step.operations], shares)
        elif step.open:
            label += f"{GAP}= ?{self.beside(f'of {len(step.operations)}')}"
            listed = alternatives([o.label for o in step.operations])
            label += f"<BR/>{self.small(listed)}" if listed else ""
        else:
            label += f"<BR/>{call(step.operations[0], step.slots)}"
        slots = self._slots(step, free, node, overlay) if any(s.open for s in step.slots) else ""
        if not (bars or slots):
            return label
        table = 'BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="1"'
        rows = "".join(f"<TR><TD>{row}</TD></TR>" for row in (label, bars, slots) if row)
        return f"<TABLE {table}>{rows}</TABLE>"

    def _slots(self, step: NetworkStep, free: Sequence[bool], node: str, overlay: Overlay) -> str:
        """Slots across the picture's flow, the ports `s0`, `s1`, … of the edges into a Step."""
        cells: list[str] = []
        for number, slot in enumerate(step.slots):
            style, color = ("dashed", self.style.hole) if slot.open else ("solid", self.style.ink)
            content = self.hole(slot, free[number]) if slot.open else text(slot.candidates[-1])
            if (node, number) in overlay.weights:
                style, content = "solid", self.small(str(number + 1))
                color = self.style.candidate
            look = f'PORT="s{number}" BORDER="1" STYLE="rounded,{style}" COLOR="{color}"'
            cells.append(f"<TD {look}>{content}</TD>")
        table = 'BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="1"'
        rows = ("" if self.style.is_upward else "</TR><TR>").join(cells)
        return f"<TABLE {table}><TR>{rows}</TR></TABLE>"

    def _bars(self, names: Sequence[str], shares: Sequence[float]) -> str:
        """A bar for each operation, as long as its weight; the heaviest, where they are many."""
        order = shown_bars(shares)
        rows = "".join(
            f'<TR><TD ALIGN="RIGHT">{self.small(text(names[place]))}</TD>'
            f'<TD ALIGN="LEFT">{self._bar(float(shares[place]))}</TD></TR>'
            for place in order
        )
        left = len(names) - len(order)
        if left:
            rows += f'<TR><TD COLSPAN="2">{self.small(f"and {left} more")}</TD></TR>'
        table = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1"'
        return f"<TABLE {table}>{rows}</TABLE>"

    def _bar(self, share: float) -> str:
        full = max(1, min(BAR - 1, round(BAR * share)))
        cells = "".join(
            f'<TD BGCOLOR="{color}" WIDTH="{width}" HEIGHT="6" FIXEDSIZE="TRUE"></TD>'
            for color, width in ((self.style.bar, full), (self.style.track, BAR - full))
        )
        table = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'
        return f"<TABLE {table}><TR>{cells}</TR></TABLE>"


SIDE_BY_SIDE = "the outputs of all heads, side by side"


def predicted(head: Head) -> str:
    """`60 classes`, `1 value`; of heads with names `4 heads`."""
    if head.kind == "several":
        return f"{len(head.parts)} head{'s' if len(head.parts) != 1 else ''}"
    return f"{head.count} {head.kind if head.count > 1 else SINGULAR[head.kind]}"


def shown_bars(shares: Sequence[float]) -> list[int]:
    """The operations that have a bar: the heaviest, where they are many."""
    order = range(len(shares))
    return sorted(sorted(order, key=lambda place: -shares[place])[:MOST_BARS])


def call(operation: Application, slots: Sequence[Slot]) -> str:
    """`MHA(x, y, heads = 4)`."""
    wording = operation.written
    arguments = ["?" if s.open else text(s.candidates[0]) for s in slots]
    arguments += [text(f"{k} = {v}") for k, v in (wording.parameters if wording else ())]
    name = wording.name if wording else operation.definition.name
    return f"{text(name)}({', '.join(arguments)})"


def alternatives(names: Sequence[str]) -> str:
    """`A | B | C` on a few lines; nothing where it would take more."""
    lines: list[list[str]] = [[]]
    for name in names:
        if lines[-1] and len(" | ".join(map(shortened, [*lines[-1], name]))) > LONGEST_LINE:
            lines.append([])
        if len(lines) > MOST_LINES:
            return ""
        lines[-1].append(name)
    return " |<BR/>".join(" | ".join(map(text, line)) for line in lines)
