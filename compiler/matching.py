"""Whether every row can have an option of its own: bipartite matching along augmenting paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def shortage(options: Sequence[Sequence[object]]) -> tuple[int, int] | None:
    """A proof that not every row can have an option of its own, or None where all can.

    By Hall's theorem there are then rows that have fewer options between them than they are;
    returns how many rows and how many options.
    """
    owner: dict[object, int] = {}
    for row in range(len(options)):
        if len(options[row]) >= len(options):
            continue  # whatever the others take, one is left
        parent = _augment(options, owner, row)
        if parent is not None:
            rows = {row, *(owner[o] for o in parent)}
            return len(rows), len(parent)
    return None


def _augment(
    options: Sequence[Sequence[object]], owner: dict[object, int], start: int
) -> Mapping[object, int] | None:
    """Gives `start` an option along an augmenting path; else the options that it can reach."""
    parent: dict[object, int] = {}
    queue = [start]
    for row in queue:
        for option in options[row]:
            if option in parent:
                continue
            parent[option] = row
            if option in owner:
                queue.append(owner[option])
                continue
            _reassign(owner, parent, option, start)
            return None
    return parent


def _reassign(
    owner: dict[object, int], parent: Mapping[object, int], option: object, start: int
) -> None:
    while True:
        row = parent[option]
        previous = next((o for o, r in owner.items() if r == row), None)
        owner[option] = row
        if row == start or previous is None:
            return
        option = previous
