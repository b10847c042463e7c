"""Whether candidates fit in memory, asked before they are trained."""

from __future__ import annotations

from itertools import islice

from ....compiler.check.check import checked
from ....compiler.diagnostics.diagnostic import DiagnosticError
from ....compiler.graph.build import build
from ....compiler.lowering.lower import lower
from ....compiler.measure.memory import learned
from ....compiler.network.choices import Choices, fill
from ...training.memory import require_room
from ..strategy import Problem
from ..streams import Stream, generator_of

LOOKED_AT = 8
"""Candidates of which one has to fit at least."""


def require_room_for_candidates(problem: Problem) -> None:
    """Raises DiagnosticError where none of a few candidates can be trained in the memory there is.

    They are drawn at random, within the budgets; mostly the first one fits.
    """
    draws = problem.budgets.draws(generator_of(problem.settings.seed, Stream.ROOM))
    refused: DiagnosticError | None = None
    for choices in islice(draws, LOOKED_AT):
        error = lack_of_room(problem, choices)
        if error is None:
            return
        refused = refused or error
    if refused is not None:
        raise refused


def lack_of_room(problem: Problem, choices: Choices) -> DiagnosticError | None:
    """Why a candidate cannot be trained in the memory there is; None where it can."""
    settings = problem.settings
    program = learned(lower(build(checked(fill(problem.network, choices)))))
    try:
        require_room(
            program, min(settings.batch, len(problem.data.labels)), settings, problem.device
        )
    except DiagnosticError as error:
        return error
    return None
