"""A genotype read back into choices: the inverse of filling a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..diagnostics.diagnostic import DiagnosticError, fail, one_of
from ..diagnostics.source import Span
from ..language.spec import Spec
from ..language.variants import picks_of
from ..language.without_cells import is_beside
from ..network.choices import CellChoice, Choices, StepChoice
from ..network.fillings import Choice
from ..network.network import NOTHING, Application, Network, NetworkCell, NetworkStep, Slot
from .resolve import resolve


def unfill(network: Network, genotype: Spec) -> Choices:
    """What a genotype chooses in every Cell of a search space.

    `fill(network, unfill(network, genotype))` says what the genotype says, however that is spelt.
    Raises DiagnosticError where the genotype is none of this space.
    """
    filling, picks = resolve(genotype), tuple(_picks(network, genotype))
    network = network.variant(picks)
    _require_equal("Cells", [c.name for c in network.cells], [c.name for c in filling.cells])
    pairs = zip(network.cells, filling.cells, strict=True)
    cells = tuple(_cell(open, closed) for open, closed in pairs)
    return Choices(cells, _outputs(network.outputs, filling.outputs), picks)


def unfilled(network: Network, genotype: Spec) -> Choices | None:
    """What a genotype chooses; None of a network that was found beside the search space."""
    return None if is_beside(genotype, network.space) else unfill(network, genotype)


def _picks(network: Network, genotype: Spec) -> Iterator[int]:
    """The variant of a space that a genotype is of."""
    for hole, pick in zip(network.global_holes, picks_of(network.space, genotype), strict=True):
        if pick is None:
            raise _misfit(f"what it has as `{hole.place}` is no candidate", None)
        yield pick


def _cell(open: NetworkCell, given: NetworkCell) -> CellChoice:
    place = f" of `{open.name}`"
    _require_equal(f"inputs{place}", open.inputs, given.inputs, given.span)
    steps, names = open.steps, [s.name for s in given.steps]
    _require_equal(f"Steps{place}", [s.name for s in steps], names, given.span)
    _require_equal(f"results{place}", open.returned, given.returned, given.span)
    inputs = _inputs(open.slots, given.slots)
    return CellChoice(inputs, tuple(map(_step, steps, given.steps)))


def _step(open: NetworkStep, given: NetworkStep) -> StepChoice:
    if len(open.slots) != len(given.slots):
        message = f"`{open.name}` takes {len(given.slots)} inputs, not {len(open.slots)}"
        raise _misfit(message, given.span)
    (operation,) = given.operations if len(given.operations) == 1 else (None,)
    if operation is None or given.open:
        raise _misfit(f"the operation of `{given.name}` is open", given.span)
    return StepChoice(_operation(open, operation), _inputs(open.slots, given.slots))


def _operation(open: NetworkStep, given: Application) -> int:
    """The place of an operation among candidates: one that is written alike, else that means it."""
    meant = (given.definition, given.parameters)
    same = [i for i, o in enumerate(open.operations) if (o.definition, o.parameters) == meant]
    if not same:
        raise _misfit(f"`{given.label}` is no candidate of `{open.name}`", given.span)
    alike = (i for i in same if open.operations[i].operation == given.operation)
    return next(alike, same[0])


def _inputs(open: Sequence[Slot], given: Sequence[Slot]) -> Choice:
    for slot, closed in zip(open, given, strict=True):
        if closed.open:
            raise _misfit("an input is open", closed.span)
        if closed.candidates[0] not in slot.candidates:
            raise _misfit(f"`{closed.candidates[0]}` is no candidate here", closed.span)
    return tuple(closed.candidates[0] for closed in given)


def _outputs(open: Sequence[Slot], given: Sequence[Slot]) -> Choice:
    """What each place of the output takes: the names in their order, `NOTHING` between them."""
    names = [slot.candidates[0] for slot in given if not slot.open]
    if len(names) < len(given):
        raise _misfit("the output is open", next(s.span for s in given if s.open))
    ways: list[Choice | None] = [(), *[None] * len(names)]
    for slot in open:
        following: list[Choice | None] = [None] * (len(names) + 1)
        for count in reversed(range(len(ways))):  # earlier places are filled first
            way = ways[count]
            if way is None:
                continue
            if slot.optional and following[count] is None:
                following[count] = (*way, NOTHING)
            taken = count < len(names) and names[count] in slot.candidates
            if taken and following[count + 1] is None:
                following[count + 1] = (*way, names[count])
        ways = following
    found = ways[-1]
    if found is None:
        message = f"the output of the search space cannot be {one_of(names)}"
        raise _misfit(message, given[0].span if given else None)
    return found


def _require_equal(
    what: str, known: Sequence[str], given: Sequence[str], span: Span | None = None
) -> None:
    if list(known) != list(given):
        raise _misfit(f"the {what} are others than those of the search space", span)


def _misfit(message: str, span: Span | None) -> DiagnosticError:
    return fail("E602", message, span, help="give a genotype of this very search space")
