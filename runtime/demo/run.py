"""The demo: everything on bundled real data, from pictures and names to an ONNX file.

Two backbones are trained, their features extracted, the specification searched, the genotype
trained, compared, exported and drawn. Every fused network trains with the settings that the search
found, on the same samples; what the test split says is asked for at the end.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from safetensors.numpy import save

from ...compiler.check.check import checked
from ...compiler.compile import to_program
from ...compiler.graph.build import build
from ...compiler.language.spec import Spec
from ...compiler.language.without_cells import is_beside
from ...compiler.load import load
from ...compiler.measure.sizes import count_parameters
from ...compiler.system.files import write_file
from ...compiler.targets.diagram import formats, render
from ..data.dataset import load_data
from ..data.folds import Fold
from ..data.split import TEST, TRAIN, VALIDATION
from ..deploy.deploy import deploy
from ..genotypes.sample import random_genotype
from ..predict.evaluate import evaluate, predict
from ..report.pages import pages
from ..runs.lock import locked
from ..runs.names import ENSEMBLE_FOLDER
from ..runs.statistics import summary
from ..search.baselines import late_fusion
from ..search.loop import SearchResult
from ..search.perceptron import called
from ..search.search import search
from ..search.simple import best_penalty, simple_models
from ..settings import Settings
from ..training.ensemble import train_ensemble
from ..training.scores import score_of
from ..training.together import train_all
from ..training.train import TrainResult, train
from .extract import Extracted, extract
from .report import DemoReport, write_report

SEEDS = (0, 1, 2)
RANDOM_GENOTYPES = 4


@dataclass(frozen=True)
class Result:
    """Test accuracy of one way to fuse, for each seed, and its number of parameters."""

    name: str
    accuracies: tuple[float, ...]
    parameters: int | None = None

    @property
    def accuracy(self) -> str:
        scores = summary(self.accuracies)
        spread = "" if scores.deviation is None else f" ± {100 * scores.deviation:.1f}"
        return f"{100 * scores.mean:.1f} %{spread}"


def demo(out: Path) -> None:
    """Runs everything and writes it to `out`; prints a summary and what is in `out` at the end."""
    with locked(out, "demo"):
        _demo(out)


def _demo(out: Path) -> None:
    console, started = Console(), perf_counter()
    spec = load(Path(__file__).with_name("emoji.fuse")).with_output("*?")

    def stage(text: str) -> None:
        console.print(f"[bold]{text}[/bold] ({perf_counter() - started:.0f} s)")

    stage("training two backbones and extracting their features")
    extracted = extract(seed=0)
    data: dict[str, NDArray[Any]] = {
        **extracted.features,
        "labels": extracted.labels,
        "split": extracted.split,
    }
    features = out / "features.safetensors"
    write_file(features, save(data))
    stage("searching the space")
    result = search(spec, features, out=out / "search", overwrite=True)
    stage("training the genotype")
    first = train(result, features, out=out / "train", overwrite=True)
    stage("training what it is compared with")
    results = [
        *_unimodal(extracted),
        *_simple(spec, data),
        *_fused(spec, result, first, data),
        *_together(result, data, out / ENSEMBLE_FOLDER),
    ]
    stage("exporting to ONNX and checking it")
    checks = _export(out, data)
    pictures = _draw(spec, result.genotype, out)
    report = DemoReport(
        spec=str(spec),
        genotype=str(result.genotype),
        rows=[(r.name, r.accuracy, r.parameters) for r in results],
        history=result.history,
        best_round=result.best_round,
        checks=checks,
        pictures=pictures,
        samples=[int((extracted.split == part).sum()) for part in (0, 1, 2)],
    )
    write_report(out / "report.html", report)
    _summarise(console, result, results, checks, out)
    stage("done")


def _accuracy(probabilities: NDArray[Any], extracted: Extracted) -> float:
    test = extracted.split == TEST
    return float((probabilities[test].argmax(1) == extracted.labels[test]).mean())


def _unimodal(extracted: Extracted) -> list[Result]:
    """Each backbone alone, and the mean of their probabilities."""
    image, text = extracted.image_probabilities, extracted.text_probabilities
    return [
        Result("image alone", (_accuracy(image, extracted),)),
        Result("text alone", (_accuracy(text, extracted),)),
        Result("averaged probabilities", (_accuracy((image + text) / 2, extracted),)),
    ]


def _simple(spec: Spec, data: dict[str, Any]) -> list[Result]:
    """A linear model, whose penalty is chosen on validation, extra trees, and the mean of both."""
    network = checked(spec)
    samples = load_data(data, network)
    train, validation, test = (samples.indices(part) for part in (TRAIN, VALIDATION, TEST))
    penalty = best_penalty(samples, network, Fold(train, validation), SEEDS[0])
    whole, truth = Fold(np.concatenate([train, validation]), test), samples.labels[test]
    models = simple_models(samples, network, [whole], SEEDS[0], penalties=[penalty])
    return [Result(name, (score_of(network.head, outputs, truth),)) for name, outputs in models]


def _together(found: SearchResult, data: dict[str, Any], out: Path) -> list[Result]:
    """The ensemble that the search found, if any, each member trained with three seeds."""
    if found.ensemble is None:
        return []
    each = found.member_training
    trained = train_ensemble(found.ensemble, data, out=out, each=each, overwrite=True)
    parameters = sum(_parameters(member.genotype) for member in trained.ensemble.members)
    return [Result("searched ensemble", (evaluate(out, data)["accuracy"],), parameters)]


def _fused(
    spec: Spec, found: SearchResult, first: TrainResult, data: dict[str, Any]
) -> list[Result]:
    """Late fusion and random genotypes, as candidates train, and what was found, as it was.

    What was found is trained with its `first` seed already.
    """
    network, numbers = checked(spec), range(1, RANDOM_GENOTYPES + 1)
    others = {
        "late fusion of the last stages": late_fusion(spec),
        **{f"random genotype {n}": random_genotype(network, n) for n in numbers},
    }
    usual, later = found.candidate_training or Settings(), SEEDS[1:]
    settings = [replace(usual, seed=seed) for _ in others for seed in SEEDS]
    settings += [replace(first.settings, seed=seed) for seed in later]
    specs = [one for one in others.values() for _ in SEEDS] + [found.genotype for _ in later]
    trained = train_all(specs, data, settings)
    accuracies = iter(evaluate(one, data)["accuracy"] for one in trained)
    rows = [
        Result(name, tuple(islice(accuracies, len(SEEDS))), _parameters(one))
        for name, one in others.items()
    ]
    mine = (evaluate(first, data)["accuracy"], *accuracies)
    is_simple = is_beside(found.genotype, spec)
    name = f"found {called(found.genotype)}" if is_simple else "searched genotype"
    return [*rows, Result(name, mine, _parameters(found.genotype))]


def _parameters(spec: Spec) -> int:
    return count_parameters(to_program(spec))


def _export(out: Path, data: dict[str, Any]) -> dict[str, str]:
    """Writes the ONNX file, which is certified, and compares it with torch on real samples."""
    facts = deploy(out / "train", out / "genotype.onnx")
    torch_logits = predict(out / "train", data)
    onnx_logits = predict(out / "genotype.onnx", data)
    same = (torch_logits.argmax(1) == onnx_logits.argmax(1)).mean()
    return {
        "ONNX file": f"{facts['bytes']:,} bytes, opset {facts['opset']}",
        "against the float64 reference, made-up inputs": f"{float(facts['relative']):.1e} relative",
        f"against torch, {len(torch_logits)} samples": (
            f"{np.abs(torch_logits - onnx_logits).max():.1e} absolute, "
            f"{100 * same:.1f} % of predictions equal"
        ),
    }


def _draw(spec: Spec, genotype: Spec, out: Path) -> dict[str, str]:
    """Draws both in every format there is, and writes the search's page; returns SVGs by title."""
    pictures = {}
    for name, title, subject in (
        ("space", "The search space", spec),
        ("genotype", "The genotype that the search found", genotype),
    ):
        graph = build(checked(subject))
        for kind in formats():
            write_file(out / f"{name}.{kind}", render(graph, kind))
        pictures[title] = render(graph, "svg").decode()
    write_file(out / "search.html", pages([out / "search"]).encode())
    return pictures


def _summarise(
    console: Console,
    found: SearchResult,
    results: Sequence[Result],
    checks: dict[str, str],
    out: Path,
) -> None:
    table = Table(title="Test accuracy (mean ± standard deviation over seeds)")
    table.add_column("what")
    table.add_column("accuracy", justify="right")
    table.add_column("parameters", justify="right")
    for row in results:
        parameters = "" if row.parameters is None else f"{row.parameters:,}"
        table.add_row(row.name, row.accuracy, parameters)
    console.print(table)
    print(found.genotype)
    for what, value in checks.items():
        console.print(f"{what}: {value}", highlight=False)
    for path in sorted(out.iterdir()):
        print(f"{path}{os.sep}" if path.is_dir() else path)
