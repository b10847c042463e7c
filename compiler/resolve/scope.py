"""What name resolution looks things up in: named numbers, and the names visible at a place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..diagnostics.diagnostic import Report, Suggestion, did_you_mean, one_of
from ..diagnostics.source import span_of
from ..language.nodes import Cell, Reference, Step, Value, first

LARGEST_SIZE = 10**7
MOST_NODES = 100_000
"""How many Cells, and Steps of Cells, families may stand for in all."""
MOST_SUGGESTIONS = 100


def whole(value: int | float, most: int = LARGEST_SIZE) -> bool:
    """Whether a number can be a size or a count."""
    return isinstance(value, int) and 1 <= value <= most


def suggestion(name: str, known: Iterable[str], report: Report) -> Suggestion | None:
    """The closest known name, which is looked for while there are not too many errors."""
    return did_you_mean(name, known) if len(report.diagnostics) < MOST_SUGGESTIONS else None


def known_instead(name: str, known: Sequence[str], report: Report) -> Suggestion | str:
    """The remedy for an unknown name: the closest known one, or those that there are."""
    there_are = f"there are {one_of(known)}" if known else "declare it first"
    return suggestion(name, known, report) or there_are


@dataclass(slots=True)
class Sizes:
    """Reads sizes and counts, which are numbers or names of the network's numbers."""

    numbers: Mapping[str, int | float]
    report: Report
    _nodes: int = 0

    def read(self, size: Value, what: str, most: int = LARGEST_SIZE) -> int:
        """The size as a number; 1 after a diagnostic."""
        value = self.numbers.get(size) if isinstance(size, str) else size
        if value is None:
            remedy = (
                suggestion(str(size), self.numbers, self.report) or "state it in the `network` line"
            )
            self.report.add("E207", f"unknown number `{size}`", span_of(size), help=remedy)
            return 1
        if not whole(value, most):
            message = f"{what} is {value}, not a whole number from 1 to {most:,}"
            self.report.add("E306", message, span_of(size), help="write a number in that range")
            return 1
        return int(value)

    def family(self, node: Cell | Step) -> list[str]:
        """The names that `NAME[n]` stands for: NAME_1 … NAME_n, or NAME alone."""
        if node.count is None:
            return [str(node.name)]
        number = self.read(first(node.count), f"the number of `{node.name}`", MOST_NODES)
        before, self._nodes = self._nodes, self._nodes + number
        if self._nodes > MOST_NODES:
            if before <= MOST_NODES:
                message = f"the program has more than {MOST_NODES:,} Cells and Steps"
                self.report.add("E308", message, span_of(node.count), help="write smaller numbers")
            number = 1
        return [f"{node.name}_{i}" for i in range(1, number + 1)]


@dataclass(frozen=True, slots=True)
class Outside:
    """What is visible outside of a Cell, and what its inputs that are fixed are called inside."""

    cell: Cell
    visible: Scope
    inside: Mapping[str, str]

    def remedy(self, name: str) -> str | None:
        """What a Step writes for a name that is visible outside; None for others."""
        if name in self.inside:
            return f"inside `{self.cell.name}`, its input `{name}` is called `{self.inside[name]}`"
        if name in self.visible:
            return (
                f"a Step takes what its Cell is given: add `{name}` to those of `{self.cell.name}`"
            )
        return None


class Scope:
    """The names that a slot may take, in order, and those that come later.

    Inside a Cell, `outside` is what is visible around it.
    """

    def __init__(
        self, names: Iterable[str], later: set[str], outside: Outside | None = None
    ) -> None:
        self.names = list(names)
        self.later = later
        self.outside = outside
        self._places = {name: place for place, name in enumerate(self.names)}

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def in_order(self, names: Iterable[str]) -> tuple[str, ...]:
        """Known names in the order in which they became visible, each once."""
        members = {str(name) for name in names if name in self._places}
        return tuple(sorted(members, key=self._places.__getitem__))

    def add(self, name: str) -> None:
        """Makes a name visible to what follows."""
        self.later.discard(name)
        self._places.setdefault(name, len(self.names))
        self.names.append(name)


def listed(
    references: Sequence[Reference], known: Sequence[str], unknown: str, report: Report
) -> list[str]:
    """The names of a `return` or `output` list, each known and each once."""
    names: dict[str, None] = {}
    visible = frozenset(known)
    for reference in references:
        if reference.name not in visible:
            remedy = known_instead(reference.name, known, report)
            report.add("E201", unknown.format(reference.name), reference.span, help=remedy)
        elif reference.name in names:
            message = f"`{reference.name}` stands twice"
            report.add("E202", message, reference.span, help="keep one of them")
        names[str(reference.name)] = None
    return list(names)
