"""Commands that train, search and evaluate."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ..compiler.diagnostics import fail
from ..compiler.spec import Spec
from .app import Json, Sets, SpecFile, app, load_with, print_json
from .bar import Bar
from .rounds import rounds

Data = Annotated[
    Path, typer.Option(help="A .npz or .safetensors file, or a folder of them.", show_default=False)
]
Out = Annotated[Path, typer.Option(metavar="RUN", help="The run folder to write.")]
Config = Annotated[Path | None, typer.Option(help="Settings as a .toml file.")]
Seed = Annotated[int | None, typer.Option(help="Decides every random number.")]
Epochs = Annotated[int | None, typer.Option(help="Passes over the training samples.")]
Batch = Annotated[int | None, typer.Option(help="Samples in a batch.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, …")]
Trained = Annotated[
    Path, typer.Argument(metavar="RUN|ONNX", help="A trained run's folder, or an ONNX file.")
]
Precision = Annotated[str | None, typer.Option(help="float32, bfloat16 or float16.")]
Compile = Annotated[
    bool | None, typer.Option("--compile", help="Use torch.compile: slow to start, then faster.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a run that is there.")]
Strategy = Annotated[
    str | None, typer.Option(help="How holes are searched: darts, gdas, single-path, halving, …")
]
Select = Annotated[
    str | None,
    typer.Option(help="How the genotype is chosen: argmax, perturbation, ranking, halving."),
]
SecondOrder = Annotated[
    bool | None, typer.Option("--second-order", help="Unroll darts and gdas by a weight step.")
]
Candidates = Annotated[int | None, typer.Option(help="Genotypes that are trained by themselves.")]
TensorBoard = Annotated[
    bool | None, typer.Option("--tensorboard", help="Write RUN/tensorboard/ as well.")
]
Controls = Annotated[
    bool,
    typer.Option(
        "--controls",
        help="Train controls afterwards, scored on validation: late fusion and random genotypes.",
    ),
]
Storage = Annotated[
    str | None,
    typer.Option(metavar="JOURNAL|URL", help="Share candidates with other workers (optuna)."),
]
Weights = Annotated[
    Path | None,
    typer.Option(help="Weights to start from, such as RUN/found.safetensors; else from scratch."),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")]
Profile = Annotated[
    str | None,
    typer.Option(metavar="PROFILE.json", help="The machine that latency is limited on."),
]
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
    select: Select = None,
    second_order: SecondOrder = None,
    candidates: Candidates = None,
    storage: Storage = None,
    profile: Profile = None,
    relax: Relax = None,
    rule: Rule = None,
    device: Device = None,
    precision: Precision = None,
    compile: Compile = None,
    tensorboard: TensorBoard = None,
    controls: Controls = False,
    sets: Sets = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    json: Json = False,
) -> None:
    """Search the holes of a specification; writes RUN/genotype.fuse."""
    from ..runtime.processes import rank
    from ..runtime.search import search as run

    options = {
        "seed": seed,
        "epochs": epochs,
        "batch": batch,
        "strategy": strategy,
        "select": select,
        "second_order": second_order,
        "candidates": candidates,
        "storage": storage,
        "profile": profile,
        "relax": relax,
        "rule": rule,
        "device": device,
        "precision": precision,
        "compile": compile,
        "tensorboard": tensorboard,
    }
    settings = _settings(config, options)
    spec = load_with(file, sets)
    with rounds(_metric(spec)) as report:
        result = run(
            spec,
            data,
            out=out,
            settings=settings,
            overwrite=overwrite,
            resume=resume,
            report=report,
        )
    best = result.history[result.best_round - 1]
    metrics = {k: v for k, v in best.items() if isinstance(v, float)}
    found = {"genotype": str(out / "genotype.fuse"), "best_round": result.best_round, **metrics}
    compared = _compared(spec, data, result, settings, out) if controls else None
    if rank():
        return
    if json:
        print_json(found if compared is None else {**found, "controls": asdict(compared)})
        return
    print(f"{result.genotype}\n{_lines(found)}")
    if compared is not None:
        _show_controls(compared)


@app.command()
def train(
    file: SpecFile,
    data: Data,
    out: Out,
    weights: Weights = None,
    config: Config = None,
    seed: Seed = None,
    epochs: Epochs = None,
    batch: Batch = None,
    device: Device = None,
    precision: Precision = None,
    compile: Compile = None,
    tensorboard: TensorBoard = None,
    sets: Sets = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Train a network on the training and validation splits; writes RUN/weights.safetensors."""
    from ..runtime.train import train as run

    options = {
        "seed": seed,
        "epochs": epochs,
        "batch": batch,
        "device": device,
        "precision": precision,
        "compile": compile,
        "tensorboard": tensorboard,
    }
    settings = _settings(config, options)
    with _epochs("train", settings.epochs) as report:
        result = run(
            load_with(file, sets),
            data,
            weights=weights,
            out=out,
            settings=settings,
            overwrite=overwrite,
            report=report,
        )
    found = {"weights": str(out / "weights.safetensors"), **result.history[-1]}
    print_json(found) if json else print(_lines(found))


@app.command()
def evaluate(
    model: Trained,
    data: Data,
    batch: Batch = None,
    device: Device = None,
    json: Json = False,
) -> None:
    """Evaluate a trained run or an ONNX file on the test split."""
    from ..runtime.evaluate import evaluate as measure

    with Bar("evaluate") as bar:
        metrics = measure(model, data, batch=batch, device=device, progress=bar.show)
    print_json(metrics) if json else print(_lines(metrics))


@app.command()
def predict(
    model: Trained,
    data: Data,
    output: Annotated[Path, typer.Option("-o", "--output", help="FILE.npz or FILE.csv.")],
    batch: Batch = None,
    device: Device = None,
) -> None:
    """Write what a trained run or an ONNX file gives for every sample, and what that predicts."""
    from ..compiler.files import write_file
    from ..runtime.evaluate import predict_with
    from ..runtime.predictions import as_csv, as_npz, predictions
    from ..runtime.predictor import open_predictor

    if output.suffix not in (".npz", ".csv"):
        raise fail("E504", f"`{output}` names no format", help="end it in .npz or .csv")
    predictor = open_predictor(model)
    settings = predictor.settings.with_options(batch=batch, device=device)
    with Bar("predict") as bar:
        outputs = predict_with(predictor, data, settings, bar.show)
    head = predictor.network.head
    found = predictions(head, predictor.output, outputs)
    write_file(output, as_csv(head, found) if output.suffix == ".csv" else as_npz(found))
    print(_lines({"file": str(output), "samples": len(outputs)}))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="The folder to write.")] = Path("demo-run"),
) -> None:
    """Run everything on bundled real data: search, train, compare, export, draw, report."""
    from ..runtime.demo.run import demo as run

    run(out)


def _metric(spec: Spec) -> str:
    """The number in a record that a search of a specification selects by."""
    from ..runtime.predictions import SELECTION_METRIC

    kind = spec.predict.kind if spec.predict else "classes"
    return f"validation_{SELECTION_METRIC[kind]}"


def _compared(spec: Spec, data: Path, result: Any, settings: Any, out: Path) -> Any:
    """The controls of a search, with a bar over the networks that are trained."""
    from ..runtime.controls import compare_with_controls

    with Bar("controls") as bar:
        return compare_with_controls(
            spec,
            data,
            result,
            settings=settings,
            out=out,
            told=lambda name, score: bar.show(bar.done + 1, None, f"{name} {score:.4f}"),
        )


def _show_controls(found: Any) -> None:
    """The controls as a table."""
    print(f"controls, {found.epochs} epochs each, by {found.metric} on validation:")
    width = max(len(row.name) for row in found.rows)
    for row in found.rows:
        cost = f"{row.weight_steps:,.1f} weight steps"
        print(f"  {row.name:<{width}}  {row.score:.4f}  {len(row.scores)} trained, {cost}")
    print(
        f"the search cost {found.weight_steps:,.1f} weight steps: {found.bought} genotypes' worth"
    )
    for line in found.left_out:
        print(f"left out: {line}")


def _settings(config: Path | None, options: dict[str, Any]) -> Any:
    from ..runtime.settings import Settings, read_settings

    settings = read_settings(config) if config is not None else Settings()
    return settings.with_options(**options)


@contextmanager
def _epochs(what: str, epochs: int) -> Generator[Callable[[dict[str, Any]], None]]:
    """A bar over epochs, with the last one's numbers beside it."""
    with Bar(what) as bar:

        def report(record: dict[str, Any]) -> None:
            shown = (f"{k} {v:.4f}" for k, v in record.items() if isinstance(v, float))
            bar.show(bar.done + 1, epochs, "  ".join(shown))

        yield report


def _lines(values: dict[str, Any]) -> str:
    shown = {k: f"{v:.4f}" if isinstance(v, float) else v for k, v in values.items()}
    return "\n".join(f"{key}: {value}" for key, value in shown.items())
