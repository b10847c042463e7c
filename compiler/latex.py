"""Equations as LaTeX, from the primitives' own templates."""

from __future__ import annotations

from ..ops.primitive import primitives
from . import expression as x
from .spec import Definition

_SUM, _PRODUCT = 1, 2


def definition_latex(definition: Definition) -> str:
    """`Name(x, y) = …` as LaTeX, with one line for each statement."""
    inputs = [_symbol(i) for i in definition.inputs]
    if definition.rest:
        inputs[-1] += r"_1, \ldots"
    lines = [
        f"{_symbol(s.name)} &= {_latex(s.value)}"
        for s in definition.body.statements
        if isinstance(s, x.Assignment)
    ]
    head = rf"\operatorname{{{_escape(definition.name)}}}({', '.join(inputs)})"
    result = _latex(definition.body.result)
    if not lines:
        return f"{head} = {result}"
    joined = r" \\ ".join([*lines, f"{head} &= {result}"])
    return rf"\begin{{aligned}} {joined} \end{{aligned}}"


def _latex(e: x.Expression, floor: int = 0) -> str:
    match e:
        case x.Number(value):
            return f"{value:g}"
        case x.Name(name):
            return _symbol(name)
        case x.Rest(name):
            return rf"{_symbol(name)}_1, \ldots"
        case x.Parameter(name):
            return rf"\mathbf{{{_escape(name)}}}"
        case x.Group(items):
            return ", ".join(_latex(i) for i in items)
        case x.Call(function, arguments, named):
            return _call(function, arguments, named)
        case x.Negative(operand):
            text, binds = primitives()["negative"].latex(_latex(operand, _PRODUCT)), _SUM
        case x.Binary(operator, left, right):
            binds = _SUM if operator in "+-" else _PRODUCT
            inner = 0 if operator == "/" else binds
            sides = _latex(left, inner), _latex(right, inner + (operator == "-"))
            text = primitives()[x.OPERATORS[operator]].latex(*sides)
    return rf"\left({text}\right)" if binds < floor else text


def _call(
    function: str, arguments: tuple[x.Expression, ...], named: tuple[tuple[str, x.Expression], ...]
) -> str:
    record = primitives().get(function)
    if record is None:
        shown = ", ".join(_latex(a) for a in arguments)
        return rf"\operatorname{{{_escape(function)}}}\left({shown}\right)"
    most = record.inputs[1]
    inputs = arguments if most is None else arguments[:most]
    attributes = {
        key: tuple(_latex(i) for i in (value.items if isinstance(value, x.Group) else (value,)))
        for key, value in named
    }
    return record.latex(*(_latex(a) for a in inputs), **attributes)


def _symbol(name: str) -> str:
    return _escape(name) if len(name) == 1 else rf"\mathit{{{_escape(name)}}}"


def _escape(text: str) -> str:
    escaped = {"\\": r"\textbackslash ", **{c: rf"\{c}" for c in "_%&#${}"}}
    return "".join(escaped.get(c, c) for c in text)
