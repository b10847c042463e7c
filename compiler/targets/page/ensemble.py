"""What a page says of an ensemble: of each node of its members, of features what they all have."""

from __future__ import annotations

from functools import partial

from ...check.check import checked
from ...graph.build import HEAD
from ...graph.write import specification
from ..diagram import EnsembleGraph
from ..diagram.ensemble import MEAN, moved, within
from ..diagram.statements import node
from .data import Fact, Facts

SIZES = ("parameters", "macs")


class EnsembleFacts:
    """Facts about all members by the nodes of their picture; what they compute adds up."""

    def __init__(self, drawn: EnsembleGraph) -> None:
        self.operations: list[Fact] = []
        self.nodes: dict[str, Fact] = {}
        self._wholes: list[Fact] = []
        for member, graph in drawn.graphs.items():
            network, copies = checked(specification(graph)), drawn.copies[member]
            facts = Facts(network, graph, partial(moved, member, network))
            self._wholes += [facts.whole()] * copies
            for name, fact in facts.nodes.items():
                for _ in range(copies if fact["kind"] == "feature" else 1):
                    self._add(member, name, fact)
            self.operations += facts.operations
        self.nodes[node(MEAN)] = self._mean(drawn)

    def _add(self, member: str, name: str, fact: Fact) -> None:
        """A node of a member, whose operations come after those of the members before."""
        places = [place + len(self.operations) for place in fact["operations"]]
        if fact["kind"] == "feature" and name in self.nodes:
            shared = self.nodes[name]
            for size in SIZES:
                known = None not in (shared[size], fact[size])
                shared[size] = shared[size] + fact[size] if known else None
            return
        own = fact if fact["kind"] == "feature" else {**fact, "what": f"{fact['what']}, {member}"}
        if fact["kind"] == "cell":
            own["name"] = f"{member}: {fact['name']}"
        self.nodes[name] = {**own, "operations": places}

    def _mean(self, drawn: EnsembleGraph) -> Fact:
        slots = [
            {
                "title": f"{100 * share:.0f} %",
                "open": False,
                "names": [member],
                "nodes": [node(within(member, HEAD))],
            }
            for member, share in drawn.shares.items()
        ]
        what = "the mean of what the members give, of probabilities or values"
        empty: Fact = {"cell": "", "shape": "", "operations": [], "parameters": 0, "macs": 0}
        return {"kind": "output", "name": "mean", "what": what, "slots": slots, **empty}

    def whole(self) -> Fact:
        """The ensemble itself."""
        first = self._wholes[0]
        sizes = {size: sum(one[size] for one in self._wholes) for size in SIZES}
        kind = f"ensemble of {len(self._wholes)} networks"
        return {"name": first["name"], "kind": kind, **sizes, "architectures": "1"}
