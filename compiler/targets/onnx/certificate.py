"""The certificate of an ONNX model: what was checked, on which inputs, and what was measured.

A model is run in ONNX Runtime beside the numpy reference in float64 and beside the torch module,
on random inputs and on extreme ones. It passes where it is as near to the reference as `TOLERANCE`
says. It passes by the margin where it is at most `MARGIN` times as far from it as torch, which
computes in float32 too, and no further than `UTMOST`. Where torch is further off than that, float32
cannot compute the network, and nothing is said of the model.

NOTE: where the reference gives a number that float32 can hold, and the model or torch give none,
they are infinitely far from it. Where the reference gives none, there is nothing to compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray

from ....ops.types import TensorType
from ...diagnostics.diagnostic import fail
from ...network.names import EMBEDDING, PROBABILITIES
from ...network.network import Head
from ...program.program import Input, Program
from ...system.files import first_line, is_file
from ...system.provenance import described, versions
from ..numpy.network import NumpyNetwork, probabilities_of
from .file import read_model, weights_file
from .interface import given
from .options import Precision
from .session import open_session, outputs

TOLERANCE = 1e-5
MARGIN = 10
UTMOST = 1e-3
"""The largest relative difference that float32 is an excuse for."""
LARGE = 1e3
RANDOM = "random"
LONGEST = 64
"""The longest time that is tried for an axis known only at run time."""
MOST_NUMBERS = 1_000_000
"""How many numbers the features of a comparison have, as far as that can be chosen."""
Features: TypeAlias = Mapping[str, NDArray[Any]]
Evaluate: TypeAlias = Callable[[Features], NDArray[Any]]
Verdict = Literal["passes", "passes by the margin", "not comparable", "fails"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one kind of input showed: the largest differences to the reference, in float64.

    `relative` is max|a − b| / max(1, max|b|), where b is the reference; `torch` the same of the
    torch module, if there is one, and `between` that of the model and torch. `finite` is the share
    of outputs that the model gives a finite number for, `compared` the share of those that the
    reference gives one for which float32 can hold: what is compared.
    """

    inputs: str
    absolute: float
    relative: float
    torch: float | None
    between: float | None
    finite: float
    compared: float

    @property
    def verdict(self) -> Verdict:
        """What this says of a float32 model."""
        beside = self.torch or 0.0
        if beside > UTMOST or not self.compared:
            return "not comparable"
        if self.relative <= TOLERANCE:
            return "passes"
        near = self.relative <= min(MARGIN * beside, UTMOST)
        return "passes by the margin" if near else "fails"


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

    @property
    def verdict(self) -> str:
        """What all comparisons that can be made say of a float32 model, in words."""
        far = f"{self.relative:.2g}, relative, from a float64 reference"
        if self.precision != "float32":
            return f"measured, not judged: at most {far}"
        verdicts = {c.verdict for c in self.comparisons}
        passed = next((v for v in ("passes by the margin", "passes") if v in verdicts), None)
        return f"{passed or 'not comparable'}: at most {far}"

    def as_json(self) -> dict[str, Any]:
        """Everything, with the versions that it was measured with; infinity is a word.

        Comparisons have a verdict in float32 alone: other precisions are measured, not judged.
        """
        comparisons = [
            {key: _written(value) for key, value in asdict(c).items()}
            | ({"verdict": c.verdict} if self.precision == "float32" else {})
            for c in self.comparisons
        ]
        judged = {"tolerance": TOLERANCE, "margin": MARGIN, "utmost": UTMOST}
        return {
            "opset": self.opset,
            "ir_version": self.ir_version,
            "precision": self.precision,
            "functions": self.functions,
            "files": self.files,
            "verdict": self.verdict,
            "absolute": _written(self.absolute),
            "relative": _written(self.relative),
            "finite": min(c.finite for c in self.comparisons),
            **(judged if self.precision == "float32" else {}),
            "comparisons": comparisons,
            "versions": versions(),
        }


def _written(value: Any) -> Any:
    """A value as JSON has it, which has no infinity."""
    return "infinity" if value == inf else value


def certify(
    path: Path,
    head: Head,
    reference: NumpyNetwork,
    torch: Evaluate | None = None,
    precision: Precision = "float32",
    embedding: tuple[Evaluate, Evaluate | None] | None = None,
) -> Certificate:
    """Checks a model file and compares it with its reference and the torch module: `compared`."""
    return compared(path, head, reference, cases(reference.program), torch, precision, embedding)


def compared(
    path: Path,
    head: Head,
    reference: Evaluate,
    inputs: Iterable[tuple[str, Features]],
    torch: Evaluate | None = None,
    precision: Precision = "float32",
    embedding: tuple[Evaluate, Evaluate | None] | None = None,
) -> Certificate:
    """Checks a model file and compares it with a reference in float64 and a torch module on inputs.

    Where it gives an `embedding` too, the reference and the module of that are compared as well.
    Raises DiagnosticError where the file is not valid ONNX, where its shapes cannot be inferred,
    or where a float32 model differs; other precisions are measured, not judged.
    """
    model = _checked(path, head)
    session = open_session(path)
    names = [item.name for item in model.graph.output if item.name != EMBEDDING]
    output = given(names, head)

    def shares(logits: NDArray[Any]) -> NDArray[Any]:
        return probabilities_of(logits, head) if output == PROBABILITIES else logits

    comparisons: list[Comparison] = []
    for name, features in inputs:
        exact = shares(reference(features))
        beside = None if torch is None else shares(torch(features))
        found = [_compare(name, outputs(session, features), exact, beside)]
        if embedding is not None:
            exact = embedding[0](features)
            beside = None if embedding[1] is None else embedding[1](features)
            own = outputs(session, features, EMBEDDING)
            found.append(_compare(f"{name}: {EMBEDDING}", own, exact, beside))
        if precision == "float32":
            for comparison in found:
                _require_passed(comparison)
        comparisons += found
    return Certificate(
        model.opset_import[0].version,
        model.ir_version,
        precision,
        len(model.functions),
        {file.name: described(file) for file in (path, weights_file(path)) if is_file(file)},
        tuple(comparisons),
    )


def _require_passed(comparison: Comparison) -> None:
    """Raises DiagnosticError where a float32 model fails, or cannot be judged on random inputs."""
    remedy = "the weights may be too large for float32; nothing was written"
    where = f"on inputs that are {comparison.inputs}"
    if comparison.verdict == "fails":
        shown = f"{comparison.relative:.2e}, relative, {where}"
        raise fail("E508", f"the ONNX model differs from the reference by {shown}", help=remedy)
    if comparison.verdict == "not comparable" and comparison.inputs.startswith(RANDOM):
        shown = f"{comparison.torch:.2e}, relative, {where}"
        message = f"float32 cannot compute the network: torch differs from the reference by {shown}"
        raise fail("E508", message, help=remedy)


def _checked(path: Path, head: Head) -> onnx.ModelProto:
    """The model, valid and with its shapes inferred strictly, without its external weights."""
    try:
        onnx.checker.check_model(str(path), full_check=True)
        model = read_model(path)
        inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise fail("E508", f"the ONNX model is not valid: {first_line(error)}") from None
    given_outputs = [one for one in inferred.graph.output if one.name != EMBEDDING]
    sizes = [one.type.tensor_type.shape.dim for one in given_outputs]
    widths = [part.count for part in head.parts or (head,)]
    if {len(one) for one in sizes} != {2} or [one[1].dim_value for one in sizes] != widths:
        message = f"the output of the ONNX model is not (batch, {head.count})"
        raise fail("E508", message)
    return model


def _compare(
    name: str, output: NDArray[Any], exact: NDArray[Any], torch: NDArray[Any] | None
) -> Comparison:
    """Raises DiagnosticError where the network itself gives no numbers on random inputs."""
    comparable = np.abs(exact) <= np.finfo(np.float32).max
    if name.startswith(RANDOM) and not comparable.all():
        message = "the network gives values that are not finite on random inputs"
        raise fail("E508", message, help="look for a division by zero or an overflow")
    shares = float(np.isfinite(output).mean()), float(comparable.mean())
    exact, output = exact[comparable], output[comparable]
    scale = max(1.0, float(np.abs(exact).max(initial=0.0)))
    difference = _distance(output, exact)
    beside = between = None
    if torch is not None:
        torch = torch[comparable]
        beside, between = _distance(torch, exact) / scale, _distance(output, torch) / scale
    return Comparison(name, difference, difference / scale, beside, between, *shares)


def _distance(a: NDArray[Any], b: NDArray[Any]) -> float:
    """max|a − b|, infinite where either is no finite number."""
    with np.errstate(invalid="ignore"):
        difference = np.abs(a.astype(np.float64) - b)
    return float(np.nan_to_num(difference, nan=inf, posinf=inf).max(initial=0.0))


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
        shape = (a.size or int(generator.integers(low, high + 1)) for a in type.axes)
        return (scale * generator.normal(size=(batch, *shape))).astype(np.float32)

    return {i.name: feature(i.type) for i in program.inputs if i.kind == "feature"}


def _partial(optional: Sequence[Input], features: Features) -> dict[str, NDArray[Any]]:
    """Lengths of none, one and all places, and every other sample absent."""
    arrays: dict[str, NDArray[Any]] = {}
    for item in optional:
        count = len(next(iter(features.values())))
        if item.kind == "presence":
            arrays[item.name] = np.arange(count) % 2
        else:
            arrays[item.name] = np.resize([0, 1, -1], count)
    return arrays
