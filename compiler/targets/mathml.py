"""Equations as MathML Core, which browsers show by themselves, read from their LaTeX.

NOTE: how a primitive is written is said once, by its LaTeX template. What is read here is what
templates and names are made of; a command that is not known is shown by its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from ..language.nodes import Definition
from .latex import ESCAPES, TOKEN, closes, definition_equations, is_space, opens

_UPRIGHT, _ITALIC = ' mathvariant="normal"', ' style="font-style: italic"'
_BOLD = f'{_UPRIGHT} style="font-weight: bold"'
_FONTS = {
    r"\operatorname": _UPRIGHT,
    r"\text": _UPRIGHT,
    r"\mathrm": _UPRIGHT,
    r"\textrm": _UPRIGHT,
    r"\mathit": _ITALIC,
    r"\textit": _ITALIC,
    r"\mathbf": _BOLD,
    r"\textbf": _BOLD,
}
_OPERATORS = {"-": "−", r"\odot": "⊙", r"\cdot": "⋅", r"\times": "×", r"\sum": "∑", r"\|": "∥"}
_LETTERS = {r"\sigma": "σ", r"\top": "⊤", r"\ldots": "…"}
_UNESCAPED = {command.removesuffix("{}"): c for c, command in ESCAPES.items()}
_WAITING = frozenset([r"\frac", r"\sqrt", "^", "_"])
_TIMES, _APPLIED = '<mo rspace="0.15em">&#8290;</mo>', "<mo>&#8289;</mo>"
_FAMILY = "math, 'STIX Two Math', 'Cambria Math', 'Latin Modern Math', 'DejaVu Math TeX Gyre'"
_EQUALS = '<mo form="infix">=</mo>'


def definition_mathml(definition: Definition) -> str:
    """`Name(x, y) = …` as a `<math>` element, with one row for each statement."""
    sides = [(_read(left), _read(right)) for left, right in definition_equations(definition)]
    if len(sides) == 1:
        shown = f"<mrow>{_EQUALS.join(sides[0])}</mrow>"
    else:
        rows = (
            f'<mtr><mtd style="text-align: -webkit-right; padding-right: 0">{left}</mtd>'
            f'<mtd style="text-align: -webkit-left; padding-left: 0">{_EQUALS}{right}</mtd></mtr>'
            for left, right in sides
        )
        shown = f'<mtable displaystyle="true">{"".join(rows)}</mtable>'
    return f'<math display="block" style="font-family: {_FAMILY}">{shown}</math>'


def _read(text: str) -> str:
    """A formula as one element; one stack of rows holds any depth."""
    tokens: Iterator[str] = iter(TOKEN.findall(text))
    rows, apart = [_Row()], False
    for token in tokens:
        if is_space(token):
            apart = True
            continue
        if opens(token):
            rows.append(_Row(token, apart))
        elif closes(token) and len(rows) > 1:
            row = rows.pop()
            rows[-1].add(row.closed(token), applied=not row.apart)
        elif token in _WAITING:
            rows[-1].items.append(token)
        elif token in _FONTS:
            rows[-1].add(f"<mi{_FONTS[token]}>{escape(_words(tokens))}</mi>")
        else:
            rows[-1].add(_symbol(token))
        apart = False
    return rows[0].closed()


@dataclass
class _Row:
    """Elements side by side, and commands that wait for theirs.

    `opened` is the token that it begins with, after some space if it stands `apart`.
    """

    opened: str = "{"
    apart: bool = True
    items: list[str] = field(default_factory=list)

    def add(self, element: str, applied: bool = False) -> None:
        """Takes an element, as a factor or as arguments where one stands before it."""
        items = self.items
        beside = items and _is_value(items[-1]) and r"\frac" not in items[-2:]
        if beside and _is_value(element):
            items.append(_APPLIED if applied else _TIMES)
        items.append(element)
        match items:
            case [*_, r"\frac", above, below] if _is_value(above):
                items[-3:] = [f"<mfrac>{above}{below}</mfrac>"]
            case [*_, r"\sqrt", inner]:
                items[-2:] = [f"<msqrt>{inner}</msqrt>"]
            case [*_, base, "^" | "_" as sign, script]:
                tag = "msup" if sign == "^" else "msub"
                items[-3:] = [f"<{tag}>{base}{script}</{tag}>"]
            case _:
                pass

    def closed(self, closing: str = "}") -> str:
        """The row as one element, in its brackets if it has some."""
        inner = self.items[0] if len(self.items) == 1 else f"<mrow>{''.join(self.items)}</mrow>"
        if self.opened == "{":
            return inner
        before, after = _delimiter(self.opened), _delimiter(closing)
        return f'<mrow><mo form="prefix">{before}</mo>{inner}<mo form="postfix">{after}</mo></mrow>'


def _is_value(element: str) -> bool:
    return element.startswith("<") and not element.startswith("<mo")


def _delimiter(token: str) -> str:
    shown = token.removeprefix(r"\left").removeprefix(r"\right").strip()
    return _OPERATORS.get(shown) or escape(shown.removeprefix("\\"))


def _symbol(token: str) -> str:
    if token[0].isdecimal():
        return f"<mn>{token}</mn>"
    if token in _OPERATORS:
        return f"<mo>{_OPERATORS[token]}</mo>"
    name = _LETTERS.get(token, token.removeprefix("\\"))
    tag = "mi" if token in _LETTERS or name.isalpha() else "mo"
    return f"<{tag}>{escape(name)}</{tag}>"


def _words(tokens: Iterator[str]) -> str:
    """The text of a group, without the commands that stand for characters."""
    depth, words = 0, ""
    for token in tokens:
        depth += (token == "{") - (token == "}")
        if token not in ("{", "}"):
            words += _UNESCAPED.get(token, token)
        if depth == 0:
            break
    return words
