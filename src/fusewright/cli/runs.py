"""Commands that train, search and evaluate."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from .app import Json, Sets, SpecFile, app, load_with, print_json

Data = Annotated[
    Path, typer.Option(help="A .npz or .safetensors file, or a folder of them.", show_default=False)
]
Out = Annotated[Path, typer.Option(metavar="RUN", help="The run folder to write.")]
Config = Annotated[Path | None, typer.Option(help="Settings as a .toml file.")]
Seed = Annotated[int | None, typer.Option(help="Decides every random number.")]
Epochs = Annotated[int | None, typer.Option(help="Passes over the training samples.")]
Batch = Annotated[int | None, typer.Option(help="Samples in a batch.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, …")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a run that is there.")]
Strategy = Annotated[str | None, typer.Option(help="How holes are searched: darts.")]
Relax = Annotated[str | None, typer.Option(help="How open inputs are mixed: shared, per_input.")]
Rule = Annotated[
    str | None, typer.Option(help="The rule for filling holes: paper (distinct_pairs), published.")
]


@app.command()
def search(
    file: SpecFile,
    data: Data,
    out: Out,
    config: Config = None,
    seed: Seed = None,
    epochs: Epochs = None,
    batch: Batch = None,
    strategy: Strategy = None,
    relax: Relax = None,
    rule: Rule = None,
    device: Device = None,
    sets: Sets = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Search the holes of a specification; writes RUN/genotype.fuse."""
    from ..runtime.search import search as run

    options = {
        "seed": seed,
        "epochs": epochs,
        "batch": batch,
        "strategy": strategy,
        "relax": relax,
        "rule": rule,
        "device": device,
    }
    settings = _settings(config, options)
    with _progress("search", settings.epochs) as report:
        result = run(
            load_with(file, sets),
            data,
            out=out,
            settings=settings,
            overwrite=overwrite,
            report=report,
        )
    best = result.history[result.best_epoch - 1]
    metrics = {k: v for k, v in best.items() if isinstance(v, float)}
    found = {"genotype": str(out / "genotype.fuse"), "best_epoch": result.best_epoch, **metrics}
    if json:
        print_json(found)
    else:
        print(f"{result.genotype}\n{_lines(found)}")


@app.command()
def train(
    file: SpecFile,
    data: Data,
    out: Out,
    config: Config = None,
    seed: Seed = None,
    epochs: Epochs = None,
    batch: Batch = None,
    device: Device = None,
    sets: Sets = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Train a network on the training and validation splits; writes RUN/weights.safetensors."""
    from ..runtime.train import train as run

    options = {"seed": seed, "epochs": epochs, "batch": batch, "device": device}
    settings = _settings(config, options)
    with _progress("train", settings.epochs) as report:
        result = run(
            load_with(file, sets),
            data,
            out=out,
            settings=settings,
            overwrite=overwrite,
            report=report,
        )
    found = {"weights": str(out / "weights.safetensors"), **result.history[-1]}
    print_json(found) if json else print(_lines(found))


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a trained run.")],
    data: Data,
    batch: Batch = None,
    device: Device = None,
    json: Json = False,
) -> None:
    """Evaluate a trained run on the test split."""
    from ..runtime.evaluate import evaluate as measure

    metrics = measure(run, data, batch=batch, device=device)
    print_json(metrics) if json else print(_lines(metrics))


@app.command()
def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a trained run.")],
    data: Data,
    output: Annotated[Path, typer.Option("-o", "--output", help="The .npz file to write.")],
    batch: Batch = None,
    device: Device = None,
) -> None:
    """Write the logits of every sample, (samples, K), as the array `logits` of an .npz file."""
    from io import BytesIO

    import numpy as np

    from ..compiler.files import write_file
    from ..runtime.evaluate import predict as compute

    stream = BytesIO()
    np.savez(stream, logits=compute(run, data, batch=batch, device=device))
    write_file(output, stream.getvalue())
    print(_lines({"file": str(output)}))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="The folder to write.")] = Path("demo-run"),
) -> None:
    """Run everything on bundled real data: search, train, compare, export, draw, report."""
    from ..runtime.demo.run import demo as run

    run(out)


def _settings(config: Path | None, options: dict[str, Any]) -> Any:
    from ..runtime.settings import Settings, read_settings

    settings = read_settings(config) if config is not None else Settings()
    return settings.with_options(**options)


@contextmanager
def _progress(what: str, epochs: int) -> Generator[Callable[[dict[str, Any]], None]]:
    """A bar on standard error with the last epoch's numbers beside it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[numbers]}"),
    )
    # Redrawn by hand: a thread that redraws takes turns with those of torch and slows them.
    progress = Progress(*columns, console=Console(stderr=True), auto_refresh=False)
    task = progress.add_task(what, total=epochs, numbers="")

    def report(record: dict[str, Any]) -> None:
        progress.start()
        numbers = "  ".join(f"{k} {v:.4f}" for k, v in record.items() if isinstance(v, float))
        progress.update(task, advance=1, numbers=numbers, refresh=True)

    try:
        yield report
    finally:
        progress.stop()


def _lines(values: dict[str, Any]) -> str:
    shown = {k: f"{v:.4f}" if isinstance(v, float) else v for k, v in values.items()}
    return "\n".join(f"{key}: {value}" for key, value in shown.items())
