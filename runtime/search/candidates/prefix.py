"""The first Cells of a network: a space, or a network, that a longer one begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ....compiler.diagnostics.diagnostic import fail
from ....compiler.network.network import Network, NetworkCell, Slot
from ....compiler.network.written import written_outputs


def require_kept(network: Network, cells: Sequence[NetworkCell]) -> None:
    """Raises DiagnosticError where a head reads a Cell that a shorter network lacks."""
    lacking = {cell.name for cell in network.cells} - {cell.name for cell in cells}
    for head in network.heads:
        read = next((name for name in head.reads if name in lacking), None)
        if read is not None:
            message = f"networks that grow Cell by Cell lack `{read}`, which `{head.name}` reads"
            raise fail("E405", message, head.span, help="use another strategy, or let it read less")


def first_cells(network: Network, count: int) -> Network:
    """The network without the Cells after the first `count`, one at least.

    Outputs that are dropped with their Cells are left out; the last Cell is the output where none
    is left.
    """
    if count == len(network.cells):
        return network
    cells = network.cells[:count]
    require_kept(network, cells)
    gone = {cell.name for cell in network.cells[count:]}
    left = (
        replace(slot, candidates=tuple(c for c in slot.candidates if c not in gone))
        for slot in network.outputs
    )
    outputs = tuple(slot for slot in left if slot.candidates)
    outputs = outputs or (Slot((cells[-1].name,), open=False),)
    written = None if network.spec.outputs is None else written_outputs(outputs)
    spec = replace(network.spec, outputs=written)
    return replace(network, spec=spec, cells=cells, outputs=outputs)
