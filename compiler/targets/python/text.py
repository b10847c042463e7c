"""Text of the Python target: expressions, the lines of a function, and what names become.

NOTE: names come from a specification and may hold anything that can be printed. They
reach the text through `quoted`, `printable`, `docstring` and `Names.local` alone, none of which a
name leaves.
"""

from __future__ import annotations

import builtins
import keyword
import re
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...diagnostics.text import printable
from .terms import Node

WIDTH = 88
"""Where lines break; with the commas at their ends, formatters leave them so at 100 as well."""
INDENT = 4
LONGEST_LOCAL = 40
_POSTFIX, _UNARY = 10, 8
_PRECEDENCE = {"<": 1, "<=": 1, ">": 1, ">=": 1, "|": 2, "&": 4, "+": 6, "-": 6}
_PRODUCT = 7
_BRACKETS = {"call": ("(", ")"), "tuple": ("(", ")"), "list": ("[", "]"), "item": ("[", "]")}
_AMBIGUOUS = frozenset("lOI")
RESERVED = frozenset([*keyword.kwlist, "self", "torch", "nn", "float", *_AMBIGUOUS])
"""What no local variable is called."""
GLOBAL = frozenset([*RESERVED, *dir(builtins), "Tensor", "Mapping", "Self", "Named", "uniform"])
"""What no class is called."""


def docstring(lines: Sequence[str], indent: int = INDENT) -> list[str]:
    """A docstring of lines, the first of which begins with a letter."""
    text = "\n".join(lines).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    text = "\n".join(printable(line) for line in text.split("\n"))
    if text.endswith('"'):
        text = text[:-1] + '\\"'
    text = f'"""{text}\n"""' if "\n" in text else f'"""{text}"""'
    return textwrap.indent(text, " " * indent).split("\n")


def fill(text: str, indent: int = INDENT) -> list[str]:
    """Lines of text that is broken at blanks where it is too wide."""
    lines: list[str] = []
    for line in text.split("\n"):
        before = " " * (len(line) - len(line.lstrip(" ")))
        lines += textwrap.wrap(
            line.strip(" "),
            WIDTH - indent,
            initial_indent=before,
            subsequent_indent=before,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return lines


@dataclass
class Names:
    """Python names for those of a specification, each of them another."""

    taken: set[str] = field(default_factory=lambda: set(RESERVED))

    def local(self, name: str) -> str:
        """An identifier that is not taken, and is the name itself where it can be.

        It never begins with two underscores, which mean something else inside a class.
        """
        text = re.sub(r"\W", "_", unicodedata.normalize("NFKC", name))[:LONGEST_LOCAL]
        if not text.isidentifier() or text.startswith("__"):
            text = "_" + text.lstrip("_")
        free, number = text, 1
        while free in self.taken:
            number += 1
            free = f"{text}_{number}"
        self.taken.add(free)
        return free


def render(node: Node, names: Mapping[Node, str], floor: int = 0) -> str:
    """An expression; nodes with names are written by name, others in full.

    It stands in parentheses where it binds less than `floor` asks for.
    """
    if node in names:
        return names[node]
    text, binds = _render(node, names)
    return f"({text})" if binds < floor else text


def _render(node: Node, names: Mapping[Node, str]) -> tuple[str, int]:
    children = node.children
    match node.form:
        case "atom":
            return node.text, _POSTFIX
        case "scalar":
            return f"torch.tensor({node.text}, dtype=torch.float64)", _POSTFIX
        case "attribute":
            text = f"{render(children[0], names, _POSTFIX)}.{node.text}"
            return "nn" if text == "torch.nn" else text, _POSTFIX
        case "unary":
            return f"{node.text}{render(children[0], names, _UNARY)}", _UNARY
        case "binary":
            binds = _PRECEDENCE.get(node.text, _PRODUCT)
            left = render(children[0], names, binds + (binds == 1))
            return f"{left} {node.text} {render(children[1], names, binds + 1)}", binds
        case "slice":
            start, stop, step = (render(child, names) for child in children)
            return f"{start}:{stop}" + (f":{step}" if step else ""), _POSTFIX
        case _:
            opening, items, closing = _bracketed(node, names)
            shown = ", ".join(label + render(item, names) for label, item in items)
            comma = "," if node.form == "tuple" and len(items) == 1 else ""
            return f"{opening}{shown}{comma}{closing}", _POSTFIX


def _bracketed(
    node: Node, names: Mapping[Node, str]
) -> tuple[str, Sequence[tuple[str, Node]], str]:
    """What stands before the items of a call, index, tuple or list, the items, and after them."""
    opening, closing = _BRACKETS[node.form]
    if node.form in ("tuple", "list"):
        return opening, [("", child) for child in node.children], closing
    before, *items = node.children
    labels = node.labels[1:] or [""] * len(items)
    head = render(before, names, _POSTFIX)
    return head + opening, list(zip(labels, items, strict=True)), closing


def statement(
    node: Node, names: Mapping[Node, str], head: str = "", note: str = "", indent: int = 2 * INDENT
) -> list[str]:
    """The lines of `head` and an expression, with a comment after them or, if too wide, before."""
    lines = _broken(node, names, head, "", indent)
    if not note:
        return lines
    note = f"# {printable(note)}"
    if len(lines) == 1 and len(lines[0]) + len(note) + 2 > WIDTH:
        return [" " * indent + note, *lines]
    return [*lines[:-1], f"{lines[-1]}  {note}"]


def _broken(node: Node, names: Mapping[Node, str], head: str, tail: str, indent: int) -> list[str]:
    """An expression in full, on one line or, where it is too wide, with one item on each."""
    margin = " " * indent
    line = margin + head + _render(node, names)[0] + tail
    alone = node.form == "item" and len(node.children) == 2
    if len(line) <= WIDTH or node.form not in _BRACKETS or alone:
        return [line]
    opening, items, closing = _bracketed(node, names)
    if not items:
        return [line]
    lines = [margin + head + opening]
    for label, item in items:
        if item in names:
            lines.append(f"{margin}{' ' * INDENT}{label}{names[item]},")
        else:
            lines += _broken(item, names, label, ",", indent + INDENT)
    return [*lines, margin + closing + tail]
