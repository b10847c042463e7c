"""A stack of which several operations read some rows is dealt out to them at once.

Each reader's gradient is then as large as what it reads, instead of as large as the stack.
"""

from __future__ import annotations

from ...ops.primitives.batch import is_whole
from ..program.program import Program, Value
from ..program.rewrite import Rewrite

STAGES = ("population",)
Rows = tuple[int, ...]


def run(program: Program) -> Program:
    """The program whose stacks are dealt out to those that read a part of them."""
    parts = _parts(program)
    rewrite = Rewrite(program)
    for index, value in enumerate(program.values):
        moved = rewrite.moved(value)
        if value.primitive == "gather":
            rewrite.alias(index, _gathered(rewrite, value, moved, parts))
        elif value.primitive == "row" and value.arguments[0] in parts:
            (stack,), row = value.arguments, dict(value.attributes)["index"]
            dealt = _dealt(rewrite, rewrite[stack], parts[stack], (row,), value)
            rewrite.alias(index, rewrite.add("row", [dealt], {"index": 0}, value.scope))
        else:
            rewrite.keep(index, moved)
    return rewrite.program()


def _parts(program: Program) -> dict[int, tuple[Rows, ...]]:
    """By stack, the rows that each of its readers takes, of stacks with several readers in part."""
    parts: dict[int, list[Rows]] = {}
    for value in program.values:
        for stack, rows in _reads(value).items():
            if program.values[stack].primitive not in ("draws", "deal"):
                known = parts.setdefault(stack, [])
                if rows not in known:
                    known.append(rows)
    return {stack: tuple(found) for stack, found in parts.items() if len(found) > 1}


def _reads(value: Value) -> dict[int, Rows]:
    """The rows that a value takes of each stack that it reads in part."""
    if value.primitive == "row":
        return {value.arguments[0]: (dict(value.attributes)["index"],)}
    if value.primitive != "gather":
        return {}
    places = dict(value.attributes)["places"]
    return {
        stack: tuple(dict.fromkeys(row for source, row in places if source == number))
        for number, stack in enumerate(value.arguments)
    }


def _dealt(rewrite: Rewrite, stack: int, parts: tuple[Rows, ...], rows: Rows, reader: Value) -> int:
    attributes = {"parts": parts, "index": parts.index(rows)}
    return rewrite.add("deal", [stack], attributes, reader.scope)


def _gathered(
    rewrite: Rewrite, value: Value, moved: Value, parts: dict[int, tuple[Rows, ...]]
) -> int:
    """The same rows, of what was dealt."""
    places = dict(value.attributes)["places"]
    taken = _reads(value)
    sources: list[int] = []
    for stack, new in zip(value.arguments, moved.arguments, strict=True):
        is_dealt = stack in parts
        sources.append(_dealt(rewrite, new, parts[stack], taken[stack], value) if is_dealt else new)
    renumbered = tuple(
        (source, taken[stack].index(row) if (stack := value.arguments[source]) in parts else row)
        for source, row in places
    )
    if len(sources) == 1 and is_whole(renumbered, rewrite.values[sources[0]].type.axes[0].size):
        return sources[0]
    return rewrite.add("gather", sources, {"places": renumbered}, value.scope)
