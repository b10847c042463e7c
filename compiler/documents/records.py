"""Records that programs write for programs, in JSON or TOML: read as what their schema says.

There is one schema for each kind, `grammars/KIND.schema.json`. Whole numbers have 64 bits and other
numbers are finite, whatever a schema says; no key stands twice.

NOTE: the reader that knows places is slow, so it is asked where a text is wrong, and not before.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, Any, NoReturn

from ...grammars import read
from ..diagnostics.diagnostic import DiagnosticError, fail
from ..diagnostics.source import Source, Span
from ..diagnostics.text import shortened
from ..language.limits import LONGEST_NUMBER
from .json_text import read_json
from .tree import MOST_PROBLEMS, Located, described

if TYPE_CHECKING:
    from jsonschema import ValidationError

LARGEST = 2**63
FORMAT = "format"
"""What a record calls the version of its own form, which its schema says as a constant."""
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True)
class TableKind:
    """A kind of table, which its reader knows: what is said where a text is none of it."""

    code: str = "E507"
    is_none: str = "is damaged"
    remedy: str = "run it again"

    def wrong(self, name: str, why: str, span: Span | None = None) -> DiagnosticError:
        """The diagnostic for a text of this name that is no such record."""
        return fail(self.code, f"`{name}` {self.is_none}: {why}", span, help=self.remedy)


@dataclass(frozen=True)
class RecordKind(TableKind):
    """A kind of record: the name of its schema, and what is said where a text is none of it."""

    schema: str = field(kw_only=True)


def read_record(text: str, name: str, kind: RecordKind, line: int = 1) -> Any:
    """The values of a JSON text, which begins in this line of the file `name`.

    Raises DiagnosticError, with the place, where it is no record of the kind.
    """
    try:
        record = _values(text)
    except (ValueError, RecursionError):
        record = _located(text, name, kind, line).plain()
    if errors := list(islice(_validator(kind.schema).iter_errors(record), MOST_PROBLEMS)):
        error = min(errors, key=lambda one: one.validator != "const")  # another format, above all
        _refuse(error, _located(text, name, kind, line), name, kind)
    return record


def read_table(text: str, name: str, kind: TableKind) -> dict[str, Any]:
    """The values of a TOML text; raises DiagnosticError where it is none."""
    import tomllib

    try:
        return tomllib.loads(text)
    except RecursionError:
        raise kind.wrong(name, "it is nested too deeply") from None
    except ValueError as error:
        raise kind.wrong(name, shortened(str(error), 200)) from None


def _values(text: str) -> Any:
    """The values of a JSON text; raises ValueError where the reader of places is to be asked."""
    if _ESCAPED_SURROGATE.search(text):
        raise ValueError("this may be half a character")
    return json.loads(
        text,
        object_pairs_hook=_object,
        parse_int=_whole,
        parse_float=_real,
        parse_constant=_real,
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError("too many digits")
    return int(text)


def _real(text: str) -> float:
    if len(text) > LONGEST_NUMBER or not isfinite(number := float(text)):
        raise ValueError("no number")
    return number


def _located(text: str, name: str, kind: RecordKind, line: int) -> Located:
    try:
        return read_json(Source(name, "\n" * (line - 1) + text))
    except DiagnosticError as error:
        first = error.diagnostics[0]
        raise kind.wrong(name, first.message, first.span) from None


@cache
def _validator(schema: str) -> Any:
    from jsonschema import Draft202012Validator, validators

    types = Draft202012Validator.TYPE_CHECKER
    types = types.redefine("integer", _is_whole).redefine("number", _is_number)
    extend: Any = validators.extend
    validator = extend(Draft202012Validator, type_checker=types)
    return validator(json.loads(read(f"{schema}.schema.json")))


def _is_whole(_: object, value: object) -> bool:
    return type(value) is int and -LARGEST <= value < LARGEST


def _is_number(_: object, value: object) -> bool:
    return _is_whole(_, value) or (type(value) is float and isfinite(value))


# What is wrong


def _refuse(error: ValidationError, document: Located, name: str, kind: RecordKind) -> NoReturn:
    path = list(error.absolute_path)
    node = document.at(path)
    if path == [FORMAT] and error.validator == "const":
        schema: Any = error.schema
        known = json.dumps(schema["const"])
        message = f"`{name}` is in another format than {known}, which is read here"
        remedy = f"use the version of Fusewright that wrote it, or {kind.remedy}"
        raise fail(kind.code, message, node.span, help=remedy)
    where = f"`{shortened(node.pointer)}`" if path else "the whole"
    raise kind.wrong(name, f"{where} {_why(error)}", node.span)


def _why(error: ValidationError) -> str:
    schema: Any = error.schema
    value: Any = error.instance
    if error.validator == "required":
        return f"has no `{next(key for key in schema['required'] if key not in value)}`"
    if error.validator == "additionalProperties" and schema["additionalProperties"] is False:
        stray = next(key for key in value if key not in schema["properties"])
        return f"has `{shortened(stray)}`, which is not known here"
    return f"is {described(value)}, not {_expected(error)}"


def _expected(error: ValidationError) -> str:
    schema: Any = error.schema
    limit = schema.get(str(error.validator))
    match error.validator:
        case "type":
            kinds = [limit] if isinstance(limit, str) else limit
            return " or ".join(KINDS[kind] for kind in kinds)
        case "const":
            return f"`{json.dumps(limit)}`"
        case "enum":
            return f"one of {', '.join(f'`{one}`' for one in limit)}"
        case "minimum":
            return f"at least {limit}"
        case "exclusiveMinimum":
            return f"above {limit}"
        case "maximum":
            return f"at most {limit}"
        case "minLength" | "minItems":
            return f"of at least {limit}"
        case "maxLength" | "maxItems" | "maxProperties":
            return f"of at most {limit}"
        case "pattern":
            return f"of the form `{limit}`"
        case _:
            return str(schema.get("description", "what stands there"))


KINDS = {
    "string": "a string",
    "integer": "a whole number of 64 bits",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}
"""What the types of JSON Schema are called."""
