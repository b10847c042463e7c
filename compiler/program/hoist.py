"""What depends on the inputs alone is taken out of a Program, to be computed once for each sample.

A search sees every sample in every epoch; pooling and rearranging its features gives the same
each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from ..network.names import identifier
from .program import INPUT, Input, Program, Value, rebuild
from .rewrite import Rewrite
from .text import print_program

NOT_APART: Mapping[str, str] = {}


@dataclass(frozen=True)
class Hoisted:
    """`program` reads, beside some of the inputs, the outputs of `before` by their names."""

    program: Program
    before: dict[str, Program]


def hoist(program: Program, apart: Mapping[str, str] = NOT_APART) -> Hoisted:
    """The program without the values that read no parameter and draw nothing.

    Those stay that read inputs of which `apart` has different names.
    """
    fixed = _fixed(program, apart)
    read = {a for i, v in enumerate(program.values) if not fixed[i] for a in v.arguments}
    read.add(program.output)
    rewrite, before = Rewrite(program), dict[str, Program]()
    inputs: list[Input] = []
    for index, value in enumerate(program.values):
        if not fixed[index] or value.primitive in (INPUT, "constant") or not value.type.batched:
            rewrite.keep(index, rewrite.moved(value))
        elif index in read:
            alone = _alone(program, index)
            name = f"{identifier(*value.scope)}/{value.primitive}_{_digest(alone)}"
            inputs.append(Input(name, value.type))
            attributes = (("name", name),)
            rewrite.keep(index, Value(INPUT, (), attributes, value.type, value.scope))
            before[name] = alone
        else:
            rewrite.needed(index)
    found = rewrite.program()
    kept = {v.name for v in found.values if v.primitive == INPUT}
    given = tuple(i for i in (*program.inputs, *inputs) if i.name in kept)
    return Hoisted(Program(given, program.parameters, found.values, found.output), before)


def _digest(program: Program) -> str:
    """A few letters that depend on what a Program computes, whichever network it stands in."""
    return hashlib.sha256(print_program(program).encode()).hexdigest()[:12]


def _fixed(program: Program, apart: Mapping[str, str]) -> list[bool]:
    """Whether each value depends on a sample and constants alone, the same in every mode."""
    given = {i.name for i in program.inputs if i.kind == "weights"}
    fixed, owners = list[bool](), list[frozenset[str]]()
    for value in program.values:
        record = value.record
        settled = record is not None and not record.random and not record.modal
        known = all(fixed[a] for a in value.arguments)
        sample = value.primitive == INPUT and value.name not in given
        own = {apart[value.name]} if sample and value.name in apart else set[str]()
        owners.append(frozenset(own.union(*(owners[a] for a in value.arguments))))
        fixed.append(sample or (settled and known and len(owners[-1]) < 2))
    return fixed


def _alone(program: Program, output: int) -> Program:
    """The program of one value, with the inputs that it reads and no parameter."""
    rewrite = Rewrite(rebuild(program, program.values, output))
    rewrite.needed(output)
    found = rewrite.program()
    kept = {v.name for v in found.values if v.primitive == INPUT}
    inputs = tuple(i for i in program.inputs if i.name in kept)
    return Program(inputs, (), found.values, found.output)
