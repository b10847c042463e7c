"""A picture as TikZ, from the SVG that Graphviz laid out: what stands where is decided once.

Lengths are big points, of which an inch has 72, as in the SVG. Texts are set in the
PostScript families that every LaTeX has, whose widths the layout was made for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from xml.etree import ElementTree

from ..latex import escape

DOCUMENT = r"""\documentclass{article}
\usepackage{tikz}
\begin{document}
\setbox0=\hbox{%
PICTURE}
\pdfpagewidth=\wd0 \pdfpageheight=\dimexpr\ht0+\dp0\relax \pdfhorigin=0pt \pdfvorigin=0pt
\shipout\box0
\end{document}
"""
"""For pdfLaTeX: one page, as large as the picture, with no class that is not always there."""
_SVG = "{http://www.w3.org/2000/svg}"
_POINT = re.compile(r"(-?[\d.]+),(-?[\d.]+)")
_SCALE = re.compile(r"scale\(([\d.]+)")
_LINE_HEIGHT = 1.2
_SIGNS: Mapping[str, str] = {
    "×": r"$\times$",
    "–": "--",
    "−": "$-$",
    "…": r"\dots{}",
    "·": r"$\cdot$",
    "≤": r"$\leq$",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "γ": r"$\gamma$",
    "\N{NO-BREAK SPACE}": "~",
}
"""What pdfLaTeX has no letter for."""


def tikz(svg: bytes, *, document: bool = False) -> str:
    """A `tikzpicture` that `\\input` takes; or a document that is nothing but the picture."""
    root = ElementTree.fromstring(svg)
    whole = next(root.iter(f"{_SVG}g"))
    scale = _SCALE.search(whole.get("transform", ""))
    factor = float(scale[1]) if scale else 1.0
    options = f"[x={factor:g}bp, y=-{factor:g}bp, line join=round, inner sep=0pt, outer sep=0pt]"
    lines = [rf"\begin{{tikzpicture}}{options}"]
    lines += [f"  {line}" for element in whole.iter() for line in _drawn(element, factor)]
    picture = "\n".join([*lines, r"\end{tikzpicture}", ""])
    return DOCUMENT.replace("PICTURE", picture) if document else picture


def _drawn(element: ElementTree.Element, factor: float) -> Iterator[str]:
    kind = element.tag.removeprefix(_SVG)
    if kind == "polygon":
        points = _POINT.findall(element.get("points", ""))[:-1]
        yield from _shape(
            element, factor, " -- ".join(f"({x},{y})" for x, y in points) + " -- cycle"
        )
    elif kind == "path":
        yield from _shape(element, factor, _path(element.get("d", "")))
    elif kind == "text":
        yield _text(element, factor)


def _path(data: str) -> str:
    """A path of Bézier curves; one that ends where it began is closed."""
    start, *points = [f"({x},{y})" for x, y in _POINT.findall(data)]
    curves = zip(points[::3], points[1::3], points[2::3], strict=True)
    drawn = "".join(f" .. controls {a} and {b} .. {end}" for a, b, end in curves)
    return start + drawn + (" -- cycle" if points and points[-1] == start else "")


def _shape(element: ElementTree.Element, factor: float, path: str) -> Iterator[str]:
    """A line, an area or both; nothing where neither can be seen."""
    fill, stroke = (element.get(name, "none") for name in ("fill", "stroke"))
    looks: list[str] = []
    if _is_seen(stroke):
        looks += [f"draw={_colour(stroke)}"]
        looks += [f"line width={factor * float(element.get('stroke-width', '1')):.3g}bp"]
        looks += [f"draw opacity={float(o):.2g}" for o in _given(element, "stroke-opacity")]
        looks += [f"dash pattern={_dashes(d, factor)}" for d in _given(element, "stroke-dasharray")]
    if _is_seen(fill):
        looks += [f"fill={_colour(fill)}"]
        looks += [f"fill opacity={float(o):.2g}" for o in _given(element, "fill-opacity")]
    if looks:
        yield rf"\path[{', '.join(looks)}] {path};"


def _given(element: ElementTree.Element, name: str) -> Iterable[str]:
    value = element.get(name)
    return () if value is None else (value,)


def _is_seen(colour: str) -> bool:
    return colour not in ("none", "transparent")


def _colour(value: str) -> str:
    """A colour of six hexadecimal digits in TikZ's own notation; a name as it is."""
    if not value.startswith("#"):
        return value
    red, green, blue = (int(value[i : i + 2], 16) for i in (1, 3, 5))
    return f"{{rgb,255:red,{red};green,{green};blue,{blue}}}"


def _dashes(array: str, factor: float) -> str:
    lengths = [factor * float(length) for length in array.split(",")]
    words = ("on", "off")
    return " ".join(f"{words[i % 2]} {length:.3g}bp" for i, length in enumerate(lengths))


def _text(element: ElementTree.Element, factor: float) -> str:
    size = factor * float(element.get("font-size", "10"))
    weight = r"\bfseries" if element.get("font-weight") == "bold" else ""
    family = "ptm" if "Times" in element.get("font-family", "") else "phv"
    sizes = f"{{{size:.3g}bp}}{{{_LINE_HEIGHT * size:.3g}bp}}"
    font = rf"\fontfamily{{{family}}}\fontsize{sizes}\selectfont{weight}"
    anchor = {"middle": "base", "end": "base east"}.get(element.get("text-anchor", ""), "base west")
    looks = f"anchor={anchor}, text={_colour(element.get('fill', 'black'))}, font={{{font}}}"
    place = f"({element.get('x')},{element.get('y')})"
    return rf"\node[{looks}] at {place} {{{_written(element.text or '')}}};"


def _written(text: str) -> str:
    return "".join(_SIGNS.get(char) or escape(char) for char in text)
