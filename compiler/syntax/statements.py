"""Statements of the grammar as Spec nodes, bottom up, and the Spec that they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..diagnostics.diagnostic import Edit, Note, Report
from ..diagnostics.source import Name, Span, Whole
from ..language import expression as x
from ..language.nodes import (
    Budget,
    Cell,
    CellInput,
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
    Setting,
    Step,
    Use,
)
from ..language.spec import Spec
from .heads import HeadBuilder
from .lalr import Range, Token

LANGUAGE_VERSION = 1
_SCALE = {"k": 1e3, "M": 1e6, "G": 1e9, "ms": 1, "s": 1e3}


@dataclass(frozen=True, slots=True)
class _Version:
    number: int
    span: Span | None


@dataclass(frozen=True, slots=True)
class _Listed:
    items: tuple[Any, ...]
    span: Span | None


class _Pool(_Listed):
    __slots__ = ()


class _Outputs(_Listed):
    __slots__ = ()


def _applied(name: Operation, settings: Sequence[Any], end: Span) -> Operation:
    """An operation with its parameters, as far as `end` reaches."""
    return Operation(name.name, tuple(settings), extent=name.span and name.span.to(end))


def assemble(statements: Sequence[Any], report: Report) -> Spec:
    """The Spec that statements make; reports those that stand twice."""

    def all_of(kind: Any) -> tuple[Any, ...]:
        return tuple(s for s in statements if isinstance(s, kind))

    def only(kind: Any, what: str, matches: tuple[Any, ...] | None = None) -> Any:
        matches = all_of(kind) if matches is None else matches
        for extra in matches[1:]:
            notes = [Note("the first stands here", matches[0].span)]
            message = f"`{what}` stands twice"
            report.add("E007", message, extra.span, help="keep one of them", notes=notes)
        return matches[0] if matches else None

    version = only(_Version, "fuse")
    heads = tuple(p for p in all_of(Predict) if p.name is not None)
    unnamed = tuple(p for p in all_of(Predict) if p.name is None)
    pool, outputs = only(_Pool, "pool"), only(_Outputs, "output")
    return Spec(
        network=only(NetworkHeader, "network"),
        version=version.number if version else None,
        uses=all_of(Use),
        definitions=tuple(sorted(all_of(Definition), key=lambda d: d.role)),
        modalities=all_of(Modality),
        pool=pool.items if pool else None,
        cells=all_of(Cell),
        outputs=outputs.items if outputs else None,
        requirements=all_of((RuleRequirement, Budget)),
        predict=only(Predict, "predict", unnamed),
        heads=heads,
    )


class SpecBuilder(HeadBuilder):
    """Turns what is parsed into statements; one instance serves one text."""

    # Statements

    def spec(self, place: Range, parts: list[Any]) -> list[Any]:
        return parts

    def version(self, place: Range, parts: list[Token]) -> _Version:
        number = self._count(parts[0])
        if number != LANGUAGE_VERSION:
            message = f"version {number} of the language is not known here"
            remedy = f"this is version {LANGUAGE_VERSION}: write `fuse {LANGUAGE_VERSION}`"
            span = self._span(parts[0])
            fix = [Edit(span, str(LANGUAGE_VERSION))]
            self._report.add("E006", message, span, help=remedy, fix=fix)
        return _Version(LANGUAGE_VERSION, self._span(place))

    def network(self, place: Range, parts: list[Any]) -> NetworkHeader:
        name, *settings = parts
        numbers: list[tuple[str, int | float | NumberHole]] = []
        for stated in settings:
            key, value = stated
            if isinstance(value, str):
                message = f"`{key}` is not given a number"
                self._report.add("E005", message, stated.span, help="write a number after `=`")
                value = 1
            numbers.append((key, value))
        return NetworkHeader(name, tuple(numbers))

    def stated(self, place: Range, parts: list[Any]) -> Setting:
        return self.setting(place, parts)

    def number_hole(self, place: Range, parts: list[int | float]) -> NumberHole:
        return NumberHole(tuple(parts), span=self._span(place))

    def use(self, place: Range, parts: list[Name]) -> Use:
        return Use(parts[0])

    def pool(self, place: Range, parts: list[Operation]) -> _Pool:
        return _Pool(tuple(parts), self._span(place))

    def output(self, place: Range, parts: list[Output]) -> _Outputs:
        return _Outputs(tuple(parts), self._span(place))

    def possibly(self, place: Range, parts: list[Any]) -> Possibly:
        return Possibly(parts[0], span=self._span(place))

    def family(self, place: Range, parts: list[Any]) -> Family:
        return Family(parts[0])

    def others(self, place: Range, parts: list[Any]) -> Others:
        return Others(span=self._span(place))

    def rule(self, place: Range, parts: list[Name]) -> RuleRequirement:
        return RuleRequirement(parts[0])

    def budget(self, place: Range, parts: list[Any]) -> Budget:
        quantity, comparison, limit, on = parts
        number = limit.rstrip("kMGms")
        unit, digits = limit[len(number) :], number.rstrip()
        if unit and (unit in ("ms", "s")) != (quantity == "latency"):
            message = f"`{quantity}` is not measured in `{unit}`"
            self._report.add("E306", message, self._span(limit), help="use k, M, G; ms, s for time")
        value = self._number(digits, limit, _SCALE.get(unit, 1))
        return Budget(quantity, value, comparison == "<=", on, span=self._span(place))

    # Features

    def modality(self, place: Range, parts: list[Any]) -> Modality:
        name, optional, backbone, *features = parts
        return Modality(
            name,
            tuple(features),
            self._string(backbone) if backbone is not None else None,
            optional is not None,
            extent=self._span(place),
        )

    def feature(self, place: Range, parts: list[Any]) -> Feature:
        name, axes, at = parts
        where = self._string(at) if at is not None else None
        return Feature(name, axes, where, extent=self._span(place))

    def axes(self, place: Range, parts: list[FeatureAxis]) -> tuple[FeatureAxis, ...]:
        return tuple(parts)

    def axis(self, place: Range, parts: list[Any]) -> FeatureAxis:
        name, size = parts
        count = "*" if size == "*" else self._count(size)
        return FeatureAxis(name, count, span=self._span(place))

    # Cells and Steps

    def cell(self, place: Range, parts: list[Any]) -> Cell:
        name, count, inputs, *steps, returned = parts
        extent = self._span(place)
        return Cell(name, inputs or (), tuple(steps), count, returned, extent=extent)

    def count(self, place: Range, parts: list[Any]) -> Name | Whole | NumberHole:
        (count,) = parts
        return count if isinstance(count, NumberHole) else self._count(count)

    def cell_inputs(self, place: Range, parts: list[Any]) -> tuple[CellInput, ...]:
        return tuple(parts)

    def cell_input(self, place: Range, parts: list[Any]) -> CellInput:
        *name, slot = parts
        return CellInput(slot, *name)

    def step(self, place: Range, parts: list[Any]) -> Step:
        name, count, operation, arguments = parts
        slots, settings = [], []
        for argument in arguments or ():
            if isinstance(argument, Setting):
                settings.append(argument)
            elif settings:
                message = "an input stands after the parameters"
                remedy = "write inputs first, then parameters by name"
                self._report.add("E008", message, argument.span, help=remedy)
            else:
                slots.append(argument)
        if isinstance(operation, Hole):
            for setting in settings:
                message = f"the parameter `{setting[0]}` belongs to no operation here"
                remedy = "write it at the candidate: `{MHA(heads = 4) | Sum}(x, y)`"
                self._report.add("E008", message, setting.span, help=remedy)
        else:
            operation = _applied(operation, settings, self._span(place))
        return Step(name, operation, tuple(slots), count, extent=self._span(place))

    def arguments(self, place: Range, parts: list[Any]) -> list[Any]:
        return parts

    def returned(self, place: Range, parts: list[Reference]) -> tuple[Reference, ...]:
        return tuple(parts)

    def slot_hole(self, place: Range, parts: list[Reference]) -> Hole:
        return Hole(tuple(parts) or None, span=self._span(place))

    def operation_hole(self, place: Range, parts: list[Operation]) -> Hole:
        return Hole(tuple(parts) or None, span=self._span(place))

    def operation(self, place: Range, parts: list[Any]) -> Operation:
        name, *settings = parts
        return _applied(name, settings, self._span(place))

    def reference(self, place: Range, parts: list[Name]) -> Reference:
        return Reference(parts[0])

    def names(self, place: Range, parts: list[Name]) -> list[Name]:
        return parts

    # Definitions

    def operation_definition(self, place: Range, parts: list[Any]) -> Definition:
        name, formals, body = parts
        return self._definition(place, name, formals or (), body)

    def role_definition(self, place: Range, parts: list[Any]) -> Definition:
        name, formals, modality, body = parts
        return self._definition(place, name, formals or (), body, role=True, modality=modality)

    def _definition(
        self,
        place: Range,
        name: Name,
        formals: Sequence[Any],
        body: x.Body,
        role: bool = False,
        modality: Name | None = None,
    ) -> Definition:
        inputs = [f for f in formals if isinstance(f, x.Name | x.Rest)]
        settings: list[Any] = [f for f in formals if isinstance(f, Setting)]
        if [*inputs, *settings] != list(formals) or any(isinstance(i, x.Rest) for i in inputs[:-1]):
            self._report.add(
                "E008",
                f"the inputs of `{name}` stand in the wrong order",
                name.span,
                help="write inputs, then one `*rest`, then parameters with their defaults",
            )
        return Definition(
            name,
            tuple(i.name for i in inputs),
            body,
            rest=bool(inputs) and isinstance(inputs[-1], x.Rest),
            parameters=tuple(settings),
            role=role,
            modality=modality,
            extent=self._span(place),
        )

    def formals(self, place: Range, parts: list[Any]) -> list[Any]:
        return parts

    def formal(self, place: Range, parts: list[Name]) -> x.Name:
        return x.Name(parts[0])
