"""Equations of the grammar as nodes, bottom up: names, numbers and expressions."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, cast

from ..diagnostics.diagnostic import Report
from ..diagnostics.source import Name, Real, Source, Span, Whole, located
from ..language import expression as x
from ..language.limits import DEEPEST, LONGEST_NAME, LONGEST_NUMBER
from ..language.nodes import Operation, Setting, name_problem
from .lalr import Range, Token
from .nesting import too_deep

LARGEST_WHOLE = 2**53


def embedded(place: Span, offsets: Sequence[int] | None, start: int, end: int) -> Span:
    """The span in a document of characters `start` to `end` of an equation that stands in it."""
    if offsets is None:
        return place
    last = len(offsets) - 1
    return Span(place.source, offsets[min(start, last)], offsets[min(end, last)], place.pointer)


def _not_too_deep(body: x.Body) -> x.Body:
    """The body; raises DiagnosticError (E003) where what follows would recurse too deep."""
    for expression, level in x.levels(body):
        if level > DEEPEST:
            raise too_deep(expression.span)
    return body


class EquationBuilder:
    """Turns what equations are made of into nodes; one instance serves one text."""

    def __init__(
        self,
        source: Source,
        report: Report,
        place: Span | None = None,
        offsets: Sequence[int] | None = None,
    ) -> None:
        self._source, self._report = source, report
        self._place, self._offsets = place, offsets

    def _span(self, node: Range | Token) -> Span:
        if self._place is not None:
            return embedded(self._place, self._offsets, node.start, node.end)
        return Span(self._source, node.start, node.end)

    # Terminals

    def NAME(self, text: str, kind: str, start: int, end: int) -> Name:  # noqa: N802
        quoted = text[0] == "`"
        name = Name(text[1:-1] if quoted else text, self._span(Range(start, end)))
        if not quoted and len(text) <= LONGEST_NAME:
            return name
        problem = name_problem(name)
        if problem:
            remedy = "a name is letters, digits and `_`, or stands in backticks"
            self._report.add("E005", problem, name.span, help=remedy)
        return name

    CONTRACTED = NAME

    def _number(self, text: str, node: Range | Token, scale: float = 1) -> int | float:
        if len(text) > LONGEST_NUMBER:
            message = "a number has too many digits"
            remedy = f"at most {LONGEST_NUMBER} are read"
            self._report.add("E005", message, self._span(node), help=remedy)
            return 1
        value = float(text) * scale
        if value in (float("inf"), float("-inf")):
            message = f"the number `{text}` is too large"
            self._report.add("E005", message, self._span(node), help="write a smaller one")
            return 1
        if scale == 1:
            return int(text) if re.fullmatch(r"-?[0-9]+", text) else value
        return int(value) if value.is_integer() and value < LARGEST_WHOLE else value

    def _string(self, token: Token) -> Name:
        span = self._span(token)
        try:
            string = str(json.loads(token))
            string.encode()
        except ValueError:
            message = "a string has an escape that means nothing"
            remedy = "write a backslash as `\\\\`"
            self._report.add("E005", message, span, help=remedy)
            return Name("", span)
        return Name(string, span)

    def _count(self, token: Name | Token) -> Name | Whole:
        """A size or count: a whole number, or a name."""
        if isinstance(token, Name):
            return token
        value = self._number(token, token)
        if not isinstance(value, int):
            message = f"`{token}` is not a whole number"
            self._report.add("E306", message, self._span(token), help="write digits only")
            value = 1
        return Whole(value, self._span(token))

    def number(self, place: Range, parts: list[Token]) -> Whole | Real:
        return located(self._number("".join(parts), place), self._span(place))

    def operation_name(self, place: Range, parts: list[Any]) -> Operation:
        """The name after a dot is None where there is none."""
        name, own = parts
        if own is not None:
            name = Name(f"{name}.{own}", self._span(place), (name.span, own.span))
        return Operation(name, extent=name.span)

    def setting(self, place: Range, parts: list[Any]) -> Setting:
        return Setting(tuple(parts), self._span(place))

    default = setting

    # Bodies

    def body(self, place: Range, parts: list[x.Body]) -> x.Body:
        return parts[0]

    def equation(self, place: Range, parts: list[x.Expression]) -> x.Body:
        return _not_too_deep(x.Body(parts[0]))

    def block(self, place: Range, parts: list[Any]) -> x.Body:
        return _not_too_deep(x.Body(parts[-1], tuple(parts[:-1])))

    def assignment(self, place: Range, parts: list[Any]) -> x.Assignment:
        return x.Assignment(*parts)

    # Expressions

    def _binary(self, place: Range, parts: list[Any]) -> x.Binary:
        left, operator, right = parts
        sign = cast(x.Operator, str(operator))
        return x.Binary(sign, left, right, span=self._span(place))

    sum = product = _binary

    def negative(self, place: Range, parts: list[Any]) -> x.Negative:
        return x.Negative(parts[-1], span=self._span(place))

    def literal(self, place: Range, parts: list[Token]) -> x.Number:
        return x.Number(self._number(parts[0], place), span=self._span(place))

    def variable(self, place: Range, parts: list[Name]) -> x.Name:
        return x.Name(parts[0])

    def parameter(self, place: Range, parts: list[Any]) -> x.Parameter:
        name, *sizes, initial = parts
        return x.Parameter(name, tuple(sizes), initial, span=self._span(place))

    def group(self, place: Range, parts: list[Any]) -> x.Group:
        return x.Group(tuple(parts), span=self._span(place))

    def call(self, place: Range, parts: list[Any]) -> x.Call:
        name, arguments = parts
        plain, settings = self._arguments(place, arguments or ())
        return x.Call(name.name, plain, settings, span=self._span(place))

    def call_hole(self, place: Range, parts: list[Any]) -> x.Hole:
        *candidates, arguments = parts
        plain, settings = self._arguments(place, arguments or ())
        if settings:
            message = f"the parameter `{settings[0][0]}` belongs to no operation here"
            remedy = "write it at the candidate: `{A(heads = 4) | B}(x)`"
            self._report.add("E008", message, self._span(place), help=remedy)
        return x.Hole(tuple(candidates), plain, span=self._span(place))

    def candidate(self, place: Range, parts: list[Any]) -> x.Call:
        name, *settings = parts
        return x.Call(name.name, (), tuple(settings), span=self._span(place))

    def _arguments(
        self, place: Range, arguments: Sequence[Any]
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The arguments of a call, and those that are given by name, which follow."""
        settings = tuple(a for a in arguments if isinstance(a, tuple))
        plain = tuple(a for a in arguments if not isinstance(a, tuple))
        if [*plain, *settings] != list(arguments):
            message = "an argument stands after those given by name"
            self._report.add("E008", message, self._span(place), help="write it before them")
        return plain, settings

    def call_arguments(self, place: Range, parts: list[Any]) -> list[Any]:
        return parts

    def rest(self, place: Range, parts: list[Name]) -> x.Rest:
        return x.Rest(parts[0], span=self._span(place))

    def named(self, place: Range, parts: list[Any]) -> tuple[Any, ...]:
        return tuple(parts)
