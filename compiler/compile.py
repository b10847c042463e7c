"""`compile`: a specification to an artifact, through every stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from .check.check import checked, require_no_holes
from .diagnostics.diagnostic import did_you_mean, fail, one_of
from .graph.build import build as build_graph
from .language.spec import Spec
from .lowering.lower import lower
from .network.holes import RELAXATIONS, Relaxation
from .network.network import Network
from .passes import optimise
from .program.program import Program

if TYPE_CHECKING:
    import onnx
    from torch.export import ExportedProgram

    from .program.weights import Weights
    from .targets.numpy import NumpyNetwork
    from .targets.torch.module import FusionModule

WeightSource: TypeAlias = "Weights | str | PathLike[str]"
"""Arrays by name, or the `.safetensors` file that holds them."""


@overload
def compile(
    spec: Spec,
    target: Literal["torch"] = "torch",
    *,
    weights: WeightSource | None = None,
    relax: Relaxation = "shared",
    seed: int = 0,
) -> FusionModule: ...
@overload
def compile(
    spec: Spec,
    target: Literal["onnx"],
    *,
    weights: WeightSource | None = None,
    relax: Relaxation = "shared",
    seed: int = 0,
    opset: int | None = None,
    inline: bool = False,
    probabilities: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> onnx.ModelProto: ...
@overload
def compile(
    spec: Spec,
    target: Literal["numpy"],
    *,
    weights: WeightSource | None = None,
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
    weights: WeightSource | None = None,
    relax: Relaxation = "shared",
    seed: int = 0,
) -> ExportedProgram: ...


def compile(spec: Spec, target: str = "torch", **options: Any) -> Any:
    """Compiles a specification: a network, or a hypernet where it has holes.

    - `torch`: an `nn.Module` over a dictionary of feature tensors (batch, axes…) with logits
      (batch, K);
    - `onnx`: a checked `onnx.ModelProto`; its options are those of `targets.onnx.export`;
    - `numpy`: the float64 reference;
    - `python`: the text of a file that needs torch alone, for a network without holes;
    - `pt2`: a `torch.export.ExportedProgram`.

    `weights` are arrays by name or a `.safetensors` file; without them, parameters have their
    initial values, which depend on `seed` and their names alone. `relax` says how open inputs are
    mixed. Raises DiagnosticError where the specification or the weights are wrong, and for an
    option that the target does not take.
    """
    if target not in TARGETS:
        remedy = did_you_mean(target, TARGETS) or f"targets are {one_of(list(TARGETS))}"
        raise fail("E506", f"unknown target `{target}`", help=remedy)
    build = TARGETS[target]
    given = taken(target, options, tuple(signature(build).parameters)[1:])
    return build(checked(spec), **given)


def taken(target: str, options: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
    """The options that are given, not None; raises DiagnosticError for one that is not known."""
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in known:
            shown = f"it takes {one_of(known, 20)}" if known else f"`{target}` takes none"
            remedy = did_you_mean(name, known) or f"leave it out: {shown}"
            raise fail("E506", f"the target `{target}` takes no option `{name}`", help=remedy)
    return given


def to_program(spec: Spec, relax: Relaxation = "shared") -> Program:
    """The Program of a checked specification, before any pass."""
    return _lowered(checked(spec), relax)


def _lowered(network: Network, relax: Relaxation) -> Program:
    if relax not in RELAXATIONS:
        message = f"unknown relaxation `{relax}`"
        raise fail("E506", message, help=f"relaxations are {one_of(RELAXATIONS)}")
    return lower(build_graph(network), relax)


# The targets: the parameters of each, after the network, are its options


def _torch(
    network: Network,
    weights: WeightSource | None = None,
    relax: Relaxation = "shared",
    seed: int = 0,
) -> FusionModule:
    from .targets.torch.module import FusionModule, load_weights

    module = FusionModule(optimise(_lowered(network, relax)), seed)
    if weights is not None:
        load_weights(module, _read(weights))
    return module


def _pt2(
    network: Network,
    weights: WeightSource | None = None,
    relax: Relaxation = "shared",
    seed: int = 0,
) -> ExportedProgram:
    from .targets.torch.program import exported

    return exported(_torch(network, weights, relax, seed))


def _numpy(
    network: Network,
    weights: WeightSource | None = None,
    relax: Relaxation = "shared",
    seed: int = 0,
) -> NumpyNetwork:
    from .targets.numpy import NumpyNetwork

    program = _lowered(network, relax)
    return NumpyNetwork(program, _arrays(program, weights, seed))


def _onnx(
    network: Network,
    weights: WeightSource | None = None,
    relax: Relaxation = "shared",
    seed: int = 0,
    opset: int | None = None,
    inline: bool = False,
    probabilities: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> onnx.ModelProto:
    from .targets.onnx.export import OPSET, export

    program = _lowered(network, relax)
    return export(
        optimise(program, "inference"),
        network,
        _arrays(program, weights, seed),
        opset=OPSET if opset is None else opset,
        inline=inline,
        probabilities=probabilities,
        metadata=metadata,
    )


def _python(network: Network) -> str:
    from .targets.python.source import source

    require_no_holes(network)
    return source(_lowered(network, "shared"), network)


TARGETS: Mapping[str, Callable[..., Any]] = {
    "torch": _torch,
    "onnx": _onnx,
    "numpy": _numpy,
    "python": _python,
    "pt2": _pt2,
}


def _arrays(program: Program, weights: WeightSource | None, seed: int) -> Weights:
    """The weights that a program reads, or its initial values."""
    from .program.initial import initial_values
    from .program.weights import fitting

    return fitting(program, initial_values(program, seed) if weights is None else _read(weights))


def _read(weights: WeightSource) -> Weights:
    if isinstance(weights, (str, PathLike)):
        from .targets.safetensors import read_weights

        return read_weights(weights)
    return weights
