"""What the primitives build ONNX with: nodes of one graph or function, at one opset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ....ops.types import TensorType
from ...program.program import Program
from ...program.specialise import unused
from .operators import OPERATORS

AXES_ARE_INPUTS = 18
"""From this operator set on, the axes of a reduction are an input."""


@dataclass
class GraphBuilder:
    """Adds nodes to a graph or function: `g.Relu(x)` adds one and returns its output's name."""

    program: Program
    names: Sequence[str]
    opset: int
    taken: set[str]
    """The names of the model's values: what is made adds its own."""
    prefix: str = ""
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    types: dict[str, TensorType] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    made: int = 0
    FLOAT: int = TensorProto.FLOAT

    def __getattr__(self, operator: str) -> Callable[..., Any]:
        if not operator[:1].isupper():
            raise AttributeError(operator)

        def add(*inputs: str, outputs: int = 1, **attributes: Any) -> Any:
            names = [self._fresh(operator) for _ in range(outputs)]
            self.node(operator, inputs, names, **attributes)
            return names[0] if outputs == 1 else names

        return add

    def node(
        self, operator: str, inputs: Iterable[str], outputs: Iterable[str], **attributes: Any
    ) -> None:
        if operator not in OPERATORS:
            raise AssertionError(f"`{operator}` is none of the operators that models are read with")
        outputs = list(outputs)
        name = f"{outputs[0]}:{operator}"
        self.nodes.append(helper.make_node(operator, list(inputs), outputs, name, **attributes))

    def reduce(self, operator: str, x: str, axes: Sequence[int], keepdims: bool = True) -> str:
        """`operator`, such as ReduceMax, over axes of `x`."""
        flag = int(keepdims)
        if self.opset < AXES_ARE_INPUTS and operator != "ReduceSum":
            return str(getattr(self, operator)(x, axes=list(axes), keepdims=flag))
        return str(getattr(self, operator)(x, self.constant(list(axes)), keepdims=flag))

    def halves(self, x: str) -> list[str]:
        """The first and the second half of the channels."""
        count = {"num_outputs": 2} if self.opset >= AXES_ARE_INPUTS else {}
        names: list[str] = self.Split(x, axis=-1, outputs=2, **count)
        return names

    def constant(self, value: Any) -> str:
        """A Constant node: int64 for whole numbers, float32 for others; scalars have no axes."""
        array = np.asarray(value)
        array = array.astype(np.int64 if array.dtype.kind == "i" else np.float32)
        key = f"{array.dtype}{array.shape}{array.tobytes().hex()}"
        if key not in self.constants:
            self.constants[key] = self._fresh("constant")
            tensor = numpy_helper.from_array(array)
            self.node("Constant", [], [self.constants[key]], value=tensor)
        return self.constants[key]

    def rank(self, name: str) -> int:
        """Axes of a program value, the batch among them."""
        return len(self.types[name].axes) + self.types[name].batched

    def channels(self, name: str) -> int:
        """Channels of a program value."""
        return self.types[name].channels()

    def _fresh(self, operator: str) -> str:
        self.made += 1
        return unused(f"{self.prefix}{operator}_{self.made}", self.taken)

    def value(self, index: int) -> None:
        """Adds the nodes of one value of the program, whose output gets the value's name."""
        value = self.program.values[index]
        record = value.record
        assert record is not None
        if record.onnx is None:
            raise AssertionError(f"`{record.name}` is made for training, and not for ONNX")
        inputs = [self.names[a] for a in value.arguments]
        for name, argument in zip(inputs, value.arguments, strict=True):
            self.types[name] = self.program.values[argument].type
        self.prefix = f"{self.names[index]}:"
        before = len(self.nodes)
        result = record.onnx(self, *inputs, **dict(value.attributes))
        node = self.nodes[-1] if len(self.nodes) > before else None
        if node is not None and list(node.output) == [result] and node.op_type != "Constant":
            node.output[0] = self.names[index]
        else:
            self.node("Identity", [result], [self.names[index]])
