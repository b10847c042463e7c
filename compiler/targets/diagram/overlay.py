"""What a picture says of a network beyond the network: weights of mixtures, or what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite

from .styles import Change


@dataclass(frozen=True)
class Overlay:
    """Nodes are those of the Graph.

    `weights` of a node's slots are shares of the candidates, in their order; those of `operations`
    belong to the operations of a Step. `changed` holds nodes, `changed_edges` the node, slot and
    candidate of an edge, `lines` the markup that a node shows in place of what it is, `skipped`
    what a Cell's merge takes beside its Steps, and `joined` what leads into the prediction, where
    that is not what the network says.
    Candidates of a mixture have an edge from `least` times their average weight on.
    """

    weights: Mapping[tuple[str, int], Sequence[float]] = field(
        default_factory=dict[tuple[str, int], Sequence[float]]
    )
    operations: Mapping[str, Sequence[float]] = field(default_factory=dict[str, Sequence[float]])
    changed: Mapping[str, Change] = field(default_factory=dict[str, Change])
    changed_edges: Mapping[tuple[str, int, int], Change] = field(
        default_factory=dict[tuple[str, int, int], Change]
    )
    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    skipped: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    joined: Sequence[str] = ()
    least: float = 1.0

    def heaviest(self, shares: Sequence[float]) -> float:
        """What the heaviest candidate weighs, which has an edge where any has."""
        return max(shares) if isfinite(self.least) else inf

    @property
    def has_changes(self) -> bool:
        """Whether anything changed."""
        return bool(self.changed or self.changed_edges)

    def weight(self, node: str, slot: int, candidate: int) -> float | None:
        """The share of a candidate; None where it is not mixed."""
        shares = self.weights.get((node, slot))
        return None if shares is None else float(shares[candidate])


PLAIN = Overlay()
"""The network as it is."""
