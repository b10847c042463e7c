"""What an editor offers at a place of an incomplete text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..compiler.language.nodes import (
    AXES,
    BUDGETS,
    HEAD_KINDS,
    HEAD_SETTINGS,
    STATEMENTS,
    Definition,
    NumberHole,
    largest,
)
from ..compiler.language.printer import definition_text, number
from ..compiler.language.printer import name as written
from ..compiler.language.spec import Spec
from ..compiler.network.names import input_name
from ..compiler.network.network import HEAD_LOSSES
from ..compiler.network.rules import RULES
from ..compiler.network.vocabulary import (
    ROLES,
    AmbiguousName,
    Vocabulary,
    library,
    library_names,
    vocabulary_of,
)
from ..compiler.resolve.numbers import OWN_NUMBERS
from ..ops.primitive import primitives
from .context import COUNT, CursorContext, Place, context_of

Shown: TypeAlias = Literal[
    "Class",
    "Constant",
    "Field",
    "Function",
    "Interface",
    "Keyword",
    "Method",
    "Module",
    "Property",
    "Variable",
]
"""What editors show a choice as, in the protocol's words."""
MOST_MEMBERS = 200
"""How many members of a family are offered."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be written here: `text` stands for `label` where they differ."""

    label: str
    kind: Shown
    detail: str = ""
    text: str | None = None
    documentation: str = ""


@dataclass(frozen=True)
class Completion:
    """Choices for the word that begins at `start`."""

    start: int
    choices: tuple[Choice, ...]


def complete(text: str, offset: int, specs: tuple[Spec, ...]) -> Completion:
    """What can stand at an offset of a text; names come from the Specs that could be read."""
    context = context_of(text, offset)
    names = _Names(specs, context)
    offered = _OFFERS.get(context.place)
    choices = offered(names) if offered else ()
    return Completion(context.start, tuple({c.label: c for c in choices}.values()))


class _Names:
    """The names of each kind at one place."""

    def __init__(self, specs: tuple[Spec, ...], context: CursorContext) -> None:
        self.specs, self.context = specs, context

    # Names of the specification

    def features(self) -> Iterator[Choice]:
        for spec in self.specs:
            for modality in spec.modalities:
                for feature in modality.features:
                    axes = ", ".join(f"{a.name} {a.size}" for a in feature.axes or ())
                    yield _named(feature.name, "Field", f"[{axes}] of {modality.name}")

    def cells(self) -> Iterator[Choice]:
        yield from self._members(self.context.cells, "Class", "Cell")

    def steps(self) -> Iterator[Choice]:
        yield from self._members(self.context.steps, "Method", "Step")

    def inputs(self) -> Iterator[Choice]:
        for index, name in enumerate(self.context.inputs):
            yield _named(name or input_name(index), "Variable", f"input {index + 1}")

    def modalities(self) -> Iterator[Choice]:
        for spec in self.specs:
            yield from (_named(m.name, "Module", "modality") for m in spec.modalities)

    def numbers(self) -> Iterator[Choice]:
        for key, value in self._numbers().items():
            yield _named(key, "Constant", number(value))

    def _numbers(self) -> Mapping[str, int | float | NumberHole]:
        headers = [s.network for s in self.specs if s.network is not None]
        return dict(headers[0].numbers) if headers else {}

    def _members(
        self, families: Iterable[tuple[str, str | None]], kind: Shown, detail: str
    ) -> Iterator[Choice]:
        for name, count in families:
            if count is None:
                yield _named(name, kind, detail)
                continue
            stated = (
                int(count) if COUNT.fullmatch(count) else self._numbers().get(count.strip("`"), 0)
            )
            for index in range(1, min(int(largest(stated)), MOST_MEMBERS) + 1):
                yield _named(f"{name}_{index}", kind, f"{detail} of {name}[{count}]")

    # Operations

    def _vocabularies(self) -> list[Vocabulary]:
        return [vocabulary_of(spec) for spec in self.specs]

    def operations(self) -> Iterator[Choice]:
        if self.context.operation:
            yield from self._qualified(self.context.operation.strip("`"))
            return
        for vocabulary in self._vocabularies():
            for home in (vocabulary, *vocabulary.libraries):
                for name, definitions in home.operations.items():
                    yield from _operation(vocabulary, name, definitions, home.library)

    def _qualified(self, home: str) -> Iterator[Choice]:
        if home in library_names():
            for name, definitions in library(home).operations.items():
                yield _described(name, name, definitions, home)

    def operation_slot(self) -> Iterator[Choice]:
        if not self.context.operation:
            yield Choice("?", "Keyword", "any operation of the pool")
            yield Choice("{ | }", "Keyword", "one of several operations", "{")
        yield from self.operations()

    def settings(self) -> Iterator[Choice]:
        """Parameters of the operation whose arguments are being written."""
        if self.context.operation and self.context.operation != "?":
            for vocabulary in self._vocabularies():
                try:
                    entry = vocabulary.find(self.context.operation)
                except AmbiguousName:
                    continue
                for definition in entry[0] if entry else ():
                    for key, value in definition.parameters:
                        if key not in self.context.given:
                            text = f"{written(key)} = "
                            yield Choice(key, "Property", f"{value} where it is left out", text)

    # Slots

    def cell_slot(self) -> Iterator[Choice]:
        yield Choice("?", "Keyword", "any feature or earlier Cell")
        yield from self.sequence()

    def outputs(self) -> Iterator[Choice]:
        yield Choice("?", "Keyword", "any feature or Cell")
        yield Choice("*", "Keyword", "every other feature and Cell")
        yield from self.sequence()

    def sequence(self) -> Iterator[Choice]:
        yield from self.features()
        yield from self.cells()

    def step_slot(self) -> Iterator[Choice]:
        yield Choice("?", "Keyword", "any input or earlier Step")
        yield from self.inside()
        yield from self.settings()

    def inside(self) -> Iterator[Choice]:
        """Inputs of the Cell and the Steps before the one that is being written."""
        yield from self.inputs()
        steps = self.context.steps
        if self.context.place in ("step_input", "step_candidate"):
            steps = steps[:-1]
        yield from self._members(steps, "Method", "Step")

    def head_input(self) -> Iterator[Choice]:
        """What a head may read, and what may be set of it."""
        yield from self.sequence()
        for spec in self.specs:
            heads = (p.name for p in spec.heads if p.name not in (None, self.context.operation))
            yield from (_named(str(name), "Interface", "head") for name in heads)
        for key in HEAD_SETTINGS:
            if key not in self.context.given:
                yield Choice(key, "Property", "of the head", f"{key} = ")

    def axes(self) -> Iterator[Choice]:
        for axis, meaning in AXES.items():
            yield Choice(axis, "Property", meaning, f"{axis} ")

    def sizes(self) -> Iterator[Choice]:
        yield Choice("*", "Keyword", "known only at run time")
        yield from self.numbers()

    def header(self) -> Iterator[Choice]:
        for key, own in OWN_NUMBERS.items():
            if key not in self.context.given:
                yield Choice(key, "Constant", own.meaning, f"{key} = ")

    def requirements(self) -> Iterator[Choice]:
        for name, rule in RULES.items():
            yield Choice(name, "Keyword", rule.summary)
        yield from (Choice(b, "Property", "budget", f"{b} < ") for b in BUDGETS)

    # Equations

    def expression(self) -> Iterator[Choice]:
        if self.context.operation in library_names():
            yield from self._qualified(self.context.operation)
            return
        yield from (_named(f, "Variable", "of this equation") for f in self.context.formals)
        for record in primitives().values():
            if record.public:
                yield Choice(record.name, "Function", "primitive", f"{record.name}(")
        yield from self.operations()

    def weight_sizes(self) -> Iterator[Choice]:
        yield Choice("_", "Keyword", "what is contracted here")
        yield Choice("c", "Constant", "channels of the feature, in `adapt`")
        yield Choice("K", "Constant", "what is predicted, in `head`")
        yield from self.numbers()
        yield from (_named(f, "Variable", "of this equation") for f in self.context.formals)


def _named(name: str, kind: Shown, detail: str) -> Choice:
    return Choice(name, kind, detail, written(name))


def _operation(
    vocabulary: Vocabulary, name: str, known: tuple[Definition, ...], home: str | None
) -> Iterator[Choice]:
    """An operation, qualified where several libraries have it."""
    try:
        vocabulary.find(name)
    except AmbiguousName:
        yield _described(f"{home}.{name}", f"{home}.{written(name)}", known, home)
        return
    yield _described(name, written(name), known, home)


def _described(label: str, text: str, known: tuple[Definition, ...], home: str | None) -> Choice:
    lines = [definition_text(d) for d in known]
    shown = "```fuse\n" + "\n".join(lines) + "\n```"
    return Choice(label, "Function", home or "this specification", text, shown)


def _words(*words: str) -> Callable[[_Names], Iterable[Choice]]:
    return lambda names: [Choice(word, "Keyword", text=f"{word} ") for word in words]


_Offer: TypeAlias = Callable[[_Names], Iterable[Choice]]
_OFFERS: Mapping[Place, _Offer] = {
    "statement": _words(*STATEMENTS),
    "library": lambda names: [_named(n, "Module", "library") for n in library_names()],
    "operation": _Names.operations,
    "number": _Names.numbers,
    "setting": _Names.settings,
    "header": _Names.header,
    "axis": _Names.axes,
    "size": _Names.sizes,
    "modality_option": _words("optional", "from"),
    "feature_option": _words("at"),
    "cell_input": _Names.cell_slot,
    "cell_candidate": _Names.sequence,
    "step_start": _words("return"),
    "step_operation": _Names.operation_slot,
    "step_input": _Names.step_slot,
    "step_candidate": _Names.inside,
    "returned": _Names.steps,
    "output": _Names.outputs,
    "requirement": _Names.requirements,
    "comparison": _words("<", "<="),
    "budget_option": _words("on", *STATEMENTS),
    "head_input": _Names.head_input,
    "loss": lambda names: [
        Choice(loss, "Constant", f"of {' and '.join(kinds)}") for loss, kinds in HEAD_LOSSES.items()
    ],
    "kind": _words(*HEAD_KINDS),
    "role": lambda names: [Choice(r, "Interface", "role", f"{r}(") for r in ROLES],
    "role_for": _words("for"),
    "modality": _Names.modalities,
    "expression": _Names.expression,
    "weight_size": _Names.weight_sizes,
}
