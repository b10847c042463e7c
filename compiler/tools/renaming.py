"""Equations without the names that they bind: equal where they differ in nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count

from ..language import expression as x
from ..language.nodes import Definition


def unnamed(definition: Definition) -> Definition:
    """A definition whose inputs, and whose results on the way, are numbered as they come.

    Parameters keep their names, by which weights are known.
    """
    numbers = map("#{}".format, count(1))
    inputs = tuple(next(numbers) for _ in definition.inputs)
    names = dict(zip(definition.inputs, inputs, strict=True))
    statements: list[x.Assignment | x.Parameter] = []
    for one in definition.body.statements:
        if isinstance(one, x.Parameter):
            statements.append(replace(one, sizes=_all(one.sizes, names)))
            continue
        value = _renamed(one.value, names)
        names[one.name] = next(numbers)
        statements.append(x.Assignment(names[one.name], value))
    body = x.Body(_renamed(definition.body.result, names), tuple(statements))
    return replace(definition, inputs=inputs, body=body)


def _all(every: tuple[x.Expression, ...], names: Mapping[str, str]) -> tuple[x.Expression, ...]:
    return tuple(_renamed(one, names) for one in every)


def _renamed(expression: x.Expression, names: Mapping[str, str]) -> x.Expression:
    match expression:
        case x.Name(name):
            return x.Name(names.get(name, name))
        case x.Rest(name):
            return x.Rest(names.get(name, name))
        case x.Parameter(sizes=sizes):
            return replace(expression, sizes=_all(sizes, names))
        case x.Negative(operand):
            return x.Negative(_renamed(operand, names))
        case x.Binary(operator, left, right):
            return x.Binary(operator, _renamed(left, names), _renamed(right, names))
        case x.Group(items):
            return x.Group(_all(items, names))
        case x.Call():
            return _call(expression, names)
        case x.Hole(candidates, arguments):
            calls = tuple(_call(one, names) for one in candidates)
            return x.Hole(calls, _all(arguments, names))
        case _:
            return expression


def _call(call: x.Call, names: Mapping[str, str]) -> x.Call:
    settings = tuple((key, _renamed(value, names)) for key, value in call.named)
    return x.Call(call.function, _all(call.arguments, names), settings)
