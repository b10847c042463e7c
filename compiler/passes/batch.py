"""What many networks compute alike becomes one operation over the stack of what each has.

Values wait until those that they read are there. Of the signatures (primitive, attributes, types)
that are waiting, the one whose values lie shallowest on average goes first, and all that wait with
it are one operation: Neubig, Goldberg and Dyer, "On-the-fly Operation Batching in Dynamic
Computation Graphs" (2017), done once, when compiling. Parameters that are read together become one
parameter, whose rows they are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from ...ops.batching import CONSTANT, SAMPLES, SHARED, WEIGHTS
from ...ops.primitives.batch import is_whole, stacked
from ..program.program import INPUT, PARAMETER, ParameterSpec, Program, Value, typed
from ..program.rewrite import Rewrite

STAGES = ("population",)
MOST_ROWS = 256
"""Rows of one stack at most, so that no single value takes all memory."""
Signature: TypeAlias = tuple[object, ...]
Row: TypeAlias = tuple[int, int]
"""A stack among the new values, and a row of it."""


def run(program: Program) -> Program:
    """The program in which operations alike are one; one that was batched is left as it is."""
    if any(value.primitive == "batched" for value in program.values):
        return program
    return _Batching(program).program()


@dataclass
class _Agenda:
    """Values that are ready, by signature; each of a signature counts for how deep it lies."""

    program: Program
    ready: dict[Signature, list[int]] = field(default_factory=dict)
    left: dict[Signature, list[int]] = field(default_factory=dict)
    lonely: deque[int] = field(default_factory=deque)

    def __post_init__(self) -> None:
        values, program = self.program.values, self.program
        self.own, self.specs = _of_their_own(program), {p.name: p for p in program.parameters}
        self.depth = [0] * len(values)
        self.missing = [len({*v.arguments}) for v in values]
        self.readers = [[*dict.fromkeys(r)] for r in program.readers()]
        self.signatures: list[Signature] = []
        for index, value in enumerate(values):
            self.depth[index] = 1 + max((self.depth[a] for a in value.arguments), default=-1)
            self.signatures.append(self._signature(index, value))
            count_and_depth = self.left.setdefault(self.signatures[index], [0, 0])
            count_and_depth[0] += 1
            count_and_depth[1] += self.depth[index]
        for index, missing in enumerate(self.missing):
            if not missing:
                self._wait(index)

    def _signature(self, index: int, value: Value) -> Signature:
        """What values must have in common to be one; what is no one's own must be the same."""
        if not self.own[index] or value.record is None or value.record.batched is None:
            return (index,)
        read = (self._kind(a) if self.own[a] else a for a in value.arguments)
        return (value.primitive, value.attributes, *read)

    def _kind(self, index: int) -> object:
        value = self.program.values[index]
        if value.primitive != PARAMETER:
            return value.type
        spec = self.specs[value.name]
        return value.type, spec.kind, spec.initial, spec.bound

    def _wait(self, index: int) -> None:
        signature = self.signatures[index]
        if len(signature) == 1:
            self.lonely.append(index)
        else:
            self.ready.setdefault(signature, []).append(index)

    def take(self) -> list[int]:
        """The values of the signature that is next, in order; none where all are done."""
        if self.lonely:
            indices = [self.lonely.popleft()]
        elif self.ready:
            indices = sorted(self.ready.pop(min(self.ready, key=self._shallowness)))
        else:
            return []
        signature = self.signatures[indices[0]]
        for index in indices:
            self.left[signature][0] -= 1
            self.left[signature][1] -= self.depth[index]
            for reader in self.readers[index]:
                self.missing[reader] -= 1
                if not self.missing[reader]:
                    self._wait(reader)
        return indices

    def _shallowness(self, signature: Signature) -> tuple[float, int]:
        count, depth = self.left[signature]
        return depth / count, self.ready[signature][0]


def _of_their_own(program: Program) -> list[bool]:
    """Whether each value depends on a parameter, a draw or a sample of one network alone."""
    own: list[bool] = []
    for value in program.values:
        of_one = value.primitive in (PARAMETER, "draws") or _input_row(program, value)
        own.append(of_one or any(own[a] for a in value.arguments))
    return own


class _Batching:
    def __init__(self, program: Program) -> None:
        self.old, self.rewrite = program, Rewrite(program)
        self.readers = program.readers()
        self.rows: dict[int, Row] = {}
        self.known: dict[object, int] = {}
        self.drawn: dict[int, int] = {}
        self.stacks: dict[str, ParameterSpec] = {}
        self.specs = {p.name: p for p in program.parameters}

    def program(self) -> Program:
        agenda = _Agenda(self.old)
        groups: list[list[int]] = []
        while indices := agenda.take():
            many = len(indices) > 1 and self._may_stack(indices)
            size = MOST_ROWS if many else 1
            groups += (indices[i : i + size] for i in range(0, len(indices), size))
        for group in self._ordered(groups):
            if len(group) == 1:
                self._alone(group[0])
            else:
                self._together(group, agenda.own)
        self._single(self.old.output)
        result = self.rewrite.program()
        rows = {name for spec in self.stacks.values() for name in spec.rows}
        parameters = (
            *(p for p in self.old.parameters if p.name not in rows),
            *self.stacks.values(),
        )
        return Program(result.inputs, parameters, result.values, result.output)

    # One value

    def _alone(self, index: int) -> None:
        value = self.old.values[index]
        if value.primitive in (PARAMETER, "draws") or _drawn_row(self.old, value):
            return  # taken where it is read
        if _input_row(self.old, value):
            stack = self._single(value.arguments[0])
            self.rows[index] = stack, dict(value.attributes)["index"]
            return
        if value.primitive == "stack":
            self.rewrite.alias(index, self._stack(value.arguments))
            return
        arguments = tuple(self._single(a) for a in value.arguments)
        moved = Value(value.primitive, arguments, value.attributes, value.type, value.scope)
        self.rewrite.keep(index, moved)

    def _single(self, old: int) -> int:
        """Where an old value is by itself."""
        if self.rewrite.is_moved(old):
            return self.rewrite[old]
        if old in self.rows:
            stack, row = self.rows[old]
            scope = self.old.values[old].scope
            return self.rewrite.alias(old, self._add("row", (stack,), {"index": row}, scope))
        return self.rewrite.needed(old)

    # Many

    def _together(self, indices: Sequence[int], own: Sequence[bool]) -> None:
        first = self.old.values[indices[0]]
        values = [self.old.values[i] for i in indices]
        arguments: list[int] = []
        of: list[tuple[str, int]] = []
        for place, argument in enumerate(first.arguments):
            type = self.old.values[argument].type
            if own[argument]:
                arguments.append(self._stack([v.arguments[place] for v in values]))
                kind = SAMPLES if type.batched else WEIGHTS
            else:
                arguments.append(self._single(argument))
                kind = SHARED if type.batched else CONSTANT
            of.append((kind, len(type.axes)))
        attributes: dict[str, Any] = {
            "primitive": first.primitive, "of": tuple(of), "attributes": first.attributes,
        }  # fmt: skip
        stack = self.rewrite.add("batched", arguments, attributes, first.scope)
        for row, index in enumerate(indices):
            self.rows[index] = stack, row

    def _ordered(self, groups: Sequence[Sequence[int]]) -> list[Sequence[int]]:
        """The groups, with rows in the order in which they are read.

        What one operation reads of a stack then stands side by side, and is not copied.
        """
        places: dict[int, tuple[int, int]] = {}

        def first_read(index: int) -> tuple[tuple[int, int], int]:
            readers = (places[r] for r in self.readers[index] if r in places)
            return min(readers, default=(len(groups), 0)), index

        ordered: list[Sequence[int]] = []
        for number in range(len(groups) - 1, -1, -1):
            group = sorted(groups[number], key=first_read)
            places |= {index: (number, row) for row, index in enumerate(group)}
            ordered.append(group)
        return ordered[::-1]

    def _may_stack(self, indices: Sequence[int]) -> bool:
        """Whether the statistics that they move are theirs alone, so that they can be one."""
        read = [a for i in indices for a in self.old.values[i].arguments]
        statistics = [a for a in read if self._is_statistic(a)]
        return all(len(self.readers[a]) == 1 for a in statistics)

    def _is_statistic(self, index: int) -> bool:
        value = self.old.values[index]
        return value.primitive == PARAMETER and self.specs[value.name].kind == "statistic"

    def _stack(self, members: Sequence[int]) -> int:
        """The stack of old values, in this order."""
        values = [self.old.values[m] for m in members]
        if all(v.primitive == PARAMETER and len(self.readers[m]) == 1
               for m, v in zip(members, values, strict=True)):  # fmt: skip
            return self._parameters(values)
        if all(_drawn_row(self.old, v) for v in values):
            return self._draws(values)
        return self._gathered(members)

    def _parameters(self, values: Sequence[Value]) -> int:
        """Parameters that nothing else reads, as the rows of one."""
        specs = [self.specs[v.name] for v in values]
        name = f"rows_{len(self.stacks)}"
        sizes = (len(specs), *specs[0].sizes)
        rows = tuple(s.name for s in specs)
        self.stacks[name] = replace(specs[0], name=name, sizes=sizes, rows=rows)
        stack = stacked(values[0].type, len(specs))
        self.rewrite.values.append(Value(PARAMETER, (), (("name", name),), stack, values[0].scope))
        return len(self.rewrite.values) - 1

    def _draws(self, values: Sequence[Value]) -> int:
        """What is drawn for each: side by side in the one draw of its width."""
        draws = [self.old.values[v.arguments[0]] for v in values]
        attributes = dict(draws[0].attributes)
        chosen = tuple(
            dict(d.attributes)["of"][dict(v.attributes)["index"]]
            for d, v in zip(draws, values, strict=True)
        )
        width, new = attributes["width"], self.rewrite.values
        if width not in self.drawn:
            arguments = tuple(self._single(a) for a in draws[0].arguments)
            self.drawn[width] = self._add("draws", arguments, {**attributes, "of": chosen}, ())
            start = 0
        else:
            before = new[self.drawn[width]]
            known = dict(before.attributes)["of"]
            start, more = len(known), {**attributes, "of": (*known, *chosen)}
            new[self.drawn[width]] = typed(new, "draws", before.arguments, more, ())
        places = tuple((0, start + place) for place in range(len(chosen)))
        return self._add("gather", (self.drawn[width],), {"places": places}, values[0].scope)

    def _gathered(self, members: Sequence[int]) -> int:
        scope = self.old.values[members[0]].scope
        if not any(m in self.rows for m in members):
            return self._add("stack", tuple(self._single(m) for m in members), {}, scope)
        loose = [m for m in members if m not in self.rows]
        places = {m: self.rows[m] for m in members if m in self.rows}
        if loose:
            stack = self._add("stack", tuple(self._single(m) for m in loose), {}, scope)
            places |= {m: (stack, row) for row, m in enumerate(loose)}
        sources = [*dict.fromkeys(places[m][0] for m in members)]
        rows = tuple((sources.index(places[m][0]), places[m][1]) for m in members)
        if len(sources) == 1 and is_whole(rows, self.rewrite.values[sources[0]].type.axes[0].size):
            return sources[0]
        return self._add("gather", tuple(sources), {"places": rows}, scope)

    def _add(
        self,
        primitive: str,
        arguments: tuple[int, ...],
        attributes: Mapping[str, Any],
        scope: tuple[str, ...],
    ) -> int:
        """A new value, or the one that computes the same."""
        key = primitive, arguments, tuple(sorted(attributes.items()))
        if key not in self.known:
            self.known[key] = self.rewrite.add(primitive, arguments, dict(attributes), scope)
        return self.known[key]


def _input_row(program: Program, value: Value) -> bool:
    """Whether a value is a network's own sample of an input."""
    return value.primitive == "row" and program.values[value.arguments[0]].primitive == INPUT


def _drawn_row(program: Program, value: Value) -> bool:
    """Whether a value is one of the draws of its network."""
    return value.primitive == "row" and program.values[value.arguments[0]].primitive == "draws"
