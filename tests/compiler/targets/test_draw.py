"""The command `draw`: files and runs, styles, widths, one Cell, rounds and what changed."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import sys
import zlib
from pathlib import Path
from unittest.mock import patch
from xml.etree import ElementTree

import numpy as np
import pytest

import fusewright as fw
from fusewright.cli import main
from fusewright.compiler.check.check import checked
from fusewright.compiler.graph.build import build
from fusewright.compiler.network.choices import fill
from fusewright.compiler.network.holes import holes_of
from fusewright.compiler.targets.diagram import STYLES, Drawing, of_mixtures, render
from fusewright.runtime.genotypes.sample import draw_within

from ...runtime.report.test_reports import found
from ...support.paths import EXAMPLES
from ...support.pictures import SVG, boxes, misplaced
from .test_diagram import GENOTYPE, HYPERNET, classes, labels

ROUNDS = 2


@pytest.fixture
def genotype(tmp_path: Path) -> Path:
    path = tmp_path / "genotype.fuse"
    path.write_text(GENOTYPE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two searches that keep weights, and one that does not."""
    place = tmp_path_factory.mktemp("runs")
    for seed in range(2):
        found(place / f"seed{seed}", seed=seed, epochs=ROUNDS)
    found(place / "halving", strategy="halving")
    return sorted(place.iterdir())


def ran(*arguments: str | Path) -> tuple[int, str]:
    """The exit code of `draw`, and what it says on standard error."""
    said = io.StringIO()
    with (
        patch.object(sys, "argv", ["fusewright", "draw", *map(str, arguments)]),
        contextlib.redirect_stderr(said),
        pytest.raises(SystemExit) as exit,
    ):
        main()
    code = exit.value.code
    assert code is None or isinstance(code, int)
    return code or 0, said.getvalue()


def drawn(*arguments: str | Path, to: Path) -> ElementTree.Element:
    code, said = ran(*arguments, "-o", to)
    assert code == 0, said
    return ElementTree.fromstring(to.read_bytes())


def refused(*arguments: str | Path) -> str:
    code, said = ran(*arguments)
    assert code == 1
    return said


def changes(image: ElementTree.Element) -> set[tuple[str, str]]:
    """What is marked as a change, and how."""
    marks = ("added", "removed", "changed")
    return {(n, m) for n, kind in classes(image).items() for m in marks if m in kind.split()}


# Files


@pytest.mark.parametrize("style", STYLES)
def test_a_style_is_what_it_says(style: str, genotype: Path, tmp_path: Path) -> None:
    image = drawn(genotype, "--style", style, to=tmp_path / "a.svg")
    text = ElementTree.tostring(image, "unicode")
    look = STYLES[style]
    assert f'font-family="{look.font}"' in text or look.measured in text
    assert look.upper in text
    assert f'fill="{look.cell}"' in text


@pytest.mark.parametrize(
    ("width", "points"), [("one-column", 237.6), ("5cm", 141.7), ("2.5in", 180), ("100mm", 283.5)]
)
def test_a_picture_keeps_to_its_width(
    width: str, points: float, genotype: Path, tmp_path: Path
) -> None:
    image = drawn(genotype, "--width", width, to=tmp_path / "a.svg")
    assert float(image.get("width", "").removesuffix("pt")) <= points + 1


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_a_pdf_is_as_wide_as_was_asked(genotype: Path, tmp_path: Path) -> None:
    """It had a margin of half an inch on each side beyond that."""
    out = tmp_path / "a.pdf"
    assert ran(genotype, "-o", out, "--width", "2in")[0] == 0
    parts = re.findall(rb"stream\r?\n(.*?)endstream", out.read_bytes(), re.DOTALL)
    content = out.read_bytes()
    for part in parts:
        with contextlib.suppress(zlib.error):
            content += zlib.decompress(part)
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([0-9.]+)", content)
    assert [float(width) for width in boxes] == [pytest.approx(144, abs=2)]


@pytest.mark.parametrize("engine", ["system", "bundled"])
def test_cells_and_steps_stand_in_their_order(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if engine == "bundled":
        monkeypatch.setattr(shutil, "which", lambda *_: None)
    for name in ("ntu1", "ntu4", "ego3", "ntu1_genotype", "ntu3_genotype", "ego1_genotype"):
        network = checked(fw.load(EXAMPLES / f"{name}.fuse"))
        assert misplaced(network, render(build(network), "svg")) == [], name


@pytest.mark.parametrize("engine", ["system", "bundled"])
@pytest.mark.parametrize(
    ("space", "drawn_before"), [("mmimdb1", 1), ("ego1", 0), ("ntu4", 0), ("ntu4", 2)]
)
def test_cells_of_random_genotypes_stand_in_their_order(
    space: str, drawn_before: int, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the features that they take stand the other way round."""
    if engine == "bundled":
        monkeypatch.setattr(shutil, "which", lambda *_: None)
    open = checked(fw.load(EXAMPLES / f"{space}.fuse"))
    generator = np.random.default_rng(0)
    *_, chosen = (draw_within(open, generator) for _ in range(drawn_before + 1))
    network = checked(fill(open, chosen))
    assert misplaced(network, render(build(network), "svg")) == []


def test_steps_of_a_hypernet_stand_above_each_other() -> None:
    """Those of which few edges are drawn, too; the heaviest candidate always has its edge."""
    network = checked(fw.load(EXAMPLES / "ntu1.fuse"))
    small = {h.parameter: [0.01] * len(h.candidates) for h in holes_of(network, "shared")}
    picture = render(build(network), "svg", Drawing(overlay=of_mixtures(network, small)))
    assert misplaced(network, picture) == []
    image = ElementTree.fromstring(picture)
    edges = [g for g in image.iter(f"{SVG}g") if "edge lower" in (g.get("class") or "")]
    assert len(edges) >= sum(len(step.slots) for cell in network.cells for step in cell.steps)
    places = boxes(picture)
    for cell in network.cells:
        first, second = (places[f"{cell.name}.{step.name}"] for step in cell.steps)
        assert first[1] > second[3]  # `Step_1` below `Step_2`


def test_a_picture_flows_to_the_right(genotype: Path, tmp_path: Path) -> None:
    image = drawn(genotype, "--direction", "left-right", to=tmp_path / "a.svg")
    places = boxes(ElementTree.tostring(image))
    assert places["output"][2] < places["head"][0]
    upwards = boxes(ElementTree.tostring(drawn(genotype, to=tmp_path / "b.svg")))
    assert upwards["output"][1] > upwards["head"][3]
    said = refused(genotype, "--direction", "down", "-o", tmp_path / "a.svg")
    assert "does not flow `down`" in said


def test_text_that_is_too_small_to_read_is_said(genotype: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.svg"
    code, said = ran(genotype, "-o", out, "--width", "2cm")
    assert code == 0
    assert re.search(r"the smallest text is [\d.]+ pt at this width", said)
    assert ran(genotype, "-o", out, "--width", "two-column") == (0, "")


def test_one_cell_is_drawn_alone(genotype: Path, tmp_path: Path) -> None:
    shown = labels(drawn(genotype, "--cell", "Cell_2", to=tmp_path / "a.svg"))
    assert "LinearGLU(y, x)" in shown
    assert "Cell_1" in shown
    assert "to combine" in shown
    assert "Image_1" not in shown
    open = tmp_path / "space.fuse"
    open.write_text(HYPERNET, encoding="utf-8")
    shown = labels(drawn(open, "--cell", "Cell_2", to=tmp_path / "b.svg"))
    assert "any of 5 features and Cells" in shown


def test_a_compact_picture_folds_what_is_alike(tmp_path: Path) -> None:
    large = tmp_path / "large.fuse"
    large.write_text(HYPERNET.replace("Cell[2]", "Cell[40]"), encoding="utf-8")
    shown = labels(drawn(large, "--compact", to=tmp_path / "a.svg"))
    assert "×40" in shown
    assert "2 features" in shown
    assert "Cell_20" not in shown


def test_what_changed_since_a_file_is_marked(genotype: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.fuse"
    text = GENOTYPE.replace("Cell_2(Text_0, Cell_1)", "Cell_2(Text_1, Cell_1)")
    text = text.replace("Step_1 = LinearGLU(y, x)", "Step_1 = Sum(y, x)\n  Step_2 = Sum(x, Step_1)")
    new.write_text(text, encoding="utf-8")
    found = changes(drawn(new, "--since", genotype, to=tmp_path / "a.svg"))
    assert found == {
        ("Text_0->Cell_2.x", "removed"),
        ("Text_1->Cell_2.x", "added"),
        ("Cell_2.Step_1", "changed"),
        ("Cell_2.Step_2", "added"),
        ("Cell_2.x->Cell_2.Step_2", "added"),
        ("Cell_2.Step_1->Cell_2.Step_2", "added"),
        ("Cell_2.Step_2->Cell_2", "added"),
    }
    assert not changes(drawn(new, "--since", new, to=tmp_path / "b.svg"))


def test_features_and_cells_that_went_are_marked(genotype: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.fuse"
    cell = "cell Cell_2(Text_0, Cell_1) {\n  Step_1 = LinearGLU(y, x)\n}\n"
    assert cell in GENOTYPE
    new.write_text(GENOTYPE.replace(cell, "").replace("  Text_1[c 128, t *]\n", ""), "utf-8")
    found = changes(drawn(new, "--since", genotype, to=tmp_path / "a.svg"))
    assert {("Text_1", "removed"), ("Cell_2.Step_1", "removed"), ("Cell_2", "removed")} <= found
    assert ("Cell_2->output", "removed") in found
    assert not {mark for _, mark in found} - {"removed"}


PAIR = """
network n(C = 8, L = 4)
modality m { A[c 8] B[c 8] D[c 8] }
cell Cell_1(A, B) { Step_1 = Sum(x, y) }
cell Cell_2(B, {A | Cell_1}) { Step_1 = Sum(x, {x | y}) }
cell Cell_3(A, Cell_1) { Step_1 = Sum(x, y) }
predict 2 classes
"""


def both(old: str, new: str, folder: Path, *more: str) -> ElementTree.Element:
    for name, text in (("old", old), ("new", new)):
        (folder / f"{name}.fuse").write_text(text, encoding="utf-8")
    return drawn(folder / "new.fuse", "--since", folder / "old.fuse", *more, to=folder / "a.svg")


def test_a_modality_that_is_renamed_leaves_no_empty_lane(tmp_path: Path) -> None:
    image = both(PAIR, PAIR.replace("modality m", "modality other"), tmp_path)
    assert {("A", "changed"), ("B", "changed"), ("D", "changed")} <= changes(image)
    assert "other" in labels(image)


def test_a_skip_connection_changes_with_the_first_input(tmp_path: Path) -> None:
    old = PAIR.replace("modality m", "use bmnas\nmodality m")
    cell = "cell Cell_1(a = A, y = B) { Step_1 = Sum(a, y) }"
    new = old.replace("cell Cell_1(A, B) { Step_1 = Sum(x, y) }", cell)
    found = changes(both(old, new, tmp_path))
    assert {("Cell_1.x->Cell_1", "removed"), ("Cell_1.a->Cell_1", "added")} <= found


def test_a_hole_over_everything_stays_one_where_a_feature_goes(tmp_path: Path) -> None:
    old = PAIR.replace("Cell_1(A, B)", "Cell_1(?, ?)")
    image = both(old, old.replace(" D[c 8]", ""), tmp_path)
    assert changes(image) == {("D", "removed")}
    assert "of 2" in labels(image)


def test_an_open_step_that_changes_says_both(tmp_path: Path) -> None:
    new = PAIR.replace("Sum(x, {x | y})", "Sum(y, {x | y})")
    image = both(PAIR, new, tmp_path)
    shown = labels(image)
    assert "Sum(x, ?)" in shown
    assert "Sum(y, ?)" in shown
    assert ("Cell_2.Step_1", "changed") in changes(image)
    assert shown.count("~") == 2  # the Step, and the legend


def test_what_takes_a_cell_alone_is_marked_too(tmp_path: Path) -> None:
    new = PAIR.replace("Cell_3(A, Cell_1)", "Cell_3(A, Cell_2)")
    shown = labels(both(PAIR, new, tmp_path, "--cell", "Cell_1"))
    assert "to − Cell_3, combine" in " ".join(shown.split())


def test_an_operation_that_nothing_uses_changes_nothing(tmp_path: Path) -> None:
    old = PAIR.replace("modality m", "op S(x, y) = x + y\nmodality m").replace(
        "Sum(x, y)", "S(x, y)"
    )
    new = old.replace("modality m", "op G(x, y) = x * y\nmodality m")
    for name, text in (("old", old), ("new", new)):
        (tmp_path / f"{name}.fuse").write_text(text, encoding="utf-8")
    assert not changes(both(old, new, tmp_path))
    out, since = tmp_path / "a.svg", tmp_path / "old.fuse"
    _, said = ran(tmp_path / "new.fuse", "--since", since, "-o", out)
    assert said == "note: nothing changed\n"


def test_changes_that_a_picture_does_not_show_are_said(tmp_path: Path) -> None:
    both(PAIR, PAIR, tmp_path)
    (tmp_path / "new.fuse").write_text(PAIR.replace("C = 8", "C = 4"), encoding="utf-8")
    out, since = tmp_path / "a.svg", tmp_path / "old.fuse"
    _, said = ran(tmp_path / "new.fuse", "--since", since, "-o", out)
    assert "does not show changed, too" in said
    assert "number C: 8 -> 4" in said


def test_a_page_is_written_for_a_file(genotype: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert ran(genotype, "-o", out) == (0, "")
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")


# Runs


def test_a_run_is_drawn_as_its_hypernet(runs: list[Path], tmp_path: Path) -> None:
    _, run, _ = runs
    kept, first = (
        ElementTree.tostring(drawn(run, *more, to=tmp_path / "a.svg"), "unicode")
        for more in ((), ("--round", "1"))
    )
    for text in (kept, first):
        assert STYLES["screen"].bar in text
        assert "stroke-opacity" in text
    assert "has no round 9" in refused(run, "--round", "9", "-o", tmp_path / "a.svg")


def test_a_run_without_weights_is_drawn_as_its_genotype(runs: list[Path], tmp_path: Path) -> None:
    shown = labels(drawn(runs[0], to=tmp_path / "a.svg"))
    network = fw.load(runs[0] / "genotype.fuse")
    assert all(step.name in shown for cell in network.cells for step in cell.steps)
    assert "?" not in shown


def test_rounds_of_a_run_are_compared(runs: list[Path], tmp_path: Path) -> None:
    _, run, _ = runs
    history = fw.read_run(run).search
    assert history is not None
    old, new = (fw.loads(r.genotype) for r in history.rounds)
    found = changes(drawn(run, "--round", "2", "--since", "1", to=tmp_path / "a.svg"))
    assert bool(found) == (old != new)


def test_a_page_shows_searches_of_one_specification(runs: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert ran(*runs, "-o", out) == (0, "")
    text = out.read_text(encoding="utf-8")
    assert all(path.name in text for path in runs)


# Refusals


def test_what_cannot_be_drawn_is_said(genotype: Path, runs: list[Path], tmp_path: Path) -> None:
    svg, html = tmp_path / "a.svg", tmp_path / "a.html"
    assert "names no picture format" in refused(genotype, "-o", tmp_path / "a.gif")
    assert "did you mean `paper`" in refused(genotype, "-o", svg, "--style", "papr")
    assert "is no width of a picture" in refused(genotype, "-o", svg, "--width", "wide")
    assert "is no width of a picture" in refused(genotype, "-o", svg, "--width", "0in")
    assert "there is no Cell `Cell_9`" in refused(genotype, "-o", svg, "--cell", "Cell_9")
    assert "has no rounds" in refused(genotype, "-o", svg, "--round", "1")
    assert "shows one specification or run" in refused(*runs, "-o", svg)
    assert "shows one specification, or runs" in refused(genotype, *runs, "-o", html)
    assert "a page takes no `--cell`" in refused(genotype, "-o", html, "--cell", "Cell_1")
    assert "shows no weights, no changes" in refused(runs[1], "-o", svg, "--compact")
    again = ("--since", genotype, "--compact")
    assert "shows no weights, no changes" in refused(genotype, "-o", svg, *again)
    assert "has its numbers already" in refused(runs[1], "-o", svg, "--set", "C=4")
    for since in ("²", "9" * 5000):
        assert "E5" in refused(runs[1], "-o", svg, "--since", since)
    assert not svg.exists()
    assert not html.exists()
