"""Whether a search is worth it: the default against everything simple, on sets known and unknown.

    python -m benchmarks.study.judge run --role development --seeds 2
    python -m benchmarks.study.judge run --role "held out" --seeds 2
    python -m benchmarks.study.judge add --set emoji --predictions predictions.npz
    python -m benchmarks.study.judge table

The space is that of the set with an open output, `output *?`. Each contender learns from training
and validation samples and is measured on test. Networks without a Cell are tuned as candidates
are: with every setting that a search tries, chosen on validation. Outputs for test samples are kept
beside the data, rows in a file that is only added to; `table` compares them by the bootstrap over
samples and seeds of `runtime/predict/comparison.py`. `add` takes what a system outside gives
(`outside.py`), which is compared with the ensemble alone.

`validation` of the genotype and the ensemble is over the folds that the search chose by, that of
controls over the validation split. `seconds` of the genotype and the ensemble are those of the
search and of training both; of a simple model those of all simple models up to it, tuned; of every
network without a Cell those of tuning all of them, without their last training.

What counts as above and below was written here before any held-out set was run: a difference of
`MARGIN` whose interval leaves zero out, against the control that is best on validation.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.network.network import Network
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.files import read_arrays
from fusewright.runtime.data.folds import Fold
from fusewright.runtime.data.split import TEST, TRAIN, VALIDATION
from fusewright.runtime.search.baselines import ALL, baselines
from fusewright.runtime.search.candidates.starts import own_of
from fusewright.runtime.search.perceptron import HIDDEN, perceptron
from fusewright.runtime.search.simple import LINEAR, Outputs, best_penalty, simple_models
from fusewright.runtime.search.strategy import PERCEPTRON
from fusewright.runtime.settings import Settings
from fusewright.runtime.training.objective import shares_of
from fusewright.runtime.training.scores import score_of
from fusewright.runtime.training.together import train_all
from fusewright.runtime.tuning import every_own

from .data import SETS, load
from .rows import Study
from .verdicts import GENOTYPE, MEMBERS, report

ROWS = Path(__file__).with_name("judged.jsonl")
PAGE = Path("docs/judged.md")
SEEDS_OF_ALL = 5
"""How many seeds of all features are averaged."""
Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """What a contender gives for test samples, its score, and its seconds, as told above."""

    outputs: Outputs
    validation: float
    seconds: float


class Judge:
    """One data set of the study, with one seed."""

    def __init__(self, name: str, data: Arrays, seed: int) -> None:
        self.name, self.data, self.seed = name, data, seed
        self.spec = fw.load(SETS[name].spec).with_output("*?")
        self.network: Network = checked(self.spec)
        self.usual = Settings(batch=SETS[name].batch, seed=seed)
        self.samples = load_data(data, self.network)
        self.test = self.samples.indices(TEST)

    def contenders(self, known: Collection[str] = ()) -> Iterator[tuple[str, Found]]:
        """Every contender, by name, but controls that are `known`."""
        yield from self._search()
        if LINEAR not in known:
            yield from self._simple()
        specs = baselines(self.spec)
        if unknown := {name: specs[name] for name in specs if name not in known}:
            yield from self._networks(unknown)

    # What a search finds

    def _search(self) -> Iterator[tuple[str, Found]]:
        started = perf_counter()
        found = fw.search(self.spec, self.data, settings=self.usual)
        searched = perf_counter() - started
        held = found.held_out
        assert held is not None
        assert found.ensemble is not None
        truth = self.samples.labels[held.samples]
        scores = {n: score_of(self.network.head, o, truth) for n, o in held.outputs.items()}
        specs, each = [found.genotype], [found.training or self.usual]
        seeds, weights = range(self.usual.member_seeds), list[float]()
        for member, own in zip(found.ensemble.members, found.member_training, strict=True):
            specs += [member.genotype for _ in seeds]
            each += [(own or self.usual).with_options(seed=self.seed + more) for more in seeds]
            weights += [member.weight / len(seeds) for _ in seeds]
        each[0] = each[0].with_options(seed=self.seed)
        trained = perf_counter()
        outputs = self._trained(specs, each, self.data, self.test)
        seconds = searched + perf_counter() - trained
        mean = np.tensordot(weights, np.stack(outputs[1:]), 1)
        yield GENOTYPE, Found(outputs[0], scores["genotype"], seconds)
        yield MEMBERS, Found(mean, scores["ensemble"], seconds)

    # Controls

    def _simple(self) -> Iterator[tuple[str, Found]]:
        """The penalty is chosen on validation, and the models learn from both splits then."""
        parts = [self.samples.indices(one) for one in (TRAIN, VALIDATION)]
        chosen, started = Fold(*parts), perf_counter()
        whole = Fold(np.concatenate(parts), self.test)
        best = best_penalty(self.samples, self.network, chosen, self.seed)
        truth = self.samples.labels[parts[1]]
        before, final = (
            simple_models(self.samples, self.network, [fold], self.seed, penalties=[best])
            for fold in (chosen, whole)
        )
        of_validation = dict(before)
        for name, outputs in final:
            score = score_of(self.network.head, of_validation[name], truth)
            yield name, Found(outputs, score, perf_counter() - started)

    def _networks(self, specs: Mapping[str, Spec]) -> Iterator[tuple[str, Found]]:
        """Networks without a Cell, each with the settings that do best on validation, or layers."""
        tried = [(name, *one) for name, spec in specs.items() for one in self._tried(name, spec)]
        validation = self.samples.indices(VALIDATION)
        known = {**self.data, "split": np.where(self.data["split"] == TRAIN, TRAIN, TEST)}
        started = perf_counter()
        _, networks, settings = zip(*tried, strict=True)
        given = self._trained(networks, settings, known, validation)
        truth, best = self.samples.labels[validation], dict[str, tuple[float, Spec, Settings]]()
        for (name, spec, settings), outputs in zip(tried, given, strict=True):
            score = score_of(self.network.head, outputs, truth)
            if name not in best or score > best[name][0]:
                best[name] = score, spec, settings
        tuning = perf_counter() - started
        _, networks, settings = zip(*best.values(), strict=True)
        final = self._trained(networks, settings, self.data, self.test)
        for name, outputs in zip(best, final, strict=True):
            yield name, Found(outputs, best[name][0], tuning)
        if ALL not in specs:
            return
        score, spec, settings = best[ALL]
        seeds = [settings.with_options(seed=self.seed + 100 + i) for i in range(SEEDS_OF_ALL)]
        mean = np.mean(self._trained([spec] * len(seeds), seeds, self.data, self.test), 0)
        yield f"{ALL}, {SEEDS_OF_ALL} seeds", Found(mean, score, tuning)

    def _tried(self, name: str, spec: Spec) -> Iterator[tuple[Spec, Settings]]:
        usual = self.usual.with_options(epochs=self.usual.trial_epochs)
        tried = [(spec, own) for own in every_own(usual.tuned)]
        if name == PERCEPTRON:
            tried = [(perceptron(self.spec, kind), own_of(kind, usual)) for kind in HIDDEN]
        yield from ((one, usual.with_options(**dict(own))) for one, own in tried)

    def _trained(
        self,
        specs: Sequence[Spec],
        each: Sequence[Settings],
        data: Arrays,
        asked: NDArray[np.int64],
    ) -> list[Outputs]:
        """What networks give for some samples, after training on those of `data`."""
        trained = train_all(specs, data, each)
        found: list[Outputs] = []
        for spec, one in zip(specs, trained, strict=True):
            logits = torch.from_numpy(fw.predict(spec, data, weights=one.weights)[asked])
            found.append(shares_of(self.network.head, logits))
        return found


def run(names: Sequence[str], seeds: int, cache: Path, results: Path) -> None:
    """Judges sets with seeds that are not judged yet."""
    study, folder = Study.open(results), cache / "judged"
    folder.mkdir(exist_ok=True)
    for seed in range(seeds):
        for name in names:
            place = f"{name}/{seed}/"
            known = {key.removeprefix(place) for key in study.rows if key.startswith(place)}
            if GENOTYPE in known:
                continue
            judge = Judge(name, load(name, cache), seed)
            for contender, found in list(judge.contenders(known)):  # all of a seed, or nothing
                key = place + contender
                np.save(folder / f"{key.replace('/', '-')}.npy", found.outputs)
                truth = judge.samples.labels[judge.test]
                metric = score_of(judge.network.head, found.outputs, truth)
                row = {"metric": metric, "validation": found.validation, "seconds": found.seconds}
                study.row(key, lambda row=row: row)


def add(name: str, predictions: Path, cache: Path, results: Path) -> None:
    """Keeps what a system outside gives for the test samples of a set, once."""
    study, given = Study.open(results), read_arrays(predictions)
    key = f"{name}/0/{given['system']}"
    if key in study.rows:
        raise SystemExit(f"{key} is known: {results}")
    judge = Judge(name, load(name, cache), 0)
    outputs, truth = np.asarray(given["outputs"]), judge.samples.labels[judge.test]
    if not np.array_equal(np.asarray(given["labels"]), truth):
        raise SystemExit(f"{predictions} is not of the test samples of {name}")
    np.save(cache / "judged" / f"{key.replace('/', '-')}.npy", outputs)
    metric, seconds = score_of(judge.network.head, outputs, truth), np.asarray(given["seconds"])
    study.row(key, lambda: {"metric": metric, "seconds": float(seconds)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["run", "add", "table"])
    parser.add_argument("--data", type=Path, default=Path.home() / ".cache/fusewright-study")
    parser.add_argument("--results", type=Path, default=ROWS)
    parser.add_argument("--role", choices=["development", "held out"], default="development")
    parser.add_argument("--set", action="append", choices=list(SETS))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--predictions", type=Path, help="what `add` reads, of one --set")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    if options.command == "table":
        rows = Study.open(options.results).rows
        PAGE.write_text(report(rows, options.data / "judged", PAGE.parent / "images"))
        return
    if options.command == "add":
        if options.predictions is None or len(options.set or []) != 1:
            parser.error("`add` takes one --set and --predictions")
        add(options.set[0], options.predictions, options.data, options.results)
        return
    torch.set_num_threads(options.threads)
    names = options.set or [name for name, one in SETS.items() if one.role == options.role]
    run(names, options.seeds, options.data, options.results)


if __name__ == "__main__":
    main()
