"""The first Cells of a network: a space, or a network, that a longer one begins with."""

from __future__ import annotations

from dataclasses import replace

from ....compiler.language.nodes import Reference
from ....compiler.network.network import Network


def first_cells(network: Network, count: int) -> Network:
    """The network without the Cells after the first `count`, one at least.

    Outputs that are dropped with their Cells are left out; the last Cell is the output where none
    is left.
    """
    if count == len(network.cells):
        return network
    cells = network.cells[:count]
    gone = {cell.name for cell in network.cells[count:]}
    outputs = tuple(o for o in network.outputs if o not in gone) or (cells[-1].name,)
    written = None if network.spec.outputs is None else tuple(map(Reference, outputs))
    spec = replace(network.spec, outputs=written)
    return replace(network, spec=spec, cells=cells, outputs=outputs)
