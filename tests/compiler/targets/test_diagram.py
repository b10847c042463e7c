"""Pictures: what is in them, what is not, and that no name in a specification escapes its label."""

from __future__ import annotations

import contextlib
import html
import itertools
import re
import shutil
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.graph.read import architecture
from fusewright.compiler.language.spec import Spec, print_spec
from fusewright.compiler.network.names import identifier
from fusewright.compiler.syntax.parse import parse
from fusewright.compiler.targets.diagram import Drawing, dot, engine, formats, render, statements
from fusewright.compiler.targets.diagram.styles import SCREEN

from ...support.pictures import SVG
from ...support.programs import specs

LINK_TITLE = "{http://www.w3.org/1999/xlink}title"

HEADER = """
network mmimdb(C = 192, L = 16, dropout = 0.1)
use bmnas
modality image from "torchvision:vgg19" {
  Image_1[c 512, h 28, w 28] at "features.26"
  Image_2[c 512, h 14, w 14] at "features.33"
}
modality text optional {
  Text_0[c 64]
  Text_1[c 128, t *]
}
pool Sum, Attention, LinearGLU, ConcatFC
"""
HYPERNET = f"""{HEADER}
cell Cell[2](?, ?) {{
  Step[2] = ?(?, ?)
}}
predict 23 labels
"""
GENOTYPE = f"""{HEADER}
cell Cell_1(Image_2, Text_0) {{
  Step_1 = ConcatFC(y, x)
}}
cell Cell_2(Text_0, Cell_1) {{
  Step_1 = LinearGLU(y, x)
}}
predict 23 labels
"""
HALF_OPEN = f"""{HEADER}
cell Cell_1(Image_1, {{Text_0 | Text_1}}) {{
  Step_1 = {{Sum | LinearGLU}}(x, y)
  Step_2 = ?(x, ?)
  Step_3 = Sum(x, y)
  return Step_1, Step_2
}}
cell Cell_2(Image_2, Image_1) {{
  Step_1 = Sum(x, y)
}}
output Cell_1
predict 1 values
"""
LATE_FUSION = f"{HEADER}\noutput Image_2, Text_1\npredict 23 labels\n"
MANY_CELLS = HYPERNET.replace("[2](?, ?)", "[12](?, ?)", 1)
PROGRAMS = [HYPERNET, GENOTYPE, HALF_OPEN, LATE_FUSION]

HOSTILE = [
    "<script>alert(1)</script>",
    'a"b',
    r"a\nb",
    "&amp;",
    "&nope;",
    "\\",
    r"\N",
    r"\\G",
    ']; URL="javascript:alert(1)"; [',
    '> href="x" <',
    "--> </title>",
    "<B>",
    "]]>",
    "%22",
    "a.b",
    "שלום עולם",
    "名前" * 20,
    "Feature" * 70,
    "cluster",
    "graph",
]


def picture(text: str) -> str:
    return dot(parse(text).graph)


def svg(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(render(parse(text).graph, "svg"))


def labels(image: ElementTree.Element) -> str:
    return "\n".join("".join(t.itertext()) for t in image.iter(f"{SVG}text"))


def tooltips(image: ElementTree.Element) -> list[str]:
    return [a.get(LINK_TITLE, "") for a in image.iter(f"{SVG}a")]


def said(image: ElementTree.Element) -> list[str]:
    """The first lines of tooltips; an equation may follow."""
    return [tip.partition("\n")[0] for tip in tooltips(image)]


def classes(image: ElementTree.Element) -> dict[str, str]:
    """The classes of every node and edge by its title."""
    groups = [(g.findtext(f"{SVG}title"), g.get("class")) for g in image.iter(f"{SVG}g")]
    return {title: kind for title, kind in groups if title and kind}


def edges(text: str) -> Iterator[tuple[str, str, str]]:
    """The visible edges of a picture: tail, head and attributes."""
    for tail, head, look in re.findall(
        r'^ *"(.+?)" -> "(.+?)"\S* \[(.*)\];$', picture(text), re.MULTILINE
    ):
        if "invis" not in look:
            yield tail, head, look


# What is in a picture


@pytest.mark.parametrize("text", PROGRAMS)
def test_equal_graphs_give_equal_texts(text: str) -> None:
    assert picture(text) == picture(text) == picture(print_spec(parse(text)))


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("text", [*PROGRAMS, MANY_CELLS])
def test_no_run_of_text_begins_or_ends_with_a_space(text: str, compact: bool) -> None:
    """A browser leaves it out: `Step_1 = ?` was shown as `Step_1= ?`."""
    graph = parse(text).graph
    said = dot(graph, Drawing(compact=compact))
    if not compact:
        said += dot(graph, Drawing(old=parse(text.replace("Sum, ", "")).graph))
    runs = [
        run
        for label in re.findall(r"label=<(.*?)>[,\]]", said)
        for run in re.split("<[^>]*>", label)
    ]
    assert runs
    assert [run for run in runs if run.strip(" ") != run and run.strip(" ")] == []


@pytest.mark.parametrize("text", PROGRAMS)
def test_every_feature_cell_and_step_is_named(text: str) -> None:
    network = architecture(parse(text).graph)
    shown = labels(svg(text))
    for feature in network.features:
        assert feature.name in shown
        assert feature.modality in shown
    for cell in network.cells:
        assert cell.name in shown
        assert all(name in shown for name in cell.inputs)
        assert all(step.name in shown for step in cell.steps)
    assert ("1 value" if text == HALF_OPEN else "23 labels") in shown


@pytest.mark.parametrize("text", [HYPERNET, GENOTYPE, HALF_OPEN])
def test_nothing_is_drawn_that_is_not_declared(text: str) -> None:
    """Graphviz makes a box of every other name that it meets."""
    lines = picture(text).splitlines()
    declared = {m[1] for line in lines if (m := re.match(r'\s*"([^"]*)" \[', line))}
    used = {end for line in lines for end in re.findall(r'^\s*"([^"]*)" ->|-> "([^"]*)"', line)}
    ranked = {n for line in lines if "rank=" in line for n in re.findall(r'; "([^"]*)"', line)}
    assert {a or b for a, b in used} | ranked <= declared


def test_features_show_their_axes() -> None:
    shown = labels(svg(GENOTYPE))
    assert "512 × 28 × 28" in shown
    assert "128 × *" in shown
    assert "optional" in shown


def test_what_the_output_does_not_reach_is_quiet() -> None:
    kinds = classes(svg(HALF_OPEN))
    unused = {name for name, kind in kinds.items() if "unused" in kind}
    assert unused == {
        "Image_2",
        *("Cell_1.Step_3", "Cell_2", "Cell_2.x", "Cell_2.y", "Cell_2.Step_1"),
    }
    for _, head, look in edges(HALF_OPEN):
        assert (SCREEN.quiet in look) == (head in unused)
    assert "Image_2 (unused)" in said(svg(HALF_OPEN))


def test_a_genotype_has_the_edges_that_it_says() -> None:
    assert {(tail, head) for tail, head, _ in edges(GENOTYPE)} == {
        ("Cell_1.x", "Cell_1.Step_1"),
        ("Cell_1.y", "Cell_1.Step_1"),
        ("Cell_1.Step_1", "Cell_1"),
        ("Cell_1.x", "Cell_1"),
        ("Image_2", "Cell_1.x"),
        ("Text_0", "Cell_1.y"),
        ("Cell_2.x", "Cell_2.Step_1"),
        ("Cell_2.y", "Cell_2.Step_1"),
        ("Cell_2.Step_1", "Cell_2"),
        ("Cell_2.x", "Cell_2"),
        ("Text_0", "Cell_2.x"),
        ("Cell_1", "Cell_2.y"),
        ("Cell_1", "output"),
        ("Cell_2", "output"),
        ("output", "head"),
    }
    assert "dashed" not in "".join(look for _, _, look in edges(GENOTYPE))


def test_a_step_shows_the_order_of_its_inputs() -> None:
    assert "ConcatFC(y, x)" in labels(svg(GENOTYPE))


def test_the_skip_connection_is_drawn_only_where_the_merge_reads_it() -> None:
    plain = GENOTYPE.replace("use bmnas", "use paper")
    assert ("Cell_1.x", "Cell_1") in [edge[:2] for edge in edges(GENOTYPE)]
    assert ("Cell_1.x", "Cell_1") not in [edge[:2] for edge in edges(plain)]


def test_holes_are_dashed_and_show_their_candidates() -> None:
    image = svg(HALF_OPEN)
    holes = {name for name, kind in classes(image).items() if "hole" in kind}
    assert holes == {"Cell_1.y", "Cell_1.Step_1", "Cell_1.Step_2"}
    shown = labels(image)
    assert "Text_0 | Text_1" in shown
    assert "Sum | LinearGLU" in shown
    assert "\xa0of 4" in shown
    assert "\xa0of 3" in shown
    dashed = {tail for tail, _, look in edges(HALF_OPEN) if "dashed" in look}
    assert dashed == {"Text_0", "Text_1"}


def test_holes_over_everything_are_no_thicket() -> None:
    large = HYPERNET.replace("Cell[2]", "Cell[6]").replace("Step[2]", "Step[4]")
    dashed = [edge for edge in edges(large) if "dashed" in edge[2]]
    assert len(dashed) == 2 + 1 + 6
    assert "any feature or earlier Cell" in labels(svg(large))


# Names


@pytest.mark.parametrize("name", HOSTILE)
def test_names_stay_inside_their_labels(name: str) -> None:
    text = f"""
    network `{name}`(C = 8, L = 4)
    modality `{name}` {{ `{name}`[c 8] other[c 8] }}
    op `{name}`(x, y) = x + y
    cell `{name} 2`(`{name}` = `{name}`, ?) {{ `{name} 3` = `{name}`(`{name}`, y) }}
    predict 2 classes {{ `{name}`, `{name} 4` }}
    """
    for programs in ENGINES:
        with pytest.MonkeyPatch.context() as patch:
            use_only(programs, patch)
            image = svg(text)
        allowed = {"svg", "g", "a", "title", "text", "polygon", "path", "ellipse", "polyline"}
        assert {element.tag.removeprefix(SVG) for element in image.iter()} <= allowed
        for element in image.iter(f"{SVG}a"):
            assert set(element.attrib) <= {LINK_TITLE}
        shown = labels(image)
        assert statements.shortened(name) in shown
        assert f"{name} 3 of {name} 2" in said(image)


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("name", HOSTILE)
def test_names_stay_text_in_a_pdf(name: str) -> None:
    text = f"""
    network `{name}`(C = 8, L = 4)
    modality `{name}` {{ `{name}`[c 8] other[c 8] }}
    cell `{name} 2`(`{name}` = `{name}`, ?) {{ `{name} 3` = Sum(`{name}`, y) }}
    predict 2 classes {{ `{name}`, `{name} 4` }}
    """
    drawn = render(parse(text).graph, "pdf")
    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", drawn, re.DOTALL)
    parts = [drawn]
    for one in packed:
        with contextlib.suppress(zlib.error):
            parts.append(zlib.decompress(one))
    assert len(parts) > 1
    for action in (b"/URI", b"/JavaScript", b"/JS", b"/Launch", b"/Annots"):
        assert not any(action in part for part in parts)


def test_odd_names_never_become_one_node() -> None:
    names = [*HOSTILE, "a%2Eb", "%", "&", "%26", "\xad28", "\uad28", "a", "A"]
    assert len({statements.node(identifier(name)) for name in names}) == len(names)


def test_text_that_cannot_be_printed_is_spelt_out() -> None:
    assert statements.text("a\nb\u202ec\x00") == r"a\\nb\\u202ec\\x00"
    assert statements.node("a\n\ud800") == "a%0A%ED%A0%80"
    assert "\n" not in statements.tooltip("a\nb")


def test_long_names_are_shortened_and_whole_in_the_tooltip() -> None:
    name = "Feature" * 70
    image = svg(GENOTYPE.replace("Image_2", f"`{name}`"))
    assert name in said(image)
    assert name not in labels(image)
    assert html.unescape(statements.text(name)) in labels(image)


# Engines

ENGINES = [name for name in ("system", "bundled") if name == "bundled" or shutil.which("dot")]


def nothing(*_: object) -> None:
    return None


def python(_: object) -> str:
    """A program that exists and cannot draw."""
    return sys.executable


def use_only(drawing: str, patch: pytest.MonkeyPatch) -> None:
    if drawing == "bundled":
        patch.setattr(shutil, "which", nothing)
    else:
        patch.setattr(engine, "_bundled", nothing)


@pytest.fixture(params=ENGINES)
def drawing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    use_only(name, monkeypatch)
    return name


@pytest.mark.parametrize("text", PROGRAMS)
def test_both_engines_draw_svg_and_png(drawing: str, text: str) -> None:
    assert "combine" in labels(svg(text)), drawing
    assert render(parse(text).graph, "png").startswith(b"\x89PNG")


def test_pdf_needs_the_system_program(drawing: str) -> None:
    graph = parse(GENOTYPE).graph
    if drawing == "system":
        assert "pdf" in formats()
        assert render(graph, "pdf").startswith(b"%PDF")
        return
    assert formats() == ("dot", "svg", "png")
    with pytest.raises(DiagnosticError) as caught:
        render(graph, "pdf")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E509"
    assert "install Graphviz" in (diagnostic.help or "")


def test_a_broken_program_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", python)
    assert "combine" in labels(svg(GENOTYPE))
    monkeypatch.setattr(engine, "_bundled", nothing)
    with pytest.raises(DiagnosticError, match="E509"):
        render(parse(GENOTYPE).graph, "svg")


def test_what_cannot_be_laid_out_in_groups_is_drawn_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "dot"
    script = "print(text) if 'group=\"Cell' not in text else sys.exit(1)"
    read = f"#!{sys.executable}\nimport sys\ntext = sys.stdin.read()\n"
    program.write_text(f"{read}{script}\n", encoding="utf-8")
    program.chmod(0o700)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: str(program))
    monkeypatch.setattr(engine, "_bundled", nothing)
    text = (
        'digraph { ", group=" [label=<<B>x</B>>, reads="{\\", group=\\"}", group="Cell, \\"a"]; }'
    )
    drawn = engine.draw(text, "svg", SCREEN).decode()
    assert drawn.strip() == text.replace(', group="Cell, \\"a"', "")
    assert 'group="Cell' in picture(GENOTYPE)
    drawn = render(parse(GENOTYPE).graph, "svg").decode()
    assert re.sub(', group="[^"]*"', "", picture(GENOTYPE)) == drawn.removesuffix("\n")


def test_what_reads_a_cell_with_open_inputs_stands_above_it() -> None:
    text = f"""{HEADER}
cell Fixed(Image_1, Text_0) {{ Step_1 = Sum(x, y) }}
cell Open(?, ?) {{ Step_1 = Sum(x, y) }}
cell Above(Open, Text_0) {{ Step_1 = Sum(x, y) }}
predict 23 labels
"""
    assert "%row_" not in picture(text)
    beside = text.replace("Above(Open,", "Above(Image_2,")
    assert re.findall(r'"&%row_0_\d" -> "(\w+)\.x"', picture(beside)) == ["Fixed", "Above"]


def test_dot_is_the_text_itself() -> None:
    assert render(parse(GENOTYPE).graph, "dot").decode() == picture(GENOTYPE)


def test_unknown_formats_are_an_error() -> None:
    with pytest.raises(DiagnosticError, match="unknown format of a diagram `gif`"):
        render(parse(GENOTYPE).graph, "gif")


def test_layout_takes_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SECONDS", 0.0001)
    with pytest.raises(DiagnosticError, match="too large to be laid out"):
        render(parse(HYPERNET).graph, "svg")
    monkeypatch.setattr(engine, "MOST_STATEMENTS", 10)
    with pytest.raises(DiagnosticError, match="too large to be laid out"):
        render(parse(HYPERNET).graph, "svg")


def test_a_notebook_shows_the_picture_of_a_spec() -> None:
    shown = parse(GENOTYPE)._repr_mimebundle_()["image/svg+xml"]  # pyright: ignore[reportPrivateUsage]
    assert ElementTree.fromstring(shown).tag == f"{SVG}svg"


@settings(max_examples=20)
@given(specs())
def test_every_program_can_be_drawn(spec: Spec) -> None:
    graph = spec.graph
    network = architecture(graph)
    image = ElementTree.fromstring(render(graph, "svg"))
    drawn = classes(image)
    shown = [n for n, data in graph.nodes(data=True) if data["kind"] != "adapter"]
    assert {statements.node(n) for n in shown} <= set(drawn)
    names = itertools.chain.from_iterable(t.split(", ") for t in said(image))
    assert set(network.feature_by_name) <= {name.removesuffix(" (unused)") for name in names}
