"""The page of a report: HTML that needs no network and no script, with everything escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...compiler.targets.html import Html, html, inside, joined
from .style import STYLE


def name(value: object) -> Html:
    """A name, kept apart from the direction of what stands beside it."""
    return Html(f"<bdi>{html(value)}</bdi>")


def page(title: str, parts: Sequence[object]) -> Html:
    """The whole page."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return Html(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html(title)}</title>\n<style>{STYLE}</style></head>\n"
        f"<body><main>\n<h1>{html(title)}</h1>\n{joined(parts)}</main></body></html>\n"
    )


def section(title: object, *parts: object, level: int = 2) -> Html:
    """Parts under a heading; nothing where they are empty."""
    content = joined(parts)
    if not content:
        return Html()
    return Html(f"<section><h{level}>{html(title)}</h{level}>\n{content}</section>\n")


def folded(title: object, *parts: object, open: bool = False) -> Html:
    """Parts that a reader unfolds."""
    state = " open" if open else ""
    return Html(f"<details{state}><summary>{html(title)}</summary>\n{joined(parts)}</details>\n")


def paragraph(*parts: object) -> Html:
    return Html(f"<p>{joined(parts)}</p>\n")


def code(text: str) -> Html:
    """A program, line by line."""
    lines = "\n".join(html(line) for line in text.split("\n"))
    return Html(f"<pre tabindex='0'>{lines}</pre>\n")


def table(header: Sequence[object], rows: Iterable[Sequence[object]], caption: object = "") -> Html:
    """A table whose rows begin with what they are about; numbers are set to the right."""
    listed = [list(row) for row in rows]
    if not listed:
        return Html()
    body = "".join(
        f"<tr>{_heading(first)}{''.join(map(_cell, rest))}</tr>\n" for first, *rest in listed
    )
    looks = [
        "number" if any(map(_is_number, column)) else "" for column in zip(*listed, strict=True)
    ]
    head = "".join(
        f"<th scope='col' class='{look}'>{html(h)}</th>"
        for look, h in zip(looks, header, strict=False)
    )
    above = f"<caption>{html(caption)}</caption>" if caption else ""
    columns = f"<thead><tr>{head}</tr></thead>" if header else ""
    return wide(f"<table>{above}{columns}<tbody>\n{body}</tbody></table>")


def wide(content: str) -> Html:
    """What is scrolled where a page is narrower than it, by the keyboard too."""
    return Html(f"<div class='wide' tabindex='0'>{content}</div>\n")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _heading(value: object) -> str:
    return f"<th scope='row'>{name(value)}</th>"


def _cell(value: object) -> str:
    if value is None:
        return "<td></td>"
    if isinstance(value, float):
        return f"<td class='number'>{number(value)}</td>"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"<td class='number'>{value:,}</td>"
    return f"<td>{name(value)}</td>"


def number(value: float) -> str:
    """A number with as many digits as say something."""
    if abs(value) < 5e-5:
        return "0"
    if 0.001 <= abs(value) < 100:
        return f"{value:.4f}".rstrip("0").rstrip(".") if value == round(value) else f"{value:.4f}"
    return f"{value:,.1f}" if 100 <= abs(value) < 1e9 else f"{value:.3g}"


def figure(content: object, caption: object = "", kind: str = "") -> Html:
    """A picture with what it shows below it."""
    below = f"<figcaption>{html(caption)}</figcaption>" if caption else ""
    return Html(f"<figure class='{kind}'>{html(content)}{below}</figure>\n")


def picture(svg: str) -> Html:
    """An SVG file inside HTML."""
    return Html(inside(svg))
