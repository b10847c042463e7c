"""Choices, settings of a candidate, and trials, read from a checkpoint as what they have to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....compiler.check.check import checked
from ....compiler.diagnostics.diagnostic import DiagnosticError
from ....compiler.graph.build import build
from ....compiler.lowering.lower import lower
from ....compiler.network.choices import CellChoice, Choices, StepChoice, fill, listed
from ....compiler.network.fillings import Choice, fits
from ....compiler.network.network import Network, NetworkCell, NetworkStep, Slot
from ....compiler.program.program import PARAMETER, Program
from ...data.files import Arrays
from ...genotypes.space import keeps_rule
from ...metrics import VALIDATION_LOSS, selection_metric
from ...runs.checkpoint import State
from ...runs.saved import Saved, Shapes
from ...training.optimisers import scaler_of
from ...training.saved import read_epoch, read_scaler, read_steps, still
from ...tuning import Own, every_own
from ..perceptron import PERCEPTRONS
from ..strategy import Problem
from .prefix import first_cells
from .starts import own_of, perceptrons
from .trainer import Trainer
from .trial import Trial


def saved_choices(saved: Saved, problem: Problem, levels: Sequence[int] = ()) -> Choices:
    """Choices that fill the problem's network within its budgets, or its first Cells.

    `levels` are how many Cells they may fill; all of them, where nothing else is said.
    """
    cells, outputs, variant, roles = saved.items(least=4, most=4)
    network, chosen = _variant(variant, problem.network)
    inner = cells.items()
    if len(inner) not in (levels or (len(network.cells),)):
        raise cells.wrong("choices for the Cells of this space")
    short = first_cells(network, len(inner))
    filled = zip(short.cells, inner, strict=True)
    choices = Choices(
        tuple(_cell(one, cell) for cell, one in filled),
        _names(outputs, short.outputs),
        chosen,
    )
    if roles.items():
        choices = _perceptron(saved, problem)
    is_whole = short is network
    if not keeps_rule(short, choices) or (is_whole and not problem.budgets.admits(choices)):
        raise saved.wrong("choices that the rule and the budgets admit")
    return choices


def _perceptron(saved: Saved, problem: Problem) -> Choices:
    """The choices with the roles that are written there, which are those of a perceptron."""
    for one, _ in perceptrons(problem):
        if listed(one) == saved.plain():
            return one
    raise saved.wrong("one of the perceptrons of this search")


def _variant(saved: Saved, network: Network) -> tuple[Network, tuple[int, ...]]:
    holes = network.global_holes
    rows = zip(saved.items(least=len(holes), most=len(holes)), holes, strict=True)
    picks = tuple(one.integer(most=len(hole.candidates) - 1) for one, hole in rows)
    try:
        return network.variant(picks), picks
    except DiagnosticError:
        raise saved.wrong("a variant of this space") from None


def _cell(saved: Saved, cell: NetworkCell) -> CellChoice:
    inputs, steps = saved.items(least=2, most=2)
    rows = steps.items(least=len(cell.steps), most=len(cell.steps))
    chosen = tuple(_step(one, step) for one, step in zip(rows, cell.steps, strict=True))
    return CellChoice(_names(inputs, cell.slots), chosen)


def _step(saved: Saved, step: NetworkStep) -> StepChoice:
    operation, inputs = saved.items(least=2, most=2)
    place = operation.integer(most=len(step.operations) - 1)
    return StepChoice(place, _names(inputs, step.slots))


def _names(saved: Saved, slots: Sequence[Slot]) -> Choice:
    names = tuple(one.text() for one in saved.items(least=len(slots), most=len(slots)))
    if not fits(slots, names):
        raise saved.wrong("names that can stand there")
    return names


def saved_own(saved: Saved, problem: Problem) -> Own:
    """Settings of a candidate: none, some of those that are searched, or a perceptron's."""
    pairs = [one.items(least=2, most=2) for one in saved.items()]
    own = tuple((name.text(), value.number()) for name, value in pairs)
    settings = problem.settings
    of_perceptrons = (own_of(kind, settings) for kind in PERCEPTRONS)
    known = [(), *every_own(settings.tuned), *of_perceptrons]
    found = next((one for one in known if one == own), None)
    if found is None:
        raise saved.wrong("settings that are searched here")
    return found


def saved_arrays(saved: Saved, problem: Problem, choices: Choices) -> Arrays:
    """The weights of the network that is chosen, or of the hypernet that it was chosen in."""
    network = checked(fill(problem.network, choices))
    program = lower(build(network))
    if saved.named().keys() != {spec.name for spec in program.parameters}:
        program = lower(build(problem.network), problem.relax)
    shapes = {spec.name: spec.sizes for spec in program.parameters}
    return {name: tensor.numpy() for name, tensor in saved.tensors(shapes).items()}


def saved_trial(
    saved: Saved,
    trainer: Trainer,
    stops: Sequence[int],
    levels: Sequence[int] = (),
    *,
    may_be_left: bool = False,
) -> Trial:
    """A trial that is scored after these numbers of epochs, the last of them its end.

    `levels` are as those of `saved_choices`. Of one that `may_be_left` no training need be there
    any more.
    """
    problem = trainer.problem
    trial = Trial(
        saved.at("number").integer(),
        saved_choices(saved.at("choices"), problem, levels),
        epochs=saved.at("epochs").integer(most=stops[-1]),
        scored=saved.at("scored").integer(most=stops[-1]),
        failure=saved.at("failure").text(),
        macs=saved.at("macs").number(0),
        own=saved_own(saved.at("own"), problem),
    )
    if fold := saved.optional("fold"):
        trial.fold = fold.integer(most=len(problem.folds) - 1)
    if trial.scored not in (0, *stops):
        raise saved.at("scored").wrong("a number of epochs after which it is scored")
    following = next((stop for stop in stops if stop > trial.scored), trial.scored)
    if not trial.diverged and not trial.scored <= trial.epochs <= following:
        raise saved.at("epochs").wrong(f"a number from {trial.scored} to {following}")
    _read_scores(saved, trial, stops, selection_metric(problem.network.head.kind))
    _read_outputs(saved, trial, problem)
    if training := saved.optional("training"):
        trial.training = _training(training, trainer, trial)
    elif trial.epochs > (trial.scored if may_be_left else 0) and not trial.diverged:
        raise saved.at("training").wrong("where its training is")
    return trial


def _read_scores(saved: Saved, trial: Trial, stops: Sequence[int], metric: str) -> None:
    """As many scores as it has been scored, by a metric; fewer where it has diverged."""
    most = 0 if trial.fold is not None or not trial.scored else 1 + stops.index(trial.scored)
    scores = saved.at("scores").items(least=0 if trial.diverged else most, most=most)
    losses = saved.at("losses").items(least=len(scores), most=len(scores))
    trial.scores = [one.number() for one in scores]
    trial.losses = [one.number() for one in losses]
    trial.metrics = {name: one.number() for name, one in saved.at("metrics").named().items()}
    told = [trial.metrics[n] for n in (metric, VALIDATION_LOSS) if n in trial.metrics]
    if told != [*trial.scores[-1:], *trial.losses[-1:]] and not trial.diverged:
        raise saved.at("metrics").wrong("the metrics of its last score")


def _read_outputs(saved: Saved, trial: Trial, problem: Problem) -> None:
    outputs = saved.optional("outputs")
    is_known = trial.fold is not None and bool(trial.scored) and not trial.diverged
    if (outputs is not None) != is_known:
        raise saved.at("outputs").wrong("what it gives for what its fold holds out, if any")
    if outputs is not None and trial.fold is not None:
        held = len(problem.folds[trial.fold].held)
        trial.outputs = outputs.tensor((held, problem.network.head.count))


def _training(saved: Saved, trainer: Trainer, trial: Trial) -> State:
    """Where a training is; its numbers are finite where it has been judged.

    NOTE: that a loss is no finite number may be seen at the end of an epoch only.
    """
    position = saved.at("epoch").at("position").integer()
    is_judged = not position and not trial.diverged
    optimiser = saved.at("optimiser")
    program = trainer.program(trial).program
    shapes = {spec.name: spec.sizes for spec in program.parameters}
    moving, resting = _moving(program), still(program)
    settings = trial.settings(trainer.problem.settings)
    averaged = shapes if settings.averaging else {}
    scaler = scaler_of(settings)
    training: dict[str, dict[str, Any]] = {
        "module": dict(saved.at("module").tensors(shapes, finite=is_judged)),
        "optimiser": {
            **read_steps(
                optimiser, moving, resting, finite=is_judged, is_scaled=scaler.is_enabled()
            ),
            "scaler": read_scaler(optimiser.at("scaler"), scaler),
            "steps": optimiser.at("steps").integer(),
            "averages": optimiser.at("averages").tensors(averaged, finite=is_judged),
        },
        "epoch": read_epoch(saved.at("epoch"), finite=is_judged),
    }
    if trial.diverged:
        return training
    epoch, steps = training["epoch"], training["optimiser"]["steps"]
    if epoch["passes"] != trial.epochs:
        raise saved.at("epoch").at("passes").wrong(f"its {trial.epochs} epochs")
    is_begun = bool(trial.epochs or position)
    if steps != training["optimiser"]["draws"] or bool(steps) != is_begun:
        raise optimiser.at("steps").wrong("the steps of its epochs")
    return training


def _moving(program: Program) -> Shapes:
    """The shapes of the weights that a program reads."""
    read = {value.name for value in program.values if value.primitive == PARAMETER}
    weights = (spec for spec in program.parameters if spec.kind == "weight" and spec.name in read)
    return {spec.name: spec.sizes for spec in weights}
