"""Which strategy finds good genotypes: strategies × data × seeds, on small real data.

    python -m benchmarks.study run --data CACHE --results rows.jsonl [--set emoji] [--seeds 2]
    python -m benchmarks.study sample --data CACHE --results rows.jsonl --set icons --number 200
    python -m benchmarks.study table --results rows.jsonl

Every contender finds a genotype, which is then trained on training and validation samples with
three seeds and measured on test. Headroom is the distance from the mean to the best of 24 random
genotypes, which is picked on test by definition; a contender's share of it is what it took. Rows
are appended as they are found, and a run goes on with what is missing. `sample` measures many
random genotypes of a set that no search wins, and the best of them again with other seeds, so that
what they owe to being picked among many does not count.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.language.spec import Spec
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.split import TEST, TRAIN
from fusewright.runtime.genotypes.sample import random_genotype
from fusewright.runtime.metrics import SELECTION_METRIC, on_validation
from fusewright.runtime.search.baselines import LATE
from fusewright.runtime.settings import Settings
from fusewright.runtime.training.together import train_seeds

from .by_folds import by_folds
from .contenders import CONTENDERS, baselines
from .data import DEVELOPMENT, SETS, load
from .rows import Study
from .table import AGAIN_SEEDS, BEST, SEEDS, as_text, digest

REFERENCE = 24
"""Random genotypes that headroom is measured with."""
TRAINING_EPOCHS = 15
ROWS = Path(__file__).with_name("rows.jsonl")
Arrays = Mapping[str, Any]


class Bench:
    """One data set of a study."""

    def __init__(self, study: Study, name: str, data: Arrays) -> None:
        self.study, self.name, self.data = study, name, data
        self.spec = fw.load(SETS[name].spec)
        self.network = checked(self.spec)
        self.metric = SELECTION_METRIC[self.network.head.kind]
        kept = data["split"] != TEST
        self.known = {n: a[kept] for n, a in data.items() if len(a) == len(kept)}
        self.known["split"] = np.where(self.known["split"] == TRAIN, TRAIN, TEST)
        """Without the test split, and with validation in its place."""
        self.training = Settings(
            epochs=TRAINING_EPOCHS,
            trial_epochs=TRAINING_EPOCHS,
            batch=SETS[name].batch,
            validation_weight=1,
        )
        """Every sample counts as much: most rows were measured before any counted more."""

    def validate(self, genotype: Spec) -> None:
        """Trains a genotype on the training split alone, and measures it on validation."""
        self._rows("validation", genotype, SEEDS, self.known)

    def measure(self, genotype: Spec, seeds: Sequence[int] = SEEDS) -> float:
        """Trains a genotype with every seed, and measures it on test; the mean of its metric."""
        rows = self._rows("test", genotype, seeds, self.data)
        return sum(row["metric"] for row in rows) / len(rows)

    def _rows(
        self, kind: str, genotype: Spec, seeds: Sequence[int], data: Arrays
    ) -> list[dict[str, Any]]:
        """The row of every seed; the seeds that are missing are trained together."""
        keys = {seed: f"{kind}/{self.name}/{seed}/{digest(str(genotype))}" for seed in seeds}
        missing = [seed for seed in seeds if keys[seed] not in self.study.rows]
        started = perf_counter()
        trained = train_seeds(genotype, data, missing, settings=self.training) if missing else ()
        seconds = (perf_counter() - started) / max(1, len(missing))
        for seed, one in zip(missing, trained, strict=True):
            metric = fw.evaluate(genotype, data, weights=one.weights)[self.metric]
            found = {"metric": metric, "seconds": seconds}
            self.study.row(keys[seed], lambda found=found: found)
        return [self.study.rows[key] for key in keys.values()]

    def reference(self) -> None:
        """Random genotypes, on validation and on test."""
        for number in range(REFERENCE):
            genotype = random_genotype(self.network, number)
            self.study.row(f"reference/{self.name}/{number}", partial(_text, genotype))
            self.validate(genotype)
            self.measure(genotype)

    def by_folds(self) -> None:
        """The random genotypes on the folds that a search chooses by."""
        keys = [f"folds/{self.name}/{number}" for number in range(REFERENCE)]
        if all(key in self.study.rows for key in keys):
            return
        samples = load_data(self.data, self.network)
        scores = by_folds(self.network, samples, self.training, REFERENCE)
        for key, (metric, loss) in zip(keys, scores, strict=True):
            found = {"metric": metric, "loss": loss}
            self.study.row(key, lambda found=found: found)

    def sample(self, number: int) -> None:
        """Many random genotypes on test, and the best of them again."""
        measured: dict[int, float] = {}
        drawn = [random_genotype(self.network, i) for i in range(number)]
        for i, genotype in enumerate(drawn):
            self.study.row(f"sample/{self.name}/{i}", partial(_text, genotype))
            measured[i] = self.measure(genotype)
        for i in sorted(measured, key=measured.__getitem__, reverse=True)[:BEST]:
            self.measure(drawn[i], AGAIN_SEEDS)

    def baselines(self) -> None:
        """What a user would do without a search."""
        for name, spec in baselines(self.spec):
            self.study.row(f"baseline/{self.name}/{name}", partial(_text, spec))
            self.validate(spec)
            self.measure(spec)
            if name == LATE:
                self.measure(spec, AGAIN_SEEDS)

    def contender(self, name: str, seed: int) -> None:
        """A search, and the genotype that it finds."""

        def make() -> dict[str, Any]:
            options = {"batch": SETS[self.name].batch, **CONTENDERS[name]}
            found = fw.search(self.spec, self.data, seed=seed, **options)
            best = found.history[found.best_round - 1]
            score = best.get(on_validation(self.metric))
            return {"genotype": str(found.genotype), "validation": score, **found.cost}

        row = self.study.row(f"search/{self.name}/{name}/{seed}", make)
        self.measure(fw.loads(row["genotype"]))


def _text(spec: Spec) -> dict[str, Any]:
    return {"genotype": str(spec)}


def work(names: list[str], contenders: list[str], seeds: int) -> Iterator[tuple[str, Any]]:
    """What is to be done, set by set: the reference, the baselines, and every search."""
    for name in names:
        yield name, lambda bench: bench.reference()
        yield name, lambda bench: bench.baselines()
        yield name, lambda bench: bench.by_folds()
    for seed in range(seeds):
        for contender in contenders:
            for name in names:
                yield name, lambda bench, c=contender, s=seed: bench.contender(c, s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["run", "sample", "table"])
    parser.add_argument("--data", type=Path, default=Path.home() / ".cache/fusewright-study")
    parser.add_argument("--results", type=Path, default=ROWS)
    parser.add_argument("--set", action="append", choices=list(SETS))
    parser.add_argument("--contender", action="append", choices=list(CONTENDERS))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    if options.command == "table":
        Path("docs/study.md").write_text(as_text(Study.open(options.results).rows))
        return
    torch.set_num_threads(options.threads)
    study = Study.open(options.results)
    if options.command == "sample":
        for name in options.set or DEVELOPMENT:
            Bench(study, name, load(name, options.data)).sample(options.number)
        return
    benches: dict[str, Bench] = {}
    for name, task in work(
        options.set or DEVELOPMENT, options.contender or list(CONTENDERS), options.seeds
    ):
        if name not in benches:
            benches[name] = Bench(study, name, load(name, options.data))
        task(benches[name])


if __name__ == "__main__":
    main()
