"""A document of JSON or YAML as a Spec.

NOTE: the schema has judged the structure, so it is read here without asking again. Names and
equations are judged as those of a `.fuse` text are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from ..diagnostics.diagnostic import DiagnosticError, Report
from ..diagnostics.source import Name, Span, Whole, located
from ..diagnostics.text import shortened
from ..language import expression as x
from ..language.nodes import (
    Budget,
    Cell,
    CellInput,
    Definition,
    Family,
    Feature,
    FeatureAxis,
    HeadKind,
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
    Size,
    Slot,
    Step,
    Use,
    Value,
    name_problem,
)
from ..language.spec import Spec
from ..syntax.parse import parse_body
from ..syntax.statements import LANGUAGE_VERSION
from .structure import check_structure, check_version
from .tree import MOST_PROBLEMS, Located

T = TypeVar("T")


def spec_from_document(document: Located) -> Spec:
    """The Spec of a document; raises DiagnosticError with everything that is wrong in it."""
    check_version(document)
    report = Report()
    check_structure(document, report)
    report.raise_errors()
    spec = _SpecReader(report).spec(document)
    report.raise_errors()
    return spec


class _SpecReader:
    """Reads a document whose structure is sound; reports names and equations that are not."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def spec(self, root: Located) -> Spec:
        ops = _all(root, "ops", lambda node: self._definition(node, "name"))
        roles = _all(root, "roles", lambda node: self._definition(node, "role"))
        return Spec(
            network=_maybe(root, "network", self._network),
            version=_maybe(root, "fuse", lambda _: LANGUAGE_VERSION),
            uses=_all(root, "use", lambda node: Use(self._name(node))),
            definitions=ops + roles,
            modalities=_all(root, "modalities", self._modality),
            pool=_maybe(root, "pool", _each(self._operation)),
            cells=_all(root, "cells", self._cell),
            outputs=_maybe(root, "output", _each(self._output)),
            requirements=_all(root, "require", self._requirement),
            predict=_maybe(root, "predict", self._predict),
            heads=_all(root, "heads", self._predict),
        )

    def _problem(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        self._report.add(code, message, span, help=help)
        self._stop_after_many()

    def _stop_after_many(self) -> None:
        if len(self._report.diagnostics) >= MOST_PROBLEMS:
            self._report.raise_errors()

    # Names and numbers

    def _name(self, node: Located, help: str | None = None) -> Name:
        return self._named(cast(str, node.content), node.span, help)

    def _key(self, node: Located) -> Name:
        """The key that a value stands under, as a name."""
        return self._named(cast(str, node.path.key if node.path else ""), node.key_span)

    def _named(self, text: str, span: Span, help: str | None = None) -> Name:
        if problem := name_problem(text):
            self._problem("E005", problem, span, help)
        return Name(text, span)

    def _size(self, node: Located) -> Size:
        if isinstance(node.content, str):
            return self._name(node)
        return Whole(cast(int, node.content), node.span)

    def _count(self, node: Located) -> Size | NumberHole:
        return self._number_hole(node) if node.members else self._size(node)

    def _value(self, node: Located) -> Value | NumberHole:
        if node.members:
            return self._number_hole(node)
        return self._name(node) if isinstance(node.content, str) else cast(int, node.content)

    def _number_hole(self, node: Located) -> NumberHole:
        candidates = node.members["any"].items
        return NumberHole(
            tuple(located(cast(int, c.content), c.span) for c in candidates), span=node.span
        )

    def _settings(self, node: Located, owner: str | None = None) -> tuple[tuple[str, Any], ...]:
        """The members of an object as named values, but for the key that names their owner."""
        return tuple(
            Setting((self._key(m), self._value(m)), m.key_span.to(m.span))
            for key, m in node.members.items()
            if key != owner
        )

    # Statements

    def _network(self, node: Located) -> NetworkHeader:
        numbers = self._settings(node, "name")
        return NetworkHeader(self._name(node.members["name"]), numbers)

    def _modality(self, node: Located) -> Modality:
        return Modality(
            self._name(node.members["name"]),
            _all(node, "features", self._feature),
            backbone=_maybe(node, "from", _located),
            optional=_maybe(node, "optional", lambda flag: flag.content) is True,
            extent=node.span,
        )

    def _feature(self, node: Located) -> Feature:
        axes = _maybe(node, "axes", _each(self._axis))
        at = _maybe(node, "at", _located)
        return Feature(self._name(node.members["name"]), axes, at, extent=node.span)

    def _axis(self, node: Located) -> FeatureAxis:
        name, size = node.items
        count = "*" if size.content == "*" else self._size(size)
        return FeatureAxis(self._name(name), count, span=node.span)

    def _definition(self, node: Located, named_by: str) -> Definition:
        inputs, rest = self._formals(node)
        return Definition(
            self._name(node.members[named_by]),
            inputs,
            self._body(node.members["body"]),
            rest=rest,
            parameters=_maybe(node, "parameters", self._settings) or (),
            role=named_by == "role",
            modality=_maybe(node, "for", self._name),
            extent=node.span,
        )

    def _formals(self, node: Located) -> tuple[tuple[str, ...], bool]:
        """The inputs of a definition, and whether the last of them takes the rest."""
        items = node.members["inputs"].items
        names: list[str] = []
        for item in items:
            text = _text(item)
            is_rest = text.startswith("*")
            quoted = len(text) > 1 and text[0] == text[-1] == "`"
            name = text[1:] if is_rest else text[1:-1] if quoted else text
            if is_rest and item is not items[-1]:
                message = f"`{shortened(text)}` takes the rest, but an input follows"
                self._problem("E008", message, item.span, "write it last")
            names.append(self._named(name, item.span))
        return tuple(names), bool(items) and _text(items[-1]).startswith("*")

    def _body(self, node: Located) -> x.Body:
        try:
            return parse_body(_text(node), node.span, node.offsets())
        except DiagnosticError as error:
            self._report.diagnostics += error.diagnostics
            self._stop_after_many()
            return x.Body(x.Number(0))

    def _cell(self, node: Located) -> Cell:
        return Cell(
            self._name(node.members["name"]),
            _all(node, "inputs", self._cell_input),
            _all(node, "steps", self._step),
            _maybe(node, "count", self._count),
            _maybe(node, "return", _each(self._reference)),
            extent=node.span,
        )

    def _cell_input(self, node: Located) -> CellInput:
        slot = node.members.get("input", node)
        return CellInput(self._slot(slot), _maybe(node, "name", self._name))

    def _step(self, node: Located) -> Step:
        op = node.members["op"]
        is_open = "any" in op.members and "op" not in op.members
        return Step(
            self._name(node.members["name"]),
            self._operation_hole(op) if is_open else self._operation(op),
            _all(node, "inputs", self._slot),
            _maybe(node, "count", self._count),
            extent=node.span,
        )

    def _operation(self, node: Located) -> Operation:
        place = node.members.get("op", node)
        library, dot, plain = _text(place).partition(".")
        if not dot or name_problem(library) or name_problem(plain):
            self._name(place, 'an open operation is `{"any": "pool"}`' if library == "?" else None)
        name = Name(_text(place), place.span)
        return Operation(name, self._settings(node, "op"), extent=node.span)

    def _operation_hole(self, node: Located) -> Hole:
        candidates = node.members["any"].items
        return Hole(tuple(self._operation(c) for c in candidates) or None, span=node.span)

    def _slot(self, node: Located) -> Slot:
        if node.content == "?":
            return Hole(span=node.span)
        if isinstance(node.content, str):
            return self._reference(node)
        return Hole(_all(node, "any", self._reference), span=node.span)

    def _output(self, node: Located) -> Output:
        if "possibly" in node.members:
            return Possibly(self._output_item(node.members["possibly"]), span=node.span)
        return self._output_item(node)

    def _output_item(self, node: Located) -> Slot | Family | Others:
        if node.content == "*":
            return Others(span=node.span)
        if "all" in node.members:
            return Family(self._name(node.members["all"]))
        return self._slot(node)

    def _reference(self, node: Located) -> Reference:
        return Reference(self._name(node))

    def _requirement(self, node: Located) -> RuleRequirement | Budget:
        if isinstance(node.content, str):
            return RuleRequirement(self._name(node))
        (limits,) = node.members.values()
        sign = "<=" if "<=" in limits.members else "<"
        limit = cast(int, limits.members[sign].content)
        on = _maybe(limits, "on", self._name)
        return Budget(self._key(limits), limit, sign == "<=", on, span=node.span)

    def _weight(self, node: Located) -> Value:
        return self._name(node) if isinstance(node.content, str) else cast(float, node.content)

    def _predict(self, node: Located) -> Predict:
        kind = cast(HeadKind, node.members["kind"].content)
        names = _maybe(node, "names", _each(self._name))
        return Predict(
            self._size(node.members["count"]),
            kind,
            names,
            _maybe(node, "name", self._name),
            _all(node, "reads", self._reference),
            _maybe(node, "weight", self._weight),
            _maybe(node, "loss", self._name),
            span=node.span,
        )


def _text(node: Located) -> str:
    return cast(str, node.content)


def _located(node: Located) -> Name:
    """A text that need not be a name, and knows where it stands."""
    return Name(_text(node), node.span)


def _maybe(node: Located, key: str, reader: Callable[[Located], T]) -> T | None:
    return reader(node.members[key]) if key in node.members else None


def _each(reader: Callable[[Located], T]) -> Callable[[Located], tuple[T, ...]]:
    return lambda node: tuple(reader(item) for item in node.items)


def _all(node: Located, key: str, reader: Callable[[Located], T]) -> tuple[T, ...]:
    return _maybe(node, key, _each(reader)) or ()
