"""`compile`: a specification to an artifact, through every stage."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, overload

from .check import checked, require_no_holes
from .diagnostics import fail, one_of
from .graph import build
from .lower import RELAXATIONS, Relaxation, lower
from .network import Network
from .passes import optimise
from .program import Program
from .spec import Spec

if TYPE_CHECKING:
    import onnx
    from torch.export import ExportedProgram

    from .targets.numpy import NumpyNetwork
    from .targets.torch.module import FusionModule
    from .weights import Weights

TARGETS = ("torch", "onnx", "numpy", "python", "pt2")


@overload
def compile(
    spec: Spec,
    target: Literal["torch"] = "torch",
    *,
    weights: Weights | str | PathLike[str] | None = None,
    relax: Relaxation = "shared",
    seed: int = 0,
) -> FusionModule: ...
@overload
def compile(
    spec: Spec,
    target: Literal["onnx"],
    *,
    weights: Weights | str | PathLike[str] | None = None,
    relax: Relaxation = "shared",
    seed: int = 0,
    opset: int = ...,
    inline: bool = False,
    probabilities: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> onnx.ModelProto: ...
@overload
def compile(
    spec: Spec,
    target: Literal["numpy"],
    *,
    weights: Weights | str | PathLike[str] | None = None,
    relax: Relaxation = "shared",
    seed: int = 0,
) -> NumpyNetwork: ...
@overload
def compile(spec: Spec, target: Literal["python"]) -> str: ...
@overload
def compile(
    spec: Spec,
    target: Literal["pt2"],
    *,
    weights: Weights | str | PathLike[str] | None = None,
    seed: int = 0,
) -> ExportedProgram: ...
def compile(
    spec: Spec,
    target: str = "torch",
    *,
    weights: Weights | str | PathLike[str] | None = None,
    relax: Relaxation = "shared",
    seed: int = 0,
    **options: Any,
) -> Any:
    """Compiles a specification: a network, or a hypernet where it has holes.

    - `torch`: an `nn.Module` over a dictionary of feature tensors (batch, axes…) with logits
      (batch, K);
    - `onnx`: a checked `onnx.ModelProto`; its options are those of `targets.onnx.export`;
    - `numpy`: the float64 reference;
    - `python`: the text of a file that needs torch alone, for a network without holes;
    - `pt2`: a `torch.export.ExportedProgram`.

    `weights` are arrays by name or a `.safetensors` file; without them, parameters have their
    initial values, which depend on `seed` and their names alone. `relax` says how open inputs are
    mixed. Raises DiagnosticError where the specification or the weights are wrong.
    """
    if target not in TARGETS:
        raise fail("E506", f"unknown target `{target}`", help=f"targets are {one_of(TARGETS)}")
    network = checked(spec)
    program = _lowered(network, relax)
    if target == "python":
        from .targets.python.source import source

        require_no_holes(network)
        return source(program, network)
    if target in ("torch", "pt2"):
        from .targets.torch.module import FusionModule, load_weights

        module = FusionModule(optimise(program), seed)
        if weights is not None:
            load_weights(module, _read(weights))
        if target == "torch":
            return module
        from .targets.torch.program import exported

        return exported(module)
    from .initial import initial_values
    from .weights import fitting

    given = initial_values(program, seed) if weights is None else _read(weights)
    arrays = fitting(program, given)
    if target == "numpy":
        from .targets.numpy import NumpyNetwork

        return NumpyNetwork(program, arrays)
    from .targets.onnx.export import export

    return export(optimise(program, inference=True), network, arrays, **options)


def to_program(spec: Spec, relax: Relaxation = "shared") -> Program:
    """The Program of a checked specification, before any pass."""
    return _lowered(checked(spec), relax)


def _lowered(network: Network, relax: Relaxation) -> Program:
    if relax not in RELAXATIONS:
        message = f"unknown relaxation `{relax}`"
        raise fail("E506", message, help=f"relaxations are {one_of(RELAXATIONS)}")
    return lower(build(network), relax)


def _read(weights: Weights | str | PathLike[str]) -> Weights:
    if isinstance(weights, (str, PathLike)):
        from .weights import read_weights

        return read_weights(weights)
    return weights
