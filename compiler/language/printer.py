"""The parts of a Spec as canonical text: statements, names, numbers, expressions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ..diagnostics.text import json_text
from . import expression as x
from .nodes import (
    KEYWORDS,
    Budget,
    Cell,
    Definition,
    Family,
    Feature,
    FeatureAxis,
    Hole,
    Modality,
    NetworkHeader,
    NumberHole,
    Operation,
    Others,
    Output,
    Possibly,
    Predict,
    Reference,
    RuleRequirement,
    Step,
    Value,
)

WIDTH = 100
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2}
_NEGATIVE, _ATOM = 3, 4


Line = tuple[str, object]
"""A line of canonical text, and the node that begins on it (None for a brace or a gap)."""


def name(text: str) -> str:
    """A name as it is written: in backticks unless it is an identifier and no keyword."""
    plain = re.fullmatch(r"[^\W\d]\w*", text) and text not in KEYWORDS
    return text if plain else f"`{text}`"


def number(value: Value | NumberHole) -> str:
    """A number as it is written, or the name that stands for one; an open one as `{64 | 128}`."""
    if isinstance(value, str):
        return name(value)
    return _braced(map(repr, value.candidates)) if isinstance(value, NumberHole) else repr(value)


def operation(op: Operation) -> str:
    """An operation with its parameters, as it stands in a pool or a hole."""
    return operation_name(op) + (f"({_settings(op.parameters)})" if op.parameters else "")


def operation_name(op: Operation) -> str:
    library, _, plain = op.name.partition(".")
    return f"{name(library)}.{name(plain)}" if library and plain else name(op.name)


def slot(item: Reference | Hole) -> str:
    """What stands in a slot: a name, `?`, or `{A | B}`."""
    return name(item.name) if isinstance(item, Reference) else _hole(item)


def output(place: Output) -> str:
    """A place of the output: a slot, `NAME[*]`, `*`, or one of them with `?`."""
    match place:
        case Possibly(item):
            return f"{output(item)}?"
        case Family():
            return f"{name(place.name)}[*]"
        case Others():
            return "*"
        case _:
            return slot(place)


def _hole(hole: Hole) -> str:
    if hole.candidates is None:
        return "?"
    return _braced(
        name(c.name) if isinstance(c, Reference) else operation(c) for c in hole.candidates
    )


def _braced(candidates: Iterable[str]) -> str:
    return "{" + " | ".join(candidates) + "}"


def _settings(settings: Iterable[tuple[str, Value | NumberHole]]) -> str:
    return ", ".join(f"{name(key)} = {number(value)}" for key, value in settings)


def network_line(header: NetworkHeader) -> str:
    return f"network {name(header.name)}({_settings(header.numbers)})"


def listed_lines(keyword: str, items: Sequence[str], nodes: Sequence[object]) -> list[Line]:
    """A statement of items with commas, broken into lines where it is too wide."""
    line = f"{keyword} {', '.join(items)}"
    if len(line) <= WIDTH:
        return [(line, nodes[0])]
    ends = [","] * (len(items) - 1) + [""]
    broken: list[Line] = [
        (f"  {item}{end}", node) for item, end, node in zip(items, ends, nodes, strict=True)
    ]
    return [(keyword, None), *broken]


def modality_lines(modality: Modality) -> list[Line]:
    head = f"modality {name(modality.name)}"
    if modality.optional:
        head += " optional"
    if modality.backbone is not None:
        head += f" from {json_text(modality.backbone)}"
    if not modality.features:
        return [(head + " {}", modality)]
    features: list[Line] = [(f"  {_feature(f)}", f) for f in modality.features]
    return [(head + " {", modality), *features, ("}", None)]


def _feature(feature: Feature) -> str:
    text = name(feature.name)
    if feature.axes is not None:
        text += f"[{axes(feature.axes)}]"
    if feature.at is not None:
        text += f" at {json_text(feature.at)}"
    return text


def axes(items: Iterable[FeatureAxis]) -> str:
    """Axes as they stand in brackets: `c 512, h 14`."""
    sizes = (f"{name(a.name)} {'*' if a.size == '*' else number(a.size)}" for a in items)
    return ", ".join(sizes)


def cell_lines(cell: Cell) -> list[Line]:
    inputs = ", ".join(
        (f"{name(i.name)} = " if i.name is not None else "") + slot(i.slot) for i in cell.inputs
    )
    body: list[Line] = [(f"  {_step(step)}", step) for step in cell.steps]
    if cell.returned is not None:
        body.append(
            (f"  return {', '.join(name(r.name) for r in cell.returned)}", cell.returned[0])
        )
    head = f"cell {family(cell)}({inputs})"
    return [(head + " {", cell), *body, ("}", None)] if body else [(head + " {}", cell)]


def family(node: Cell | Step) -> str:
    """The name of a Cell or Step, with its count where it has one."""
    return name(node.name) + ("" if node.count is None else f"[{number(node.count)}]")


def _step(step: Step) -> str:
    arguments = [slot(s) for s in step.slots]
    if isinstance(step.operation, Hole):
        function = _hole(step.operation)
    else:
        function = operation_name(step.operation)
        arguments += [_settings([pair]) for pair in step.operation.parameters]
    return f"{family(step)} = {function}({', '.join(arguments)})"


def requirement_line(requirement: RuleRequirement | Budget) -> str:
    if isinstance(requirement, RuleRequirement):
        return f"require {name(requirement.rule)}"
    limit = quantity(requirement.quantity, requirement.limit)
    return f"require {name(requirement.quantity)} {bound(requirement, limit)}"


def bound(budget: Budget, limit: str) -> str:
    """A budget without its quantity, with its limit as text: `< 1M`, `<= 2.5ms on laptop`."""
    place = "" if budget.on is None else f" on {name(budget.on)}"
    return f"{budget.sign} {limit}{place}"


def quantity(what: str, limit: int | float) -> str:
    """A budget's limit in the largest unit that divides it."""
    if what == "latency":
        return f"{limit!r}ms"
    for suffix, scale in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if isinstance(limit, int) and limit and limit % scale == 0:
            return f"{limit // scale}{suffix}"
    return repr(limit)


def predict_line(predict: Predict) -> str:
    text = "predict "
    if predict.name is not None:
        inside = [name(r.name) for r in predict.reads]
        inside += [] if predict.weight is None else [_settings([("weight", predict.weight)])]
        inside += [] if predict.loss is None else [_settings([("loss", predict.loss)])]
        text += name(predict.name) + (f"({', '.join(inside)}) " if inside else " ")
    text += f"{number(predict.count)} {predict.kind}"
    if predict.names is not None:
        text += f" {{ {', '.join(name(n) for n in predict.names)} }}"
    return text


def definition_lines(definition: Definition) -> list[Line]:
    body = definition.body
    head = signature(definition)
    if not body.statements:
        return [(f"{head} = {expression(body.result)}", definition)]
    lines: list[Line] = [(f"  {_statement(s)}", s) for s in body.statements]
    return [
        (head + " {", definition),
        *lines,
        (f"  return {expression(body.result)}", body.result),
        ("}", None),
    ]


def definition_text(definition: Definition) -> str:
    """A definition as it is written, in several lines where it has statements."""
    return "\n".join(line for line, _ in definition_lines(definition))


def signature(definition: Definition) -> str:
    """`op NAME(inputs, parameters)` or `role NAME(inputs) for MODALITY`."""
    formals = [name(i) for i in definition.inputs]
    if definition.rest:
        formals[-1] = "*" + formals[-1]
    formals += [_settings([pair]) for pair in definition.parameters]
    keyword = "role" if definition.role else "op"
    suffix = f" for {name(definition.modality)}" if definition.modality is not None else ""
    return f"{keyword} {name(definition.name)}({', '.join(formals)}){suffix}"


def body_text(body: x.Body) -> str:
    """A body as one line of text, as it stands in JSON."""
    if not body.statements:
        return expression(body.result)
    statements = "; ".join(_statement(s) for s in body.statements)
    return f"{statements}; return {expression(body.result)}"


def _statement(statement: x.Assignment | x.Parameter) -> str:
    if isinstance(statement, x.Assignment):
        return f"{name(statement.name)} = {expression(statement.value)}"
    return _parameter(statement)


def _parameter(parameter: x.Parameter) -> str:
    text = f"{name(parameter.name)}[{', '.join(expression(s) for s in parameter.sizes)}]"
    return text if parameter.initial is None else f"{text} = {number(parameter.initial)}"


def candidate(call: x.Call) -> str:
    """A candidate of a role: its operation, with what it sets."""
    return _applied(_function(call), _named(call.named)) if call.named else _function(call)


def _function(call: x.Call) -> str:
    return operation_name(Operation(call.function))


def _named(settings: Iterable[tuple[str, x.Expression]]) -> Iterator[str]:
    return (f"{name(key)} = {expression(value)}" for key, value in settings)


def _applied(function: str, arguments: Iterable[str]) -> str:
    return f"{function}({', '.join(arguments)})"


def expression(e: x.Expression, floor: int = 0) -> str:
    """An expression as text; in parentheses where it binds less than `floor` asks for."""
    match e:
        case x.Number(value):
            return number(value)
        case x.Name(text):
            return text if text == "_" else name(text)
        case x.Rest(text):
            return f"*{name(text)}"
        case x.Parameter():
            text = _parameter(e)
            return f"({text})" if e.initial is not None else text
        case x.Group(items):
            return f"({', '.join(expression(i) for i in items)})"
        case x.Call(_, arguments, settings):
            return _applied(_function(e), [*map(expression, arguments), *_named(settings)])
        case x.Hole(candidates, arguments):
            return _applied(_braced(map(candidate, candidates)), map(expression, arguments))
        case x.Negative(operand):
            text, binds = f"-{expression(operand, _NEGATIVE)}", _NEGATIVE
        case x.Binary(operator, left, right):
            binds = _PRECEDENCE[operator]
            text = f"{expression(left, binds)} {operator} {expression(right, binds + 1)}"
    return f"({text})" if binds < floor else text
