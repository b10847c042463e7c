"""`compile`: a specification to an artifact, through every stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from .check.check import settled
from .language.spec import Spec
from .load import Given, spec_of
from .measure.memory import network_memory, require_memory
from .network.holes import Relaxation
from .program.program import Program
from .system.options import options_read_by, require_one
from .targets.target import SUBJECT, Subject, targets

if TYPE_CHECKING:
    import onnx
    from torch.export import ExportedProgram

    from .targets.numpy.network import NumpyNetwork
    from .targets.torch.module import FusionModule

Model: TypeAlias = Given
"""What says a specification."""
DEFAULT, MEMORY = "torch", "memory"


@overload
def compile(spec: Model, target: Literal["torch"] = "torch", **options: Any) -> FusionModule: ...
@overload
def compile(spec: Model, target: Literal["onnx"], **options: Any) -> onnx.ModelProto: ...
@overload
def compile(spec: Model, target: Literal["numpy"], **options: Any) -> NumpyNetwork: ...
@overload
def compile(spec: Model, target: Literal["python"]) -> str: ...
@overload
def compile(spec: Model, target: Literal["pt2"], **options: Any) -> ExportedProgram: ...


def compile(spec: Model, target: str = DEFAULT, **options: Any) -> Any:
    """Compiles a specification, or a Graph: a network, or a hypernet where it has holes.

    - `torch`: an `nn.Module` over a dictionary of feature tensors (batch, axes…) with logits
      (batch, K);
    - `onnx`: a checked `onnx.ModelProto`; its options are those of `targets.onnx.options`;
    - `numpy`: the float64 reference;
    - `python`: the text of a file that needs torch alone, for a network without holes;
    - `pt2`: a `torch.export.ExportedProgram`.

    `weights` are arrays by name or a `.safetensors` file; without them, parameters have their
    initial values, which depend on `seed` and their names alone. `relax` says how open inputs are
    mixed, `shared` or `per_input`. `memory` is what parameters may take, such as `64GB`, else what
    there is. Raises DiagnosticError where the specification or the weights are wrong, where memory
    does not suffice, and for an option that the target does not take.
    """
    spec = spec_of(spec)
    require_one("target", target, sorted(targets(), key=lambda n: n != DEFAULT), "targets are")
    record = targets()[target]
    names = (*(*SUBJECT, MEMORY) * record.has_weights, *options_read_by(record.options, "compile"))
    chosen = record.chosen(options, names)
    memory = chosen.pop(MEMORY, "")
    own = {name: chosen.pop(name) for name in SUBJECT if name in chosen}
    subject = Subject(settled(spec), **own)
    if record.has_weights:
        require_memory(network_memory(subject.program), "the network", memory)
    return record.compile(subject, **chosen)


def to_program(spec: Spec, relax: Relaxation = "shared") -> Program:
    """The Program of a checked specification, before any pass."""
    return Subject(settled(spec), relax=relax).program
