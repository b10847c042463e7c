"""What was judged, as a page: metrics, differences with intervals, ranks over sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fusewright as fw
from fusewright.compiler.network.network import Head
from fusewright.compiler.resolve.resolve import resolve
from fusewright.runtime.data.split import TEST
from fusewright.runtime.predict.comparison import Scored, difference, scored
from fusewright.runtime.runs.statistics import Interval
from fusewright.runtime.search.baselines import ALL
from fusewright.runtime.search.simple import MEAN

from ..machine import machine
from .data import SETS, load
from .diagram import diagram
from .markdown import table
from .outside import SYSTEMS
from .rows import Rows
from .statistics import MARGIN, critical_difference, friedman, over_sets, ranks, verdict

GENOTYPE, MEMBERS = "genotype", "ensemble"
OWN = (GENOTYPE, MEMBERS)
ALONE = " alone"
"""How the names of single modalities end, of which a set has its own."""
SECONDS = {
    "search, then training of the genotype and the ensemble": [GENOTYPE],
    "controls, all of them, tuned": [MEAN, ALL],
}
"""What is timed together, with those whose rows say so (`judge.py`)."""
ROLES = ("development", "held out")
INTRODUCTION = f"""# Whether a search is worth it

`python -m benchmarks.study.judge table` writes this page from `benchmarks/study/judged.jsonl`, and
`… run` adds to that file. The default search of `output *?`, its single genotype and its ensemble,
against everything simple: each learns from training and validation samples and is measured on test
by accuracy, R² (melting, compounds) or weighted F1 (icons). Networks without a Cell have the
settings, of those that a search tries, that do best on validation, and the perceptron is the better
of the two of a search; so has the linear model its penalty. "Above" and "below" are differences of
{100 * MARGIN:.1f} points or more whose 95 % interval, of a paired bootstrap over test samples
(whole groups of them) and seeds, leaves zero out; all others are undecided. What is decided was
decided on the development sets.

"Best on validation" chooses among controls alone, which are scored on the validation split. The
genotype and the ensemble are scored on folds of training and validation samples, and backbones have
seen the training ones: on stamps that gave 73 % where test gave 43. So scores on validation are
compared only with those of the same kind.

What stands here is the default with two perceptrons among eight finalists, one with dropout and one
wide without, above which a candidate has to be decided to be what is found. Emoji, digits and icons
have ten seeds, watch and melting seven. That default was decided on development sets, their test
samples among what was looked at, and the held-out sets were run with it once. They had been run
twice before, with other defaults, and perceptrons of scikit-learn on three of them, so it was known
of these that perceptrons do well. Extra trees of values take fewer columns and larger leaves since,
in all rows of melting and compounds: R² 68.9 and 65.5 on test where they had 68.7 and 65.9.

The default before that, whose perceptrons both had dropout and differed in the penalty, over four
or five seeds of development sets: genotype 68.7, 79.4, 88.9, 70.5, 48.8, ensemble 69.7, 81.2, 89.4,
70.7, 50.7. On material, compounds, stamps and wordnet, one seed: genotype 54.3, 65.3, 42.8, 63.4,
ensemble 55.8, 66.0, 41.7, 64.4.

The default before these two, without perceptrons, over ten seeds of development sets: genotype
67.5, 79.1, 89.0, 68.2, 49.0, ensemble 68.7, 80.1, 89.0, 69.5, 49.8. On material, compounds, stamps
and wordnet, with twelve finalists and one seed: genotype 54.0, 62.3, 42.8, 62.8, ensemble 56.1,
64.5, 43.3, 64.7.

Defaults before these, once each. With penalties up to 0.01 and one seed for each member,
development sets in the order of the table had 67.0, 81.5, 89.0, 66.7, 50.3 (genotype) and 66.7,
81.1, 89.7, 69.0, 49.0 (ensemble). The one before that learned validation samples no more often than
others; two held-out sets were run with it: compounds (genotype 63.7, ensemble 64.4) and stamps
(41.2, 40.6). What changed since was decided on development sets: penalties up to 0.1, by all
features straight to the head, and that labels are chosen by their F1 alone, on icons. After that
held-out sets were run, once. With twelve finalists the development sets had 68.0, 80.5, 88.7, 68.6,
51.0 (genotype) and 69.6, 80.6, 89.2, 69.7, 50.7 (ensemble), in the first two seeds, of melting in
one; with eight these had 68.0, 79.3, 89.2, 69.0, 49.5 and 69.6, 81.0, 88.9, 69.9, 49.6. Two seeds
flattered the ensemble: over ten it is lower by 0.4 to 0.9 points on emoji, watch and melting.

The default that followed what stands here is not judged: it has a linear model among nine
finalists, a rate of 0.01 among those that are searched, and smaller batches where samples are
fewer than these sets have (all rows have batches of 32 to 128, by the set). `docs/guidance.md`
has it on small sets. With one seed on one machine, side by side, genotype and ensemble had 89.7
and 89.4 on digits (89.5 and 89.2 before), 66.1 and 66.1 on emoji (66.1 and 65.7), 50.6 and 50.1
on icons (50.5 and 49.3) and 80.5 and 81.1 on watch (79.8 and 81.4), in 0.84, 0.93, 0.93 and
1.13 of the seconds."""

OVER_ALL = """## All sets together

The mean over sets of how much higher each is, with a 95 % interval for these sets: a single set is
mostly too small to decide. This table was added after the held-out sets were run; the rule that was
set beforehand is in `judge.py`."""

BESIDE_OUTSIDE = """## Beside systems outside

They read what the linear model and extra trees read (`benchmarks/study/outside.py`), and were run
once each. AutoGluon-Tabular 1.4 had 207 to 839 seconds on one core, which is more than the search
and the training of genotype and ensemble took, with its preset `best_quality` and its neural
networks among the models. The five perceptrons are scikit-learn's, with two hidden layers of 256,
one of three penalties chosen on validation, early stopping, and five seeds, whose outputs are
averaged: what is written in some minutes."""

CHECKLIST = """## The checklist of "Fusion or Confusion?"

What that study (arXiv 2512.22991, as far as its abstract and summaries give it) asks of a
comparison, and what this one does:

- *The same tuning for every method.* Every network but the perceptron, of which there are two, has
  the same grid of rates and penalties, chosen on validation, and the linear model its penalty; a
  search tries many networks, and the tables have its seconds beside those of the controls. Extra
  trees are not tuned.
- *Tuned single modalities as controls.* Each modality alone, with all its features, is among them.
- *Repeated splits.* No: each set has one fixed split, by family, person or formula, since the
  backbones learned its training part. Seeds vary all else; how many stands in the tables.
- *Tests of significance.* Paired bootstraps over samples and seeds, ranks with Friedman's and
  Nemenyi's tests. Few sets make Nemenyi's difference wide.
- *Missing modalities.* Stamps lack speech in some samples; nothing else is missing anywhere.
- *Modern encoders.* No: features are those of small backbones that train in minutes."""


@dataclass(frozen=True)
class Judged:
    """The rows of one data set."""

    name: str
    rows: Rows
    outputs: Path

    @cached_property
    def seeds(self) -> list[int]:
        """The seeds in which every contender was run."""
        kept = [key.split("/") for key in self.rows if key.startswith(f"{self.name}/")]
        found = {int(seed) for _, seed, contender in kept if contender == GENOTYPE}
        return sorted(s for s in found if f"{self.name}/{s}/{self.contenders[-1]}" in self.rows)

    @cached_property
    def contenders(self) -> list[str]:
        """Their names, in the order in which they ran."""
        keys = (key.split("/", 2) for key in self.rows if key.startswith(f"{self.name}/"))
        names = dict.fromkeys(contender for _, _, contender in keys)
        return [name for name in names if name not in SYSTEMS]

    def mean(self, contender: str, what: str = "metric") -> float:
        """The mean over seeds of what rows say."""
        return fmean(self.rows[f"{self.name}/{s}/{contender}"][what] for s in self.seeds)

    def seconds(self, *contenders: str) -> float:
        """The median over seeds of how long they took, one after the other."""
        return median(
            sum(self.rows[f"{self.name}/{s}/{contender}"]["seconds"] for contender in contenders)
            for s in self.seeds
        )

    @cached_property
    def head(self) -> Head:
        """What is predicted."""
        return resolve(fw.load(SETS[self.name].spec)).head

    @cached_property
    def truth(self) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
        """The labels of test samples, and their groups."""
        data = load(self.name, self.outputs.parent)
        test = data["split"] == TEST
        labels = data["labels"][test]
        if self.head.kind == "values":
            labels = labels.reshape(len(labels), -1)
        groups = data["groups"][test] if "groups" in data else None
        return labels, groups

    def scored(self, contender: str) -> Scored:
        """What its outputs are worth, sample by sample."""
        seeds = [0] if contender in SYSTEMS else self.seeds
        files = (f"{self.name}-{s}-{contender.replace('/', '-')}.npy" for s in seeds)
        outputs = np.stack([np.load(self.outputs / file) for file in files])
        return scored(self.head.kind, outputs, self.truth[0])

    def ahead(self, first: str, second: str) -> Interval:
        """How much higher the first's metric is; several tables ask for the same."""
        if (first, second) not in self._differences:
            found = difference(self.scored(first), self.scored(second), self.truth[1])
            self._differences[first, second] = found
        return self._differences[first, second]

    @cached_property
    def _differences(self) -> dict[tuple[str, str], Interval]:
        return {}

    @cached_property
    def controls(self) -> list[str]:
        """Every contender that is no search's."""
        return [name for name in self.contenders if name not in OWN]

    @cached_property
    def best_control(self) -> str:
        """The control that is best on validation."""
        return max(self.controls, key=lambda name: self.mean(name, "validation"))


def report(rows: Rows, outputs: Path, pictures: Path) -> str:
    """The page; pictures of critical differences are written beside it."""
    parts, every = list[str](), list[Judged]()
    for role in ROLES:
        names = [name for name, one in SETS.items() if one.role == role]
        judged = [Judged(n, rows, outputs) for n in names if f"{n}/0/{GENOTYPE}" in rows]
        judged = [one for one in judged if one.seeds]
        if judged:
            parts += [f"## {role.capitalize()} sets", *_role(judged, role, pictures)]
            every += judged
    if len(every) > 1:
        parts += [OVER_ALL, _over_all(every)]
    beside = [_beside(system, every) for system in SYSTEMS]
    parts += [BESIDE_OUTSIDE, *filter(None, beside)]
    parts += [CHECKLIST, f"Machine: {machine('torch', 'scikit-learn', 'numpy')}."]
    return "\n\n".join([INTRODUCTION, *_not_run(every), *parts]) + "\n"


def _not_run(judged: Sequence[Judged]) -> Iterator[str]:
    missing = [name for name in SETS if name not in {one.name for one in judged}]
    if missing:
        yield f"Not run with this default: {', '.join(missing)}."


def _role(judged: Sequence[Judged], role: str, pictures: Path) -> list[str]:
    parts = [_metrics(judged), _against_the_best(judged), _against_each(judged)]
    common = _common(judged)
    if len(judged) > 2:
        scores = np.array([[one.mean(c) for c in common] for one in judged])
        mean = dict(zip(common, ranks(scores).mean(0).tolist(), strict=True))
        apart = critical_difference(len(common), len(judged))
        picture = pictures / f"ranks-{role.replace(' ', '-')}.svg"
        picture.write_text(diagram(mean, apart), encoding="utf-8")
        listed = "; ".join(f"{n} {r:.2f}" for n, r in sorted(mean.items(), key=lambda one: one[1]))
        parts.append(
            f"Mean ranks: {listed}. Friedman's test of all: p = {friedman(scores):.3f}; "
            f"critical difference of Nemenyi's test: {apart:.2f}.\n\n"
            f"![Mean ranks]({picture.parent.name}/{picture.name})"
        )
    return parts


def _metrics(judged: Sequence[Judged]) -> str:
    names = list(dict.fromkeys(c for one in judged for c in one.contenders))
    lines = []
    for name in names:
        shown = [f"{100 * one.mean(name):.1f}" if name in one.contenders else "" for one in judged]
        lines.append([f"**{name}**" if name in OWN else name, *shown])
    lines.append(["seeds", *(str(len(one.seeds)) for one in judged)])
    lines.append(["test samples", *(f"{len(one.truth[0]):,}" for one in judged)])
    for said, timed in SECONDS.items():
        lines.append([f"seconds: {said}", *(f"{one.seconds(*timed):.0f}" for one in judged)])
    return table(["test metric, %", *(one.name for one in judged)], lines)


def _against_the_best(judged: Sequence[Judged]) -> str:
    """What was found against the control that is best on validation."""
    lines = [["best control on validation", *(one.best_control for one in judged)]]
    for name in OWN:
        found = [one.ahead(name, one.best_control) for one in judged]
        lines.append([f"{name}, points above it", *map(_shown, found)])
    return table(["", *(one.name for one in judged)], lines)


def _against_each(judged: Sequence[Judged]) -> str:
    names = list(dict.fromkeys(c for one in judged for c in one.controls))
    lines = []
    for name in names:
        found = [_shown(one.ahead(MEMBERS, name)) if name in one.controls else "" for one in judged]
        lines.append([name, *found])
    return table(["the ensemble, points above", *(one.name for one in judged)], lines)


def _beside(system: str, judged: Sequence[Judged]) -> str:
    """What a system outside reached, and what the ensemble does beside it, where it was run."""
    known = [one for one in judged if f"{one.name}/0/{system}" in one.rows]
    if not known:
        return ""
    own = [one.rows[f"{one.name}/0/{system}"] for one in known]
    lines = [
        [system, *(f"{100 * row['metric']:.1f}" for row in own)],
        ["seconds", *(f"{row['seconds']:.0f}" for row in own)],
        ["the ensemble, points above it", *(_shown(one.ahead(MEMBERS, system)) for one in known)],
    ]
    return table(["test metric, %", *(one.name for one in known)], lines)


def _over_all(judged: Sequence[Judged]) -> str:
    lines = []
    for control in _common(judged):
        if control not in OWN:
            each = [over_sets([one.ahead(name, control) for one in judged]) for name in OWN]
            lines.append([control, *(_interval(found) for found in each)])
    return table([f"points above, mean of {len(judged)} sets", *OWN], lines)


def _common(judged: Sequence[Judged]) -> list[str]:
    """The contenders that every set has; single modalities are each set's own."""
    common = [c for c in judged[0].contenders if all(c in one.contenders for one in judged)]
    return [c for c in common if not c.endswith(ALONE)]


def _shown(found: Interval) -> str:
    said = verdict(found)
    return f"{_interval(found)}{'' if said == 'undecided' else f' {said}'}"


def _interval(found: Interval) -> str:
    low, mean, high = (100 * v for v in (found.low, found.mean, found.high))
    return f"{mean:+.1f} [{low:.1f}, {high:.1f}]"
