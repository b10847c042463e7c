"""The command `draw`: specifications, genotypes and runs as pictures and pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.system.files import is_folder
from .. import complete
from ..app import Sets, app, load_with

if TYPE_CHECKING:
    from ...compiler.graph.build import Graph
    from ...compiler.targets.diagram import Drawn, EnsembleGraph
    from ...runtime.runs.read import FinishedRun

PAGE = "html"
SHOWN = ("feature", "cell", "step", "predict")
"""Kinds of changes that a picture shows."""
INCHES = {"in": 1.0, "cm": 1 / 2.54, "mm": 1 / 25.4, "pt": 1 / 72, "": 1.0}
_NUMBER = re.compile(r"[0-9]{1,9}")
_WIDTH = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(in|cm|mm|pt|)")

Sources = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE|RUN…",
        help="A specification, an ensemble, or folders of finished searches.",
        autocompletion=complete.networks_and_runs,
    ),
]
Picture = Annotated[
    Path,
    typer.Option(
        "-o", "--output", help="FILE.svg, .png, .pdf, .dot, .tikz, .tex, or a page: .html."
    ),
]
StyleName = Annotated[
    str,
    typer.Option(
        "--style",
        help="screen, dark, or paper for print.",
        autocompletion=complete.styles,
    ),
]
Width = Annotated[
    str | None,
    typer.Option(metavar="WIDTH", help="At most so wide: one-column, two-column, 8.5cm, 3.3in."),
]
Direction = Annotated[
    str,
    typer.Option(
        metavar="bottom-up|left-right",
        help="Where it flows to.",
        autocompletion=complete.directions,
    ),
]
Cell = Annotated[str, typer.Option(metavar="NAME", help="Draw one Cell alone.")]
Compact = Annotated[bool, typer.Option("--compact", help="Fold modalities and Cells.")]
Round = Annotated[int | None, typer.Option("--round", help="Of a run: this round, not the kept.")]
Since = Annotated[
    str | None,
    typer.Option(metavar="FILE|ROUND", help="Show what changed since a genotype or a round."),
]


@app.command()
def draw(
    sources: Sources,
    output: Picture,
    style: StyleName = "screen",
    width: Width = None,
    cell: Cell = "",
    compact: Compact = False,
    direction: Direction = "bottom-up",
    since: Since = None,
    round: Round = None,
    sets: Sets = None,
) -> None:
    """Draw a search space, a genotype, a run's hypernet, or what changed; or write their page.

    Of a run whose search keeps weights, the picture is the hypernet with its weights, and otherwise
    the genotype. A page shows every round, and several runs of one specification side by side.
    """
    from ...compiler.system.files import write_file
    from ...compiler.targets.diagram import (
        FORMATS,
        Drawing,
        EnsembleGraph,
        render,
        smallest_text,
        style_named,
    )

    kind = output.suffix.lstrip(".").lower()
    if kind not in (*FORMATS, PAGE):
        message = f"`{output}` names no picture format"
        listed = ", ".join("." + f for f in (*FORMATS, PAGE))
        raise fail("E504", message, help=f"end it in {listed}")
    if kind == PAGE:
        flags = {
            "--style": style != "screen",
            "--width": width is not None,
            "--direction": direction != "bottom-up",
            "--cell": bool(cell),
            "--compact": compact,
            "--since": since is not None,
            "--round": round is not None,
        }
        ignored = [option for option, is_given in flags.items() if is_given]
        if ignored:
            raise fail(
                "E506", f"a page takes no `{ignored[0]}`", help="it shows all of that itself"
            )
        write_file(output, _page(sources, sets).encode())
        return
    if len(sources) > 1:
        remedy = "give one; a page, .html, shows several runs side by side"
        raise fail("E506", "a picture shows one specification or run", help=remedy)
    look = style_named(style, direction)
    shown = _Shown(sources[0], sets, round)
    graph, options = shown.picture(since)
    drawing = Drawing(look, _inches(width), cell=cell, compact=compact, **options)
    content = render(graph, kind, drawing)
    write_file(output, content)
    if drawing.old is not None and not isinstance(graph, EnsembleGraph):
        _tell_of_other_changes(drawing.old, graph)
    if drawing.width is not None and kind != "dot":
        _warn_of_small_text(smallest_text(graph, drawing, content if kind == "svg" else None))


def _page(sources: list[Path], sets: list[str] | None) -> str:
    """The page of a specification, or of runs."""
    for source in sources:
        _require_no_sets(source, sets)
    if len(sources) == 1 and _is_ensemble(sources[0]):
        from ...compiler.targets.page import page

        return page(_ensemble(sources[0]))
    if all(is_folder(source) for source in sources):
        from ...runtime.report.pages import pages

        return pages(sources)
    if len(sources) > 1:
        message = "a page shows one specification, or runs"
        raise fail("E506", message, help="give one file, or folders of searches")
    from ...compiler.check.check import checked
    from ...compiler.graph.build import build
    from ...compiler.targets.page import page

    return page(build(checked(load_with(sources[0], sets))))


@dataclass(frozen=True)
class _Shown:
    """What is drawn: a file, or a round of a run."""

    source: Path
    sets: list[str] | None
    round: int | None

    def picture(self, since: str | None) -> tuple[Drawn, dict[str, Any]]:
        """What is drawn, and what its drawing says beyond it."""
        from ...compiler.check.check import checked
        from ...compiler.graph.build import build

        if not is_folder(self.source):
            if self.round is not None:
                raise fail("E506", "a specification has no rounds", help="give a run folder")
            graph = build(checked(load_with(self.source, self.sets)))
            return graph, self._since(since, None)
        _require_no_sets(self.source, self.sets)
        if _is_ensemble(self.source):
            if since is not None or self.round is not None:
                message = "an ensemble has no rounds, and no changes are drawn of it"
                raise fail("E506", message, help="draw the specification of a member")
            return _ensemble(self.source), {}
        from ...runtime.report.pages import genotype_of, hypernet_of
        from ...runtime.runs.read import read_run

        run = read_run(self.source)
        hypernet = hypernet_of(run, self.round) if since is None and run.search else None
        if hypernet is not None:
            return build(hypernet[0]), {"overlay": hypernet[1]}
        return build(checked(genotype_of(run, self.round))), self._since(since, run)

    def _since(self, since: str | None, run: FinishedRun | None) -> dict[str, Any]:
        from ...compiler.check.check import checked
        from ...compiler.graph.build import build

        if since is None:
            return {}
        if _NUMBER.fullmatch(since) and run is not None:
            from ...runtime.report.pages import genotype_of

            return {"old": build(checked(genotype_of(run, int(since))))}
        return {"old": build(checked(load_with(Path(since), self.sets)))}


def _is_ensemble(source: Path) -> bool:
    if not is_folder(source):  # of which a drawing needs no arrays
        return False
    from ...runtime.runs.folder import RunFolder

    return RunFolder(source).holds_ensemble


def _ensemble(folder: Path) -> EnsembleGraph:
    """The Graphs of the members of an ensemble."""
    from ...compiler.targets.diagram import EnsembleGraph
    from ...runtime.runs.ensemble import read_ensemble

    return EnsembleGraph.of(read_ensemble(folder))


def _inches(width: str | None) -> float | None:
    """A width in inches, from a number with a unit or the name of a column."""
    from ...compiler.targets.diagram import ONE_COLUMN, TWO_COLUMNS

    if width is None:
        return None
    columns = {"one-column": ONE_COLUMN, "two-column": TWO_COLUMNS}
    match = _WIDTH.fullmatch(width.strip())
    inches = columns.get(width) or (float(match[1]) * INCHES[match[2]] if match else 0.0)
    if not 0.5 <= inches <= 100:
        remedy = "give one-column, two-column, or a length such as 3.3in or 8.5cm"
        raise fail("E506", f"`{width}` is no width of a picture", help=remedy)
    return inches


def _require_no_sets(source: Path, sets: list[str] | None) -> None:
    if sets and is_folder(source):
        raise fail("E506", "a run has its numbers already", help="leave out `--set`")


def _tell_of_other_changes(old: Graph, new: Graph) -> None:
    """Says what changed that a picture does not show."""
    from ...compiler.graph.write import specification
    from ...compiler.tools.difference import difference

    changes = difference(*map(specification, (old, new)))
    others = [str(change) for change in changes if change.kind not in SHOWN]
    if others:
        typer.echo("note: what the picture does not show changed, too:", err=True)
        typer.echo("\n".join(others), err=True)
    elif not changes:
        typer.echo("note: nothing changed", err=True)


def _warn_of_small_text(points: float) -> None:
    from ...compiler.targets.diagram import LEGIBLE

    if points < LEGIBLE:
        message = f"the smallest text is {points:.1f} pt at this width, below {LEGIBLE:g} pt"
        remedy = "give more width, --compact, or one --cell"
        typer.echo(f"note: {message}; {remedy}", err=True)
