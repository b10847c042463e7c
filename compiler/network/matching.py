"""Whether every row can have an option of its own: bipartite matching along augmenting paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

MOST_STEPS = 1_000_000
"""How many options a proof may look at before it says that it could not decide."""


class UndecidedError(Exception):
    """A matching that would take more than `MOST_STEPS` steps to find or to refute."""


def shortage(options: Sequence[Sequence[object]]) -> tuple[int, int] | None:
    """A proof that not every row can have an option of its own, or None where all can.

    By Hall's theorem there are then rows that have fewer options between them than they are;
    returns how many rows and how many options. Raises UndecidedError where that takes too long.
    """
    matching = _Matching(options)
    for row in contested([len(row) for row in options]):
        reached = matching.add(row)
        if reached is not None:
            rows = {row, *(matching.owner[o] for o in reached)}
            return len(rows), len(reached)
    return None


def contested(sizes: Sequence[int]) -> list[int]:
    """The rows that may fall short when each has at least so many options, in order.

    A row with as many options as there are rows takes what the others leave, so it can be left out,
    and then the next.
    """
    rows = sorted(range(len(sizes)), key=sizes.__getitem__)
    while rows and sizes[rows[-1]] >= len(rows):
        rows.pop()
    return sorted(rows)


class _Matching:
    """Options given to rows so far, each to one row at most."""

    def __init__(self, options: Sequence[Sequence[object]]) -> None:
        self.options = options
        self.owner: dict[object, int] = {}
        self._taken: dict[int, object] = {}
        self._passed: dict[int, int] = {}
        self._steps = 0

    def add(self, row: int) -> Mapping[object, int] | None:
        """Gives a row an option, moving others where need be; else the options in its reach."""
        if (option := self._free(row)) is not None:
            self._give(option, row)
            return None
        parent: dict[object, int] = {}
        queue = [row]
        seen: set[int] = set()
        for waiting in queue:
            if id(self.options[waiting]) in seen:
                continue
            seen.add(id(self.options[waiting]))
            self._spend(len(self.options[waiting]))
            for option in self.options[waiting]:
                if option in parent:
                    continue
                parent[option] = waiting
                if option not in self.owner:
                    self._reassign(parent, option)
                    return None
                queue.append(self.owner[option])
        return parent

    def _free(self, row: int) -> object | None:
        """The first option of a row that has no owner; rows may share one list of options."""
        options = self.options[row]
        at = self._passed.get(id(options), 0)
        while at < len(options) and options[at] in self.owner:
            at += 1
        self._passed[id(options)] = at
        return options[at] if at < len(options) else None

    def _reassign(self, parent: Mapping[object, int], option: object) -> None:
        """Hands options on along the path that reached a free one."""
        while True:
            row = parent[option]
            previous = self._taken.get(row)
            self._give(option, row)
            if previous is None:
                return
            option = previous

    def _give(self, option: object, row: int) -> None:
        self.owner[option] = row
        self._taken[row] = option

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MOST_STEPS:
            raise UndecidedError
