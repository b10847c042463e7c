"""The gallery of pictures in `docs/`: `python -m tests.support.gallery`, or `make gallery`.

Every picture is drawn for print at the width of a column, of two where it has to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from numpy.typing import NDArray

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.graph.build import Graph, build
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.measure.architectures import count_architectures
from fusewright.compiler.targets.diagram import (
    LEGIBLE,
    ONE_COLUMN,
    STYLES,
    TWO_COLUMNS,
    Drawing,
    render,
    smallest_text,
)
from fusewright.compiler.targets.page import page
from fusewright.runtime.demo.extract import extract
from fusewright.runtime.genotypes.sample import random_genotype
from fusewright.runtime.report.pages import hypernet_of, pages

from .paths import ROOT

FOLDER = ROOT / "docs" / "gallery"
KNOWN = ("ntu1", "ntu2", "ntu3", "ntu4", "ego1", "ego2", "ego3", "ego4", "mmimdb1")
PAPER = Drawing(STYLES["paper"], ONE_COLUMN)
WIDE = replace(PAPER, width=TWO_COLUMNS)
CELLS = 40
SEARCHED = fw.Settings(strategy="darts", epochs=12, batch=64, arch_learning_rate=2e-2)


@dataclass(frozen=True)
class Shown:
    """A picture of the gallery: its file's name, what it shows, and how it is drawn."""

    name: str
    says: str
    graph: Graph
    drawing: Drawing


def example(name: str) -> Spec:
    return fw.load(ROOT / "examples" / f"{name}.fuse")


def graph(spec: Spec) -> Graph:
    return build(checked(spec))


def large() -> Spec:
    """A search space of many Cells."""
    return fw.loads(str(example("ntu1")).replace("cell Cell[2]", f"cell Cell[{CELLS}]"))


def genotypes() -> Iterator[Shown]:
    for name in KNOWN:
        spec = example(f"{name}_genotype")
        wide = len(spec.cells) > 2
        yield Shown(f"{name}_genotype", _said(spec), graph(spec), WIDE if wide else PAPER)


def _said(spec: Spec) -> str:
    """The Cells of a genotype in words: what each takes, and its operations."""
    found: list[str] = []
    for cell in checked(spec).cells:
        taken = " and ".join(slot.candidates[0] for slot in cell.slots)
        steps = ", ".join(step.operations[0].label for step in cell.steps)
        found.append(f"{cell.name} fuses {taken}: {steps}")
    return "; ".join(found) + "."


def spaces() -> Iterator[Shown]:
    for name in KNOWN:
        spec = example(name)
        network = checked(spec)
        steps = len(network.cells[0].steps)
        count = count_architectures(network)
        cells = f"{len(network.cells)} Cell{'s' if len(network.cells) > 1 else ''}"
        says = f"{cells} of {steps} Step{'s' if steps > 1 else ''}: {count} architectures."
        yield Shown(name, says, graph(spec), PAPER if len(network.cells) <= 2 else WIDE)


def others() -> Iterator[Shown]:
    three = example("three_modalities")
    yield Shown(
        "three_modalities", "Three modalities, one of them optional; half open.", graph(three), WIDE
    )
    old, new = graph(example("ntu1_genotype")), graph(example("ntu3_genotype"))
    says = "What NTU's third genotype has that the first has not."
    yield Shown("difference", says, new, replace(PAPER, old=old))
    yield Shown("cell", "One Cell alone.", old, replace(PAPER, cell="Cell_1"))
    yield Shown("compact", "A genotype at a glance.", old, replace(PAPER, compact=True))
    space = large()
    says = f"A search space of {CELLS} Cells."
    yield Shown("forty_cells", says, graph(space), replace(PAPER, compact=True))
    found = random_genotype(checked(space), 0)
    says = f"A random genotype of {CELLS} Cells; what nothing else takes goes to the output."
    yield Shown("forty_cells_genotype", says, graph(found), replace(WIDE, compact=True))
    dark = Drawing(STYLES["dark"])
    yield Shown("dark", "For a dark screen.", old, dark)


def searched() -> tuple[Shown, str]:
    """A hypernet searched on the bundled emoji here, and the page of two such searches."""
    extracted = extract(0)
    data: dict[str, NDArray[Any]] = {
        **extracted.features,
        "labels": extracted.labels,
        "split": extracted.split,
    }
    space = fw.load(ROOT / "runtime" / "demo" / "emoji.fuse")
    runs = [Path(f"seed {seed}") for seed in range(2)]
    for seed, run in enumerate(runs):
        fw.search(space, data, out=run, settings=replace(SEARCHED, seed=seed))
    found = hypernet_of(fw.read_run(runs[0]), None)
    assert found is not None
    network, overlay = found
    says = "A hypernet searched on the emoji: wide and dark is heavy, bars are operations."
    shown = Shown("hypernet", says, build(network), replace(PAPER, overlay=overlay))
    return shown, pages(runs)


SECTIONS: Mapping[str, str] = {
    "Genotypes": "The nine genotypes that BM-NAS published (its Figures 5 and 9 to 11): modalities "
    "as lanes, what was chosen in black, Cells with their Steps.",
    "Search spaces": "Table 8: what is dashed is still to be found.",
    "More": "",
}


def write() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder, chdir(folder):
        hypernet, course = searched()
    (FOLDER / "search.html").write_text(course, encoding="utf-8")
    (FOLDER / "ntu1_genotype.html").write_text(page(graph(example("ntu1_genotype"))), "utf-8")
    shown = [list(genotypes()), list(spaces()), [hypernet, *others()]]
    parts = [HEAD]
    for (title, about), pictures in zip(SECTIONS.items(), shown, strict=True):
        parts.append(f"## {title}\n\n{about}\n" if about else f"## {title}\n")
        for one in pictures:
            (FOLDER / f"{one.name}.svg").write_bytes(render(one.graph, "svg", one.drawing))
            smallest = smallest_text(one.graph, one.drawing)
            print(f"{one.name}: smallest text {smallest:.1f} pt")
            assert smallest >= LEGIBLE, one.name
            width = "two columns" if one.drawing.width == TWO_COLUMNS else "one column"
            parts.append(
                f"### {one.name}\n\n{one.says} At the width of {width}, the smallest text is "
                f"{smallest:.1f} pt.\n\n![{one.says}](gallery/{one.name}.svg)\n"
            )
    (ROOT / "docs" / "gallery.md").write_text("\n".join(parts), encoding="utf-8")


HEAD = """# Gallery

Written by `make gallery`. Every picture is one of `fusewright draw … --style paper`, at the width
of a column where nothing else is said. Pages to click through:
[a genotype](gallery/ntu1_genotype.html) and
[two searches side by side, round by round](gallery/search.html).
"""

if __name__ == "__main__":
    write()
