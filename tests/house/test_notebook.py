"""A notebook, run by a kernel of its own, shows a Spec by its diagram."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree

import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat import v4

import fusewright as fw
from fusewright.compiler.targets.diagram import engine

SPACE = """\
network n(C = 4, L = 2)

modality m {
  A[c 3]
  B[t 2, c 5]
}

pool Sum, ConcatFC

cell Cell(?, ?) {
  Step = ?(x, y)
}

predict 3 classes
"""
GENOTYPE = SPACE.replace("(?, ?)", "(A, B)").replace("?(", "ConcatFC(")
MISSPELT = SPACE.replace("pool Sum", "pool Summ")
MISSHAPEN = SPACE.replace("\n\nmod", "\n\nop Sum(x, y) = concat(x, y)\n\nmod")
CELLS = {
    "space": f"fw.loads({SPACE!r})",
    "genotype": f"fw.loads({GENOTYPE!r})",
    "misspelt": f"fw.loads({MISSPELT!r})",
    "misshapen": f"fw.loads({MISSHAPEN!r})",
    "empty": "fw.Spec()",
}
Bundle = Mapping[str, str]


def notebook() -> Any:
    new: Any = v4
    sources = ("import fusewright as fw", *CELLS.values())
    return new.new_notebook(cells=[new.new_code_cell(source) for source in sources])


@pytest.fixture(scope="module")
def shown() -> Mapping[str, Bundle]:
    """What each cell shows, by media type; a kernel takes a second to start, so one runs all."""
    client: Any = NotebookClient(notebook(), timeout=60, kernel_name="python3")
    outputs = [cell.outputs for cell in client.execute().cells[1:]]
    assert [[o.output_type for o in cell] for cell in outputs] == [["execute_result"]] * len(CELLS)
    return dict(zip(CELLS, (cell[0].data for cell in outputs), strict=True))


def nodes(image: str) -> dict[str, str]:
    """The classes of a drawing's nodes, by title."""
    groups = [g for g in ElementTree.fromstring(image).iter() if "node" in g.get("class", "")]
    return {g[0].text or "": g.get("class", "") for g in groups}


def test_a_search_space_is_shown_by_its_diagram(shown: Mapping[str, Bundle]) -> None:
    drawn = nodes(shown["space"]["image/svg+xml"])
    assert {"A", "B", "Cell.Step", "head"} <= set(drawn)
    assert "hole" in drawn["Cell.Step"]


def test_a_genotype_is_shown_by_its_diagram(shown: Mapping[str, Bundle]) -> None:
    drawn = nodes(shown["genotype"]["image/svg+xml"])
    assert {"A", "B", "Cell.Step", "head"} <= set(drawn)
    assert not [title for title, classes in drawn.items() if "hole" in classes]


def test_where_no_image_is_shown_its_text_is(shown: Mapping[str, Bundle]) -> None:
    assert shown["space"]["text/plain"] == SPACE
    assert shown["genotype"]["text/plain"] == GENOTYPE


@pytest.mark.parametrize(
    ("cell", "text", "first"),
    [
        ("misspelt", MISSPELT, "error[E203]: unknown operation `Summ`\n --> <text>:8:6"),
        ("misshapen", MISSHAPEN, "error[E304]: "),
        ("empty", "\n", "error[E007]: there is no"),
    ],
)
def test_what_is_wrong_stands_below_the_text(
    cell: str, text: str, first: str, shown: Mapping[str, Bundle]
) -> None:
    assert set(shown[cell]) == {"text/plain"}
    assert shown[cell]["text/plain"].startswith(f"{text}\n{first}")


def test_a_diagram_that_cannot_be_drawn_leaves_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SECONDS", 0.0001)
    bundle = fw.loads(SPACE)._repr_mimebundle_()  # pyright: ignore[reportPrivateUsage]
    assert set(bundle) == {"text/plain"}
    assert bundle["text/plain"].startswith(f"{SPACE}\nerror[E308]")


def test_a_graph_is_shown_by_its_picture_and_a_part_of_it_by_its_size() -> None:
    graph = fw.loads(GENOTYPE).graph
    shown = graph._repr_mimebundle_()  # pyright: ignore[reportPrivateUsage]
    assert {"A", "B", "Cell.Step", "head"} <= set(nodes(shown["image/svg+xml"]))
    part = graph.subgraph(["A", "B"])._repr_mimebundle_()  # pyright: ignore[reportPrivateUsage]
    assert set(part) == {"text/plain"}
    assert "2 nodes" in part["text/plain"]


def test_a_run_is_shown_by_a_page_in_a_frame(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    data: dict[str, Any] = {
        "A": generator.normal(size=(40, 3)).astype(np.float32),
        "B": generator.normal(size=(40, 2, 5)).astype(np.float32),
        "labels": np.arange(40) % 3,
    }
    run = tmp_path / '"><script>'
    found = fw.search(fw.loads(SPACE), data, out=run, strategy="darts", epochs=2, batch=8)
    for one in (found, fw.read_run(run)):
        shown: Any = one._repr_mimebundle_()  # pyright: ignore[reportPrivateUsage]
        assert str(found.genotype) in shown["text/plain"]
        frame = ElementTree.fromstring(shown["text/html"])
        assert frame.tag == "iframe"
        assert frame.get("srcdoc", "").startswith("<!doctype html>")
        assert "<script>" not in shown["text/html"]
    trained = fw.train(found.genotype, data, epochs=1, batch=8)
    assert repr(trained).startswith("TrainResult(1 epochs")


def test_what_changed_is_shown_in_one_picture() -> None:
    shown: Any = fw.diff(fw.loads(SPACE), fw.loads(GENOTYPE))
    bundle = shown._repr_mimebundle_()
    assert bundle["text/plain"] == str(shown)
    assert {"A", "B", "Cell.Step", "head"} <= set(nodes(bundle["image/svg+xml"]))


def test_results_are_shown_by_pictures_and_tables_with_everything_escaped() -> None:
    text = SPACE.replace("A[", "`<b>`[").replace(
        "predict 3 classes", "output `<b>`, Cell predict 3 classes"
    )
    generator = np.random.default_rng(0)
    data: dict[str, Any] = {
        "<b>": generator.normal(size=(40, 3)).astype(np.float32),
        "B": generator.normal(size=(40, 2, 5)).astype(np.float32),
        "labels": np.arange(40) % 3,
    }
    found = fw.search(text, data, strategy="darts", epochs=1, batch=8)
    trained = fw.train(found, data, epochs=12, batch=16)
    results: list[Any] = [fw.consensus([found]), trained, fw.report([found, trained])]
    for one in results:
        html = one._repr_mimebundle_()["text/html"]
        assert "<b>" not in html
        assert "<svg" in html or "&lt;svg" in html
    assert results[1]._repr_mimebundle_()["text/html"].count("<tr>") == 11


def test_a_training_shows_a_bar_that_needs_no_widgets(monkeypatch: pytest.MonkeyPatch) -> None:
    class Handle:
        shown: ClassVar[list[Bundle]] = []

        def update(self, bundle: Bundle, *, raw: bool) -> None:
            assert raw
            self.shown.append(bundle)

    class Shell:
        kernel = "ipykernel"

    data = {"A": np.zeros((9, 3)), "B": np.zeros((9, 2, 5)), "labels": np.arange(9) % 3}
    monkeypatch.setattr("IPython.get_ipython", Shell)
    monkeypatch.setattr("IPython.display.display", lambda *_, **__: Handle())
    fw.train(GENOTYPE, data, epochs=2, batch=8)
    counted = [bundle["text/plain"].partition(",")[0] for bundle in Handle.shown]
    assert counted == ["train 1/2", "train 2/2"]
    element = ElementTree.fromstring(f"<p>{Handle.shown[0]['text/html']}</p>")[0]
    assert (element.tag, element.get("value"), element.get("max")) == ("progress", "1", "2")
    assert " left: train_loss " in Handle.shown[0]["text/plain"]
    Handle.shown.clear()
    fw.train(GENOTYPE, data, epochs=1, batch=8, report=lambda record: None)
    assert Handle.shown == []
