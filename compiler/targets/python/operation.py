"""The class of one applied equation: an operation, an adapter, a merge, a head.

NOTE: a Program does not say where an equation's inputs end, nor which of two equal inputs it
means. So each application is lowered once more by itself, over inputs of its own; it computes the
same values in the same order, and has the attributes that they have in the Program.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ....ops.types import TensorType
from ...language.printer import definition_text, number
from ...language.printer import name as written
from ...lowering.apply import apply
from ...network.names import identifier
from ...network.network import Application
from ...program.program import INPUT, PARAMETER, Builder, Input, ParameterSpec, Scope, Value
from .lines import Lines
from .modules import Definitions, Members, forward, own_name
from .terms import Node, Recorder, Term, called
from .text import INDENT, Names, docstring, fill

_LENGTHS = Input("lengths", TensorType(()), "lengths")
_NOTHING = Node("atom", "")


@dataclass(frozen=True, slots=True)
class OperationClass:
    """A class by name; `stateful` says whether it keeps anything, `type` what it gives.

    Its `forward` takes the inputs and, where it `reads_lengths`, the lengths of the samples.
    """

    name: str
    stateful: bool
    reads_lengths: bool
    type: TensorType


def operation_class(
    application: Application,
    types: Sequence[TensorType],
    numbers: Mapping[str, int | float],
    has_lengths: bool,
    values: Sequence[Value],
    definitions: Definitions,
) -> OperationClass:
    """The class of an application to inputs of these types, which is added to `definitions`.

    `values` are those that the Program has for it; raises ValueError where they are not as many.
    """
    builder = Builder()
    inputs = [builder.input(Input(str(i), type)) for i, type in enumerate(types)]
    lengths = builder.input(_LENGTHS) if has_lengths else None
    result = apply(application, inputs, builder, (), numbers, lengths)
    own = [i for i, value in enumerate(builder.values) if value.primitive != INPUT]
    for i, value in zip(own, values, strict=True):
        mine = builder.values[i]
        attributes = mine.attributes if mine.primitive == PARAMETER else value.attributes
        builder.values[i] = replace(mine, attributes=attributes, scope=mine.scope[1:])
    return _Writer(application, builder, result, lengths, definitions).write()


def shape(type: TensorType) -> str:
    """`(batch, 8, 192)`, with `*` for a size known only at run time."""
    sizes = ["*" if axis.size is None else str(axis.size) for axis in type.axes]
    listed = ["batch", *sizes] if type.batched else sizes
    return f"({', '.join(listed)}{',' if len(listed) == 1 else ''})"


@dataclass
class _Writer:
    application: Application
    builder: Builder
    result: int
    lengths: int | None
    definitions: Definitions
    names: Names = field(default_factory=Names)
    recorder: Recorder = field(default_factory=Recorder)
    scopes: dict[Scope, Members] = field(default_factory=dict[Scope, Members])
    owners: dict[Scope, Value] = field(default_factory=dict[Scope, Value])
    functions: dict[int, str] = field(default_factory=dict[int, str])

    def write(self) -> OperationClass:
        """Adds the class, and first those of the modules inside it."""
        self._scope(())
        for value in self.builder.values:
            if value.primitive == PARAMETER:
                self._scope(value.scope).declare(self._spec(value))
            elif value.record is not None and value.record.owns is not None:
                self.owners[self.builder.values[value.arguments[-1]].scope] = value
        for scope in sorted(self.scopes, key=len, reverse=True):
            if scope:
                module = self._owner_module(scope) if scope in self.owners else self._holder(scope)
                self._scope(scope[:-1]).modules[identifier(scope[-1])] = module
        reads_lengths = any(self.lengths in v.arguments for v in self.builder.values)
        self._find_functions()
        formals = self._formals(reads_lengths)
        members = self.scopes[()]
        methods = members.init(), forward(formals, self._lines(formals))
        definition = self.application.definition
        preferred = definition.name[:1].upper() + definition.name[1:]
        name = self.definitions.add_class(
            preferred if definition.role else definition.name,
            members.class_lines(self._doc(), *methods),
        )
        stateful = bool(self.builder.parameters)
        return OperationClass(name, stateful, reads_lengths, self.builder.type(self.result))

    def _doc(self) -> list[str]:
        lines = fill(definition_text(self.application.definition))
        parts = (f"{written(key)} = {number(n)}" for key, n in self.application.parameters)
        settings = ", ".join(parts)
        return [*lines, "", f"Here {settings}."] if settings else lines

    def _formals(self, reads_lengths: bool) -> list[str]:
        """The inputs of `forward`: those that an equation takes the rest in are numbered."""
        names = list(self.application.definition.inputs)
        inputs = sum(v.primitive == INPUT for v in self.builder.values)
        count = inputs - (self.lengths is not None)
        if self.application.definition.rest:
            names = numbered(names, count)
        return [self.names.local(name) for name in names + ["lengths"] * reads_lengths]

    # What is kept

    def _scope(self, scope: Scope) -> Members:
        """What stands in a scope inside the application's own."""
        if scope not in self.scopes:
            self.scopes[scope] = Members()
            if scope:
                self._scope(scope[:-1]).modules[identifier(scope[-1])] = _NOTHING
        return self.scopes[scope]

    def _at(self, scope: Scope) -> str:
        """How the module of a scope is read."""
        if not scope:
            return "self"
        module = self.scopes[scope[:-1]].module(identifier(scope[-1]))
        return self._at(scope[:-1]) + module.removeprefix("self")

    def _spec(self, value: Value) -> ParameterSpec:
        return self.builder.parameters[value.name]

    def _owned(self, value: Value) -> list[int]:
        """The parameters that a value owns, which are the last of its arguments."""
        values = self.builder.values
        scope = values[value.arguments[-1]].scope
        return [a for a in value.arguments if values[a].scope == scope]

    def _owner_module(self, scope: Scope) -> Node:
        """A primitive with what it owns, as a module that is made for any sizes."""
        value = self.owners[scope]
        owned = self._owned(value)
        specs = [self._spec(self.builder.values[a]) for a in owned]
        recorder, names, members = Recorder(), Names(), Members()
        for spec in specs:
            members.declare(spec, "sizes")
        count = len(value.arguments) - len(owned)
        formals = [names.local(name) for name in argument_names(value)[:count]]
        parameters = [members.parameter(own_name(spec)) for spec in specs]
        result = recorded(
            recorder, value, [recorder.term(text) for text in (*formals, *parameters)]
        )
        lines = Lines(recorder, result.node, {}, (), {}, names).write()
        methods = members.init("self, *sizes: int"), forward(formals, lines)
        body = members.class_lines([f"{described(value)}, with what it owns."], *methods)
        name = self.definitions.add_class(value.primitive.capitalize(), body)
        return called(name, *map(str, specs[0].sizes))

    def _holder(self, scope: Scope) -> Node:
        """What an operation that the equation calls keeps; what it computes is written in line."""
        members = self.scopes[scope]
        doc = [f"Parameters of `{scope[-1]}`."]
        return called(
            self.definitions.add_class(
                f"{scope[-1]}Parameters", members.class_lines(doc, members.init())
            )
        )

    # What is computed

    def _find_functions(self) -> None:
        """Adds a function for each primitive that takes several lines, and keeps its name free."""
        for index, value in enumerate(self.builder.values):
            name = primitive_function(value, self.definitions)
            if name is not None:
                self.functions[index] = name
                self.names.taken.add(name)

    def _lines(self, formals: Sequence[str]) -> list[str]:
        recorder, values = self.recorder, self.builder.values
        inputs = iter(formals)
        terms: list[Term] = []
        shapes: dict[Node, str] = {}
        effects: list[Node] = []
        hints: dict[Node, str] = {}
        for index, value in enumerate(values):
            if value.primitive == INPUT:
                terms.append(recorder.term(next(inputs, "")))
                continue
            if value.primitive == PARAMETER:
                terms.append(recorder.term(self._read(value)))
                continue
            arguments = [terms[a] for a in value.arguments]
            term = self._computed(index, value, arguments)
            terms.append(term)
            if term.node.form in ("atom", "scalar"):
                continue
            shapes.setdefault(term.node, shape(value.type))
            if index in self.builder.names:
                hints.setdefault(term.node, self.builder.names[index])
            if value.record is not None and value.record.modal:
                effects.append(term.node)
        result = terms[self.result].node
        return Lines(recorder, result, shapes, effects, hints, self.names).write()

    def _read(self, value: Value) -> str:
        text = self.scopes[value.scope].parameter(own_name(self._spec(value)))
        return self._at(value.scope) + text.removeprefix("self")

    def _computed(self, index: int, value: Value, arguments: Sequence[Term]) -> Term:
        if index in self.functions:
            return self.recorder.term(self.functions[index])(*arguments)
        if value.record is None or value.record.owns is None:
            return recorded(self.recorder, value, arguments)
        owned = self._owned(value)
        module = self.recorder.term(self._at(self.builder.values[owned[0]].scope))
        return module(*arguments[: len(arguments) - len(owned)])


# Primitives


def recorded(recorder: Recorder, value: Value, arguments: Sequence[Term]) -> Term:
    """What a primitive's torch function does with terms."""
    record = value.record
    assert record is not None
    attributes = dict(value.attributes)
    if record.modal:
        attributes["training"] = recorder.term("self.training")
    result = record.torch(recorder.term("torch"), *arguments, **attributes)
    return recorder.scalar(result) if isinstance(result, float) else result


def primitive_function(value: Value, definitions: Definitions) -> str | None:
    """The function of a primitive that takes several lines, which is added to `definitions`.

    None for one that takes a single line, any number of inputs, or more than its inputs.
    """
    record = value.record
    if record is None or record.modal or record.owns is not None or record.inputs[1] is None:
        return None
    recorder, names = Recorder(), Names()
    formals = [names.local(name) for name in argument_names(value)]
    result = recorded(recorder, value, [recorder.term(formal) for formal in formals])
    lines = Lines(recorder, result.node, {}, (), {}, names, indent=INDENT)
    body = lines.write()
    if not lines.bound:
        return None
    doc = docstring([f"{described(value)}."])
    return definitions.add_function(record.name, formals, [*doc, *body])


def argument_names(value: Value) -> list[str]:
    """What a primitive's torch function calls its arguments."""
    assert value.record is not None
    _, *formals = inspect.signature(value.record.torch).parameters.values()
    return numbered([f.name for f in formals if f.kind != f.KEYWORD_ONLY], len(value.arguments))


def numbered(names: Sequence[str], count: int) -> list[str]:
    """So many names, the last of which stands for any number of them."""
    names = names[:count]
    rest = count - len(names) + 1
    if rest == 1 or not names:
        return list(names)
    return [*names[:-1], *(f"{names[-1]}_{i}" for i in range(1, rest + 1))]


def described(value: Value) -> str:
    """A primitive with its settings, as words."""
    record, attributes = value.record, dict(value.attributes)
    assert record is not None
    settings = ", ".join(f"{a.name} = {attributes[a.name]}" for a in record.attributes)
    return f"The primitive `{record.name}`" + (f" ({settings})" if settings else "")
