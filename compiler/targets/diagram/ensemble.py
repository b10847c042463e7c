"""An ensemble: its members side by side over the features that all of them have, and their mean."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from ...check.check import checked
from ...graph.build import HEAD, Graph, build
from ...graph.read import architecture
from ...language.ensemble import Ensemble
from ...network.names import OUTPUT, identifier, place_of
from ...network.network import Architecture, NetworkCell, NetworkHead, Slot
from .drawer import HIDDEN, frame
from .labels import predicted
from .overlay import PLAIN
from .statements import box, edge, node, quoted, same_rank
from .styles import Style
from .whole import WholeDrawer, points

MEAN = "%mean"
_WITHIN = "\0"
"""What stands between a member and its Cell; no name holds it."""


@dataclass(frozen=True)
class EnsembleGraph:
    """The Graphs of an ensemble's members, and what each counts in the mean, by their names.

    Members of one genotype are one Graph, of which there are so many `copies`.
    """

    graphs: Mapping[str, Graph]
    shares: Mapping[str, float]
    copies: Mapping[str, int]

    @classmethod
    def of(cls, ensemble: Ensemble) -> EnsembleGraph:
        """The Graphs of the members; raises DiagnosticError where one is wrong."""
        drawn = ensemble.architectures
        graphs = {name: build(checked(one.genotype)) for name, one in drawn.items()}
        shares = {name: one.weight for name, one in drawn.items()}
        genotypes = [one.genotype for one in ensemble.members]
        copies = {name: genotypes.count(one.genotype) for name, one in drawn.items()}
        return cls(graphs, shares, copies)

    def number_of_nodes(self) -> int:
        """The nodes of all Graphs."""
        return sum(graph.number_of_nodes() for graph in self.graphs.values())


def within(member: str, name: str) -> str:
    """What a Cell of a member, its output or a head is called among those of all."""
    return f"{member}{_WITHIN}{name}"


def moved(member: str, network: Architecture, place: str) -> str:
    """A node of a member's Graph as a node of the picture: features are those of all members."""
    first, *rest = place_of(place)
    if first in network.feature_by_name:
        return place
    return identifier(within(member, first), *rest)


@dataclass(frozen=True, kw_only=True)
class EnsembleDrawer(WholeDrawer):
    """Every statement of the picture, whose network has the Cells of all members."""

    members: Mapping[str, Architecture]
    shares: Mapping[str, float]
    count: int

    @classmethod
    def of(cls, drawn: EnsembleGraph, used: Collection[str], style: Style) -> EnsembleDrawer:
        """The drawer of members; `used` are the nodes of the picture that a head depends on."""
        members = {name: _moved(name, architecture(g)) for name, g in drawn.graphs.items()}
        first = next(iter(members.values()))
        cells = tuple(cell for network in members.values() for cell in network.cells)
        joint = replace(first, cells=cells, outputs=(), heads=())
        count = sum(drawn.copies.values())
        return cls(joint, used, (), PLAIN, style, members=members, shares=drawn.shares, count=count)

    def title(self, part: NetworkCell | NetworkHead) -> str:
        return part.name.rpartition(_WITHIN)[2]

    def _side_by_side(self) -> Iterator[str]:
        """Nothing: Cells of different members are in no order."""
        return iter(())

    def _cells(self) -> Iterator[str]:
        for name, network in self.members.items():
            yield f"subgraph {quoted(f'cluster_{node(name)}')} {{"
            label = self.labels.bold(name) + self.labels.beside(f"{100 * self.shares[name]:.0f} %")
            look = {
                "color": self.style.note,
                "fillcolor": self.style.page,
                "labelloc": self.style.top,
            }
            yield frame(label, name, look)
            for cell in network.cells:
                yield from self.cell(cell)
            yield from self.head_boxes(network, within(name, OUTPUT), within(name, HEAD))
            yield "}"
        for cell in self.network.cells:
            yield from self.into_input(cell)

    def _top(self) -> Iterator[str]:
        for name, network in self.members.items():
            output, head = within(name, OUTPUT), within(name, HEAD)
            for number, slot in enumerate(network.outputs):
                yield self.from_source(slot.candidates[0], identifier(output), number)
            yield from self.into_heads(network, output, head)
            wide = self.style.of_edge(True, True, False, None, self.shares[name])
            yield edge(identifier(head), MEAN, {**wide, "class": "upper"})
        heads = [identifier(within(name, HEAD)) for name in self.members]
        yield same_rank(heads)
        tops = [f"%top_{number}" for number in range(len(heads))]
        yield from points(tops, heads)
        yield from (edge(head, top, HIDDEN) for head, top in zip(heads, tops, strict=True))
        yield from (edge(top, MEAN, HIDDEN) for top in tops)
        what = f"the mean of {self.count} networks"
        label = f"{self.labels.bold('mean')}<BR/>{self.labels.small(predicted(self.network.head))}"
        yield box(MEAN, label, what, {"class": "head"})


def _moved(member: str, network: Architecture) -> Architecture:
    """A network whose Cells are called as they are among those of all members."""
    own = {*network.cell_by_name, *(head.name for head in network.heads)}

    def moved(name: str) -> str:
        return within(member, name) if name in own else name

    def slot(one: Slot) -> Slot:
        return replace(one, candidates=tuple(map(moved, one.candidates)))

    return replace(
        network,
        cells=tuple(
            replace(cell, name=moved(cell.name), slots=tuple(map(slot, cell.slots)))
            for cell in network.cells
        ),
        outputs=tuple(map(slot, network.outputs)),
        heads=tuple(
            replace(head, name=moved(head.name), reads=tuple(map(moved, head.reads)))
            for head in network.heads
        ),
    )
