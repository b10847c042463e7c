"""Strong starts: networks that are known to do well, where the output of a space has holes.

Late fusion and all features straight to the head are points of the space, and so are Cells beside
all features. Perceptrons stand beside it: all features, by roles that the specification leaves to
its library.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ....compiler.diagnostics.diagnostic import DiagnosticError
from ....compiler.language.without_cells import defines_roles
from ....compiler.network.choices import Choices
from ....compiler.network.fillings import Choice, in_order
from ....compiler.network.network import NOTHING, Network, Slot
from ...settings import Settings
from ...tuning import Own, every_own
from ..perceptron import PERCEPTRONS, Perceptron
from ..strategy import Problem
from ..streams import Stream, generator_of
from .room import lack_of_room

STARTS = 3
"""One candidate, or finalist, in so many may be a strong start."""


def starts(problem: Problem) -> Iterator[tuple[Choices, Own]]:
    """Late fusion and all features, both with each combination of settings in turn.

    Their Cells, which nothing takes, are drawn.
    """
    found = [choices for choices in straight(problem) if problem.budgets.admits(choices)]
    for own in every_own(problem.settings.tuned):
        yield from ((choices, own) for choices in found)


def straight(problem: Problem) -> Iterator[Choices]:
    """Late fusion, then all features, where they are not the same and may be the whole output."""
    network = problem.network
    features = [f.name for f in network.features]
    last = {f.modality: f.name for f in network.features}
    generator = generator_of(problem.settings.seed, Stream.STARTS)
    for names in dict.fromkeys((tuple(last.values()), tuple(features))):
        drawn = problem.budgets.draw(generator)
        slots = network.variant(drawn.variant).outputs
        outputs = taking(slots, names)
        if outputs is not None and set(names) == {*outputs} - {NOTHING}:
            yield replace(drawn, outputs=outputs)


def perceptrons(problem: Problem) -> list[tuple[Choices, Own]]:
    """Perceptrons over all features, with their settings; none where there may be none.

    It is for a specification that defines no roles and whose heads read the output.
    """
    spec, network = problem.network.space, problem.network
    reads_more = any(head.reads for head in spec.heads)
    if not problem.settings.perceptrons or defines_roles(spec) or reads_more:
        return []
    features = {f.name for f in network.features}
    found = [one for one in straight(problem) if {*one.outputs} - {NOTHING} == features]
    chosen = [
        (replace(one, roles=kind.roles), own_of(kind, problem.settings))
        for one in found
        for kind in PERCEPTRONS
    ]
    return [(one, own) for one, own in chosen if _admits(problem, one)]


def _admits(problem: Problem, choices: Choices) -> bool:
    """Whether a network beside the space keeps within budgets and memory, as far as is known."""
    try:
        return problem.budgets.admits(choices) and not lack_of_room(problem, choices)
    except DiagnosticError:  # a profile of latencies lacks what it is made of
        return False


RATE, RESTART = "max_learning_rate", "first_restart"


def own_of(kind: Perceptron, settings: Settings) -> Own:
    """The settings of a perceptron: the least of each that is searched, and its multiple of a rate.

    The rate falls once, over all epochs, unless other restarts than the usual were asked for: with
    these, which candidates need to be compared early, perceptrons are worse.
    """
    least = {name: min(values) for name, values in settings.tuned.items()}
    if RATE in least:
        least[RATE] *= kind.speed
    usual = Settings()
    restarts = settings.first_restart, settings.restart_multiplier
    if restarts == (usual.first_restart, usual.restart_multiplier):
        least[RESTART] = settings.trial_epochs
    return tuple(least.items())


def beside(network: Network, choices: Choices) -> Choices | None:
    """The same Cells, with everything in the output that may be there; None where no hole is."""
    network = network.variant(choices.variant)
    outputs = taking(network.outputs, network.sequence)
    return None if outputs is None else replace(choices, outputs=outputs)


def taking(slots: Sequence[Slot], wanted: Sequence[str]) -> Choice | None:
    """What the output takes where it takes these, as far as they find a place.

    None where it has no hole, or has to take something else.
    """
    if not any(slot.open for slot in slots):
        return None
    owner: dict[int, str] = {n: s.candidates[0] for n, s in enumerate(slots) if not s.open}
    left = [name for name in wanted if name not in owner.values()]

    def place(name: str, tried: set[int]) -> bool:
        """Finds a place for a name, for which others may move to another one of theirs."""
        holding = [n for n, s in enumerate(slots) if s.open and name in s.candidates]
        for number in sorted(holding, key=lambda n: slots[n].optional):
            if number not in tried:
                tried.add(number)
                if number not in owner or place(owner[number], tried):
                    owner[number] = name
                    return True
        return False

    for name in left:
        place(name, set())
    outputs = tuple(owner.get(number, NOTHING) for number in range(len(slots)))
    filled = all(name or slot.optional for name, slot in zip(outputs, slots, strict=True))
    return in_order(slots, outputs) if filled and any(outputs) else None
