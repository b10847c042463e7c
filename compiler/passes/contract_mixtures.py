"""Mixtures over the same candidates become one contraction over their stack.

Cells mix the same features with weights of their own, and a later Cell some more: what they share
is stacked once, and one product gives every mixture of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..program.program import Program, Value
from ..program.rewrite import Rewrite

STAGES = ("training", "compiled")
FEWEST = 3
"""With fewer candidates a stack costs more than it saves."""


def run(program: Program) -> Program:
    """The program whose mixtures of several candidates are contractions."""
    rewrite, groups = Rewrite(program), _groups(program)
    first = {group[0]: (group, shared) for group, shared in groups}
    joined = {index: (group, shared) for group, shared in groups for index in group}
    products: dict[int, int] = {}
    for index, value in enumerate(program.values):
        if index in first:
            products |= _contract(program, rewrite, *first[index])
        if index in joined:
            _, shared = joined[index]
            rewrite.alias(index, _with_rest(rewrite, value, products[index], shared))
        elif not rewrite.is_moved(index):
            rewrite.keep(index, rewrite.moved(value))
    return rewrite.program()


def _groups(program: Program) -> list[tuple[list[int], int]]:
    """Mixtures that begin with the same candidates, and how many of them they share."""
    found: list[tuple[tuple[int, ...], list[int]]] = []
    alike: dict[tuple[int, ...], list[tuple[tuple[int, ...], list[int]]]] = {}
    for index, value in enumerate(program.values):
        candidates = value.arguments[1:]
        if value.primitive != "mix" or len(candidates) < FEWEST:
            continue
        known = alike.setdefault(candidates[:FEWEST], [])
        group = next((g for g in known if candidates[: len(g[0])] == g[0]), None)
        if group is None:
            group = candidates, []
            known.append(group)
            found.append(group)
        group[1].append(index)
    return [(members, len(shared)) for shared, members in found]


def _contract(
    program: Program, rewrite: Rewrite, group: Sequence[int], shared: int
) -> dict[int, int]:
    """The products of the shared candidates with each mixture's weights."""
    values, scope = program.values, program.values[group[0]].scope
    candidates = [rewrite[a] for a in values[group[0]].arguments[1 : 1 + shared]]
    stack = rewrite.add("stack", candidates, {}, scope)
    weights = []
    for index in group:
        given = rewrite.needed(values[index].arguments[0])
        if len(values[index].arguments) - 1 > shared:
            rows = {"rows": tuple(range(shared))}
            given = rewrite.add("take", [given], rows, values[index].scope)
        weights.append(given)
    return {
        index: rewrite.add("contract", [stack, *weights], {"index": place}, values[index].scope)
        for place, index in enumerate(group)
    }


def _with_rest(rewrite: Rewrite, value: Value, product: int, shared: int) -> int:
    """The product, with what the mixture has beside the shared candidates."""
    moved = rewrite.moved(value)
    rest = moved.arguments[1 + shared :]
    if not rest:
        return product
    rows = {"rows": tuple(range(shared, len(moved.arguments) - 1))}
    weights = rewrite.add("take", [moved.arguments[0]], rows, value.scope)
    if len(rest) < FEWEST:
        others = rewrite.add("mix", [weights, *rest], {}, value.scope)
    else:
        stack = rewrite.add("stack", rest, {}, value.scope)
        others = rewrite.add("contract", [stack, weights], {"index": 0}, value.scope)
    return rewrite.add("add", [product, others], {}, value.scope)
