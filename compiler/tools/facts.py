"""A network as facts that can be compared: what it is made of, whatever its text looks like.

NOTE: facts are equal where architectures are. Inputs of a Cell are known by their position, holes
by their candidates, operations by their equation, whatever its inputs are called, and all their
parameters; a hole that takes anything, a `return` of all Steps and an `output` of all Cells say so
and no more, since what they then mean follows from other facts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..language import expression as x
from ..language.nodes import BUDGETS, Definition, NumberHole
from ..language.printer import body_text, bound, name, number, output, quantity, signature
from ..language.variants import GlobalHole
from ..network.fillings import is_open
from ..network.names import input_name
from ..network.network import (
    Application,
    Head,
    Network,
    NetworkCell,
    NetworkHead,
    NetworkStep,
    Slot,
)
from ..network.vocabulary import Vocabulary
from ..network.written import written_outputs
from .renaming import unnamed


@dataclass(frozen=True, slots=True)
class Property:
    """Something that a node says of itself: equal where `key` is, read as `text`."""

    key: object
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a network, by `kind` and `name`; `text` is the whole of it in one line.

    `section` and `home` order nodes: those of one Cell stand together. What is not `shown` is worth
    a word only where both networks have it. It is known by its `key`, where its name says more than
    what it is.
    """

    kind: str
    name: str
    text: str
    parts: Mapping[str, Property]
    section: int
    home: str = ""
    shown: bool = True
    key: str = ""

    @property
    def identity(self) -> tuple[str, str]:
        """Equal where two networks have the same piece."""
        return self.kind, self.key or self.name


def facts(network: Network, qualified: Collection[str] = ()) -> list[Piece]:
    """The nodes of a network; operations named in `qualified` are shown with their library."""
    shown = _Names(qualified)
    nodes = [_plain("number", key, 0, text) for key, text in _numbers(network)]
    nodes += [_choice(hole) for hole in network.global_holes if hole.kind == "count"]
    nodes += _modalities(network)
    nodes += _features(network)
    for index, cell in enumerate(network.cells, start=len(network.features)):
        nodes += _cell(cell, index, shown)
    everything = network.outputs == tuple(Slot((c.name,), open=False) for c in network.cells)
    listed = ", ".join(map(output, written_outputs(network.outputs, network.sequence)))
    outputs = "all Cells" if everything else listed
    nodes.append(_plain("output", "", 4, outputs))
    if any(is_open(cell) for cell in network.cells):
        rule = {"": Property(network.rule, network.rule)}
        nodes.append(Piece("rule", "", network.rule, rule, 5, shown=False))
    nodes += _budgets(network)
    nodes += map(_named_head, network.heads) if network.heads else [_head(network.head)]
    return [*nodes, *_definitions(network, shown)]


def ambiguous(network: Network) -> set[str]:
    """The names that two operations of a network share, each from a library of its own."""
    homes: dict[str, set[str | None]] = {}
    for used in _used(network):
        if not used.definition.role:
            homes.setdefault(used.definition.name, set()).add(used.home.library)
    return {key for key, libraries in homes.items() if len(libraries) > 1}


def orders(network: Network) -> Mapping[str, tuple[str, ...]]:
    """What stands in an order that means something, by the kind of what is ordered.

    That of features decides how a search lists what it found; that of Cells and Steps what an open
    input may take, and that of Cells in which order the network combines them all.
    """
    by_kind: dict[str, tuple[str, ...]] = {}
    cells = tuple(c.name for c in network.cells)
    searched = any(map(is_open, network.cells))
    if searched:
        by_kind["features"] = tuple(f.name for f in network.features)
    if searched or network.output_candidates == cells:
        by_kind["Cells"] = cells
    for cell in network.cells:
        names = tuple(s.name for s in cell.steps)
        searched = any(slot.open for step in cell.steps for slot in step.slots)
        if searched or cell.returned == names:
            by_kind[f"Steps of {cell.name}"] = names
    return by_kind


def _plain(kind: str, label: str, section: int, text: str) -> Piece:
    return Piece(kind, label, text, {"": Property(text, text)}, section)


def _numbers(network: Network) -> Iterator[tuple[str, str]]:
    """The network's numbers as text; a rate that is left out is 0."""
    header = network.space.network
    for key, stated in {"dropout": 0, **dict(header.numbers if header else ())}.items():
        candidates = stated.candidates if isinstance(stated, NumberHole) else (stated,)
        plain = [int(value) if value == int(value) else value for value in candidates]
        yield (
            key,
            number(
                NumberHole(tuple(sorted(plain))) if isinstance(stated, NumberHole) else plain[0]
            ),
        )


def _choice(hole: GlobalHole) -> Piece:
    candidates = hole.candidates
    text = f"{{{' | '.join(candidates)}}}"
    return Piece("choice", hole.place, text, {"": Property(frozenset(candidates), text)}, 0)


def _budgets(network: Network) -> Iterator[Piece]:
    for what in BUDGETS:
        budgets = [b for b in network.budgets if b.quantity == what]
        if budgets:
            limits = sorted(bound(b, quantity(what, b.limit)) for b in budgets)
            yield _plain("budget", what, 6, ", ".join(limits))


# Modalities, features, the head


def _modalities(network: Network) -> Iterator[Piece]:
    for modality in network.spec.modalities:
        backbone = modality.backbone or "none"
        needed = "optional" if modality.optional else "in every sample"
        parts = {"backbone": Property(backbone, backbone), "presence": Property(needed, needed)}
        words = [needed] if modality.optional else []
        words += [f"from {backbone}"] if modality.backbone else []
        yield Piece("modality", modality.name, ", ".join(words), parts, 1)


def _features(network: Network) -> Iterator[Piece]:
    declarations = [f for m in network.spec.modalities for f in m.features]
    for feature, declared in zip(network.features, declarations, strict=True):
        axes = "unknown shape"
        if feature.axes is not None:
            axes = f"[{', '.join(map(str, feature.axes))}]"
        at = declared.at or "none"
        parts = {
            "modality": Property(feature.modality, feature.modality),
            "shape": Property(feature.axes, axes),
            "place": Property(at, at),
        }
        yield Piece("feature", feature.name, f"{axes} of {feature.modality}", parts, 2)


def _named_head(one: NetworkHead) -> Piece:
    """A head of several: what it reads and how it learns are parts of it, too."""
    head = _head(one.head)
    reads = ", ".join(map(name, one.reads)) or "the output"
    parts = {
        **head.parts,
        "reads": Property(one.reads, reads),
        "weight": Property(one.head.weight, number(one.head.weight)),
        "loss": Property(one.head.loss, one.head.loss or "that of its kind"),
    }
    return Piece("predict", one.name, f"{head.text} of {reads}", parts, 7)


def _head(head: Head) -> Piece:
    what = f"{head.count} {head.kind}"
    names = "none" if head.names is None else ", ".join(map(name, head.names))
    parts = {"what": Property(what, what), "names": Property(head.names, names)}
    return Piece("predict", "", what, parts, 7)


# Cells and Steps


def _cell(cell: NetworkCell, before: int, shown: _Names) -> Iterator[Piece]:
    """A Cell and its Steps; `before` is how many features and Cells come before it."""
    slots = [_slot(s, before) for s in cell.slots]
    parts = {f"input {input_name(i)}": part for i, part in enumerate(slots)}
    names = tuple(s.name for s in cell.steps)
    returned = "all Steps" if cell.returned == names else ", ".join(map(name, cell.returned))
    parts["return"] = Property(returned, returned)
    yield Piece("cell", cell.name, f"({_listed(slots)})", parts, 3, cell.name)
    places = {input: place for place, input in enumerate(cell.inputs)}
    for position, step in enumerate(cell.steps, start=len(places)):
        slots = [_slot(s, position, places) for s in step.slots]
        yield _step(step, cell.name, slots, shown)


def _step(step: NetworkStep, cell: str, slots: Sequence[Property], shown: _Names) -> Piece:
    candidates = {shown.key(a): shown.text(a) for a in step.operations}
    first = step.operations[0]
    text, whole = shown.text(first), f"{shown.of(first)}({_listed(slots, shown.settings(first))})"
    if step.open:
        text = "{" + " | ".join(candidates.values()) + "}"
        whole = f"{text}({_listed(slots)})"
    parts = {"operation": Property((step.open, frozenset(candidates)), text)}
    parts |= {f"input {i}": part for i, part in enumerate(slots, start=1)}
    return Piece("step", f"{cell}.{step.name}", whole, parts, 3, cell)


_NO_PLACES: Mapping[str, int] = {}


def _slot(slot: Slot, before: int, places: Mapping[str, int] = _NO_PLACES) -> Property:
    """What stands in a slot before which `before` names stand; some are known by their place."""
    if not slot.open:
        only = slot.candidates[0]
        return Property(places.get(only, only), name(only))
    if len(slot.candidates) == before:
        return Property("?", "?")
    keys = frozenset(places.get(c, c) for c in slot.candidates)
    return Property(keys, "{" + " | ".join(map(name, slot.candidates)) + "}")


def _listed(slots: Sequence[Property], settings: str = "") -> str:
    return ", ".join([*(part.text for part in slots), *([settings] if settings else [])])


# Operations and their equations


@dataclass(frozen=True, slots=True)
class Used:
    """A definition that a network uses, and the vocabulary it stands in."""

    definition: Definition
    home: Vocabulary


@dataclass(frozen=True, slots=True)
class _Names:
    """How operations are called: by their own name, with their library where that is shared."""

    qualified: Collection[str]

    def of(self, used: Application | Used) -> str:
        plain = used.definition.name
        library = used.home.library if plain in self.qualified else None
        return f"{library}.{plain}" if library else plain

    def key(self, applied: Application) -> object:
        return self.of(applied), frozenset(applied.parameters)

    def settings(self, applied: Application) -> str:
        return ", ".join(f"{name(k)} = {number(v)}" for k, v in applied.parameters)

    def text(self, applied: Application) -> str:
        settings = self.settings(applied)
        return self.of(applied) + (f"({settings})" if settings else "")


def _used(network: Network) -> Iterator[Used]:
    """Every definition that a network applies, and those that these call, each once.

    An open role is the one that is written, with all its candidates.
    """
    written = {signature(d): d for d in network.space.definitions if d.role}
    applied = [network.combine, network.head_role]
    for head in network.heads:
        applied += [head.role, *([head.combine] if head.combine else [])]
    applied += [*(f.adapt for f in network.features)]
    for cell in network.cells:
        applied += [cell.merge, *(a for step in cell.steps for a in step.operations)]
    uses: dict[int, Used] = {}
    for each in applied:
        own = each.definition.role and each.home.library is None
        definition = written[signature(each.definition)] if own else each.definition
        uses[id(definition)] = Used(definition, each.home)
    waiting = list(uses.values())
    while waiting:
        used = waiting.pop()
        yield used
        calls = (e.function for e in x.walk(used.definition.body) if isinstance(e, x.Call))
        for called in dict.fromkeys(calls):
            overloads, home = used.home.find(called) or ((), used.home)
            new = [Used(d, home) for d in overloads if id(d) not in uses]
            uses |= {id(u.definition): u for u in new}
            waiting += new


def _equation(definition: Definition) -> object:
    """What an equation says, whichever order the candidates of a hole stand in."""
    body = definition.body
    if not isinstance(body.result, x.Hole):
        return body_text(body)
    return body.statements, frozenset(body.result.candidates), body.result.arguments


def _definitions(network: Network, shown: _Names) -> Iterator[Piece]:
    """The equations in use; which of a library's are in use follows from other nodes."""
    for used in _used(network):
        definition = used.definition
        same = unnamed(definition)
        formals, key = (signature(one).partition("(")[2] for one in (definition, same))
        equation = body_text(definition.body)
        parts = {"equation": Property(_equation(same), equation)}
        kind = "role" if definition.role else "op"
        own = used.home.library is None
        called = shown.of(used)
        yield Piece(
            kind, f"{called}({formals}", equation, parts, 8, shown=own, key=f"{called}({key}"
        )
