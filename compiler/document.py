"""A Spec as a document of JSON or YAML, and such a document as a Spec.

NOTE: `grammars/fuse.schema.json` judges the structure of a document, this file then reads it
without asking again. Names and equations are judged as those of a `.fuse` text are.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from ..grammars import read
from . import expression as x
from .diagnostics import DiagnosticError, Report, did_you_mean, fail, one_of
from .located import MOST_PROBLEMS, Located, is_literal, shortened
from .parse import parse_body
from .printer import body_text
from .source import Span
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
    Size,
    Slot,
    Spec,
    Step,
    Use,
    Value,
    name_problem,
)
from .syntax import LANGUAGE_VERSION, LONGEST_NUMBER

if TYPE_CHECKING:
    import yaml
    from jsonschema import ValidationError

T = TypeVar("T")
Json: TypeAlias = dict[str, Any]
WIDEST_EXAMPLE = 72
WIDEST_FLOW = 72


def spec_from_document(document: Located) -> Spec:
    """The Spec of a document; raises DiagnosticError with everything that is wrong in it."""
    _check_version(document)
    report = Report()
    _check_structure(document, report)
    report.raise_errors()
    spec = _SpecReader(report).spec(document)
    report.raise_errors()
    return spec


# Structure


def _check_version(document: Located) -> None:
    version = document.members.get("fuse")
    number = version.content if version else LANGUAGE_VERSION
    if version and type(number) is int and number != LANGUAGE_VERSION:
        message = f"version {number} of the language is not known here"
        remedy = f'this is version {LANGUAGE_VERSION}: write `"fuse": {LANGUAGE_VERSION}`'
        raise fail("E006", message, version.span, help=remedy)


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator, validators

    def is_integer(_: object, value: object) -> bool:
        return type(value) is int

    # JSON Schema counts 2.0 as an integer; the text form has `2.0` as no count.
    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", is_integer)
    extend: Any = validators.extend
    validator = extend(Draft202012Validator, type_checker=types)
    return validator(json.loads(read("fuse.schema.json")))


def _check_structure(document: Located, report: Report) -> None:
    """Adds what the schema finds, until there is enough of it."""
    errors = _validator().iter_errors(document.plain())
    for error in (leaf for each in errors for leaf in _leaves(each)):
        node = document.at(error.absolute_path)
        if error.validator == "additionalProperties":
            _unknown_keys(error, node, report)
        elif error.validator == "required":
            _missing_keys(error, node, report)
        else:
            _mismatch(error, node, report)
        if len(report.diagnostics) >= MOST_PROBLEMS:
            return


def _leaves(error: ValidationError) -> list[ValidationError]:
    """The errors to show: of alternatives, those of the one that the value comes closest to."""
    if error.validator != "anyOf":
        return [error]
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    fitting = [b for b in branches.values() if not any(_is_other_kind(e) for e in b)]
    if not fitting:
        return [error]
    closest = min(fitting, key=lambda branch: sum(_distance(e) for e in branch))
    return [leaf for inner in closest for leaf in _leaves(inner)]


def _is_other_kind(error: ValidationError) -> bool:
    return not error.relative_path and error.validator in ("type", "const", "anyOf")


def _distance(error: ValidationError) -> int:
    """How much an error speaks against the alternative that it belongs to."""
    if error.relative_path:
        return 0
    return len(_strays(error)) if error.validator == "additionalProperties" else 1


def _strays(error: ValidationError) -> list[str]:
    """Keys that the schema of an object does not know, where it is closed; not all of too many."""
    schema = _schema(error)
    if schema.get("additionalProperties") is not False:
        return []
    strays = (key for key in cast(Json, error.instance) if key not in schema["properties"])
    return list(islice(strays, MOST_PROBLEMS))


def _unknown_keys(error: ValidationError, node: Located, report: Report) -> None:
    known = list(_schema(error)["properties"])
    for key in _strays(error):
        remedy = did_you_mean(key, known) or f"known are {one_of(known)}"
        message = f"`{shortened(key)}` is not known here"
        report.add("E102", message, node.members[key].key_span, help=remedy)


def _missing_keys(error: ValidationError, node: Located, report: Report) -> None:
    strays = _strays(error)
    for key in _schema(error)["required"]:
        if key not in node.members and not did_you_mean(key, strays):
            report.add("E102", f"the {_title(error)} has no `{key}`", node.span)


def _mismatch(error: ValidationError, node: Located, report: Report) -> None:
    title = _title(error)
    article = "an" if title[0] in "aeiou" else "a"
    message = f"{_found(error.instance)} stands where {article} {title} is expected"
    report.add("E102", message, node.span, help=_remedy(error))


def _remedy(error: ValidationError) -> str | None:
    schema = _schema(error)
    if error.validator == "enum":
        known = list(schema["enum"])
        guess = did_you_mean(error.instance, known) if isinstance(error.instance, str) else None
        return guess or f"known are {one_of(known)}"
    shown = [f"`{json.dumps(e)}`" for e in schema.get("examples", ())]
    short = [e for e in shown if len(e) <= WIDEST_EXAMPLE]
    return f"write {' or '.join(short)}, for example" if short else None


def _title(error: ValidationError) -> str:
    return str(_schema(error)["title"])


def _schema(error: ValidationError) -> Json:
    return cast(Json, error.schema)


def _found(value: Any) -> str:
    """A value as a message names it."""
    match value:
        case None | bool():
            return f"`{json.dumps(value)}`"
        case int() | float():
            return f"the number `{value}`"
        case str():
            return f"the string `{shortened(value)}`" if value else "an empty string"
        case list():
            return f"a list of {len(value)}" if value else "an empty list"
        case _:
            keys = one_of([shortened(key) for key in value], 3)
            return f"an object with {keys}" if value else "an empty object"


# Documents to Specs


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
            uses=_all(root, "use", lambda node: Use(self._name(node), span=node.span)),
            definitions=ops + roles,
            modalities=_all(root, "modalities", self._modality),
            pool=_maybe(root, "pool", _each(self._operation)),
            cells=_all(root, "cells", self._cell),
            outputs=_maybe(root, "output", _each(self._reference)),
            requirements=_all(root, "require", self._requirement),
            predict=_maybe(root, "predict", self._predict),
        )

    def _problem(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        self._report.add(code, message, span, help=help)
        self._stop_after_many()

    def _stop_after_many(self) -> None:
        if len(self._report.diagnostics) >= MOST_PROBLEMS:
            self._report.raise_errors()

    # Names and numbers

    def _name(self, node: Located, help: str | None = None) -> str:
        name = cast(str, node.content)
        if problem := name_problem(name):
            self._problem("E005", problem, node.span, help)
        return name

    def _key(self, node: Located) -> str:
        """The key that a value stands under, as a name."""
        key = cast(str, node.path.key if node.path else "")
        if problem := name_problem(key):
            self._problem("E005", problem, node.key_span)
        return key

    def _size(self, node: Located) -> Size:
        return self._name(node) if isinstance(node.content, str) else cast(int, node.content)

    def _value(self, node: Located) -> Value:
        return self._name(node) if isinstance(node.content, str) else cast(int, node.content)

    def _settings(self, node: Located, owner: str | None = None) -> tuple[tuple[str, Any], ...]:
        """The members of an object as named values, but for the key that names their owner."""
        members = [member for key, member in node.members.items() if key != owner]
        return tuple((self._key(member), self._value(member)) for member in members)

    # Statements

    def _network(self, node: Located) -> NetworkHeader:
        name = node.members["name"]
        return NetworkHeader(self._name(name), self._settings(node, "name"), span=name.span)

    def _modality(self, node: Located) -> Modality:
        name = node.members["name"]
        return Modality(
            self._name(name),
            _all(node, "features", self._feature),
            backbone=_maybe(node, "from", _text),
            optional=_maybe(node, "optional", lambda flag: flag.content) is True,
            span=name.span,
        )

    def _feature(self, node: Located) -> Feature:
        name = node.members["name"]
        axes = _maybe(node, "axes", _each(self._axis))
        return Feature(self._name(name), axes, _maybe(node, "at", _text), span=name.span)

    def _axis(self, node: Located) -> FeatureAxis:
        name, size = node.items
        known = "*" if size.content == "*" else self._size(size)
        return FeatureAxis(self._name(name), known, span=node.span)

    def _definition(self, node: Located, named_by: str) -> Definition:
        name = node.members[named_by]
        inputs, rest = self._formals(node)
        return Definition(
            self._name(name),
            inputs,
            self._body(node.members["body"]),
            rest=rest,
            parameters=_maybe(node, "parameters", self._settings) or (),
            role=named_by == "role",
            modality=_maybe(node, "for", self._name),
            span=name.span,
        )

    def _formals(self, node: Located) -> tuple[tuple[str, ...], bool]:
        """The inputs of a definition, and whether the last of them takes the rest."""
        items = node.members["inputs"].items
        names: list[str] = []
        for item in items:
            written = _text(item)
            is_rest = written.startswith("*")
            quoted = len(written) > 1 and written[0] == written[-1] == "`"
            name = written[1:] if is_rest else written[1:-1] if quoted else written
            if is_rest and item is not items[-1]:
                message = f"`{shortened(written)}` takes the rest, but an input follows"
                self._problem("E008", message, item.span, "write it last")
            if problem := name_problem(name):
                self._problem("E005", problem, item.span)
            names.append(name)
        return tuple(names), bool(items) and _text(items[-1]).startswith("*")

    def _body(self, node: Located) -> x.Body:
        try:
            return parse_body(_text(node), node.span, node.offsets())
        except DiagnosticError as error:
            self._report.diagnostics += error.diagnostics
            self._stop_after_many()
            return x.Body(x.Number(0))

    def _cell(self, node: Located) -> Cell:
        name = node.members["name"]
        return Cell(
            self._name(name),
            _all(node, "inputs", self._cell_input),
            _all(node, "steps", self._step),
            _maybe(node, "count", self._size),
            _maybe(node, "return", _each(self._reference)),
            span=name.span,
        )

    def _cell_input(self, node: Located) -> CellInput:
        slot = node.members.get("input", node)
        return CellInput(self._slot(slot), _maybe(node, "name", self._name))

    def _step(self, node: Located) -> Step:
        name, op = node.members["name"], node.members["op"]
        is_open = "any" in op.members and "op" not in op.members
        return Step(
            self._name(name),
            self._operation_hole(op) if is_open else self._operation(op),
            _all(node, "inputs", self._slot),
            _maybe(node, "count", self._size),
            span=name.span,
        )

    def _operation(self, node: Located) -> Operation:
        place = node.members.get("op", node)
        library, dot, plain = _text(place).partition(".")
        if not dot or name_problem(library) or name_problem(plain):
            self._name(place, 'an open operation is `{"any": "pool"}`' if library == "?" else None)
        return Operation(_text(place), self._settings(node, "op"), span=place.span)

    def _operation_hole(self, node: Located) -> Hole:
        candidates = node.members["any"].items
        return Hole(tuple(self._operation(c) for c in candidates) or None, span=node.span)

    def _slot(self, node: Located) -> Slot:
        if node.content == "?":
            return Hole(span=node.span)
        if isinstance(node.content, str):
            return self._reference(node)
        return Hole(_all(node, "any", self._reference), span=node.span)

    def _reference(self, node: Located) -> Reference:
        return Reference(self._name(node), span=node.span)

    def _requirement(self, node: Located) -> RuleRequirement | Budget:
        if isinstance(node.content, str):
            return RuleRequirement(self._name(node), span=node.span)
        (limits,) = node.members.values()
        ((sign, limit),) = limits.members.items()
        return Budget(self._key(limits), cast(int, limit.content), sign == "<=", span=node.span)

    def _predict(self, node: Located) -> Predict:
        kind = cast(HeadKind, node.members["kind"].content)
        names = _maybe(node, "names", _each(self._name))
        return Predict(self._size(node.members["count"]), kind, names, span=node.span)


def _text(node: Located) -> str:
    return cast(str, node.content)


def _maybe(node: Located, key: str, reader: Callable[[Located], T]) -> T | None:
    return reader(node.members[key]) if key in node.members else None


def _each(reader: Callable[[Located], T]) -> Callable[[Located], tuple[T, ...]]:
    return lambda node: tuple(reader(item) for item in node.items)


def _all(node: Located, key: str, reader: Callable[[Located], T]) -> tuple[T, ...]:
    return _maybe(node, key, _each(reader)) or ()


# Specs to documents


def document_of(spec: Spec) -> Json:
    """A Spec as the data of its JSON.

    Raises DiagnosticError where a parameter is given twice or has the name of a key, which no
    object can hold and the compiler refuses as well.
    """
    ops = [d for d in spec.definitions if not d.role]
    roles = [d for d in spec.definitions if d.role]
    return _without_none(
        fuse=spec.version,
        network=_network(spec.network) if spec.network else None,
        use=[use.library for use in spec.uses] or None,
        modalities=[_modality(m) for m in spec.modalities] or None,
        pool=None if spec.pool is None else [_operation(o) for o in spec.pool],
        ops=[_definition(d) for d in ops] or None,
        roles=[_definition(d) for d in roles] or None,
        cells=[_cell(c) for c in spec.cells] or None,
        output=_names(spec.outputs),
        require=[_requirement(r) for r in spec.requirements] or None,
        predict=_predict(spec.predict) if spec.predict else None,
    )


def to_json(spec: Spec) -> str:
    """A Spec as JSON text; raises as `document_of` does."""
    text = json.dumps(document_of(spec), indent=2, ensure_ascii=False, allow_nan=False)
    return text + "\n"


def to_yaml(spec: Spec) -> str:
    """A Spec as YAML text; raises as `document_of` does."""
    import yaml

    events = [
        yaml.StreamStartEvent(),
        yaml.DocumentStartEvent(explicit=False),
        *_events(document_of(spec), is_root=True),
        yaml.DocumentEndEvent(explicit=False),
        yaml.StreamEndEvent(),
    ]
    written = yaml.emit(events, Dumper=yaml.SafeDumper, allow_unicode=True, width=sys.maxsize)
    return cast(str, written)


def _without_none(**members: Any) -> Json:
    return {key: value for key, value in members.items() if value is not None}


def _settings(pairs: Sequence[tuple[str, Value]], owner: str, key: str, span: Span | None) -> Any:
    """Named values as an object that has `key` besides."""
    settings: dict[str, Value] = {}
    for name, value in pairs:
        if name == key:
            message = f"`{name}` cannot name a number of `{owner}` in JSON and YAML"
            raise fail("E211", message, span, help="choose another name")
        if name in settings:
            message = f"`{name}` is given twice to `{owner}`"
            raise fail("E202", message, span, help="keep one of them")
        settings[name] = value
    return settings


def _network(header: NetworkHeader) -> Json:
    return {
        "name": header.name,
        **_settings(header.numbers, header.name, "name", header.span),
    }


def _modality(modality: Modality) -> Json:
    members = {
        "name": modality.name,
        "from": modality.backbone,
        "optional": modality.optional or None,
        "features": [_feature(feature) for feature in modality.features],
    }
    return _without_none(**members)


def _feature(feature: Feature) -> Json:
    axes = None if feature.axes is None else [[axis.name, axis.size] for axis in feature.axes]
    return _without_none(name=feature.name, axes=axes, at=feature.at)


def _operation(operation: Operation) -> str | Json:
    if not operation.parameters:
        return operation.name
    settings = _settings(operation.parameters, operation.name, "op", operation.span)
    return {"op": operation.name, **settings}


def _definition(definition: Definition) -> Json:
    inputs = [f"`{name}`" if name.startswith("*") else name for name in definition.inputs]
    if definition.rest:
        inputs[-1] = "*" + definition.inputs[-1]
    settings = _settings(definition.parameters, definition.name, "", definition.span)
    members = {
        "role" if definition.role else "name": definition.name,
        "inputs": inputs,
        "for": definition.modality,
        "parameters": settings or None,
        "body": body_text(definition.body),
    }
    return _without_none(**members)


def _cell(cell: Cell) -> Json:
    members = {
        "name": cell.name,
        "count": cell.count,
        "inputs": [_cell_input(i) for i in cell.inputs],
        "steps": [_step(step) for step in cell.steps],
        "return": _names(cell.returned),
    }
    return _without_none(**members)


def _cell_input(cell_input: CellInput) -> Any:
    slot = _slot(cell_input.slot)
    return slot if cell_input.name is None else {"name": cell_input.name, "input": slot}


def _step(step: Step) -> Json:
    op = _hole(step.operation, "pool") if isinstance(step.operation, Hole) else step.operation
    return _without_none(
        name=step.name,
        count=step.count,
        op=_operation(op) if isinstance(op, Operation) else op,
        inputs=[_slot(slot) for slot in step.slots],
    )


def _slot(slot: Slot) -> Any:
    if isinstance(slot, Reference):
        return slot.name
    return "?" if slot.candidates is None else _hole(slot, "?")


def _hole(hole: Hole, anything: str) -> Json:
    if hole.candidates is None:
        return {"any": anything}
    named = (c.name if isinstance(c, Reference) else _operation(c) for c in hole.candidates)
    return {"any": list(named)}


def _names(references: Iterable[Reference] | None) -> list[str] | None:
    return None if references is None else [reference.name for reference in references]


def _requirement(requirement: RuleRequirement | Budget) -> Any:
    if isinstance(requirement, RuleRequirement):
        return requirement.rule
    limit = requirement.limit
    # A limit such as `1e300G` is a whole number of more digits than any reader takes.
    written = float(limit) if len(str(limit)) > LONGEST_NUMBER else limit
    return {requirement.quantity: {"<=" if requirement.inclusive else "<": written}}


def _predict(predict: Predict) -> Json:
    names = None if predict.names is None else list(predict.names)
    return _without_none(count=predict.count, kind=predict.kind, names=names)


# YAML


def _events(value: Any, is_root: bool = False) -> Iterator[yaml.Event]:
    """The events of a value; what is short and holds no named part stands on one line."""
    import yaml

    flow = not is_root and _is_short(value)
    match value:
        case dict():
            yield yaml.MappingStartEvent(None, None, True, flow_style=flow)
            for key, member in value.items():
                yield _string_event(key)
                yield from _events(member)
            yield yaml.MappingEndEvent()
        case list():
            yield yaml.SequenceStartEvent(None, None, True, flow_style=flow)
            for item in value:
                yield from _events(item)
            yield yaml.SequenceEndEvent()
        case str():
            yield _string_event(value)
        case _:
            # `1e-05` is a number to JSON and YAML 1.2, but a string to YAML 1.1.
            number = re.sub(r"^(-?\d+)e", r"\1.0e", json.dumps(value))
            yield yaml.ScalarEvent(None, None, (True, False), number)


def _is_short(value: Any) -> bool:
    parts = value if isinstance(value, list) else [value]
    named = any(isinstance(p, dict) and {"name", "role"} & p.keys() for p in parts)
    return not named and len(json.dumps(value, ensure_ascii=False)) <= WIDEST_FLOW


def _string_event(text: str) -> yaml.ScalarEvent:
    """A string, in quotes where this or any other reader would take it for something else."""
    import yaml

    resolvers = yaml.SafeDumper.yaml_implicit_resolvers.get(text[:1], [])
    ambiguous = is_literal(text) or any(pattern.match(text) for _, pattern in resolvers)
    style = '"' if not text.isprintable() else "'" if ambiguous else None
    return yaml.ScalarEvent(None, None, (True, True), text, style=style)
