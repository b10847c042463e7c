"""Definitions and numbers of a specification that nothing in it uses."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics.diagnostic import Report, did_you_mean
from ..diagnostics.source import span_of
from ..language import expression as x
from ..language.nodes import NumberHole, Operation, Value, operations_of
from ..language.spec import Spec
from ..resolve.numbers import OWN_NUMBERS


def unused_definitions(spec: Spec, report: Report) -> None:
    """Warns of the specification's own operations that no Step, pool or other equation names."""
    used = {operation.name for operation in _operations(spec)}
    for definition in spec.definitions:
        calls = (e.function for e in x.walk(definition.body) if isinstance(e, x.Call))
        used.update(c for c in calls if definition.role or c != definition.name)
    for name in dict.fromkeys(d.name for d in spec.definitions if not d.role):
        if name not in used:
            span = next(d.span for d in spec.definitions if d.name == name and not d.role)
            message = f"the operation `{name}` is never used"
            remedy = "add it to the pool, write it in a Step, or remove it"
            report.add("W408", message, span, help=remedy)


def unused_numbers(spec: Spec, report: Report) -> None:
    """Warns of the network's numbers that stand nowhere as a size, count, rate or parameter."""
    if spec.network is None:
        return
    header = spec.network
    stated = dict(header.numbers)
    used = {*OWN_NUMBERS, *_values(spec)}
    for name, _ in header.numbers:
        if name not in used:
            message = f"the number `{name}` is never used"
            meant = did_you_mean(name, [n for n in OWN_NUMBERS if n not in stated])
            remedy = meant or "use it as a size, count or parameter, or remove it"
            report.add("W409", message, span_of(name) or header.span, help=remedy)


def _operations(spec: Spec) -> Iterator[Operation]:
    """Every operation that the pool, a Step or a hole names."""
    yield from spec.pool or ()
    for step in (s for c in spec.cells for s in c.steps):
        yield from operations_of(step.operation)


def _values(spec: Spec) -> Iterator[Value | NumberHole | None]:
    """Everything that may be the name of a number, wherever one can stand."""
    for feature in (f for m in spec.modalities for f in m.features):
        yield from (axis.size for axis in feature.axes or ())
    for cell in spec.cells:
        yield cell.count
        yield from (step.count for step in cell.steps)
    for operation in _operations(spec):
        yield from (value for _, value in operation.parameters)
    for definition in spec.definitions:
        yield from (e.name for e in x.walk(definition.body) if isinstance(e, x.Name))
    for predict in spec.predictions:
        yield from (predict.count, predict.weight)
