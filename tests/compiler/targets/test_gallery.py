"""The gallery: its pictures are there, their text is large enough, and nothing overlaps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fusewright.compiler.targets.diagram import LEGIBLE, smallest_text

from ...support import systems
from ...support.browser import NEEDED, fonts, opened
from ...support.gallery import FOLDER, Shown, genotypes, others, spaces
from ...support.paths import ROOT

PICTURES = sorted(FOLDER.glob("*.svg"))
DRAWN = sorted(systems.FOLDER.glob("*.svg"))
SHOWN = [*genotypes(), *spaces(), *others()]
LOOK = """
const slack = arguments[0];
const wrong = [];
const box = (e) => e.getBBox();
const inside = (a, b) => a.x >= b.x - slack && a.y >= b.y - slack &&
  a.x + a.width <= b.x + b.width + slack && a.y + a.height <= b.y + b.height + slack;
const meet = (a, b) => a.x + slack < b.x + b.width && b.x + slack < a.x + a.width &&
  a.y + slack < b.y + b.height && b.y + slack < a.y + a.height;
const shapes = new Map();
for (const group of document.querySelectorAll("g.node, g.cluster")) {
  const shape = group.querySelector("path, polygon, ellipse");
  const texts = [...group.querySelectorAll("text")].filter((t) => t.textContent.trim());
  const title = group.querySelector("title").textContent;
  if (!shape) continue;
  for (const text of texts) {
    if (!inside(box(text), box(shape))) wrong.push(`${text.textContent} leaves ${title}`);
  }
  if (group.classList.contains("node")) shapes.set(title, box(shape));
  else for (const text of texts) shapes.set(`the label of ${title}`, box(text));
}
const names = [...shapes.keys()];
names.forEach((a, i) => names.slice(i + 1).forEach((b) => {
  if (meet(shapes.get(a), shapes.get(b))) wrong.push(`${a} meets ${b}`);
}));
return wrong;
"""
SLACK = 2
"""Units: widths are rounded."""


def test_the_gallery_shows_every_picture() -> None:
    text = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    shown = re.findall(r"\(gallery/(\w+)\.svg\)", text)
    assert sorted(shown) == [path.stem for path in PICTURES]
    assert {one.name for one in SHOWN} < set(shown)


@pytest.mark.parametrize("one", SHOWN, ids=lambda one: one.name)
def test_text_is_legible_at_the_width_of_a_column(one: Shown) -> None:
    assert smallest_text(one.graph, one.drawing) >= LEGIBLE


@NEEDED
@pytest.mark.parametrize("path", [*PICTURES, *DRAWN], ids=lambda path: path.stem)
def test_no_label_is_clipped_and_no_box_overlaps(path: Path) -> None:
    if "Liberation Serif" not in fonts():
        pytest.skip("the gallery was drawn with the widths of Liberation Serif")
    with opened(path) as driver:
        assert driver.execute_script(LOOK, SLACK) == []
