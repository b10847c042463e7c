"""Runs as pictures: the hypernet or the genotype of a round, what changed, and the whole course."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

from ...compiler.check.check import checked
from ...compiler.diagnostics.diagnostic import fail
from ...compiler.documents.spellings import loads
from ...compiler.graph.build import build
from ...compiler.language.spec import Spec
from ...compiler.language.variants import Picks
from ...compiler.network.network import Network
from ...compiler.resolve.unfill import unfilled
from ...compiler.targets.diagram import of_mixtures
from ...compiler.targets.diagram.overlay import Overlay
from ...compiler.targets.diagram.weights import Shares
from ...compiler.targets.page import Course, Moment, page
from ..genotypes.derive import one_hot
from ..metrics import selection_metric
from ..runs.read import FinishedRun, Record, Search, read_run
from ..runs.shared import sharing


def pages(paths: Sequence[str | PathLike[str]]) -> str:
    """The page of searches of one specification, round by round and side by side.

    Raises DiagnosticError where a run is not finished, is damaged, or searched something else.
    """
    network, runs = sharing([read_run(path) for path in paths])
    found = [_variant(network, *_rounds(run.search)) for run in runs]
    for run, variant in zip(runs, found, strict=True):
        if variant != found[0]:
            message = f"`{run.name}` found other numbers or roles than `{runs[0].name}`"
            raise fail("E506", message, help="give runs whose genotypes have the same")
    picks = found[0]
    courses = [_course(network, picks, run, run.search) for run in runs if run.search is not None]
    return page(build(network.variant(picks)), courses, selection_metric(network.head.kind))


def page_of(space: Spec, name: str, records: Sequence[Record], kept: int | None) -> str:
    """The page of one search."""
    network = checked(space)
    picks = _variant(network, records, kept)
    course = Course(name, _moments(network, picks, records), kept)
    return page(build(network.variant(picks)), [course], selection_metric(network.head.kind))


def _rounds(search: Search | None) -> tuple[Sequence[Record], int | None]:
    """The rounds of a search, and the number of the one that was kept."""
    best = search.best if search else None
    return search.rounds if search else (), best.number if best else None


def _variant(network: Network, records: Sequence[Record], kept: int | None) -> Picks:
    """The variant of what was kept, or of the last genotype before it that is of the space."""
    until = [r for r in records if r.genotype and (kept is None or r.number <= kept)]
    found = (unfilled(network, loads(record.genotype)) for record in reversed(until))
    first = (0,) * len(network.global_holes)
    return next((choices.variant for choices in found if choices is not None), first)


def hypernet_of(run: FinishedRun, number: int | None) -> tuple[Network, Overlay] | None:
    """The search space with the weights of a round; None where the search keeps no weights.

    Without a number, the round is the one whose genotype was kept.
    """
    search = _search(run)
    record = search.best if number is None else _record(run, search, number)
    if record is None or not record.architecture:
        return None
    overlay = of_mixtures(search.network, _weights(record))
    if not (overlay.weights or overlay.operations):
        message = f"the weights of round {record.number} belong to another specification"
        raise fail("E507", f"`{run.name}` is damaged: {message}", help="run it again")
    return search.network, overlay


def genotype_of(run: FinishedRun, number: int | None) -> Spec:
    """The genotype of a round, or the one that was found."""
    if number is None:
        return run.genotype
    record = _record(run, _search(run), number)
    if not record.genotype:
        message = f"round {number} of `{run.name}` has no genotype"
        raise fail("E506", message, help="give a round in which one was chosen")
    return loads(record.genotype)


def _search(run: FinishedRun) -> Search:
    if run.search is None:
        raise fail("E507", f"`{run.name}` holds no search", help="give a run of `search`")
    return run.search


def _record(run: FinishedRun, search: Search, number: int) -> Record:
    record = next((r for r in search.rounds if r.number == number), None)
    if record is None:
        numbers = [r.number for r in search.rounds]
        remedy = f"rounds are {min(numbers)} to {max(numbers)}" if numbers else "it has none"
        raise fail("E506", f"`{run.name}` has no round {number}", help=remedy)
    return record


def _weights(record: Record) -> Shares:
    return {name: record.weights(name).tolist() for name in record.architecture}


def _course(network: Network, picks: Picks, run: FinishedRun, search: Search) -> Course:
    moments = _moments(network, picks, search.rounds)
    if not moments:
        message = f"`{run.name}` has no round with weights or a genotype"
        raise fail("E507", message, help="give runs of `search` that were finished")
    return Course(run.name, moments, search.best.number if search.best else None)


def _moments(network: Network, picks: Picks, records: Sequence[Record]) -> list[Moment]:
    """The rounds that have weights or a genotype of a variant; what a genotype takes weighs 1."""
    moments: list[Moment] = []
    for record in records:
        if record.architecture:
            shares = _weights(record)
        elif record.genotype:
            choices = unfilled(network, loads(record.genotype))
            if choices is None or choices.variant != picks:
                continue
            hot = one_hot(network.variant(picks), choices, "per_input")
            shares = {name: row.tolist() for name, row in hot.items()}
        else:
            continue
        score = record.numbers.get(selection_metric(network.head.kind))
        moments.append(Moment(record.number, score, shares))
    return moments
