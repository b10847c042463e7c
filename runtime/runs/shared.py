"""The search space that several runs share, however each of them has it written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.network.holes import Hole, Relaxation, holes_of
from ...compiler.network.network import Network
from ...compiler.tools.meaning import meaning
from .read import FinishedRun, Record, Search


def sharing(runs: Sequence[FinishedRun]) -> tuple[Network, list[FinishedRun]]:
    """The search space of the first of some runs, and all of them as if they had searched it.

    Raises DiagnosticError where one holds no search, or one of a specification that means another.
    """
    if not runs:
        raise fail("E506", "there is no run", help="give at least one run folder")
    for run in runs:
        if run.search is None:
            raise fail("E507", f"`{run.name}` holds no search", help="give runs of `search`")
    searches = [run.search for run in runs if run.search is not None]
    space = searches[0].network
    shared = meaning(space, ordered=False)
    found: list[FinishedRun] = []
    for run, search in zip(runs, searches, strict=True):
        if meaning(search.network, ordered=False) != shared:
            message = f"`{runs[0].name}` and `{run.name}` searched different specifications"
            raise fail("E507", message, help="give runs of one specification")
        found.append(replace(run, search=_as_of(space, search)))
    return space, found


def _as_of(space: Network, search: Search) -> Search:
    """A search with the candidates of every record in the order in which a space has them."""
    if search.network.space == space.space:
        return search
    relax = cast(Relaxation, search.settings.relax)
    own = {hole.parameter: hole for hole in holes_of(search.network, relax)}
    order = {
        hole.parameter: _places(own[hole.parameter], hole)
        for hole in holes_of(space, relax)
        if hole.parameter in own
    }
    rounds = tuple(_reordered(record, order) for record in search.rounds)
    return replace(search, network=space, rounds=rounds)


def _places(own: Hole, shared: Hole) -> list[int]:
    """Where each candidate of a hole stands in the same hole of another writing of it."""
    return [own.candidates.index(name) for name in shared.candidates if name in own.candidates]


def _reordered(record: Record, order: dict[str, list[int]]) -> Record:
    """A record whose rows are in that order; those that do not fit it are left out."""
    rows = {
        name: logits[order[name]]
        for name, logits in record.architecture.items()
        if len(order.get(name, ())) == len(logits)
    }
    places = order.get(record.hole, [])
    fits = len(places) == len(record.drops)
    drops = tuple(record.drops[place] for place in places) if fits else ()
    return replace(record, architecture=rows, drops=drops)
