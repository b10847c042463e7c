"""The certificate of an ONNX model: what was checked, on which inputs, and what was measured.

A model is run in ONNX Runtime beside the numpy reference in float64 and beside the torch module,
on random inputs and on extreme ones. It passes where it is as near to the reference as `TOLERANCE`
says, or at most `MARGIN` times as far from it as torch, which computes in float32 too.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import file_digest
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray

from ....ops.types import TensorType
from ...diagnostics import fail
from ...network import PROBABILITIES, Network
from ...program import Input, Program
from ..numpy import NumpyNetwork, probabilities_of
from .file import open_session, run, weights_file
from .precision import Precision

TOLERANCE = 1e-5
MARGIN = 10
LARGE = 1e3
RANDOM = "random"
LONGEST = 64
"""The longest time that is tried for an axis known only at run time."""
MOST_NUMBERS = 1_000_000
"""How many numbers the features of a comparison have, as far as that can be chosen."""
Features: TypeAlias = Mapping[str, NDArray[Any]]
Evaluate: TypeAlias = Callable[[Features], NDArray[Any]]
_PACKAGES = ("fusewright", "onnx", "onnxruntime", "torch", "numpy")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one kind of input showed: the largest differences to the reference, in float64.

    `relative` is max|a − b| / max(1, max|b|); `torch` the same of the torch module, if there is
    one; `finite` the share of values that are finite in float32, which alone are compared.
    """

    inputs: str
    absolute: float
    relative: float
    torch: float | None
    finite: float

    @property
    def passes(self) -> bool:
        return self.relative <= max(TOLERANCE, MARGIN * (self.torch or 0.0))


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was measured of a model: it describes files with these hashes alone."""

    opset: int
    ir_version: int
    precision: Precision
    functions: int
    files: Mapping[str, Mapping[str, Any]]
    comparisons: tuple[Comparison, ...]

    @property
    def absolute(self) -> float:
        return max(c.absolute for c in self.comparisons)

    @property
    def relative(self) -> float:
        return max(c.relative for c in self.comparisons)

    def as_json(self) -> dict[str, Any]:
        """Everything, with the versions that it was measured with."""
        return {
            "opset": self.opset,
            "ir_version": self.ir_version,
            "precision": self.precision,
            "functions": self.functions,
            "files": self.files,
            "absolute": self.absolute,
            "relative": self.relative,
            "tolerance": TOLERANCE,
            "comparisons": [asdict(c) for c in self.comparisons],
            "versions": _versions(),
        }


def certify(
    path: Path,
    network: Network,
    reference: NumpyNetwork,
    torch: Evaluate | None = None,
    precision: Precision = "float32",
) -> Certificate:
    """Checks a model file and compares it with the reference and the torch module.

    Raises DiagnosticError where the file is not valid ONNX, where its shapes cannot be inferred,
    or where a float32 model differs; other precisions are measured, not judged.
    """
    model = _checked(path, network)
    session = open_session(path)
    is_output = model.graph.output[0].name == PROBABILITIES

    def given(logits: NDArray[Any]) -> NDArray[Any]:
        return probabilities_of(logits, network.head.kind) if is_output else logits

    comparisons = []
    for name, inputs in cases(reference.program):
        exact = given(reference(inputs))
        found = run(session, inputs)
        beside = None if torch is None else given(torch(inputs))
        comparison = _compare(name, found, exact, beside, precision)
        if precision == "float32" and not comparison.passes:
            shown = f"{comparison.relative:.2e}, relative, on inputs that are {name}"
            message = f"the ONNX model differs from the reference by {shown}"
            remedy = "the weights may be too large for float32; nothing was written"
            raise fail("E508", message, help=remedy)
        comparisons.append(comparison)
    return Certificate(
        model.opset_import[0].version,
        model.ir_version,
        precision,
        len(model.functions),
        {file.name: _described(file) for file in (path, weights_file(path)) if file.is_file()},
        tuple(comparisons),
    )


def _checked(path: Path, network: Network) -> onnx.ModelProto:
    """The model, valid and with its shapes inferred strictly; its weights are not loaded."""
    try:
        onnx.checker.check_model(str(path), full_check=True)
        model = onnx.load(path)
        inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        line = str(error).strip().splitlines()[0]
        raise fail("E508", f"the ONNX model is not valid: {line}") from None
    sizes = inferred.graph.output[0].type.tensor_type.shape.dim
    if len(sizes) != 2 or sizes[1].dim_value != network.head.count:
        message = f"the output of the ONNX model is not (batch, {network.head.count})"
        raise fail("E508", message)
    return model


def _compare(
    name: str,
    found: NDArray[Any],
    exact: NDArray[Any],
    torch: NDArray[Any] | None,
    precision: Precision,
) -> Comparison:
    """Raises DiagnosticError where a float32 model gives what is no number, and the others do."""
    finite = np.abs(exact) < np.finfo(np.float32).max
    if torch is not None:
        finite &= np.isfinite(torch)
    if name.startswith(RANDOM) and not finite.all():
        message = "the network gives values that are not finite on random inputs"
        raise fail("E508", message, help="look for a division by zero or an overflow")
    if precision != "float32":
        finite &= np.isfinite(found)
    if not np.isfinite(found[finite]).all():
        message = f"the ONNX model gives values that are not finite on inputs that are {name}"
        raise fail("E508", message, help="the weights may be too large; nothing was written")
    scale = max(1.0, _largest(exact[finite]))
    difference = _largest((found - exact)[finite])
    beside = None if torch is None else _largest((torch - exact)[finite]) / scale
    return Comparison(name, difference, difference / scale, beside, float(finite.mean()))


def _largest(values: NDArray[Any]) -> float:
    return float(np.abs(values).max(initial=0.0))


def cases(program: Program) -> Iterator[tuple[str, Features]]:
    """Inputs to compare on, each with what it is: random, zero, large, short, long, partial."""
    yield f"{RANDOM}, batch 1", random_inputs(program, 1, seed=1)
    yield f"{RANDOM}, batch 7", random_inputs(program, 7, seed=7)
    yield "zero", random_inputs(program, 2, seed=0, scale=0.0)
    yield "large", random_inputs(program, 2, seed=2, scale=LARGE)
    if any(a.size is None for i in program.inputs for a in i.type.axes):
        yield "as short as can be", random_inputs(program, 2, seed=3, sizes=(1, 1))
        yield "long", random_inputs(program, 2, seed=4, sizes=(LONGEST, LONGEST))
    optional = [i for i in program.inputs if i.kind != "feature"]
    if optional:
        inputs = random_inputs(program, 5, seed=5)
        yield "of several lengths and partly absent", inputs | _partial(optional, inputs)


def random_inputs(
    program: Program,
    batch: int,
    seed: int,
    scale: float = 1.0,
    sizes: Sequence[int] = (1, 9),
) -> dict[str, NDArray[Any]]:
    """Normal features times `scale`; axes known only at run time get a size between `sizes`,
    less where a feature would have more than `MOST_NUMBERS` numbers."""
    generator = np.random.default_rng(seed)

    def feature(type: TensorType) -> NDArray[np.float32]:
        unknown = sum(a.size is None for a in type.axes)
        room = (MOST_NUMBERS / (batch * type.elements())) ** (1 / max(1, unknown))
        low, high = (max(1, min(size, int(room))) for size in sizes)
        known = (a.size or int(generator.integers(low, high + 1)) for a in type.axes)
        return (scale * generator.normal(size=(batch, *known))).astype(np.float32)

    return {i.name: feature(i.type) for i in program.inputs if i.kind == "feature"}


def _partial(optional: Sequence[Input], features: Features) -> dict[str, NDArray[Any]]:
    """Lengths from 1 to the whole axis, and every other sample absent."""
    found: dict[str, NDArray[Any]] = {}
    for item in optional:
        count = len(next(iter(features.values())))
        if item.kind == "presence":
            found[item.name] = np.arange(count) % 2
        else:
            found[item.name] = np.resize([1, -1], count)
    return found


def _described(file: Path) -> dict[str, Any]:
    with file.open("rb") as stream:
        digest = file_digest(stream, "sha256").hexdigest()
    return {"bytes": file.stat().st_size, "sha256": digest}


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
