"""Measuring a latency profile in ONNX Runtime: each part of a space alone, then whole networks.

A part's latency is the median of its runs less that of a model which takes the same inputs and
computes nothing. Whole networks, drawn at random from the space, show what a run costs beside its
parts: the overhead is fitted to half of them, and predictions are checked on the other half.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, median
from time import perf_counter
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from ...compiler.check.check import checked
from ...compiler.language.spec import Spec
from ...compiler.language.variants import some_picks
from ...compiler.measure.memory import network_memory, require_memory
from ...compiler.measure.parts import Parts
from ...compiler.network.choices import fill
from ...compiler.network.network import Network
from ...compiler.program.initial import initial_values
from ...compiler.program.program import Input
from ...compiler.system.provenance import versions
from ...compiler.targets.onnx.export import compile_onnx
from ...compiler.targets.onnx.options import OnnxOptions
from ...compiler.targets.onnx.part import export_nothing, export_part
from ...compiler.targets.target import Subject
from ...ops.types import TensorType
from ..genotypes.sample import draw
from .profile import Check, Profile

SIZES: Mapping[str, int] = {"t": 8, "h": 7, "w": 7}
"""What open axes are measured at, unless it is said."""
CALLS = 3
"""How many calls in a turn are timed, after one that is not."""
WHOLE = 20
"""Networks that are drawn: half of them to fit the overhead, half to check."""
_ERRORS_ONLY = 3
INLINE = OnnxOptions(inline=True)


def profile(
    spec: Spec,
    name: str,
    *,
    threads: int = 1,
    repetitions: int = 30,
    sizes: Mapping[str, int] = SIZES,
    seed: int = 0,
) -> Profile:
    """Measures the parts of a specification on this machine, a batch of one sample at a time."""
    network = checked(spec)
    variants = map(network.variant, some_picks(network.global_holes))
    every = {part.key: part for one in variants for part in Parts(one).every() if part.computes}
    parts = list(every.values())
    bench = _Bench(threads, {**SIZES, **sizes})
    for part in parts:
        require_memory(network_memory(part.optimised), part.name)
        model = export_part(part.optimised, initial_values(part.optimised))
        bench.add(part.key, model, part.optimised.inputs)
        bench.add(f"{part.key} nothing", export_nothing(part.optimised), part.optimised.inputs)
    whole = _whole(network, seed)
    for number, one in enumerate(whole):
        bench.add_subject(f"network {number}", Subject(one))
    medians = bench.medians(repetitions)
    latencies = Profile(
        name=name,
        overhead=0.0,
        milliseconds={p.key: max(0.0, medians[p.key] - medians[f"{p.key} nothing"]) for p in parts},
        names={part.key: part.name for part in parts},
        threads=threads,
        repetitions=repetitions,
        sizes=bench.sizes,
        machine=machine(),
        versions=versions(),
    )
    return _fitted(latencies, whole, [medians[f"network {n}"] for n in range(len(whole))])


def measured(
    subjects: Sequence[Subject],
    *,
    threads: int = 1,
    repetitions: int = 30,
    sizes: Mapping[str, int],
) -> list[float]:
    """What whole networks take, in milliseconds: medians over repetitions, in turns."""
    bench = _Bench(threads, sizes)
    for number, subject in enumerate(subjects):
        bench.add_subject(str(number), subject)
    medians = bench.medians(repetitions)
    return [medians[str(number)] for number in range(len(subjects))]


def _fitted(found: Profile, whole: Sequence[Network], taken: Sequence[float]) -> Profile:
    """The profile with the overhead that the even networks have, and its error on the odd ones."""
    sums = [found.predicted(network) for network in whole]
    beside = [t - s for t, s in zip(taken, sums, strict=True)]
    fitted = replace(found, overhead=max(0.0, median(beside[::2])))
    if len(whole) < 2:
        return fitted
    errors = [
        abs(s + fitted.overhead - t) / t for t, s in zip(taken[1::2], sums[1::2], strict=True)
    ]
    return replace(fitted, check=Check(len(errors), fmean(errors), max(errors)))


def _whole(network: Network, seed: int) -> list[Network]:
    """Networks of a space, each once; a network without holes is the only one of its own."""
    generator = np.random.default_rng(seed)
    draws = dict.fromkeys(draw(network, generator) for _ in range(WHOLE))
    return [checked(fill(network, choices)) for choices in draws]


@dataclass(frozen=True)
class _Runner:
    session: onnxruntime.InferenceSession
    given: Mapping[str, NDArray[Any]]

    def seconds(self) -> float:
        start = perf_counter()
        self.session.run(None, self.given)
        return perf_counter() - start


class _Bench:
    """Models by name, timed in turns so that what else the machine does meets all of them."""

    def __init__(self, threads: int, sizes: Mapping[str, int]) -> None:
        self.threads, self.sizes = threads, dict(sizes)
        self._runners: dict[str, _Runner] = {}

    def add(self, name: str, model: onnx.ModelProto, inputs: Sequence[Input]) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, ["CPUExecutionProvider"]
        )
        generator = np.random.default_rng(0)
        arrays = {
            i.name: generator.standard_normal(self._shape(i), dtype=np.float32)
            for i in inputs
            if i.kind == "feature"
        }
        self._runners[name] = _Runner(session, arrays)

    def add_subject(self, name: str, subject: Subject) -> None:
        """A network with the features that it takes; lengths and presence have defaults."""
        model = compile_onnx(subject, INLINE)
        names = {item.name for item in model.graph.input}
        features = [f for f in subject.network.features if f.name in names]
        self.add(name, model, [Input(f.name, TensorType(f.axes or ())) for f in features])

    def _shape(self, item: Input) -> tuple[int, ...]:
        return (1, *(a.size or self.sizes[a.name] for a in item.type.axes))

    def medians(self, repetitions: int) -> dict[str, float]:
        """Milliseconds by name."""
        times: dict[str, list[float]] = {name: [] for name in self._runners}
        for _ in range(repetitions):
            for name, runner in self._runners.items():
                runner.seconds()
                times[name] += [runner.seconds() for _ in range(CALLS)]
        return {name: 1e3 * median(each) for name, each in times.items()}


def machine() -> dict[str, str | int]:
    """The processor, how many cores there are, and the system."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [x.partition(":")[2].strip() for x in lines if x.startswith("model name")]
    processor = models[0] if models else platform.processor() or platform.machine()
    return {"processor": processor, "cores": os.cpu_count() or 1, "system": platform.system()}
