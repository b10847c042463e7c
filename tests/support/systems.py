"""`docs/systems.md` and its pictures: `python -m tests.support.systems`, or `make gallery`.

Every system of the paper's tables that this project can say is drawn, with its parameters counted
from its specification beside what the paper reports.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.graph.build import Graph, build
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.targets.diagram import ONE_COLUMN, STYLES, TWO_COLUMNS, Drawing, render

from .paths import DOCS, EXAMPLES, VECTORS

PAGE, FOLDER = DOCS / "systems.md", DOCS / "systems"
PAPER = Drawing(STYLES["paper"], ONE_COLUMN)
WIDE = replace(PAPER, width=TWO_COLUMNS)
MANY_FEATURES = 4
"""How many features still stand in one column."""


@dataclass(frozen=True)
class System:
    """A system of the paper: its specification in `examples/`, and what the paper reports of it."""

    file: str
    title: str
    reported: str
    size: str = ""

    @property
    def name(self) -> str:
        return self.file.rpartition("/")[2]

    @property
    def spec(self) -> Spec:
        return fw.load(EXAMPLES / f"{self.file}.fuse")

    @property
    def graph(self) -> Graph:
        return build(checked(self.spec))

    @property
    def drawing(self) -> Drawing:
        features = sum(len(m.features) for m in self.spec.modalities)
        return PAPER if features <= MANY_FEATURES else WIDE


SYSTEMS = (
    System("systems/two_stream", "Two streams, late fusion of scores", "Table 2: 88.60 %"),
    System("late_fusion", "Late fusion of the last features", "Table 6: 89.49 %"),
    System("systems/gmu", "Gated multimodal unit", "Table 2: 85.80 %"),
    System("systems/centralnet", "CentralNet", "Table 2: 89.36 %"),
    System("systems/mmtm", "Multimodal transfer modules", "Tables 2, 4: 88.92 %", "8.61 M"),
    System("systems/mfas", "MFAS, the pairs of Table 6", "Tables 2, 6: 89.50 %", "2.16 M"),
    *(
        System(f"systems/mfas_{i}", f"MFAS, configuration {i} of its code", "its own")
        for i in range(1, 5)
    ),
    System("systems/random_features", "Random features", "Table 6: 86.35 ± 0.68 %"),
    System("systems/sum_cells", "Sum on searched features", "Table 7: 87.64 %"),
    System("systems/concat_fc_cells", "ConcatFC on searched features", "Table 7: 89.20 %"),
    System("systems/mha", "Attention with two heads", "Table 7: 88.29 %"),
    System("systems/mha_4", "Attention with four heads, one projection", "none"),
    System("aoa", "Attention on attention", "Table 7: 89.11 %"),
    System("systems/mtut", "MTUT", "Table 3: 93.87 %"),
    System("systems/cdc", "3D-CDC-NAS2, our reading", "Table 3: 94.38 %"),
    System("systems/tef", "TEF on the genotype of NTU 1, our reading", "not in it"),
)
GENOTYPES: Sequence[Mapping[str, Any]] = json.loads(
    (VECTORS / "genotypes.json").read_text(encoding="utf-8")
)


def counts(spec: Spec) -> tuple[int, int, int]:
    """The parameters of adapters, of what fuses, and of the classifier."""
    parameters = [p for p in lower(spec.graph).parameters if p.kind == "weight"]
    adapters = tuple(f"{f.name}.adapt." for m in spec.modalities for f in m.features)
    adapted = sum(p.elements for p in parameters if p.name.startswith(adapters))
    heads = tuple(f"{head.name}.head." for head in spec.heads) or ("head.",)
    head = sum(p.elements for p in parameters if p.name.startswith(heads))
    return adapted, sum(p.elements for p in parameters) - adapted - head, head


def page() -> str:
    """The text of the page."""
    return "\n".join([HEAD, *_systems(), SIZES, *_sizes(), UNEXPLAINED, IMPORTING, *_pictures()])


def _systems() -> Iterator[str]:
    yield "| specification | what it is | the paper | adapters | fusion | classifier | all |"
    yield "|---|---|---|---|---|---|---|"
    for system in SYSTEMS:
        numbers = counts(system.spec)
        reported = system.reported + (f"; {system.size}" if system.size else "")
        cells = [f"`{system.file}.fuse`", system.title, reported]
        yield f"| {' | '.join([*cells, *(f'{n:,}' for n in (*numbers, sum(numbers)))])} |"


def _sizes() -> Iterator[str]:
    yield "| row | adapters | Cells and output | classifier | all | Table 8 | equal |"
    yield "|---|---|---|---|---|---|---|"
    for row in GENOTYPES:
        name = str(row["name"]).lower().replace(" ", "").replace("-", "")
        adapted, fusion, head = counts(fw.load(EXAMPLES / f"{name}_genotype.fuse"))
        total, reported = adapted + fusion + head, row["paper_size_millions"]
        equal = "yes" if f"{total / 1e6:.2f}" == f"{reported:.2f}" else "no"
        numbers = " | ".join(f"{n:,}" for n in (adapted, fusion, head, total))
        yield f"| {row['name']} | {numbers} | {reported:.2f} M | {equal} |"


def _pictures() -> Iterator[str]:
    yield "\n## Drawn\n"
    for system in SYSTEMS:
        yield f"**{system.title}**, `{system.file}.fuse`\n"
        yield f"![{system.title}](systems/{system.name}.svg)\n"


HEAD = """\
# The systems of the paper

Written by `make gallery`. Every system that the tables of BM-NAS (AAAI 2022) compare, as a
specification in `examples/`, with its parameters counted from it. The percentages are the paper's,
on NTU RGB-D (Tables 2, 6 and 7) and EgoGesture (Table 3); none was computed here. The genotypes of
Table 8 are in [the gallery](gallery.md).

What is compared is fusion of features that backbones have given. MMTM and MTUT reach into the
backbones while these are trained: MMTM's transfer modules change what later layers see, MTUT aligns
its streams by a loss. Of 3D-CDC-NAS2 only the lateral connections and the late fusion are here, as
we read them. Three rivals, MFAS, MMTM and the gated unit, take features on the channels that these
have: their adapters give `(batch, L, c)`, not `(batch, L, C)`.

## TEF

TEF (ICLR 2025) is no rival of the paper, but a successor. What is known of it here is one sentence:
the searched fusion becomes a further view beside the single ones, and all are combined by late
fusion of evidence. `systems/tef.fuse` says that with [several heads](language.md#predict), one for
each view and one that decides by them; which features its views take, the loss (that of TMC, ICLR
2021) and its sizes are our reading. None of its figures could be had, so none stands beside ours.

## Counted
"""
SIZES = """
The paper's Table 4 gives MMTM 8.61 M and MFAS 2.16 M. Both come out without the classifier: MMTM's
modules have 8,608,320 parameters, and MFAS's layers of configuration 4 with C = 256 have 2,163,712,
without batch normalisation (2,165,760 with it). The four pairs that Table 6 names would have
2,229,248. BM-NAS's own 0.98 M has its classifier in it, of 0.12 M.

## Sizes of Table 8

Counted as the paper says: reshaping layers of the features in use, Cells, and the classifier.
"""
UNEXPLAINED = """
Five rows are equal. Of the others:

- **NTU 4** would be 2.57 M if its four Cells merged both of their Steps; the genotype merges the
  last alone, which saves a map of 2 C to C with its norm in each Cell.
- **NTU 1** and **NTU 3** both stand as 0.98 M, although their genotypes differ by 64,256
  parameters. Adding one part more, an operation, an adapter or a norm, gives 0.98 M for neither,
  and no set of up to three parts gives it for both: they stay unexplained.
- **MM-IMDB 1** would be 649,175, 0.65 M, if each of its Cells merged two values, as those of more
  Steps do; its genotype has one Step, and the published code's default merges that alone.
"""


IMPORTING = """
## From the published codes, and back

```
fusewright import best_genotype.pkl --spec ntu1.fuse -o found.fuse    also a text, or a log
fusewright import "[[3,1,1], [1,3,0]]" --spec ntu1.fuse               layers of MFAS
fusewright import best_genotype.pkl --weights best_test_model.pt --spec ntu1.fuse \\
                                    -o found.safetensors
fusewright convert found.safetensors --to state-dict -o model.pt      also --to published, mfas
```

A `.safetensors` file that is written so has the specification and the weights: `compile` takes it.
Of a log the genotype after "best fusion_net genotype" is taken. A layer of MFAS is a feature of the
skeleton, one of the video, and an activation: 0 ReLU, 1 sigmoid, 2 leaky ReLU. Backbones in a state
dict are left out; one of a search gives the weights of the operations that the genotype has. MFAS's
networks are those with batch normalisation; `--alphas` says that its features are weighed, as that
code's option of this name does.

The published BM-NAS code counts what a Cell and the network merge, and takes the last ones,
whatever the genotype's lists name. `--faithful` does the same; `--fixed`, when nothing is said,
takes what the genotype names. Where the two differ, that is printed. No known genotype differs.

Beside the published codes, with random weights at true size, the logits of all nine genotypes of
Table 8 and of MFAS's five configurations, with and without alphas, agree within a relative 1e-4 and
an absolute 2e-5. What is pickled is read as data: no code of a file is run.
"""


def write() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for system in SYSTEMS:
        (FOLDER / f"{system.name}.svg").write_bytes(render(system.graph, "svg", system.drawing))
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write()
