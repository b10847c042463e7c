"""The text of a Program, read back: `program_text` says what it looks like.

Every value is checked against what its primitive computes. What is wrong with one is reported and
the type that is written for it believed, so that all of a text's errors come at once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, get_args

from ...ops.types import TensorType
from ..diagnostics.diagnostic import DiagnosticError, Edit, Report, did_you_mean, fail
from ..diagnostics.source import LONGEST_TEXT, Source, Span
from ..documents.tree import MOST_PROBLEMS
from ..system.collector import COLLECTOR_OFF
from .check import computed_type, primitive_named
from .program import (
    INPUT,
    PARAMETER,
    Attributes,
    Input,
    InputKind,
    ParameterKind,
    ParameterSpec,
    Program,
    Value,
    validate,
)
from .text import type_text
from .tokens import Lexeme, Reader, quoted

_EXAMPLES = {
    "value": "`%0 = …`",
    "input": "`input feature A : (batch, c 3)`",
    "parameter": "`parameter weight W[3, 4] = 0.5`",
}
"""What declares each kind of thing."""


def parse_program(text: str, name: str = "<program>") -> Program:
    """The Program of a text; raises DiagnosticError where it is none."""
    if len(text) > LONGEST_TEXT:
        raise fail("E004", f"the text is longer than {LONGEST_TEXT:,} characters")
    with COLLECTOR_OFF:
        report = Report()
        try:
            program = _Parser(Reader(Source(name, text)), report).program()
        except DiagnosticError as error:
            report.diagnostics += error.diagnostics
            raise DiagnosticError(report.sorted()) from None
        report.raise_errors()
        return validate(program, "parsing")


class _Parser:
    def __init__(self, reader: Reader, report: Report) -> None:
        self.reader, self.report = reader, report
        self.inputs: dict[str, Input] = {}
        self.parameters: dict[str, ParameterSpec] = {}
        self.values: list[Value] = []
        self.positions: dict[str, int] = {}

    def program(self) -> Program:
        reader = self.reader
        while not reader.skip("return"):
            if reader.token.kind == "value":
                self._value()
            elif reader.skip(INPUT):
                self._input()
            elif reader.skip(PARAMETER):
                self._parameter()
            elif reader.token.kind == "end":
                place = reader.span(reader.before)
                remedy = "write `return %0`, say, at its end"
                raise fail("E007", "the program returns no value", place, help=remedy)
            else:
                raise reader.unexpected(
                    "`input`", "`parameter`", "a value such as `%0`", "`return`"
                )
        output = self._argument()
        if reader.token.kind != "end":
            raise reader.unexpected("the end of the text: `return` is its last line")
        inputs, parameters = tuple(self.inputs.values()), tuple(self.parameters.values())
        return Program(inputs, parameters, tuple(self.values), output or 0)

    # Declarations

    def _input(self) -> None:
        kind: InputKind = self._kind(get_args(InputKind))
        name = self._new_name("input", self.inputs)
        self.reader.expect(":")
        self.inputs[name] = Input(name, self.reader.type(), kind)

    def _parameter(self) -> None:
        reader = self.reader
        kind: ParameterKind = self._kind(get_args(ParameterKind))
        name = self._new_name("parameter", self.parameters)
        reader.expect("[")
        sizes = reader.listed(reader.size, "]")
        reader.expect("=")
        word = reader.skip("uniform", "normal")
        initial: Any = float(reader.number()) if word is None else word.text
        bound = float(reader.number()) if reader.skip("±") else 0.0
        rows: tuple[str, ...] = ()
        if reader.skip("of"):
            reader.expect("(")
            rows = tuple(reader.listed(reader.name, ")"))
        self.parameters[name] = ParameterSpec(name, sizes, kind, initial, bound, rows)

    def _kind(self, kinds: Sequence[str]) -> Any:
        return self.reader.expect(*kinds).text

    def _new_name(self, what: str, known: Collection[str]) -> str:
        start = self.reader.token
        name = self.reader.name()
        if name in known:
            self._twice(f"the {what} {quoted(name)}", start)
        return name

    def _twice(self, what: str, start: Lexeme) -> None:
        place, remedy = self.reader.since(start), "keep one of them"
        self._problem(fail("E202", f"{what} stands twice", place, help=remedy))

    def _problem(self, error: DiagnosticError) -> None:
        """Reports an error after which the text is read on, unless there are enough of them."""
        self.report.diagnostics += error.diagnostics
        if len(self.report.diagnostics) >= MOST_PROBLEMS:
            self.report.raise_errors()

    # Values

    def _value(self) -> None:
        reader = self.reader
        label = reader.take()
        if label.text in self.positions:
            self._twice(f"the value `{label.text}`", label)
        reader.expect("=")
        start = reader.token
        reads = reader.skip(INPUT, PARAMETER)
        arguments: Sequence[int | None] = ()
        attributes: Attributes = ()
        if reads:
            primitive, name_start = reads.text, reader.token
            attributes = (("name", reader.name()),)
            place = reader.since(name_start)
        else:
            primitive = reader.name()
            place = reader.since(start)
            reader.expect("(")
            arguments = reader.listed(self._argument, ")")
            if reader.skip("{"):
                attributes = self._attributes()
        applied = reader.since(start)
        reader.expect(":")
        start = reader.token
        type = reader.type()
        written = reader.since(start)
        scope = reader.scope() if reader.skip("@") else ()
        known = [a for a in arguments if a is not None]
        value = Value(primitive, tuple(known), attributes, type, scope)
        if len(known) == len(arguments):
            self._check(value, place, applied, written)
        self.positions[label.text] = len(self.values)
        self.values.append(value)

    def _argument(self) -> int | None:
        """The position of a value that stands before; None, and reported, where there is none."""
        if self.reader.token.kind != "value":
            raise self.reader.unexpected("a value such as `%0`")
        token = self.reader.take()
        if token.text not in self.positions:
            self._undeclared("value", token.text, self.positions, self.reader.span(token))
        return self.positions.get(token.text)

    def _attributes(self) -> Attributes:
        attributes: dict[str, Any] = {}

        def add() -> None:
            name = self._new_name("attribute", attributes)
            self.reader.expect("=")
            attributes[name] = self.reader.attribute()

        self.reader.listed(add, "}")
        return tuple(attributes.items())

    def _undeclared(self, what: str, name: str, known: Collection[str], place: Span) -> None:
        guess = None if name[1:].isdecimal() else did_you_mean(name, known)
        # As text alone: a fix would write a name as a specification does.
        remedy = str(guess or f"declare it on a line before: {_EXAMPLES[what]}")
        message = f"the {what} {quoted(name)} is not declared before it is read"
        self._problem(fail("E701", message, place, help=remedy))

    # What a value computes

    def _check(self, value: Value, place: Span, applied: Span, written: Span) -> None:
        """Reports a value that is not of the type that is written for it."""
        if value.primitive in (INPUT, PARAMETER):
            self._check_read(value, place, written)
            return
        try:
            record = primitive_named(value.primitive, place)
            types = [self.values[a].type for a in value.arguments]
            computed = computed_type(record, types, dict(value.attributes), applied)
        except DiagnosticError as error:
            self._problem(error)
        else:
            self._compare(f"`{record.name}` computes", computed, value.type, written)

    def _check_read(self, value: Value, place: Span, written: Span) -> None:
        declared = self.inputs if value.primitive == INPUT else self.parameters
        if value.name not in declared:
            self._undeclared(value.primitive, value.name, declared, place)
        elif value.primitive == INPUT:
            type = self.inputs[value.name].type
            self._compare(f"the input {quoted(value.name)} is", type, value.type, written)
        else:
            sizes = self.parameters[value.name].sizes
            if sizes != tuple(axis.size for axis in value.type.axes):
                message = f"the parameter {quoted(value.name)} has the sizes {_sizes(sizes)}"
                remedy = "the axes of a parameter have its sizes"
                self._problem(fail("E302", message, written, help=remedy))

    def _compare(self, what: str, known: TensorType, type: TensorType, written: Span) -> None:
        if known != type:
            edit = Edit(written, type_text(known))
            message = f"{what} {edit.text}, not {type_text(type)}"
            remedy = f"write `{edit.text}`"
            self._problem(fail("E302", message, written, help=remedy, fix=[edit]))


def _sizes(sizes: Sequence[int]) -> str:
    return f"[{', '.join(map(str, sizes))}]"
