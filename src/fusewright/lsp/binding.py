"""Which symbol every name of a Spec means.

NOTE: unlike name resolution this never fails and never expands a family: it serves texts that are
being written. A name that means nothing has no occurrence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from ..compiler.diagnostics.source import Span, span_of
from ..compiler.language import expression as x
from ..compiler.language.nodes import (
    Cell,
    Definition,
    Family,
    Modality,
    NumberHole,
    Operation,
    Output,
    Reference,
    Slot,
    Value,
    item_of,
    largest,
    operations_of,
    references_of,
)
from ..compiler.language.spec import Spec
from ..compiler.network.names import input_name
from ..compiler.network.vocabulary import AmbiguousName, library_names, vocabulary_of
from ..ops.primitive import primitives
from .symbols import Node, Occurrence, Symbol, Symbols, definitions_of


def symbols_of(spec: Spec) -> Symbols:
    """Every declaration and use of a name in a Spec that was read from a `.fuse` text."""
    return _Binder(spec).bind()


class _Names:
    """Symbols by name in one scope; a family answers to `NAME_1` … `NAME_n`."""

    def __init__(self, numbers: Mapping[str, int | float]) -> None:
        self._numbers = numbers
        self._plain: dict[str, Symbol] = {}
        self._families: dict[str, tuple[Symbol, float]] = {}

    def add(self, symbol: Symbol, count: Value | NumberHole | None = None) -> None:
        if count is None:
            self._plain.setdefault(symbol.name, symbol)
        else:
            most = self._numbers.get(count, 0) if isinstance(count, str) else largest(count)
            self._families.setdefault(symbol.name, (symbol, most))

    def find_family(self, name: str) -> Symbol | None:
        """The family of that name, or what has it alone."""
        return self._families[name][0] if name in self._families else self._plain.get(name)

    def find(self, name: str) -> Symbol | None:
        if name in self._plain:
            return self._plain[name]
        stem, _, digits = name.rpartition("_")
        family = self._families.get(stem)
        if family is None or not re.fullmatch(r"[1-9][0-9]{0,9}", digits):
            return None
        return family[0] if int(digits) <= family[1] else None


class _Binder:
    """Collects the occurrences of one Spec."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.vocabulary = vocabulary_of(spec)
        self.numbers = {k: largest(v) for k, v in spec.network.numbers} if spec.network else {}
        self.sequence = _Names(self.numbers)
        self.modalities = _Names({})
        self.found: list[Occurrence] = []
        self.unnamed: dict[Symbol, Span] = {}

    def bind(self) -> Symbols:
        spec = self.spec
        self._header()
        for modality in spec.modalities:
            self._modality(modality)
        for cell in spec.cells:
            symbol = Symbol(cell.name, "cell", family=cell.count is not None)
            self._declare(symbol, cell.span, cell)
            self.sequence.add(symbol, cell.count)
        for index, cell in enumerate(spec.cells):
            self._cell(index, cell)
        for operation in spec.pool or ():
            self._operation(operation)
        for place in spec.outputs or ():
            self._output(place)
        self._heads()
        for index, definition in enumerate(spec.definitions):
            self._definition(index, definition)
        ordered = sorted(self.found, key=lambda o: (o.span.start, o.span.end))
        return Symbols(tuple(ordered), self.unnamed, self.vocabulary)

    def _add(self, symbol: Symbol, span: Span | None, declares: bool, node: Node) -> None:
        if span is not None:
            text = span.text.strip("`")
            self.found.append(Occurrence(symbol, span, text, declares, node))

    def _declare(self, symbol: Symbol, span: Span | None, node: Node = None) -> None:
        self._add(symbol, span, True, node)

    def _refer(self, symbol: Symbol | None, span: Span | None, node: Node = None) -> None:
        if symbol is not None:
            self._add(symbol, span, False, node)

    # Statements

    def _header(self) -> None:
        header = self.spec.network
        if header is not None:
            self._declare(Symbol(header.name, "network"), header.span, header)
            for key, _ in header.numbers:
                self._declare(Symbol(key, "number"), span_of(key), header)
        libraries = library_names()
        for use in self.spec.uses:
            if use.library in libraries:
                self._refer(Symbol(use.library, "library"), use.span, use)

    def _modality(self, modality: Modality) -> None:
        symbol = Symbol(modality.name, "modality")
        self._declare(symbol, modality.span, modality)
        self.modalities.add(symbol)
        for feature in modality.features:
            symbol = Symbol(feature.name, "feature")
            self._declare(symbol, feature.span, feature)
            self.sequence.add(symbol)
            for axis in feature.axes or ():
                self._size(axis.size)

    def _cell(self, index: int, cell: Cell) -> None:
        self._size(cell.count)
        inside = _Names(self.numbers)
        for position, item in enumerate(cell.inputs):
            symbol = Symbol(item.name or input_name(position), "input", index)
            if item.name is not None:
                self._declare(symbol, item.span, item)
            elif item.span is not None:
                self.unnamed[symbol] = item.span
            inside.add(symbol)
            self._slot(item.slot, self.sequence)
        for step in cell.steps:
            symbol = Symbol(step.name, "step", index, family=step.count is not None)
            self._declare(symbol, step.span, step)
            inside.add(symbol, step.count)
        for step in cell.steps:
            self._size(step.count)
            for operation in operations_of(step.operation):
                self._operation(operation)
            for slot in step.slots:
                self._slot(slot, inside)
        self._references(cell.returned or (), inside)

    def _slot(self, slot: Slot, names: _Names) -> None:
        self._references(references_of(slot), names)

    def _output(self, place: Output) -> None:
        item = item_of(place)
        if isinstance(item, Family):
            self._refer(self.sequence.find_family(item.name), item.span)
        self._references(references_of(item), self.sequence)

    def _references(self, references: Iterable[Reference], names: _Names) -> None:
        for reference in references:
            self._refer(names.find(reference.name), reference.span, reference)

    def _size(self, size: Value | NumberHole | None) -> None:
        if isinstance(size, str) and size in self.numbers:
            self._refer(Symbol(size, "number"), span_of(size))

    def _heads(self) -> None:
        """What is predicted: heads, which those after them may read."""
        for predict in self.spec.predictions:
            self._references(predict.reads, self.sequence)
            self._size(predict.count)
            self._size(predict.weight)
            if predict.name is not None:
                symbol = Symbol(predict.name, "head")
                self._declare(symbol, span_of(predict.name), predict)
                self.sequence.add(symbol)

    # Operations

    def _operation(self, operation: Operation) -> None:
        symbol = self._call(operation.name, operation)
        for key, value in operation.parameters:
            self._parameter(symbol, key)
            self._size(value)

    def _parameter(self, operation: Symbol | None, name: str) -> None:
        """A parameter of an operation, named where the operation is used."""
        definitions = definitions_of(operation, self.vocabulary) if operation else ()
        if operation and any(name == key for d in definitions for key, _ in d.parameters):
            symbol = Symbol(name, "parameter", operation.name, operation.library)
            self._refer(symbol, span_of(name))

    def _call(self, name: str, node: Node = None) -> Symbol | None:
        """The operation of a name, which may have its library before it."""
        try:
            entry = self.vocabulary.find(name)
        except AmbiguousName:
            return None
        if entry is None:
            return None
        home = entry[1].library
        *library, own = getattr(name, "parts", ()) or (span_of(name),)
        if library and home is not None:
            self._refer(Symbol(home, "library"), library[0])
        plain = name if home is None else name.rpartition(".")[2]
        symbol = Symbol(plain, "operation", library=home)
        self._refer(symbol, own, node)
        return symbol

    # Equations

    def _definition(self, index: int, d: Definition) -> None:
        self._declare(Symbol(d.name, "role" if d.role else "operation"), d.span, d)
        if d.modality is not None:
            self._refer(self.modalities.find(d.modality), span_of(d.modality))
        names: dict[str, Symbol] = {}
        for name in d.inputs:
            names[name] = Symbol(name, "variable", index)
            self._declare(names[name], span_of(name), d)
        for name, _ in d.parameters:
            names[name] = Symbol(name, "parameter", index if d.role else d.name)
            self._declare(names[name], span_of(name), d)
        self._body(index, d, names)

    def _body(self, index: int, d: Definition, names: dict[str, Symbol]) -> None:
        expressions = list(x.walk(d.body))
        for statement in d.body.statements:
            if isinstance(statement, x.Assignment):
                symbol = names.setdefault(statement.name, Symbol(statement.name, "variable", index))
                self._declare(symbol, statement.span, d)
        self._weights(index, d, names, expressions)
        words = _words(expressions)
        for e in expressions:
            if isinstance(e, x.Name) and id(e) not in words:
                self._refer(names.get(e.name) or self._number(e.name), e.span)
            elif isinstance(e, x.Rest):
                self._refer(names.get(e.name), span_of(e.name))
            elif isinstance(e, x.Call) and e.function not in primitives():
                self._named(e)

    def _weights(
        self,
        index: int,
        d: Definition,
        names: dict[str, Symbol],
        expressions: Sequence[x.Expression],
    ) -> None:
        """`W[_, C]` declares a weight where it stands first."""
        mentions = [(e, span_of(e.name)) for e in expressions if isinstance(e, x.Parameter)]
        placed = sorted(
            ((e, s) for e, s in mentions if s is not None), key=lambda pair: pair[1].start
        )
        for e, span in placed:
            symbol = names.get(e.name) or Symbol(e.name, "variable", index)
            self._add(symbol, span, e.name not in names, d)
            names[e.name] = symbol

    def _number(self, name: str) -> Symbol | None:
        return Symbol(name, "number") if name in self.numbers else None

    def _named(self, call: x.Call) -> None:
        symbol = self._call(call.function)
        for key, _ in call.named:
            self._parameter(symbol, key)


def _words(expressions: Iterable[x.Expression]) -> set[int]:
    """The names that are axes or words of a primitive, as in `over = length`."""
    ids: set[int] = set()
    for e in expressions:
        record = primitives().get(e.function) if isinstance(e, x.Call) else None
        if record is None or not isinstance(e, x.Call):
            continue
        words = {a.name for a in record.attributes if a.kind in ("axes", "word")}
        for key, value in e.named:
            if key in words:
                items = value.items if isinstance(value, x.Group) else (value,)
                ids.update(id(i) for i in items)
    return ids
