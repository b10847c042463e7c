"""The diagram of a document, and which of its parts stand at a place of the text."""

from __future__ import annotations

from collections.abc import Iterator

from ..compiler.diagnostics.source import Span
from ..compiler.graph.build import build
from ..compiler.network.names import identifier
from ..compiler.network.network import Network
from ..compiler.targets.diagram import Drawing, render, style_named
from .documents import Examined


def diagram(examined: Examined, dark: bool = False) -> str | None:
    """The picture as SVG; None where the specification has errors, or leaves numbers open.

    Raises DiagnosticError where nothing that is installed draws.
    """
    network = examined.examination.network
    if network is None or examined.examination.errors:
        return None
    style = style_named("dark" if dark else "screen")
    return render(build(network), "svg", Drawing(style)).decode()


def shown_at(examined: Examined, offset: int) -> list[str]:
    """The titles, in the picture, of what is declared by the innermost statement at an offset."""
    network = examined.examination.network
    if network is None:
        return []
    found = [
        (extent.end - extent.start, title)
        for extent, title in _extents(examined, network)
        if extent is not None and extent.start <= offset <= extent.end
    ]
    least = min((length for length, _ in found), default=0)
    return [title for length, title in found if length == least]


def _extents(examined: Examined, network: Network) -> Iterator[tuple[Span | None, str]]:
    """Where each part of the network is declared; members of a family share a statement."""
    spec = examined.document.spec
    for modality in spec.modalities:
        yield from ((f.extent, identifier(f.name)) for f in modality.features)
    for cell in spec.cells:
        for member in (m for m in network.cells if m.span is cell.span):
            yield cell.extent, f"cluster_{identifier(member.name)}"
            for step in cell.steps:
                for inner in (s for s in member.steps if s.span is step.span):
                    yield step.extent, identifier(member.name, inner.name)
