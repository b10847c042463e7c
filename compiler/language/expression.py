"""Equations as trees: the body of an operation or a role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ..diagnostics.source import Span, span_field

Operator = Literal["+", "-", "*", "/", "@"]
OPERATORS: Mapping[Operator, str] = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "@": "linear",
}
"""The primitive that each operator stands for."""


@dataclass(frozen=True, slots=True)
class Named:
    """What stands where its name stands."""

    name: str

    @property
    def span(self) -> Span | None:
        return getattr(self.name, "span", None)


@dataclass(frozen=True, slots=True)
class Number:
    value: int | float
    span: Span | None = span_field()


@dataclass(frozen=True, slots=True)
class Name(Named):
    """An input, an intermediate result, a named number, an axis, or `_` in a size."""


@dataclass(frozen=True, slots=True)
class Rest:
    """`*s`: all inputs that the last input of the definition stands for."""

    name: str
    span: Span | None = span_field()


@dataclass(frozen=True, slots=True)
class Parameter:
    """`W[_, C]` or `b[C] = ones`; `initial` is a number, or the name of a distribution."""

    name: str
    sizes: tuple[Expression, ...]
    initial: str | int | float | None = None
    span: Span | None = span_field()


@dataclass(frozen=True, slots=True)
class Negative:
    operand: Expression
    span: Span | None = span_field()


@dataclass(frozen=True, slots=True)
class Binary:
    operator: Operator
    left: Expression
    right: Expression
    span: Span | None = span_field()


@dataclass(frozen=True, slots=True)
class Group:
    """`(length, channels)`: several axes."""

    items: tuple[Expression, ...]
    span: Span | None = span_field()


@dataclass(frozen=True, slots=True)
class Call:
    """A primitive or an operation applied to arguments, with its parameters by name."""

    function: str
    arguments: tuple[Expression, ...]
    named: tuple[tuple[str, Expression], ...] = ()
    span: Span | None = span_field()


@dataclass(frozen=True, slots=True)
class Hole:
    """`{A | B}(x, *s)`: one of several calls, which have their arguments in common."""

    candidates: tuple[Call, ...]
    arguments: tuple[Expression, ...]
    span: Span | None = span_field()

    def filled(self, candidate: int) -> Call:
        """The call of a candidate."""
        return replace(self.candidates[candidate], arguments=self.arguments)


Expression: TypeAlias = Number | Name | Rest | Parameter | Negative | Binary | Group | Call | Hole


@dataclass(frozen=True, slots=True)
class Assignment(Named):
    value: Expression


@dataclass(frozen=True, slots=True)
class Body:
    """What an equation computes: assignments and declared parameters, then the result."""

    result: Expression
    statements: tuple[Assignment | Parameter, ...] = ()


def children(expression: Expression) -> tuple[Expression, ...]:
    """The expressions directly inside an expression."""
    match expression:
        case Parameter(_, sizes):
            return sizes
        case Negative(operand):
            return (operand,)
        case Binary(_, left, right):
            return (left, right)
        case Group(items):
            return items
        case Call(_, arguments, settings):
            return (*arguments, *(value for _, value in settings))
        case Hole(candidates, arguments):
            return (*candidates, *arguments)
        case _:
            return ()


def levels(body: Body) -> Iterator[tuple[Expression, int]]:
    """Every expression in a body, and how many stand around it."""
    roots = [body.result, *(s.value if isinstance(s, Assignment) else s for s in body.statements)]
    stack: list[tuple[Expression, int]] = [(root, 0) for root in roots]
    while stack:
        expression, level = stack.pop()
        yield expression, level
        stack.extend((child, level + 1) for child in children(expression))


def walk(body: Body) -> Iterator[Expression]:
    """Every expression in a body."""
    return (expression for expression, _ in levels(body))
