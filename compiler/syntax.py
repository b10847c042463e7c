"""The parse tree of a text to Spec nodes, bottom up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from lark import Token, Transformer
from lark.tree import Meta
from lark.visitors import v_args

from . import expression as x
from .diagnostics import Report
from .source import Source, Span
from .spec import (
    Budget,
    Cell,
    CellInput,
    Definition,
    Feature,
    FeatureAxis,
    HeadKind,
    Hole,
    Modality,
    NetworkHeader,
    Operation,
    Predict,
    Reference,
    RuleRequirement,
    Spec,
    Step,
    Use,
    Value,
    name_problem,
)

LANGUAGE_VERSION = 1
LONGEST_NUMBER = 40
LARGEST_WHOLE = 2**53
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


@dataclass(frozen=True, slots=True)
class _Setting:
    name: str
    value: Value
    span: Span | None


@dataclass(frozen=True, slots=True)
class _Named:
    name: str
    value: x.Expression


_Builder = TypeVar("_Builder", bound="type[Transformer[Token, Any]]")


def _with_meta(builder: _Builder) -> _Builder:
    """`v_args(meta=True)` as a decorator that keeps the type of the class."""
    v_args(meta=True)(builder)
    return builder


def _pairs(settings: Iterable[_Setting | None]) -> tuple[tuple[str, Any], ...]:
    return tuple((s.name, s.value) for s in settings if s is not None)


def _with_parameters(operation: Operation, settings: Sequence[_Setting]) -> Operation:
    return replace(
        operation,
        parameters=_pairs(settings),
        parameter_spans=tuple(s.span for s in settings),
    )


def embedded(place: Span, offsets: Sequence[int] | None, start: int, end: int) -> Span:
    """The span in a document of characters `start` to `end` of an equation that stands in it."""
    if offsets is None:
        return place
    last = len(offsets) - 1
    return Span(place.source, offsets[min(start, last)], offsets[min(end, last)], place.pointer)


@_with_meta
class SpecBuilder(Transformer[Token, Any]):
    """Turns the parse tree into Spec nodes, bottom up; one instance serves one text."""

    def __init__(
        self,
        source: Source,
        report: Report,
        place: Span | None = None,
        offsets: Sequence[int] | None = None,
    ) -> None:
        super().__init__(visit_tokens=True)
        self._source, self._report = source, report
        self._place, self._offsets = place, offsets

    def _span(self, node: Meta | Token) -> Span | None:
        start, end = getattr(node, "start_pos", None), getattr(node, "end_pos", None)
        if start is None or end is None:
            return self._place
        if self._place is not None:
            return embedded(self._place, self._offsets, start, end)
        return Span(self._source, start, end)

    # Terminals

    def NAME(self, token: Token) -> Token:  # noqa: N802
        name = str(token)[1:-1] if token.startswith("`") else str(token)
        problem = name_problem(name)
        if problem:
            self._report.add("E005", problem, self._span(token))
        return token.update(value=name)

    def _number(self, text: str, node: Meta | Token, scale: float = 1) -> int | float:
        if len(text) > LONGEST_NUMBER:
            self._report.add("E005", "a number has too many digits", self._span(node))
            return 1
        value = float(text) * scale
        if value in (float("inf"), float("-inf")):
            self._report.add("E005", f"the number `{text}` is too large", self._span(node))
            return 1
        if scale == 1:
            return int(text) if re.fullmatch(r"-?\d+", text) else value
        return int(value) if value.is_integer() and value < LARGEST_WHOLE else value

    def _string(self, token: Token) -> str:
        try:
            string = str(json.loads(token))
            string.encode()
            return string
        except ValueError:
            self._report.add("E005", "a string has an escape that means nothing", self._span(token))
            return ""

    def _count(self, token: Token) -> int | str:
        """A size or count: a whole number, or a name."""
        if token.type == "NAME":
            return str(token)
        value = self._number(token, token)
        if not isinstance(value, int):
            message = f"`{token}` is not a whole number"
            self._report.add("E306", message, self._span(token), help="write digits only")
            return 1
        return value

    def number(self, meta: Meta, parts: list[Token]) -> int | float:
        return self._number("".join(parts), meta)

    # Statements

    def spec(self, meta: Meta, parts: list[Any]) -> Spec:
        def all_of(kind: Any) -> tuple[Any, ...]:
            return tuple(p for p in parts if isinstance(p, kind))

        def only(kind: Any, what: str) -> Any:
            found = all_of(kind)
            for extra in found[1:]:
                message = f"`{what}` stands twice"
                self._report.add("E007", message, extra.span, help="keep one of them")
            return found[0] if found else None

        version = only(_Version, "fuse")
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
            predict=only(Predict, "predict"),
        )

    def version(self, meta: Meta, parts: list[Token]) -> _Version:
        number = self._count(parts[0])
        if number != LANGUAGE_VERSION:
            message = f"version {number} of the language is not known here"
            remedy = f"this is version {LANGUAGE_VERSION}: write `fuse {LANGUAGE_VERSION}`"
            self._report.add("E006", message, self._span(parts[0]), help=remedy)
        return _Version(LANGUAGE_VERSION, self._span(meta))

    def network(self, meta: Meta, parts: list[Any]) -> NetworkHeader:
        name, *settings = parts
        numbers = []
        for setting in (s for s in settings if s is not None):
            if isinstance(setting.value, str):
                message = f"`{setting.name}` is not given a number"
                self._report.add("E005", message, setting.span, help="write a number after `=`")
            else:
                numbers.append((setting.name, setting.value))
        return NetworkHeader(str(name), tuple(numbers), span=self._span(name))

    def use(self, meta: Meta, parts: list[Token]) -> Use:
        return Use(str(parts[0]), span=self._span(parts[0]))

    def pool(self, meta: Meta, parts: list[Operation]) -> _Pool:
        return _Pool(tuple(parts), self._span(meta))

    def output(self, meta: Meta, parts: list[Reference]) -> _Outputs:
        return _Outputs(tuple(parts), self._span(meta))

    def predict(self, meta: Meta, parts: list[Any]) -> Predict:
        count, kind, names = parts
        head = cast(HeadKind, str(kind))
        return Predict(self._count(count), head, names, span=self._span(meta))

    def rule(self, meta: Meta, parts: list[Token]) -> RuleRequirement:
        return RuleRequirement(str(parts[0]), span=self._span(parts[0]))

    def budget(self, meta: Meta, parts: list[Token]) -> Budget:
        quantity, comparison, limit = parts
        digits = limit.rstrip("kMGms")
        unit = limit[len(digits) :]
        if unit and (unit in ("ms", "s")) != (quantity == "latency"):
            message = f"`{quantity}` is not measured in `{unit}`"
            self._report.add("E306", message, self._span(limit), help="use k, M, G; ms, s for time")
        value = self._number(digits, limit, _SCALE.get(unit, 1))
        return Budget(str(quantity), value, comparison == "<=", span=self._span(meta))

    # Features

    def modality(self, meta: Meta, parts: list[Any]) -> Modality:
        name, optional, backbone, *features = parts
        return Modality(
            str(name),
            tuple(features),
            self._string(backbone) if backbone is not None else None,
            optional is not None,
            span=self._span(name),
        )

    def feature(self, meta: Meta, parts: list[Any]) -> Feature:
        name, axes, at = parts
        where = self._string(at) if at is not None else None
        return Feature(str(name), axes, where, span=self._span(name))

    def axes(self, meta: Meta, parts: list[FeatureAxis]) -> tuple[FeatureAxis, ...]:
        return tuple(parts)

    def axis(self, meta: Meta, parts: list[Token]) -> FeatureAxis:
        name, size = parts
        value = "*" if size.type == "STAR" else self._count(size)
        return FeatureAxis(str(name), value, span=self._span(meta))

    # Cells and Steps

    def cell(self, meta: Meta, parts: list[Any]) -> Cell:
        name, count, inputs, *steps, returned = parts
        return Cell(str(name), inputs or (), tuple(steps), count, returned, span=self._span(name))

    def count(self, meta: Meta, parts: list[Token]) -> int | str:
        return self._count(parts[0])

    def cell_inputs(self, meta: Meta, parts: list[Any]) -> tuple[CellInput, ...]:
        return tuple(p for p in parts if p is not None)

    def cell_input(self, meta: Meta, parts: list[Any]) -> CellInput:
        return CellInput(parts[-1], str(parts[0]) if len(parts) == 2 else None)

    def step(self, meta: Meta, parts: list[Any]) -> Step:
        name, count, operation, arguments = parts
        slots, settings = [], []
        for argument in arguments or ():
            if isinstance(argument, _Setting):
                settings.append(argument)
            elif settings:
                message = "an input stands after the parameters"
                remedy = "write inputs first, then parameters by name"
                self._report.add("E008", message, argument.span, help=remedy)
            else:
                slots.append(argument)
        if isinstance(operation, Hole):
            for setting in settings:
                message = f"the parameter `{setting.name}` belongs to no operation here"
                remedy = "write it at the candidate: `{MHA(heads = 4) | Sum}(x, y)`"
                self._report.add("E008", message, setting.span, help=remedy)
        else:
            operation = _with_parameters(operation, settings)
        return Step(str(name), operation, tuple(slots), count, span=self._span(name))

    def arguments(self, meta: Meta, parts: list[Any]) -> list[Any]:
        return [p for p in parts if p is not None]

    def returned(self, meta: Meta, parts: list[Reference]) -> tuple[Reference, ...]:
        return tuple(parts)

    def slot_hole(self, meta: Meta, parts: list[Reference]) -> Hole:
        return Hole(tuple(parts) or None, span=self._span(meta))

    def operation_hole(self, meta: Meta, parts: list[Operation]) -> Hole:
        return Hole(tuple(parts) or None, span=self._span(meta))

    def operation(self, meta: Meta, parts: list[Any]) -> Operation:
        name, *settings = parts
        return _with_parameters(name, [s for s in settings if s is not None])

    def operation_name(self, meta: Meta, parts: list[Token | None]) -> Operation:
        return Operation(".".join(str(p) for p in parts if p is not None), span=self._span(meta))

    def reference(self, meta: Meta, parts: list[Token]) -> Reference:
        return Reference(str(parts[0]), span=self._span(parts[0]))

    def setting(self, meta: Meta, parts: list[Any]) -> _Setting:
        name, value = parts
        value = str(value) if isinstance(value, str) else value
        return _Setting(str(name), value, self._span(meta))

    default = setting

    def names(self, meta: Meta, parts: list[Token | None]) -> tuple[str, ...]:
        return tuple(str(p) for p in parts if p is not None)

    # Definitions

    def operation_definition(self, meta: Meta, parts: list[Any]) -> Definition:
        name, formals, body = parts
        return self._definition(name, formals or (), body)

    def role_definition(self, meta: Meta, parts: list[Any]) -> Definition:
        name, formals, modality, body = parts
        return self._definition(name, formals or (), body, role=True, modality=modality)

    def _definition(
        self,
        name: Token,
        formals: Sequence[Any],
        body: x.Body,
        role: bool = False,
        modality: Token | None = None,
    ) -> Definition:
        inputs = [f for f in formals if isinstance(f, (x.Name, x.Rest))]
        settings = [f for f in formals if isinstance(f, _Setting)]
        if [*inputs, *settings] != list(formals) or any(isinstance(i, x.Rest) for i in inputs[:-1]):
            self._report.add(
                "E008",
                f"the inputs of `{name}` stand in the wrong order",
                self._span(name),
                help="write inputs, then one `*rest`, then parameters with their defaults",
            )
        return Definition(
            str(name),
            tuple(i.name for i in inputs),
            body,
            rest=bool(inputs) and isinstance(inputs[-1], x.Rest),
            parameters=_pairs(settings),
            role=role,
            modality=str(modality) if modality is not None else None,
            modality_span=self._span(modality) if modality is not None else None,
            span=self._span(name),
        )

    def formals(self, meta: Meta, parts: list[Any]) -> list[Any]:
        return [p for p in parts if p is not None]

    def formal(self, meta: Meta, parts: list[Token]) -> x.Name:
        return x.Name(str(parts[0]), span=self._span(meta))

    def body(self, meta: Meta, parts: list[x.Body]) -> x.Body:
        return parts[0]

    def equation(self, meta: Meta, parts: list[x.Expression]) -> x.Body:
        return x.Body(parts[0])

    def block(self, meta: Meta, parts: list[Any]) -> x.Body:
        return x.Body(parts[-1], tuple(parts[:-1]))

    def assignment(self, meta: Meta, parts: list[Any]) -> x.Assignment:
        return x.Assignment(str(parts[0]), parts[1], span=self._span(parts[0]))

    # Expressions

    def _binary(self, meta: Meta, parts: list[Any]) -> x.Binary:
        left, operator, right = parts
        known = cast(x.Operator, str(operator))
        return x.Binary(known, left, right, span=self._span(meta))

    sum = product = _binary

    def negative(self, meta: Meta, parts: list[Any]) -> x.Negative:
        return x.Negative(parts[-1], span=self._span(meta))

    def literal(self, meta: Meta, parts: list[Token]) -> x.Number:
        return x.Number(self._number(parts[0], meta), span=self._span(meta))

    def variable(self, meta: Meta, parts: list[Token]) -> x.Name:
        return x.Name(str(parts[0]), span=self._span(meta))

    def parameter(self, meta: Meta, parts: list[Any]) -> x.Parameter:
        name, *sizes, initial = parts
        initial = str(initial) if isinstance(initial, str) else initial
        return x.Parameter(str(name), tuple(sizes), initial, span=self._span(meta))

    def group(self, meta: Meta, parts: list[Any]) -> x.Group:
        return x.Group(tuple(parts), span=self._span(meta))

    def call(self, meta: Meta, parts: list[Any]) -> x.Call:
        name, arguments = parts
        named = [a for a in arguments or () if isinstance(a, _Named)]
        plain = [a for a in arguments or () if not isinstance(a, _Named)]
        if arguments and [*plain, *named] != list(arguments):
            message = "an argument stands after those given by name"
            self._report.add("E008", message, self._span(meta), help="write it before them")
        pairs = tuple((n.name, n.value) for n in named)
        return x.Call(name.name, tuple(plain), pairs, span=self._span(meta))

    def call_arguments(self, meta: Meta, parts: list[Any]) -> list[Any]:
        return [p for p in parts if p is not None]

    def rest(self, meta: Meta, parts: list[Token]) -> x.Rest:
        return x.Rest(str(parts[0]), span=self._span(meta))

    def named(self, meta: Meta, parts: list[Any]) -> _Named:
        return _Named(str(parts[0]), parts[1])
