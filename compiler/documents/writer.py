"""A Spec as a document of JSON or YAML."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from ..diagnostics.diagnostic import fail
from ..diagnostics.source import Span
from ..diagnostics.text import json_text, printable
from ..language.limits import LONGEST_NUMBER
from ..language.nodes import (
    Budget,
    Cell,
    CellInput,
    Definition,
    Family,
    Feature,
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
    Slot,
    Step,
    Value,
)
from ..language.printer import body_text
from ..language.spec import Spec
from .tree import is_literal

if TYPE_CHECKING:
    import yaml

Json: TypeAlias = dict[str, Any]
WIDEST_FLOW = 72


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
        output=None if spec.outputs is None else [_output(o) for o in spec.outputs],
        require=[_requirement(r) for r in spec.requirements] or None,
        predict=_predict(spec.predict) if spec.predict else None,
        heads=[_predict(p) for p in spec.heads] or None,
    )


def to_json(spec: Spec) -> str:
    """A Spec as JSON text; raises as `document_of` does."""
    text = json_text(document_of(spec), indent=2, allow_nan=False)
    return text + "\n"


def to_yaml(spec: Spec) -> str:
    """A Spec as YAML text; raises as `document_of` does.

    What cannot be printed stands in double quotes, where its escape means the same.
    """
    import yaml

    events = [
        yaml.StreamStartEvent(),
        yaml.DocumentStartEvent(explicit=False),
        *_events(document_of(spec), is_root=True),
        yaml.DocumentEndEvent(explicit=False),
        yaml.StreamEndEvent(),
    ]
    text = yaml.emit(events, Dumper=yaml.SafeDumper, allow_unicode=True, width=sys.maxsize)
    return "\n".join(printable(line) for line in cast(str, text).split("\n"))


def _without_none(**members: Any) -> Json:
    return {key: value for key, value in members.items() if value is not None}


def _settings(
    pairs: Sequence[tuple[str, Value | NumberHole]], owner: str, key: str, span: Span | None
) -> Any:
    """Named values as an object that has `key` besides."""
    settings: dict[str, Any] = {}
    for name, value in pairs:
        if name == key:
            message = f"`{name}` cannot name a number of `{owner}` in JSON and YAML"
            raise fail("E211", message, span, help="choose another name")
        if name in settings:
            message = f"`{name}` is given twice to `{owner}`"
            raise fail("E202", message, span, help="keep one of them")
        settings[name] = _number(value)
    return settings


def _number(value: Value | NumberHole | None) -> Any:
    return {"any": list(value.candidates)} if isinstance(value, NumberHole) else value


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
        "count": _number(cell.count),
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
        count=_number(step.count),
        op=_operation(op) if isinstance(op, Operation) else op,
        inputs=[_slot(slot) for slot in step.slots],
    )


def _slot(slot: Slot) -> Any:
    if isinstance(slot, Reference):
        return slot.name
    return "?" if slot.candidates is None else _hole(slot, "?")


def _output(place: Output) -> Any:
    match place:
        case Possibly(item):
            return {"possibly": _output(item)}
        case Family():
            return {"all": place.name}
        case Others():
            return "*"
        case _:
            return _slot(place)


def _hole(hole: Hole, anything: str) -> Json:
    if hole.candidates is None:
        return {"any": anything}
    candidates = (c.name if isinstance(c, Reference) else _operation(c) for c in hole.candidates)
    return {"any": list(candidates)}


def _names(references: Iterable[Reference] | None) -> list[str] | None:
    return None if references is None else [reference.name for reference in references]


def _requirement(requirement: RuleRequirement | Budget) -> Any:
    if isinstance(requirement, RuleRequirement):
        return requirement.rule
    limit = requirement.limit
    # A limit such as `1e300G` is a whole number of more digits than any reader takes.
    number = float(limit) if len(str(limit)) > LONGEST_NUMBER else limit
    limits = {requirement.sign: number, "on": requirement.on}
    return {requirement.quantity: _without_none(**limits)}


def _predict(predict: Predict) -> Json:
    names = None if predict.names is None else list(predict.names)
    return _without_none(
        name=predict.name,
        reads=[r.name for r in predict.reads] or None,
        weight=None if predict.weight is None else _number(predict.weight),
        loss=predict.loss,
        count=predict.count,
        kind=predict.kind,
        names=names,
    )


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
