"""`fusewright profile`: what the parts of a specification take on this machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from ...compiler.diagnostics.diagnostic import fail
from ..app import Json, Sets, SpecFile, app, load_with, print_json

_SIZE = re.compile(r"(t|h|w)=([0-9]{1,6})")


@app.command()
def profile(
    file: SpecFile,
    output: Annotated[Path, typer.Option("-o", "--output", help="PROFILE.json.")],
    name: Annotated[
        str | None, typer.Option(help="What `on` calls it; by default the file's name.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of ONNX Runtime.")] = 1,
    repetitions: Annotated[int, typer.Option(min=1, help="Turns that medians are of.")] = 30,
    sizes: Annotated[
        list[str] | None,
        typer.Option("--size", metavar="AXIS=SIZE", help="An open axis; t=8, h=7, w=7 otherwise."),
    ] = None,
    sets: Sets = None,
    json: Json = False,
) -> None:
    """Measure the latency of a specification's parts in ONNX Runtime, one sample at a time."""
    from ...compiler.language.nodes import name_problem
    from ...compiler.system.files import write_file
    from ...runtime.latency.measure import profile as measure

    called = output.stem if name is None else name
    if problem := name_problem(called):
        raise fail("E506", f"`{called}` cannot name a profile: {problem}", help="give `--name`")
    result = measure(
        load_with(file, sets),
        called,
        threads=threads,
        repetitions=repetitions,
        sizes=_sizes(sizes or []),
    )
    write_file(output, result.text().encode())
    summary = {"profile": str(output), "name": result.name, "parts": len(result.milliseconds)}
    if result.check is not None:
        summary |= {"mean_error": result.check.mean_error, "networks": result.check.networks}
    if json:
        print_json(summary)
        return
    print(f"profile `{result.name}`: {len(result.milliseconds)} parts, in `{output}`")
    if result.check is not None:
        errors = f"{result.check.mean_error:.1%} off on average, {result.check.largest_error:.1%}"
        print(f"{result.check.networks} whole networks were {errors} at most")


def _sizes(given: list[str]) -> dict[str, int]:
    """The sizes of open axes; raises DiagnosticError where one cannot be read."""
    sizes: dict[str, int] = {}
    for text in given:
        match = _SIZE.fullmatch(text)
        if match is None or not 1 <= int(match[2]) <= 100_000:
            message = f"`--size {text}` is no size of an open axis"
            raise fail("E506", message, help="write `--size t=8`; axes are t, h and w")
        sizes[match[1]] = int(match[2])
    return sizes
