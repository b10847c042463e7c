"""ONNX files that take raw inputs: what of one can be known before it is run. A file is untrusted.

NOTE: what its backbones take to run is not known, so that it is run in a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import onnx
from onnx import AttributeProto, defs

from ...diagnostics.diagnostic import fail
from ...diagnostics.text import shortened
from ..keys import JOINT_KEY
from .file import OnnxFile
from .functions import DOMAIN
from .tensors import parts_of

_GRAPHS = (AttributeProto.GRAPH, AttributeProto.GRAPHS)


@dataclass(frozen=True)
class RawInput:
    """An input (samples, axes…), of whole numbers or of float32; None is any size of an axis."""

    name: str
    axes: tuple[int | None, ...]
    is_whole: bool
    is_optional: bool


class JointFile(OnnxFile):
    """A model with its backbones, as `compile --joint` writes it.

    Raises DiagnosticError as `OnnxFile` does.
    """

    @cached_property
    def output(self) -> str:
        """What the model gives: `logits` or `probabilities`, both (batch, K).

        Raises DiagnosticError where it holds no backbones, gives anything else than its
        specification says, branches or repeats, or has operators of neither ONNX nor Fusewright.
        """
        if JOINT_KEY not in self.metadata:
            message = f"`{self.path}` holds no backbones"
            raise fail("E506", message, help="leave out `--joint`")
        name = self._given()
        self._require_straight()
        return name

    @cached_property
    def inputs(self) -> tuple[RawInput, ...]:
        """What the model takes; raises DiagnosticError for what is no array of numbers."""
        return tuple(map(self._input, self._inputs))

    def _input(self, info: onnx.ValueInfoProto) -> RawInput:
        type = info.type.tensor_type
        if type.elem_type not in (onnx.TensorProto.FLOAT, onnx.TensorProto.INT64) or not len(
            type.shape.dim
        ):
            raise self._foreign(f"takes `{shortened(info.name)}`, which is no array of samples")
        sizes = [d.dim_value if d.HasField("dim_value") else None for d in type.shape.dim]
        whole = type.elem_type == onnx.TensorProto.INT64
        return RawInput(info.name, tuple(sizes[1:]), whole, info.name in self._defaults)

    def _require_straight(self) -> None:
        own = {function.name for function in self._model.functions if function.domain == DOMAIN}
        for node in self._nodes():
            known = defs.has(node.op_type) if not node.domain else node.domain == DOMAIN
            if not known or (node.domain and node.op_type not in own):
                raise self._foreign(f"has the operator `{shortened(node.op_type)}` of others")
            if any(a.type in _GRAPHS or a.HasField("g") or a.graphs for a in node.attribute):
                raise self._foreign(f"branches or repeats, by `{shortened(node.op_type)}`")

    def _nodes(self) -> Iterator[onnx.NodeProto]:
        """Every node, of functions too."""
        return (part for part in parts_of(self._model) if isinstance(part, onnx.NodeProto))
