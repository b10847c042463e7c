"""An equation applied to values: the one place where operations and roles get their meaning.

Checking applies equations to a scratch builder, lowering to that of the program.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ...ops.primitive import Attribute, Primitive, primitives
from ...ops.types import ShapeError
from ..diagnostics.diagnostic import DiagnosticError, Note, did_you_mean, fail, one_of
from ..diagnostics.source import Span
from ..language import expression as x
from ..language.nodes import Definition
from ..network.foreign import in_equation
from ..network.network import Application
from ..network.vocabulary import AmbiguousName, Vocabulary, select
from ..program.program import Builder, Scope
from .arguments import axis_names, initial_of, positions
from .instances import MOST_VALUES, Context, Instance, Ref, shapes_differ
from .sizes import Numbers, arithmetic, count_of, size_of

MOST_EVALUATED = 50_000
"""How many expressions one application of an equation may evaluate, with all that it calls."""
CALL = 8
"""How many expressions the call of an operation counts as."""
MOST_MENTIONS = 20
"""How often, on average, it may take each of its inputs."""


Result: TypeAlias = Ref | int | float


def apply(
    application: Application,
    arguments: Sequence[int],
    builder: Builder,
    place: Scope,
    numbers: Numbers,
    lengths: int | None = None,
    effort: Effort | None = None,
) -> int:
    """The value of a definition applied to values at a place of the network.

    `numbers` holds the network's numbers and those of the role (`c`, `K`); `lengths` is the input
    that holds the samples' lengths; several applications may share one `effort`. Raises
    DiagnosticError where the equation cannot mean anything for these arguments.
    """
    limit = len(builder.values) + MOST_VALUES
    context = Context(builder, numbers, lengths, limit)
    instance = Instance(context, (*place, application.scope))
    effort = effort or Effort(MOST_EVALUATED + MOST_MENTIONS * len(arguments))
    frame = _Frame(context, application.definition, application.home, instance, frozenset(), effort)
    try:
        return frame.run([Ref(a) for a in arguments], dict(application.parameters)).id
    except RecursionError:
        name = application.definition.name
        message = f"the equation of `{name}` calls operations too deeply"
        raise fail("E308", message, application.definition.span) from None


@dataclass
class Effort:
    """How many expressions may still be evaluated."""

    left: int

    def spend(self, count: int, span: Span | None) -> None:
        self.left -= count
        if self.left < 0:
            message = "the equations evaluate too many expressions"
            raise fail("E308", message, span, help="use fewer operations, or smaller equations")


@dataclass
class _Frame:
    """One application of one definition: its names, its parameters, the scopes below it."""

    context: Context
    definition: Definition
    home: Vocabulary
    place: Instance
    callers: frozenset[int]
    effort: Effort
    names: dict[str, Result] = field(default_factory=dict)
    rest: tuple[str, Sequence[Ref]] | None = None
    parameters: dict[str, Ref] = field(default_factory=dict)

    def run(self, arguments: Sequence[Ref], settings: Numbers) -> Ref:
        definition = self.definition
        if id(definition) in self.callers:
            message = f"`{definition.name}` calls itself"
            raise fail("E212", message, definition.span, help="an equation cannot be recursive")
        named = definition.inputs[:-1] if definition.rest else definition.inputs
        self.names.update(zip(named, arguments, strict=False))
        self.names.update(settings)
        if definition.rest:
            self.rest = (definition.inputs[-1], arguments[len(named) :])
            if len(self.rest[1]) == 1:
                self.names[self.rest[0]] = self.rest[1][0]
        for statement in definition.body.statements:
            if isinstance(statement, x.Parameter):
                self._parameter(statement)
            else:
                if statement.name in self.names or statement.name in self.parameters:
                    message = f"`{statement.name}` already has a meaning in `{definition.name}`"
                    raise fail("E303", message, statement.span, help="choose another name")
                value = self.names[statement.name] = self._evaluate(statement.value)
                if isinstance(value, Ref):
                    self.context.builder.names.setdefault(value.id, statement.name)
        result = self._evaluate(definition.body.result)
        return self._tensor(result, definition.body.result.span)

    # Expressions

    def _evaluate(self, e: x.Expression) -> Result:
        self.effort.spend(1, e.span)
        match e:
            case x.Number(value):
                return value
            case x.Name():
                return self._name(e)
            case x.Parameter():
                return self._parameter(e)
            case x.Negative(operand):
                positive = self._evaluate(operand)
                if isinstance(positive, Ref):
                    return self.place.call("negative", [positive], {}, e.span)
                return -positive
            case x.Binary():
                return self._binary(e)
            case x.Call():
                return self._function(e)
            case x.Hole():
                return self._function(e.filled(0))
            case x.Rest(name):
                raise fail("E303", f"`*{name}` stands outside of a call", e.span)
            case x.Group():
                raise fail("E303", "several axes stand where one value is needed", e.span)

    def _name(self, e: x.Name) -> Result:
        for known in (self.names, self.parameters, self.context.numbers):
            if e.name in known:
                return known[e.name]
        known_names = [*self.names, *self.parameters, *self.context.numbers]
        message = f"unknown name `{e.name}` in `{self.definition.name}`"
        remedy = did_you_mean(e.name, known_names) or f"a weight has sizes: `{e.name}[_, C]`"
        raise fail("E303", message, e.span, help=remedy)

    def _binary(self, e: x.Binary) -> Result:
        left = self._evaluate(e.left)
        if e.operator == "@":
            taken = self._tensor(left, e.left.span)
            operands = [taken, self._contracted(e.right, taken)]
            return self.place.call("linear", operands, {}, e.span, [e.left.span, e.right.span])
        right = self._evaluate(e.right)
        if not isinstance(left, Ref) and not isinstance(right, Ref):
            return arithmetic(e, left, right)
        values = [self._tensor(left, e.left.span), self._tensor(right, e.right.span)]
        places = [e.left.span, e.right.span]
        return self.place.call(x.OPERATORS[e.operator], values, {}, e.span, places)

    def _tensor(self, value: Result, span: Span | None) -> Ref:
        """A value of the program; a number becomes a constant."""
        if isinstance(value, Ref):
            return value
        return self.place.call("constant", [], {"value": float(value)}, span)

    # Parameters

    def _contracted(self, e: x.Expression, taken: Ref) -> Ref:
        """The right operand of `@`: a parameter whose `_` is the number of channels taken."""
        if isinstance(e, x.Parameter):
            try:
                return self._parameter(e, self.place.type(taken).channels())
            except ShapeError as error:
                raise shapes_differ(error, e.span) from None
        value = self._evaluate(e)
        if isinstance(value, Ref) and not self.place.type(value).batched:
            return value
        raise fail("E303", "`@` needs a parameter on its right", e.span, help="write `x @ W[_, C]`")

    def _parameter(self, e: x.Parameter, contracted: int | None = None) -> Ref:
        sizes = tuple(self._size(s, contracted if i == 0 else None) for i, s in enumerate(e.sizes))
        if e.name in self.parameters:
            known = self.parameters[e.name]
            if tuple(a.size for a in self.place.type(known).axes) != sizes:
                message = f"`{e.name}` is mentioned with another size before"
                raise fail("E302", message, e.span, help="a name is one parameter: use another")
            return known
        if e.name in self.names:
            message = f"`{e.name}` is no parameter in `{self.definition.name}`"
            raise fail("E303", message, e.span, help="choose another name for the parameter")
        initial, bound = initial_of(e, sizes)
        self.parameters[e.name] = self.place.parameter(e.name, sizes, initial, bound, e.span)
        return self.parameters[e.name]

    def _size(self, e: x.Expression, contracted: int | None) -> int:
        if isinstance(e, x.Name) and e.name == "_":
            if contracted is None:
                message = "`_` stands for what `@` contracts, and nothing is contracted here"
                raise fail("E303", message, e.span, help="write the size")
            return contracted
        return size_of(self._number(e), e)

    def _number(self, e: x.Expression) -> int | float:
        value = self._evaluate(e)
        if isinstance(value, Ref):
            raise fail("E303", "a value stands where a number is needed", e.span)
        return value

    # Calls

    def _function(self, e: x.Call) -> Ref:
        arguments: list[tuple[Result, x.Expression]] = []
        for a in e.arguments:
            if isinstance(a, x.Rest):
                arguments += [(ref, a) for ref in self._rest(a)]
            else:
                arguments.append((self._evaluate(a), a))
        record = primitives().get(e.function)
        if record is not None and record.public:
            return self._primitive(record, e, arguments)
        tensors = [self._tensor(value, a.span) for value, a in arguments]
        return self._operation(e, tensors)

    def _rest(self, e: x.Rest) -> Sequence[Ref]:
        if self.rest is None or self.rest[0] != e.name:
            message = f"`{e.name}` is not the rest of the inputs of `{self.definition.name}`"
            raise fail("E303", message, e.span)
        self.effort.spend(len(self.rest[1]), e.span)
        return self.rest[1]

    def _operation(self, e: x.Call, arguments: Sequence[Ref]) -> Ref:
        definition, home = self._find(e, len(arguments))
        settings = dict(definition.parameters)
        for key, value in e.named:
            if key not in settings:
                remedy = did_you_mean(key, settings)
                message = f"`{key}` is no parameter of `{e.function}`"
                raise fail("E206", message, value.span, help=remedy)
            settings[key] = self._number(value)
        place = self.place.below(e.function)
        self.effort.spend(CALL, e.span)
        callers = self.callers | {id(self.definition)}
        frame = _Frame(self.context, definition, home, place, callers, self.effort)
        return frame.run(arguments, settings)

    def _find(self, e: x.Call, count: int) -> tuple[Definition, Vocabulary]:
        try:
            found = self.home.find(e.function)
        except AmbiguousName as error:
            spellings = " or ".join(f"`{home}.{e.function}`" for home in error.libraries)
            message = f"`{e.function}` stands in several libraries"
            raise fail("E209", message, e.span, help=f"write {spellings}") from None
        if found is None:
            functions = [n for n, p in primitives().items() if p.public]
            known = [*functions, *self.home.names()]
            message = f"unknown operation `{e.function}`"
            there_are = f"functions are {one_of(functions, 40)}"
            remedy = in_equation(e.function) or did_you_mean(e.function, known) or there_are
            raise fail("E203", message, e.span, help=remedy)
        definition = select(found[0], count)
        if definition is None:
            raise fail("E301", f"`{e.function}` does not take {count} inputs", e.span)
        return definition, found[1]

    # Primitives

    def _primitive(
        self, record: Primitive, e: x.Call, arguments: list[tuple[Result, x.Expression]]
    ) -> Ref:
        count = len(arguments)
        if record.inputs[1] is not None:
            count = min(count, 1 if record.reads_lengths else record.inputs[1])
        tensors = [self._tensor(value, a.span) for value, a in arguments[:count]]
        given = dict(zip((a.name for a in record.attributes), arguments[count:], strict=False))
        if not record.takes(count) or len(given) < len(arguments) - count:
            message = f"`{record.name}` does not take {len(arguments)} arguments"
            raise fail("E301", message, e.span)
        expressions = {key: value for key, (_, value) in given.items()}
        for key, value in e.named:
            known = [a.name for a in record.attributes]
            if key not in known or key in expressions:
                message = f"`{key}` is no parameter of `{record.name}`, or is given twice"
                raise fail("E206", message, value.span, help=did_you_mean(key, known))
            expressions[key] = value
        try:
            attributes = {
                a.name: self._attribute(a, expressions.get(a.name), tensors)
                for a in record.attributes
            }
        except ShapeError as error:
            raise shapes_differ(error, e.span) from None
        places = [a.span for _, a in arguments[:count]]
        return self.place.call(record.name, tensors, attributes, e.span, places)

    def _attribute(
        self, attribute: Attribute, e: x.Expression | None, tensors: Sequence[Ref]
    ) -> Any:
        if attribute.kind == "axes":
            names = attribute.default if e is None else axis_names(e)
            return None if names is None else positions(self.place.type(tensors[0]), names)
        if attribute.kind == "word":
            word = attribute.default if e is None else getattr(e, "name", None)
            if word not in attribute.words:
                words = " or ".join(f"`{w}`" for w in attribute.words)
                message = f"`{attribute.name}` is {words}"
                raise fail("E303", message, e.span if e else None)
            return word
        value = attribute.default if e is None else self._number(e)
        if isinstance(value, str):
            value = self.context.numbers.get(value, attribute.otherwise)
        assert value is not None, f"`{attribute.name}` has neither a value nor a default"
        if attribute.kind == "count":
            return count_of(value, attribute.name, e.span if e else None)
        return float(value)


def placed(error: DiagnosticError, definition: Definition, use: Span | None) -> DiagnosticError:
    """An error inside an equation with the place that uses it.

    An error in a specification's own equation stands there; one in a library's stands at the use.
    """
    first = error.diagnostics[0]
    within = first.span is not None and use is not None and first.span.source is use.source
    notes = list(first.notes)
    if within or use is None:
        span = first.span
        if use is not None:
            notes.append(Note(f"`{definition.name}` is used here", use))
    else:
        span = use
        notes.append(Note(f"in the equation of `{definition.name}`", first.span))
    fix = first.fix if within else ()
    return fail(first.code, first.message, span, help=first.help, notes=notes, fix=fix)
