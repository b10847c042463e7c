"""What changed between two architectures: not in their texts, but in what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal, overload

from ..language.spec import Spec
from ..load import Given, spec_of
from ..network.network import Network
from ..resolve.resolve import resolve
from ..system.display import Displayed
from .facts import Piece, ambiguous, facts, orders

Kind = Literal["added", "removed", "changed"]
_MARKS: Mapping[Kind, str] = {"added": "+", "removed": "-", "changed": "~"}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was added, removed or changed.

    `kind` and `name` say what it belongs to (a feature, a Step, …), `part` which of its properties
    it is; the part is empty where it is the whole. `old` and `new` are None where there is none.
    """

    kind: str
    name: str
    part: str
    old: str | None
    new: str | None

    @property
    def change(self) -> Kind:
        return "added" if self.old is None else "removed" if self.new is None else "changed"

    def as_json(self) -> dict[str, str | None]:
        """The change as a record."""
        place = {"kind": self.kind, "name": self.name, "part": self.part}
        return {"change": self.change, **place, "old": self.old, "new": self.new}

    def __str__(self) -> str:
        place = " ".join(filter(None, (self.kind, self.name)))
        place += f", {self.part}" if self.part else ""
        values = " -> ".join(v for v in (self.old, self.new) if v is not None)
        return f"{_MARKS[self.change]} {place}" + (f": {values}" if values else "")


@dataclass(frozen=True, repr=False)
class Difference(Sequence[Change], Displayed):
    """What changed from one specification to another: no change where they say the same.

    It prints as a line for each, which begins with + for what was added, - for what was removed and
    ~ for what changed. A notebook shows both in one picture.
    """

    old: Spec
    new: Spec
    changes: tuple[Change, ...]

    @overload
    def __getitem__(self, index: int) -> Change: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Change, ...]: ...
    def __getitem__(self, index: int | slice) -> Change | tuple[Change, ...]:
        return self.changes[index]

    def __len__(self) -> int:
        return len(self.changes)

    def __str__(self) -> str:
        return "\n".join(map(str, self.changes)) or "no difference"

    __repr__ = __str__


def diff(old: Given, new: Given) -> Difference:
    """What changed in the architecture from `old` to `new`, whatever their texts look like.

    Either is a Spec, a file, a text, a Graph, or what a search found. Raises DiagnosticError where
    one of them does not resolve.
    """
    specs = spec_of(old), spec_of(new)
    return Difference(*specs, difference(*specs))


def difference(old: Spec, new: Spec) -> tuple[Change, ...]:
    """The changes from one specification to another; none where they say the same.

    Raises DiagnosticError where one of them does not resolve.
    """
    networks = (resolve(old), resolve(new))
    qualified = ambiguous(networks[0]) | ambiguous(networks[1])
    before, after = ({n.identity: n for n in facts(net, qualified)} for net in networks)
    changes: list[Change] = []
    for key in _in_order([*before.values(), *after.values()]):
        changes += _changes(before.get(key), after.get(key))
    return (*changes, *_reordered(*networks))


def _in_order(nodes: Sequence[Piece]) -> list[tuple[str, str]]:
    """The keys of nodes, each once: section by section, and what is of one Cell together."""
    homes = {home: place for place, home in enumerate(dict.fromkeys(n.home for n in nodes))}
    ordered = sorted(nodes, key=lambda n: (n.section, homes[n.home]))
    return list(dict.fromkeys(n.identity for n in ordered))


def _changes(old: Piece | None, new: Piece | None) -> Iterator[Change]:
    if old is None or new is None:
        node = old or new
        if node is not None and node.shown:
            text = (node.text, None) if new is None else (None, node.text)
            yield Change(node.kind, node.name, "", *text)
        return
    for part in dict.fromkeys(chain(old.parts, new.parts)):
        before, after = old.parts.get(part), new.parts.get(part)
        if (before and before.key) != (after and after.key):
            texts = (before.text if before else None, after.text if after else None)
            yield Change(old.kind, old.name, part, *texts)


def _reordered(old: Network, new: Network) -> Iterator[Change]:
    """What both have, in another order, where that means something in one of them."""
    before, after = orders(old), orders(new)
    for what in dict.fromkeys([*before, *after]):
        first, second = before.get(what), after.get(what)
        if first is None or second is None:
            continue
        both = set(first) & set(second)
        common = [tuple(n for n in names if n in both) for names in (first, second)]
        if common[0] != common[1]:
            yield Change("order", what, "", *(", ".join(names) for names in common))
