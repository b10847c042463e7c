"""Dropout whose random numbers are keyed, instead of taken from a generator in passing.

What is trained alone and what is trained beside others then draws the same numbers, and a training
that goes on needs no generator's state.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace

from ...ops.primitives.draws import words_of
from ...ops.types import CANDIDATES, Axis, TensorType
from .program import INPUT, Input, Program, Scope, Value
from .rewrite import Rewrite

KEYS = "draws/keys"
"""The input that holds a key for every network, (candidates,)."""
DROPOUTS = ("dropout", "relu_dropout")


def with_draws(program: Program) -> Program:
    """The program whose dropouts are functions of the input `KEYS`; itself where it has none."""
    dropouts = [i for i, v in enumerate(program.values) if _is_drawn(v)]
    if not dropouts:
        return program
    places, seen = dict[int, int](), Counter[Scope]()
    for index in dropouts:
        scope = program.values[index].scope
        places[index] = _place(scope, seen[scope])
        seen[scope] += 1
    keys = TensorType((Axis(CANDIDATES, 1),), batched=False)
    rewrite = Rewrite(program)
    features = {item.name for item in program.inputs if item.kind == "feature"}
    samples = next(  # what may be left out has a batch of one
        i for i, v in enumerate(program.values) if v.primitive == INPUT and v.name in features
    )
    rewrite.values.append(Value(INPUT, (), (("name", KEYS),), keys, (KEYS,)))
    for index, value in enumerate(program.values):
        moved = rewrite.moved(value)
        if index not in places:
            rewrite.keep(index, moved)
            continue
        of, width = ((0, places[index]),), words_of(value.type.elements())
        drawn = rewrite.add("draws", [0, rewrite[samples]], {"of": of, "width": width}, value.scope)
        bits = rewrite.add("row", [drawn], {"index": 0}, value.scope)
        settings = dict(value.attributes) | {"relu": value.primitive == "relu_dropout"}
        masked = rewrite.add("masked", [moved.arguments[0], bits], settings, value.scope)
        rewrite.alias(index, masked)
    keyed = rewrite.program()
    return replace(keyed, inputs=(*program.inputs, Input(KEYS, keys, "keys")))


def _is_drawn(value: Value) -> bool:
    """Whether a value drops some of a sample, whose size is known; torch draws for others."""
    of_samples = value.type.batched and all(axis.size is not None for axis in value.type.axes)
    return of_samples and value.primitive in DROPOUTS and dict(value.attributes)["rate"] > 0


def _place(scope: Scope, ordinal: int) -> int:
    """63 bits that depend on where in a network a dropout is, and on nothing else."""
    digest = hashlib.sha256("\0".join((*scope, str(ordinal))).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
