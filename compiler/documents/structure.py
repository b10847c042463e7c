"""The structure of a document, judged by the JSON Schema, in this project's diagnostics."""

from __future__ import annotations

import json
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from ...grammars import read
from ..diagnostics.diagnostic import Report, did_you_mean, fail, one_of
from ..diagnostics.text import shortened
from ..syntax.statements import LANGUAGE_VERSION
from .tree import MOST_PROBLEMS, Located, described

if TYPE_CHECKING:
    from jsonschema import ValidationError

Json: TypeAlias = dict[str, Any]
WIDEST_EXAMPLE = 72


def check_version(document: Located) -> None:
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


def check_structure(document: Located, report: Report) -> None:
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
    keys = list(_schema(error)["properties"])
    for key in _strays(error):
        remedy = did_you_mean(key, keys) or f"known are {one_of(keys)}"
        message = f"`{shortened(key)}` is not known here"
        report.add("E102", message, node.members[key].key_span, help=remedy)


def _missing_keys(error: ValidationError, node: Located, report: Report) -> None:
    strays = _strays(error)
    for key in _schema(error)["required"]:
        if key not in node.members and not did_you_mean(key, strays):
            message = f"the {_title(error)} has no `{key}`"
            report.add("E102", message, node.span, help=f"add `{key}`")


def _mismatch(error: ValidationError, node: Located, report: Report) -> None:
    title = _title(error)
    article = "an" if title[0] in "aeiou" else "a"
    message = f"{described(error.instance)} stands where {article} {title} is expected"
    report.add("E102", message, node.span, help=_remedy(error))


def _remedy(error: ValidationError) -> str | None:
    schema = _schema(error)
    if error.validator == "enum":
        words = list(schema["enum"])
        guess = did_you_mean(error.instance, words) if isinstance(error.instance, str) else None
        return guess or f"known are {one_of(words)}"
    shown = [f"`{json.dumps(e)}`" for e in schema.get("examples", ())]
    short = [e for e in shown if len(e) <= WIDEST_EXAMPLE]
    return f"write {' or '.join(short)}, for example" if short else None


def _title(error: ValidationError) -> str:
    return str(_schema(error)["title"])


def _schema(error: ValidationError) -> Json:
    return cast(Json, error.schema)
