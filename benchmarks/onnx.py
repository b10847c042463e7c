"""How fast ONNX files are written and run, against torch and against torch's ONNX exporter.

`python -m benchmarks.onnx`: three genotypes of `examples/` at two batch sizes, on the same weights
and inputs, in one process: our file with its functions in ONNX Runtime, the exporter's file in
ONNX Runtime, torch eager in inference mode, and `torch.compile`. Medians of interleaved
repetitions, as ratios to our file and as times.

NOTE: the exporter refuses two operations of these networks, attention over three axes and adaptive
max pooling of images; for it alone they are given as others with the same results. It writes at
our operator set, where it has an attention operator too, and with the same axes dynamic.
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

import fusewright as fw
from fusewright.compiler.program.program import Input
from fusewright.compiler.targets.onnx.options import OPSET

from .machine import machine

EXAMPLES = Path(__file__).parents[1] / "examples"
NETWORKS = ("ntu1", "ego1", "mmimdb1")
BATCHES = (1, 96)
OURS, EXPORTED, EAGER, COMPILED = "ours", "exporter's", "torch eager", "torch.compile"
SIZES = {"t": 8, "h": 7, "w": 7}
"""Of the axes that a feature leaves open."""
TOLERANCE = 1e-4
REST = 0.01
"""Seconds before a variant's turn, in which the other runtime's threads fall asleep."""
TURN = 0.05
"""Seconds that a variant's turn takes about, in whole calls."""

Arrays = Mapping[str, NDArray[Any]]
Times = Mapping[str, float]


@dataclass(frozen=True)
class Written:
    """A network as both files: medians of the seconds from specification to file, and bytes."""

    name: str
    module: nn.Module
    inputs: Sequence[Input]
    files: Mapping[str, Path]
    seconds: Times

    @property
    def sizes(self) -> Times:
        return {variant: float(file.stat().st_size) for variant, file in self.files.items()}


class Positional(nn.Module):
    """A network over tensors in place of a dictionary, in operations that the exporter knows."""

    def __init__(self, module: nn.Module, names: Sequence[str]) -> None:
        super().__init__()
        self.module = module
        self.names = names

    def forward(self, *features: Tensor) -> Tensor:
        with _Exportable():
            logits: Tensor = self.module(dict(zip(self.names, features, strict=True)))
        return logits


class _Exportable(TorchFunctionMode):
    """Replaces the operations that the exporter refuses."""

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        if func is nn.functional.scaled_dot_product_attention and args[0].ndim == 3:
            return func(*(x.unsqueeze(1) for x in args)).squeeze(1)
        if func is nn.functional.adaptive_max_pool2d:
            image, (rows, columns) = args
            return _pooled(_pooled(image, -2, rows), -1, columns)
        return func(*args, **(kwargs or {}))


def _pooled(x: Tensor, axis: int, count: int) -> Tensor:
    """Adaptive max pooling of one axis."""
    size = x.shape[axis]
    starts = [i * size // count for i in range(count)]
    stops = [-(-(i + 1) * size // count) for i in range(count)]
    bins = [x.narrow(axis, a, b - a).amax(axis) for a, b in zip(starts, stops, strict=True)]
    return torch.stack(bins, axis)


def write(spec: fw.Spec, file: Path) -> None:
    """Our file."""
    onnx.save(fw.compile(spec, "onnx"), file)


def export(spec: fw.Spec, file: Path) -> None:
    """The exporter's file of the same network."""
    module = fw.compile(spec, "torch").eval()
    inputs = features_of(module.program.inputs)
    names = [item.name for item in inputs]
    example = arrays(inputs, 2)
    exported = torch.onnx.export(
        Positional(module, names).eval(),
        tuple(torch.from_numpy(example[name]) for name in names),
        input_names=names,
        output_names=["logits"],
        opset_version=OPSET,
        dynamo=True,
        dynamic_shapes=(tuple(_open_axes(item) for item in inputs),),
        verbose=False,
    )
    assert exported
    exported.save(file)


def _open_axes(item: Input) -> dict[int, Any]:
    axes = {i: a.name for i, a in enumerate(item.type.axes, 1) if a.size is None}
    named = {i: torch.export.Dim(f"{item.name}_{name}") for i, name in axes.items()}
    return {0: torch.export.Dim("batch"), **named}


def features_of(inputs: Iterable[Input]) -> list[Input]:
    return [item for item in inputs if item.kind == "feature"]


def arrays(inputs: Iterable[Input], batch: int) -> Arrays:
    """Normal features, (batch, axes…)."""
    generator = np.random.default_rng(batch)
    shapes = {i.name: (batch, *(a.size or SIZES[a.name] for a in i.type.axes)) for i in inputs}
    return {
        name: generator.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()
    }


def written(name: str, folder: Path, repetitions: int) -> Written:
    """Writes both files, once to warm up, then in turns."""
    spec = fw.load(EXAMPLES / f"{name}_genotype.fuse")
    files = {OURS: folder / f"{name}.onnx", EXPORTED: folder / f"{name}_exported.onnx"}
    actions = {
        OURS: lambda: write(spec, files[OURS]),
        EXPORTED: lambda: export(spec, files[EXPORTED]),
    }
    taken: dict[str, list[float]] = {variant: [] for variant in actions}
    for _ in range(repetitions + 1):
        for variant, action in actions.items():
            taken[variant].append(timed(action))
    seconds = {variant: median(each[1:]) for variant, each in taken.items()}
    module = fw.compile(spec, "torch").eval()
    return Written(name, module, features_of(module.program.inputs), files, seconds)


def variants(
    network: Written, given: Arrays, threads: int, compiled: bool
) -> dict[str, Callable[[], NDArray[Any]]]:
    """What gives the logits (batch, K), by its name."""
    tensors = {name: torch.from_numpy(array) for name, array in given.items()}

    def in_runtime(file: Path) -> Callable[[], NDArray[Any]]:
        session = _session(file, threads)
        return lambda: np.asarray(session.run(None, given)[0])

    def in_torch(module: Any) -> Callable[[], NDArray[Any]]:
        return torch.inference_mode()(lambda: module(tensors).numpy())

    found = {variant: in_runtime(file) for variant, file in network.files.items()}
    found[EAGER] = in_torch(network.module)
    if compiled:
        torch.compiler.reset()
        found[COMPILED] = in_torch(torch.compile(network.module, dynamic=False))
    return found


def _session(file: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(file, options, ["CPUExecutionProvider"])


def first_calls(actions: Mapping[str, Callable[[], NDArray[Any]]]) -> Times:
    """The seconds that they take; raises AssertionError where the logits differ."""
    expected = actions[EAGER]()
    seconds = {}
    for variant, action in actions.items():
        start = perf_counter()
        found = action()
        seconds[variant] = perf_counter() - start
        error = np.abs(found - expected).max() / max(1.0, np.abs(expected).max())
        assert error <= TOLERANCE, f"{variant} differs by {error:.1e}"
    return seconds


def interleaved(actions: Mapping[str, Callable[[], object]], repetitions: int) -> Times:
    """Medians of the seconds of a call, some calls of each variant in its turn."""
    calls = {variant: max(1, int(TURN / timed(action))) for variant, action in actions.items()}
    taken: dict[str, list[float]] = {variant: [] for variant in actions}
    for _ in range(repetitions):
        for variant, action in actions.items():
            sleep(REST)
            action()
            taken[variant] += [timed(action) for _ in range(calls[variant])]
    return {variant: median(each) for variant, each in taken.items()}


def timed(action: Callable[[], object]) -> float:
    start = perf_counter()
    action()
    return perf_counter() - start


def table(title: str, rows: Mapping[str, Times]) -> Iterator[str]:
    columns = next(iter(rows.values()))
    yield f"{title:<34}" + "".join(f"{column:>15}" for column in columns)
    for name, values in rows.items():
        yield f"  {name:<32}" + "".join(f"{value:>15,.2f}" for value in values.values())


def report(title: str, unit: str, factor: float, rows: Mapping[str, Times]) -> Iterator[str]:
    """Ratios to our file, then the figures themselves."""
    yield from table(f"{title}, ours = 1", {n: _scaled(r, 1 / r[OURS]) for n, r in rows.items()})
    yield from table(f"{title}, {unit}", {n: _scaled(r, factor) for n, r in rows.items()})


def _scaled(values: Times, factor: float) -> Times:
    return {name: factor * value for name, value in values.items()}


def run(options: argparse.Namespace) -> Iterator[str]:
    latency: dict[str, Times] = {}
    compiling: dict[str, Times] = {}
    with tempfile.TemporaryDirectory() as folder:
        networks = [written(name, Path(folder), options.exports) for name in options.networks]
        for network in networks:
            for batch in BATCHES:
                given = arrays(network.inputs, batch)
                actions = variants(network, given, options.threads, not options.no_compile)
                name = f"{network.name}, batch {batch}"
                first = first_calls(actions)
                compiling[name] = {v: first[v] for v in (COMPILED,) if v in first}
                latency[name] = interleaved(actions, options.repetitions)
        yield from report("latency", "ms", 1e3, latency)
        seconds = {network.name: network.seconds for network in networks}
        yield from report("specification to file", "ms", 1e3, seconds)
        yield from report("size", "kB", 1e-3, {network.name: network.sizes for network in networks})
    if not options.no_compile:
        yield from table("compiling and the first call, s", compiling)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=25)
    parser.add_argument("--exports", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-compile", action="store_true", help="leave out `torch.compile`")
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    options = parser.parse_args()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    torch.set_num_threads(options.threads)
    torch.compiler.config.force_disable_caches = True
    print(machine("torch", "onnxruntime", "onnx", "onnxscript"))
    print(f"{options.threads} threads for torch and for ONNX Runtime; open axes {SIZES}")
    print(f"load before: {os.getloadavg()[0]:.1f}; others at work here distort what follows")
    for line in run(options):
        print(line)


if __name__ == "__main__":
    main()
