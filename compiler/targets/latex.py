"""Equations as LaTeX, from the primitives' own templates.

NOTE: what a value binds to, and so where brackets stand, is read off the template that it is put
into, in one way for operators and for calls: a primitive says no more than how it is written.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TypeAlias

from ...ops.primitive import Primitive, primitives
from ..language import expression as x
from ..language.nodes import Definition

TOKEN = re.compile(
    r"\0\d+\0|\\(?:left|right)(?![A-Za-z])\s*(?:\\[A-Za-z]+|\\?.)|\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\s+|.",
    re.DOTALL,
)
"""A command, a delimiter with its `\\left` or `\\right`, a number, space, or one character."""
ESCAPES = {c: rf"\{c}" for c in "_%&#${}"} | {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}
_AS_TEXT = {"operatorname": "textrm", "mathit": "textit", "mathbf": "textbf"}

_SUM, _PRODUCT, _MAP, _SCRIPT, _ATOM = 1, 2, 3, 4, 5
"""How strongly a text binds: `a + b`, `a ⊙ b`, `a b`, a fraction or `a^b`, anything else."""
_SIGNS = {"+": _SUM, "-": _SUM, r"\odot": _PRODUCT, r"\cdot": _PRODUCT, r"\times": _PRODUCT}
_SEPARATORS = frozenset([",", "=", r"\|"])
_SCRIPTS = frozenset("^_")
_Shown: TypeAlias = tuple[str, int]
"""A text and how strongly it binds."""


def definition_latex(definition: Definition) -> str:
    """`Name(x, y) = …` as LaTeX, with one line for each statement."""
    equations = definition_equations(definition)
    if len(equations) == 1:
        return " = ".join(equations[0])
    lines = r" \\ ".join(f"{left} &= {right}" for left, right in equations)
    return rf"\begin{{aligned}} {lines} \end{{aligned}}"


def definition_equations(definition: Definition) -> list[tuple[str, str]]:
    """Both sides of each equation as LaTeX: the assignments, then the operation itself."""
    inputs = [_symbol(i) for i in definition.inputs]
    if definition.rest:
        inputs[-1] += r"_1, \ldots"
    head = f"{_named('operatorname', definition.name)}({', '.join(inputs)})"
    assigned = [s for s in definition.body.statements if isinstance(s, x.Assignment)]
    return [
        *((_symbol(s.name), _shown(s.value)[0]) for s in assigned),
        (head, _shown(definition.body.result)[0]),
    ]


def escape(text: str) -> str:
    """A name as LaTeX text; what cannot be printed becomes `?`."""
    return "".join(ESCAPES.get(c, c) if c.isprintable() else "?" for c in text)


def is_space(token: str) -> bool:
    return token.isspace() or token in (r"\,", r"\:", r"\;", r"\!", r"\quad")


def opens(token: str) -> bool:
    return token in ("{", "(", "[") or token.startswith(r"\left")


def closes(token: str) -> bool:
    return token in ("}", ")", "]") or token.startswith(r"\right")


# Expressions


def _shown(e: x.Expression) -> _Shown:
    match e:
        case x.Number(value):
            return _number(value)
        case x.Name(name):
            return _symbol(name), _ATOM
        case x.Parameter(name):
            return _named("mathbf", name), _ATOM
        case x.Rest() | x.Group():
            return ", ".join(text for text, _ in _listed(e)), 0
        case x.Negative(operand):
            return _filled(primitives()["negative"], [_shown(operand)])
        case x.Binary(operator, left, right):
            return _filled(primitives()[x.OPERATORS[operator]], [_shown(left), _shown(right)])
        case x.Call():
            return _call(e)
        case x.Hole(candidates, arguments):
            names = r" \mid ".join(_named("operatorname", c.function) for c in candidates)
            return rf"\left\{{{names}\right\}}{_argued(arguments)}", _ATOM


def _listed(e: x.Expression) -> list[_Shown]:
    """What stands for an expression among arguments or axes."""
    match e:
        case x.Rest(name):
            return [(f"{_symbol(name)}_1", _SCRIPT), (r"\ldots", _ATOM)]
        case x.Group(items):
            return [_shown(i) for i in items]
        case _:
            return [_shown(e)]


def _call(e: x.Call) -> _Shown:
    """A primitive as its template says; an operation, or what does not fit, by its name."""
    record = primitives().get(e.function)
    if record is not None and record.public:
        most = 1 if record.reads_lengths else record.inputs[1]
        inputs = [shown for a in e.arguments[:most] for shown in _listed(a)][:most]
        names = [a.name for a in record.attributes]
        further = () if most is None else e.arguments[most:]
        settings = dict(zip(names, further, strict=False)) | dict(e.named)
        if record.takes(len(inputs)) and settings.keys() <= set(names):
            return _filled(record, inputs, **{k: _setting(v) for k, v in settings.items()})
    return _named("operatorname", e.function) + _argued(e.arguments), _ATOM


def _argued(arguments: Sequence[x.Expression]) -> str:
    listed = ", ".join(text for a in arguments for text, _ in _listed(a))
    return rf"\left({listed}\right)"


def _setting(e: x.Expression) -> tuple[str, ...]:
    """A setting's values; names are axes or words, which templates set in roman themselves."""
    values = e.items if isinstance(e, x.Group) else (e,)
    return tuple(escape(v.name) if isinstance(v, x.Name) else _shown(v)[0] for v in values)


def _number(value: int | float) -> _Shown:
    digits, _, exponent = repr(value).partition("e")
    digits = digits.removesuffix(".0")
    if exponent:
        return rf"{digits} \cdot 10^{{{int(exponent)}}}", _PRODUCT
    return digits, _SUM if value < 0 else _ATOM


def _symbol(name: str) -> str:
    single = len(name) == 1 and name.isascii() and name.isalpha()
    return name if single else _named("mathit", name)


def _named(command: str, name: str) -> str:
    """A name in a font of formulas, or in that font of texts which has all its characters."""
    plain = re.fullmatch(r"\w+(\.\w+)*", name, re.ASCII)
    return rf"\{command if plain else _AS_TEXT[command]}{{{escape(name)}}}"


# Templates


def _filled(record: Primitive, inputs: Sequence[_Shown], **settings: tuple[str, ...]) -> _Shown:
    """A primitive's template with its inputs, in brackets where they bind less than it asks for."""
    marks = {f"\0{i}\0": shown for i, shown in enumerate(inputs)}
    tokens = TOKEN.findall(record.latex(*marks, **settings))
    if len(tokens) == 1 and tokens[0] in marks:
        return marks[tokens[0]]
    solid = [token for token in tokens if not is_space(token)]
    around, at, text = ["{", *solid, "}"], 0, ""
    for token in tokens:
        at += not is_space(token)
        inner = marks.get(token)
        text += _bracketed(inner, around[at - 1], around[at + 1]) if inner else token
    return text, _binds(solid, marks.keys())


def _bracketed(shown: _Shown, before: str, after: str) -> str:
    """A text between two tokens of a template."""
    text, binds = shown
    first, last = opens(before) or before in _SEPARATORS, closes(after) or after in _SEPARATORS
    left = 0 if first else _SIGNS.get(before, _MAP) + (before == "-")
    right = 0 if last else _ATOM if after in _SCRIPTS else _SIGNS.get(after, _MAP)
    signed = text.startswith("-") and not first
    return rf"\left({text}\right)" if signed or binds < max(left, right) else text


def _binds(tokens: Sequence[str], marks: Collection[str]) -> int:
    """How strongly a template binds: what it has outside of all groups decides."""
    depth, top = 0, [""]
    for token in tokens:
        depth -= closes(token)
        if depth == 0 and not closes(token):
            top.append(token)
        depth += opens(token)
    signs = [_SIGNS[token] for token in top if token in _SIGNS]
    if signs:
        return min(signs)
    top.append("")
    beside = {t for i, mark in enumerate(top) if mark in marks for t in (top[i - 1], top[i + 1])}
    if beside - _SCRIPTS - {""}:
        return _MAP
    return _SCRIPT if beside or r"\frac" in top else _ATOM
