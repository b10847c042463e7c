"""What a page says of ensembles: members, what they share, scores, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...compiler.check.check import checked
from ...compiler.language.ensemble import Ensemble
from ...compiler.language.spec import Spec
from ...compiler.measure.sizes import count_macs, count_parameters
from ...compiler.network.network import Network
from ...compiler.passes import optimise
from ...compiler.targets.diagram import EnsembleGraph
from ...compiler.targets.ensemble import EnsembleSubject
from ...compiler.targets.html import Html, joined
from ...compiler.targets.target import Subject
from ..latency.measure import SIZES, measured
from ..runs.read import FinishedRun, TrainedEnsemble
from .page import code, folded, paragraph, section, table
from .searches import diagram

REPETITIONS = 10
OPEN_SIZE = 8
"""What an open axis is measured at whose name says nothing."""


@dataclass(frozen=True)
class Cost:
    """What a network takes: numbers, multiply-adds and milliseconds of a sample."""

    parameters: int
    macs: int
    milliseconds: float


@dataclass(frozen=True)
class EnsembleReport:
    """An ensemble beside one network: what was found alone, or else its heaviest member.

    `scores` of both, where a search knows them, are of samples that no member learned.
    """

    name: str
    ensemble: Ensemble
    beside: str
    costs: tuple[Cost, Cost]
    metric: str = ""
    scores: tuple[float | None, float | None] = (None, None)

    @property
    def networks(self) -> dict[str, Network]:
        """The members, checked, by name; those of one genotype are one."""
        return {name: checked(one.genotype) for name, one in self.ensemble.architectures.items()}

    def shared(self) -> tuple[list[str], list[str]]:
        """The features that all members read, and the operations that all of them have."""
        members = self.networks.values()
        features = [[i.name for i in Subject(n).program.inputs] for n in members]
        operations = [_operations(network) for network in members]
        declared = next(iter(members)).feature_by_name
        return [n for n in _common(features) if n in declared], _common(operations)

    def as_json(self) -> dict[str, Any]:
        """Everything as a record."""
        features, operations = self.shared()
        of_one, of_all = self.costs
        return {
            "run": self.name,
            "weights": [one.weight for one in self.ensemble.members],
            "features": features,
            "operations": operations,
            self.beside: {**vars(of_one), self.metric or "score": self.scores[0]},
            "ensemble": {**vars(of_all), self.metric or "score": self.scores[1]},
        }


def ensemble_reports(runs: Sequence[FinishedRun | TrainedEnsemble]) -> list[EnsembleReport]:
    """The ensembles that runs hold, measured on this machine."""
    return [_report(run, run.ensemble) for run in runs if run.ensemble is not None]


def _report(run: FinishedRun | TrainedEnsemble, ensemble: Ensemble) -> EnsembleReport:
    if isinstance(run, FinishedRun):
        costs = _costs(run.genotype, ensemble)
        search = run.search
        last = search.rounds[-1].together if search and search.rounds else {}
        scores = (search.score, last.get(search.metric)) if search else (None, None)
        metric = search.metric if search else ""
        return EnsembleReport(run.name, ensemble, "the genotype", costs, metric, scores)
    heaviest = max(ensemble.members, key=lambda one: one.weight)
    costs = _costs(heaviest.genotype, ensemble)
    return EnsembleReport(run.name, ensemble, "the heaviest member", costs)


def _costs(beside: Spec, ensemble: Ensemble) -> tuple[Cost, Cost]:
    """What one network costs, and what the ensemble does."""
    subjects = [Subject(checked(beside)), EnsembleSubject.of(ensemble)]
    open_axes = [
        axis.name
        for feature in subjects[0].network.features
        for axis in feature.axes or ()
        if axis.size is None
    ]
    sizes = {name: SIZES.get(name, OPEN_SIZE) for name in open_axes}
    times = measured(subjects, repetitions=REPETITIONS, sizes=sizes)
    one, every = (
        Cost(
            count_parameters(subject.program),
            count_macs(optimise(subject.program, "inference")),
            milliseconds,
        )
        for subject, milliseconds in zip(subjects, times, strict=True)
    )
    return one, every


def _common(lists: Sequence[Sequence[str]]) -> list[str]:
    """What stands in every list, in the order of the first."""
    first, *others = lists
    return [one for one in dict.fromkeys(first) if all(one in other for other in others)]


def ensembles_section(reports: Sequence[EnsembleReport]) -> Html:
    """The ensembles one after the other; nothing where there is none."""
    title = "The ensemble" if len(reports) == 1 else "The ensembles"
    return section(title, *(_card(report, len(reports) > 1) for report in reports))


def _card(report: EnsembleReport, several: bool) -> Html:
    features, operations = report.shared()
    members = [
        [name, f"{100 * one.weight:.0f} %", ", ".join(_operations(report.networks[name]))]
        for name, one in report.ensemble.architectures.items()
    ]
    count, (of_one, of_all) = len(report.ensemble.members), report.costs
    rows = [
        [report.beside, report.scores[0], *vars(of_one).values()],
        ["the ensemble", report.scores[1], *vars(of_all).values()],
    ]
    times = of_all.milliseconds / of_one.milliseconds
    parts = [
        paragraph(
            f"The mean of what {count} networks predict, each with its weight. "
            f"All of them read {_listed(features)}, and have {_listed(operations)} in common."
        ),
        table(("member", "weight", "operations"), members),
        table(("", report.metric, "parameters", "multiply-adds", "milliseconds"), rows),
        paragraph(
            "Scores are of samples that no member learned. "
            if report.scores[1] is not None
            else "",
            f"The ensemble takes {times:.1f} times as long, for one sample in ONNX Runtime on one "
            "thread of this machine.",
        ),
        diagram(EnsembleGraph.of(report.ensemble), report.name),
        folded("In the language", code(str(report.ensemble))),
    ]
    return section(report.name, *parts, level=3) if several else joined(parts)


def _operations(network: Network) -> list[str]:
    steps = (step for cell in network.cells for step in cell.steps)
    return list(dict.fromkeys(o.label for step in steps for o in step.operations))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "nothing"
