"""The tables of a study: what every contender reached on test, its headroom, and its cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import torch
from torchmetrics.functional.regression import kendall_rank_corrcoef

from fusewright.runtime.runs.statistics import paired_interval
from fusewright.runtime.search.baselines import LATE

from ..machine import machine
from .markdown import table
from .rows import Rows

SEEDS, AGAIN_SEEDS = (0, 1, 2), (3, 4, 5)
BEST = 10
"""Genotypes of a large sample that are measured again."""
INTRODUCTION = """# Which strategy finds good genotypes

`python -m benchmarks.study table` writes this page from `benchmarks/study/rows.jsonl`, and `… run`
adds to that file. Five small real sets, each with two modalities and features of several depths
(`benchmarks/study/data/`): emoji, a smartwatch's motion and rotation, digits, melting points of
chemicals, and icons. Samples of one family, person or formula stay in one split; digits have no
known writers. How the sets were built was decided with an eye on test figures, and so was how
halving compares candidates: the levels are no benchmark, and small differences say little.

Every genotype is trained on training and validation samples with three seeds and measured on test:
accuracy, R² for melting, weighted F1 for icons. Behind a strategy stands in how many seeds it
searched, with the standard deviation between them. The best single modality is chosen on
validation. The best of 40 random genotypes on validation costs about as much as a search by halving
costs. A combination that is missing was not run.

`halving, folds` is the default, but without settings and an ensemble. It learns samples of
validation four times as often while it compares (W507), as the default does; what it found is
measured as all others are, each sample once. τ between test by one seed and by two others says how
far test itself is sure: no score of one training can be expected to agree with it better."""
HEADROOM = """## Headroom

From the mean to the best of 24 random genotypes, the best being picked on test by definition: 0 is
a random genotype, 100 the best of them. In brackets the 95 % bootstrap interval over seeds."""
AGAINST = """## Against late fusion

Points of the test metric by which what a search found is above late fusion, which was trained with
six seeds, and the 95 % bootstrap interval over the seeds of the search."""
SAMPLE = """## A large sample

What a space holds that no search may find: many random genotypes, measured on test with three
seeds. The best of them owe some of that to being picked among many, so the ten best are measured
again with three other seeds, and so is late fusion."""
COSTS = """## Cost of a search

Weight steps of the hypernet, and the median of seconds on two shared and busy cores, of which a
search used one."""


def digest(genotype: str) -> str:
    """A short name for a genotype's text."""
    return sha256(genotype.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Found:
    """What a contender found on one set, seed by seed."""

    metrics: Sequence[float]
    shares: Sequence[float]
    weight_steps: float
    seconds: float


@dataclass(frozen=True)
class Sample:
    """A large sample: how many genotypes, the share of them above late fusion, and test metrics.

    `again` and `late_again` are with other seeds than those that the best were picked by.
    """

    count: int
    above: float
    mean: float
    best: float
    ten_best: float
    again: float
    late: float
    late_again: float


class Results:
    """The rows of a study, set by set."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.sets = list(dict.fromkeys(k.split("/")[1] for k in rows if k.startswith("reference/")))
        self.contenders = self._named("search")
        self.baselines = self._named("baseline")
        self.headroom = {s: self._headroom(s) for s in self.sets}

    def _named(self, kind: str) -> list[str]:
        return list(dict.fromkeys(k.split("/")[2] for k in self.rows if k.startswith(f"{kind}/")))

    def _value(self, kind: str, name: str, genotype: str, seeds: Sequence[int] = SEEDS) -> float:
        found = [self.rows[f"{kind}/{name}/{s}/{digest(genotype)}"]["metric"] for s in seeds]
        return float(np.mean(found))

    def _reference(self, name: str) -> list[str]:
        start = f"reference/{name}/"
        return [str(r["genotype"]) for k, r in self.rows.items() if k.startswith(start)]

    def _headroom(self, name: str) -> tuple[float, float]:
        """The mean of the random genotypes on test, and the best of them."""
        values = [self._value("test", name, g) for g in self._reference(name)]
        return float(np.mean(values)), max(values)

    def agreement(self, name: str) -> float:
        """Kendall's τ between validation and test over the random genotypes, as in Figure 7."""
        of_validation = [self._value("validation", name, g) for g in self._reference(name)]
        return self._with_test(name, of_validation)

    def agreement_by_folds(self, name: str) -> float | None:
        """As `agreement`, between the folds that a search chooses by and test; None if not run."""
        keys = [f"folds/{name}/{number}" for number in range(len(self._reference(name)))]
        if any(key not in self.rows for key in keys):
            return None
        return self._with_test(name, [self.rows[key]["metric"] for key in keys])

    def agreement_of_seeds(self, name: str) -> float:
        """As `agreement`, between test by one seed and by the others: how far test is itself sure.

        The mean over which seed that is. No score of a single training can agree much better.
        """
        genotypes, found = self._reference(name), list[float]()
        for seed in SEEDS:
            one = [self._value("test", name, genotype, [seed]) for genotype in genotypes]
            found.append(self._with_test(name, one, [other for other in SEEDS if other != seed]))
        return float(np.mean(found))

    def _with_test(self, name: str, scores: Sequence[float], seeds: Sequence[int] = SEEDS) -> float:
        """Kendall's τ between scores of the random genotypes and their metric on test."""
        of_test = [self._value("test", name, one, seeds) for one in self._reference(name)]
        return float(kendall_rank_corrcoef(torch.tensor(scores), torch.tensor(of_test)))

    def found(self, contender: str, name: str) -> Found | None:
        """What a contender found on a set; None where it has not searched it."""
        start = f"search/{name}/{contender}/"
        rows = [r for k, r in self.rows.items() if k.startswith(start)]
        if not rows:
            return None
        mean, best = self.headroom[name]
        metrics = [self._value("test", name, str(r["genotype"])) for r in rows]
        shares = [(m - mean) / (best - mean) for m in metrics]
        steps = float(np.mean([r["weight_steps"] for r in rows]))
        return Found(metrics, shares, steps, float(np.median([r["seconds"] for r in rows])))

    def baseline(self, name: str, of: str) -> float | None:
        """A baseline's metric on test; None where a set has none of this name."""
        row = self.rows.get(f"baseline/{of}/{name}")
        return None if row is None else self._value("test", of, str(row["genotype"]))

    def sample(self, name: str) -> Sample | None:
        """The large sample of a set; None where there is none."""
        start = f"sample/{name}/"
        drawn = {str(r["genotype"]) for k, r in self.rows.items() if k.startswith(start)}
        if not drawn:
            return None
        first = {genotype: self._value("test", name, genotype) for genotype in drawn}
        best = sorted(drawn, key=first.__getitem__, reverse=True)[:BEST]
        again = [self._value("test", name, genotype, AGAIN_SEEDS) for genotype in best]
        late = str(self.rows[f"baseline/{name}/{LATE}"]["genotype"])
        both = [self._value("test", name, late, seeds) for seeds in (SEEDS, AGAIN_SEEDS)]
        tops = [first[genotype] for genotype in best]
        above = float(np.mean([value > both[0] for value in first.values()]))
        values = (float(np.mean(list(first.values()))), tops[0], float(np.mean(tops)))
        return Sample(len(drawn), above, *values, float(np.mean(again)), both[0], both[1])

    def late_fusion(self, of: str) -> float:
        """Late fusion on test, over all seeds."""
        genotype = str(self.rows[f"baseline/{of}/{LATE}"]["genotype"])
        return self._value("test", of, genotype, (*SEEDS, *AGAIN_SEEDS))

    def best_single(self, of: str) -> float:
        """The best modality alone, which is chosen on validation."""
        alone = [b for b in self.baselines if b.endswith(" alone")]
        known = {
            b: self._value("validation", of, str(self.rows[f"baseline/{of}/{b}"]["genotype"]))
            for b in alone
            if f"baseline/{of}/{b}" in self.rows
        }
        found = self.baseline(max(known, key=known.__getitem__), of)
        assert found is not None
        return found


def as_text(rows: Rows) -> str:
    """The tables in Markdown."""
    results = Results(rows)
    parts = [INTRODUCTION, _metrics(results), HEADROOM, _headroom(results)]
    parts += [AGAINST, _against(results), SAMPLE, _samples(results), COSTS, _costs(results)]
    return "\n\n".join(parts) + "\n"


def _metrics(results: Results) -> str:
    lines: list[list[str]] = []

    def add(name: str, values: Sequence[str]) -> None:
        lines.append([name, *values])

    sets = results.sets
    add("best single modality", [f"{100 * results.best_single(s):.1f}" for s in sets])
    for name in results.baselines:
        if not name.endswith(" alone"):
            found = [results.baseline(name, s) for s in sets]
            add(name, ["" if f is None else f"{100 * f:.1f}" for f in found])
    add("random, mean", [f"{100 * results.headroom[s][0]:.1f}" for s in sets])
    add("random, best of 24 on test", [f"{100 * results.headroom[s][1]:.1f}" for s in sets])
    for name in results.contenders:
        add(f"**{name}**", [_spread(results.found(name, s)) for s in sets])
    add("Kendall's τ, validation and test", [f"{results.agreement(s):.2f}" for s in sets])
    by_folds = [results.agreement_by_folds(s) for s in sets]
    add("Kendall's τ, folds and test", ["" if f is None else f"{f:.2f}" for f in by_folds])
    of_seeds = [f"{results.agreement_of_seeds(s):.2f}" for s in sets]
    add("Kendall's τ, test by one seed and test by two others", of_seeds)
    return table(["test metric, %", *sets], lines)


def _spread(found: Found | None) -> str:
    if found is None:
        return ""
    values = 100 * np.array(found.metrics)
    deviation = f" ± {values.std(ddof=1):.1f}" if len(values) > 1 else ""
    return f"{values.mean():.1f}{deviation} ({len(values)})"


def _headroom(results: Results) -> str:
    lines = [
        [name, *(_share(results.found(name, s)) for s in results.sets)]
        for name in results.contenders
    ]
    return table(["share of the headroom, %", *results.sets], lines)


def _share(found: Found | None) -> str:
    if found is None:
        return ""
    shares = [100 * s for s in found.shares]
    interval = paired_interval(shares, [0.0] * len(shares))
    bounds = "" if interval is None else f" [{interval.low:.0f}, {interval.high:.0f}]"
    return f"{np.mean(shares):.0f}{bounds}"


def _against(results: Results) -> str:
    lines = [
        [name, *(_difference(results.found(name, s), results.late_fusion(s)) for s in results.sets)]
        for name in results.contenders
    ]
    return table(["above late fusion, points", *results.sets], lines)


def _difference(found: Found | None, late: float) -> str:
    if found is None:
        return ""
    values = [100 * (m - late) for m in found.metrics]
    interval = paired_interval(values, [0.0] * len(values))
    bounds = "" if interval is None else f" [{interval.low:.1f}, {interval.high:.1f}]"
    return f"{np.mean(values):+.1f}{bounds}"


def _samples(results: Results) -> str:
    found = {name: results.sample(name) for name in results.sets}
    known = {name: sample for name, sample in found.items() if sample is not None}
    lines = [
        ["random genotypes", *(str(s.count) for s in known.values())],
        ["their mean", *(f"{100 * s.mean:.1f}" for s in known.values())],
        ["the best", *(f"{100 * s.best:.1f}" for s in known.values())],
        ["the ten best", *(f"{100 * s.ten_best:.1f}" for s in known.values())],
        ["the ten best, other seeds", *(f"{100 * s.again:.1f}" for s in known.values())],
        ["late fusion", *(f"{100 * s.late:.1f}" for s in known.values())],
        ["late fusion, other seeds", *(f"{100 * s.late_again:.1f}" for s in known.values())],
        ["share above late fusion", *(f"{100 * s.above:.0f} %" for s in known.values())],
    ]
    return table(["test metric, %", *known], lines)


def _costs(results: Results) -> str:
    lines: list[list[str]] = []
    for name in results.contenders:
        found = [results.found(name, s) for s in results.sets]
        shown = ["" if f is None else f"{f.weight_steps:,.0f} / {f.seconds:.0f}" for f in found]
        lines.append([name, *shown])
    costs = table(["weight steps / seconds", *results.sets], lines)
    return f"{costs}\n\nMachine: {machine('torch', 'optuna', 'numpy')}."
