"""How fast pages answer: interactions with a network of 300 Steps beside one of 4.

    python -m benchmarks.page

Milliseconds from an interaction to the second frame after it, in headless Chromium; where nothing
happens that is 17 to 33, since frames come 60 times a second.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from tests.support.browser import frame_time, opened

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.graph.build import build
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.targets.page import Course, Moment, page
from fusewright.runtime.genotypes.sample import random_genotype

from .machine import machine

EXAMPLE = Path(__file__).parents[1] / "examples" / "ntu1.fuse"
ROUNDS = 20
SIZES = ((2, 2), (30, 10))
"""Cells, and Steps in each."""
BUTTON = "document.querySelectorAll('#tree button')"
INTERACTIONS = {
    "nothing": "",
    "a Cell": f"{BUTTON}[1].click()",
    "a Step": f"{BUTTON}[2].click()",
    "the network": f"{BUTTON}[0].click()",
    "an arrow key": "document.querySelector('.picture [tabindex=\"0\"]').dispatchEvent("
    "new KeyboardEvent('keydown', {key: 'ArrowUp', bubbles: true}))",
}
SLIDE = (
    "const r = document.getElementById('round');"
    f"r.value = (Number(r.value) + 7) % {ROUNDS};"
    "r.dispatchEvent(new Event('input'))"
)


def space(cells: int, steps: int) -> Spec:
    text = str(fw.load(EXAMPLE)).replace("cell Cell[2]", f"cell Cell[{cells}]")
    return fw.loads(text.replace("Step[2]", f"Step[{steps}]"))


def course(spec: Spec) -> Course:
    """A search whose weights move at random."""
    program = lower(build(checked(spec)), "per_input")
    generator = np.random.default_rng(0)
    moments = [
        Moment(
            number,
            float(generator.random()),
            {
                p.name: generator.dirichlet(np.ones(p.sizes[0])).tolist()
                for p in program.parameters
                if p.kind == "architecture"
            },
        )
        for number in range(1, ROUNDS + 1)
    ]
    return Course("seed 0", moments)


def main() -> None:
    print(machine())
    for cells, steps in SIZES:
        spec = space(cells, steps)
        genotype = random_genotype(checked(spec), 0)
        pages = {
            "genotype": page(build(checked(genotype))),
            "search": page(build(checked(spec)), [course(spec)], "accuracy"),
        }
        for name, text in pages.items():
            with TemporaryDirectory() as folder:
                path = Path(folder, "page.html")
                path.write_text(text, encoding="utf-8")
                print(f"{cells * steps} Steps, {name}: {len(text) / 1e6:.1f} MB")
                with opened(path) as driver:
                    slide = {"the slider": SLIDE} if name == "search" else {}
                    for what, script in {**INTERACTIONS, **slide}.items():
                        print(f"  {what}: {frame_time(driver, script):.0f} ms")


if __name__ == "__main__":
    main()
