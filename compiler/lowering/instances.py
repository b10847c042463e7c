"""Instances of primitives and parameters in a Program under construction, at one place of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...ops.primitive import Primitive, primitives
from ...ops.types import ShapeError, TensorType, parameter_type
from ..diagnostics.diagnostic import DiagnosticError, Note, fail
from ..diagnostics.source import Span
from ..network.names import identifier
from ..program.program import INPUT, Builder, ParameterKind, ParameterSpec, Scope
from .sizes import Numbers, require_moderate

MOST_VALUES = 5_000
MOST_PRODUCERS = 4
"""How many values one application of an equation may compute."""


@dataclass(frozen=True, slots=True)
class Ref:
    """A value of the program under construction."""

    id: int


@dataclass(frozen=True, slots=True)
class Context:
    """What one application of an equation, with all that it calls, has in common.

    `lengths` is the input that holds the samples' lengths, `limit` how many values there may be.
    """

    builder: Builder
    numbers: Numbers
    lengths: int | None
    limit: int


@dataclass
class Instance:
    """A place of the program: what is computed and owned there has its scope."""

    context: Context
    scope: Scope
    taken: set[str] = field(default_factory=set[str])

    def below(self, name: str) -> Instance:
        """The place of a call below this one: `Sum`, then `Sum_2`, …"""
        return Instance(self.context, (*self.scope, self._free(name)))

    def type(self, ref: Ref) -> TensorType:
        return self.context.builder.type(ref.id)

    def call(
        self,
        primitive: str,
        arguments: Sequence[Ref],
        attributes: Mapping[str, Any],
        span: Span | None,
        places: Sequence[Span | None] = (),
    ) -> Ref:
        """A primitive over values, with what it owns; raises DiagnosticError on their shapes.

        `places` are where the arguments are written, which such an error points at.
        """
        builder, record = self.context.builder, primitives()[primitive]
        ids = [a.id for a in arguments]
        types = [builder.type(i) for i in ids]
        try:
            if record.derive is not None:
                attributes = {**attributes, **record.derive(*types, **attributes)}
            ids += self._lengths(record, ids)
            ids += self._owned(record, types, attributes)
            result = Ref(builder.call(primitive, ids, attributes, self.scope))
        except ShapeError as error:
            raise shapes_differ(error, span, _producers(types, places)) from None
        require_moderate(builder.type(result.id).sizes, primitive, span)
        if len(builder.values) > self.context.limit:
            place = ".".join(self.scope)
            message = f"`{place}` computes more than {MOST_VALUES:,} values"
            raise fail("E308", message, span, help="use a smaller equation")
        return result

    def parameter(
        self, name: str, sizes: tuple[int, ...], initial: Any, bound: float, span: Span | None
    ) -> Ref:
        """A weight of this place; raises DiagnosticError where it cannot be one."""
        require_moderate(sizes, name, span)
        spec = ParameterSpec(identifier(*self.scope, name), sizes, "weight", initial, bound)
        try:
            return Ref(self.context.builder.parameter(spec, parameter_type(sizes), self.scope))
        except ShapeError as error:
            raise fail("E303", str(error), span, help="write `W[_, C]` or `b[C]`") from None

    def _free(self, name: str) -> str:
        name = free = name.replace(".", "_")
        number = 1
        while free in self.taken:
            number += 1
            free = f"{name}_{number}"
        self.taken.add(free)
        return free

    def _lengths(self, record: Primitive, arguments: Sequence[int]) -> list[int]:
        """The samples' lengths, for a `resample` of the feature itself."""
        lengths, values = self.context.lengths, self.context.builder.values
        if not record.reads_lengths or lengths is None:
            return []
        return [lengths] if values[arguments[0]].primitive == INPUT else []

    def _owned(
        self, record: Primitive, types: Sequence[TensorType], attributes: Mapping[str, Any]
    ) -> list[int]:
        """What a norm, say, owns: its scale, shift and statistics."""
        if record.owns is None:
            return []
        record.type(*types, **attributes)
        scope = (*self.scope, self._free(record.name))
        ids: list[int] = []
        for owned in record.owns(*types, **attributes):
            sizes = owned.type.sizes
            kind: ParameterKind = "weight" if owned.trained else "statistic"
            spec = ParameterSpec(identifier(*scope, owned.name), sizes, kind, owned.initial)
            ids.append(self.context.builder.parameter(spec, owned.type, scope))
        return ids


def _producers(types: Sequence[TensorType], places: Sequence[Span | None]) -> list[Note]:
    """What each argument gives, for the first few of them."""
    shown = zip(types[:MOST_PRODUCERS], places, strict=False)
    notes = [Note(f"this gives {given}", place) for given, place in shown if place is not None]
    return list(dict.fromkeys(notes))


def shapes_differ(
    error: ShapeError, span: Span | None, notes: Sequence[Note] = ()
) -> DiagnosticError:
    """The diagnostic of values whose shapes cannot meet; `notes` show where they come from."""
    remedy = error.remedy or "Cells and Steps take and give (batch, L, C)"
    return fail("E302", str(error), span, help=remedy, notes=notes)
