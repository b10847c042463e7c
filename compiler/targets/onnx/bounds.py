"""What running a model takes at most, found from its structure before anything of it is run.

A model is walked node by node, calls of its functions included, with the shapes that its inputs
will have. What it may hold is a closed set: the operators that Fusewright writes, each of which
takes time and memory as its inputs and outputs are large. So nothing in it repeats or branches, and
the sum over its nodes bounds the whole.

NOTE: shapes are inferred for each node by itself, so that one is judged before the next is looked
at: inferred at once, shapes and ranks can grow as 2^n in n nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import AttributeProto, TensorProto, helper, numpy_helper
from onnx.checker import ValidationError
from onnx.defs import OpSchema, get_schema
from onnx.shape_inference import InferenceError, infer_node_outputs

from ...system.files import first_line
from .functions import DOMAIN
from .operators import OPERATORS, PRODUCTS, QUANTISED
from .options import OPSETS
from .tensors import HIGHEST_RANK

Shape: TypeAlias = tuple[int, ...]
Fold: TypeAlias = Callable[..., Any]
_FEW = 1024
"""How many whole numbers a tensor may hold for its values to be followed: shapes, axes, sizes."""
_DEEPEST = 8
"""How deep calls of functions may be nested: members call Cells, which call Steps."""
_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16)
_ATTRIBUTES = frozenset(
    (
        AttributeProto.FLOAT,
        AttributeProto.INT,
        AttributeProto.STRING,
        AttributeProto.TENSOR,
        AttributeProto.FLOATS,
        AttributeProto.INTS,
    )
)
_FOLDS: Mapping[str, Fold] = {
    "Add": np.add,
    "Concat": lambda *parts: np.concatenate(parts),
    "Div": np.floor_divide,
    "Gather": lambda x, places: x[places],
    "Identity": lambda x: x,
    "Squeeze": lambda x, *axes: x.reshape(()),
}
"""How whole numbers that are known make others, as sizes of axes do here."""


class Unbounded(Exception):
    """A model that holds what Fusewright does not write, or takes more than it may; says what."""


@dataclass(frozen=True)
class Allowance:
    """What a model may take: numbers in the largest value and in all of them, numbers and products
    of all nodes, and nodes."""

    largest: int
    held: int
    work: int
    nodes: int


@dataclass
class _Value:
    """A value of a model: its type, and its numbers where these are few and whole."""

    type: onnx.TypeProto
    numbers: NDArray[Any] | None = None

    @property
    def shape(self) -> Shape:
        return tuple(d.dim_value for d in self.type.tensor_type.shape.dim)

    @property
    def elements(self) -> int:
        return prod(self.shape)


@dataclass
class _Walk:
    """Goes through a model once; what it took so far."""

    functions: Mapping[str, onnx.FunctionProto]
    opset: int
    allowance: Allowance
    held: int = 0
    work: int = 0
    nodes: int = 0
    schemas: dict[str, OpSchema] = field(default_factory=dict[str, OpSchema])

    def through(
        self, nodes: Iterable[onnx.NodeProto], values: dict[str, _Value], depth: int
    ) -> None:
        """Adds what nodes make to the values; raises Unbounded."""
        for node in nodes:
            self.nodes += 1
            if self.nodes > self.allowance.nodes:
                raise Unbounded(f"computes more than {self.allowance.nodes:,} nodes")
            missing = [name for name in node.input if name and name not in values]
            if missing:
                raise Unbounded(f"reads `{missing[0]}` before it is computed")
            inputs = [values[name] for name in node.input if name]
            results = (
                self._called(node, values, depth)
                if node.domain == DOMAIN
                else self._computed(node, inputs)
            )
            values |= results

    def _called(
        self, node: onnx.NodeProto, values: Mapping[str, _Value], depth: int
    ) -> dict[str, _Value]:
        """The outputs of a call, by the names that the caller has for them."""
        function = self.functions.get(node.op_type)
        if function is None:
            raise Unbounded(f"calls `{node.op_type}`, which it does not hold")
        if depth == _DEEPEST:
            raise Unbounded(f"nests calls of functions more than {_DEEPEST} deep")
        if len(node.input) != len(function.input) or len(node.output) != len(function.output):
            raise Unbounded(f"calls `{node.op_type}` with other inputs or outputs than it has")
        pairs = zip(function.input, node.input, strict=True)
        own = {inner: values[outer] for inner, outer in pairs if outer}
        self.through(function.node, own, depth + 1)
        results = zip(node.output, function.output, strict=True)
        return {outer: _of(own, inner) for outer, inner in results}

    def _computed(self, node: onnx.NodeProto, inputs: Sequence[_Value]) -> dict[str, _Value]:
        """The outputs of an operator."""
        if node.domain or node.op_type not in OPERATORS | QUANTISED:
            shown = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
            raise Unbounded(f"holds the operator `{shown}`, which Fusewright does not write")
        if not node.output or not node.output[0]:
            raise Unbounded(f"holds `{node.op_type}` without an output")
        if node.op_type == "Constant":
            return {node.output[0]: _constant(node)}
        _require_divisible(node, inputs)
        results = self._inferred(node, inputs)
        for name, value in results.items():
            self._require(name, value)
            self.held += value.elements
        if self.held > self.allowance.held:
            raise Unbounded(f"computes values of more than {self.allowance.held:,} numbers")
        self.work += _work(node, inputs, [*results.values()])
        if self.work > self.allowance.work:
            raise Unbounded(f"computes more than {self.allowance.work:,} numbers and products")
        if len(results) == 1:
            (value,) = results.values()
            value.numbers = _folded(node, inputs)
        return results

    def _inferred(self, node: onnx.NodeProto, inputs: Sequence[_Value]) -> dict[str, _Value]:
        names = [name for name in node.input if name]
        known = {
            name: numpy_helper.from_array(value.numbers, name)
            for name, value in zip(names, inputs, strict=True)
            if value.numbers is not None
        }
        types = {name: value.type for name, value in zip(names, inputs, strict=True)}
        imports = [helper.make_opsetid("", self.opset)]
        try:
            schema = self._schema(node.op_type)
            found = infer_node_outputs(schema, node, types, known, opset_imports=imports)
        except (InferenceError, ValidationError, ValueError, RuntimeError, OverflowError) as error:
            where = f"holds `{node.op_type}` where it cannot stand"
            raise Unbounded(f"{where}: {first_line(error)}") from None
        return {name: _Value(type) for name, type in found.items()}

    def _schema(self, operator: str) -> OpSchema:
        if operator not in self.schemas:
            self.schemas[operator] = get_schema(operator, self.opset, "")
        return self.schemas[operator]

    def _require(self, name: str, value: _Value) -> None:
        """Raises Unbounded for a value whose size is not known, or larger than any may be."""
        tensor = value.type.tensor_type
        known = tensor.HasField("shape") and all(
            d.HasField("dim_value") and d.dim_value >= 0 for d in tensor.shape.dim
        )
        if not known:
            raise Unbounded(f"computes `{name}`, whose size cannot be known")
        if len(tensor.shape.dim) > HIGHEST_RANK:
            raise Unbounded(f"computes `{name}`, which has more than {HIGHEST_RANK} axes")
        if value.elements > self.allowance.largest:
            message = f"computes `{name}` of {value.elements:,} numbers"
            raise Unbounded(f"{message}, more than its specification needs")


def require_bounded(
    model: onnx.ModelProto, shapes: Mapping[str, Shape], allowance: Allowance
) -> None:
    """Raises Unbounded where a model could take more than `allowance`, for inputs of these shapes.

    Inputs that have none have that of their default. Tensors are as large as they say, and their
    numbers may be left out of the model where they are not whole.
    """
    if model.training_info or model.graph.sparse_initializer:
        raise Unbounded("holds what is neither a node nor a weight")
    opset = _opset(model.opset_import)
    functions: dict[str, onnx.FunctionProto] = {}
    for function in model.functions:
        if function.domain != DOMAIN or function.attribute or function.attribute_proto:
            raise Unbounded(f"holds the function `{function.domain}.{function.name}`")
        if functions.setdefault(function.name, function) is not function:
            raise Unbounded(f"holds the function `{function.name}` twice")
        if _opset(function.opset_import) != opset:
            raise Unbounded(f"is written at opset {opset}, but for the function `{function.name}`")
    for node in _nodes(model):
        _require_plain(node)
    values = {tensor.name: _of_tensor(tensor) for tensor in model.graph.initializer}
    for item in model.graph.input:
        if item.name in shapes:
            kind = item.type.tensor_type.elem_type
            values[item.name] = _Value(helper.make_tensor_type_proto(kind, shapes[item.name]))
    walk = _Walk(functions, opset, allowance)
    walk.through(model.graph.node, values, 0)


def _nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    yield from model.graph.node
    for function in model.functions:
        yield from function.node


def _opset(imports: Iterable[onnx.OperatorSetIdProto]) -> int:
    """The version of the default domain; raises Unbounded for one that is not written."""
    versions = [item.version for item in imports if not item.domain]
    if len(versions) != 1 or versions[0] not in OPSETS:
        shown = ", ".join(map(str, versions)) or "none"
        raise Unbounded(f"is written at opset {shown}, not {OPSETS[0]} to {OPSETS[-1]}")
    return int(versions[0])


def _require_plain(node: onnx.NodeProto) -> None:
    """Raises Unbounded for attributes that hold graphs, or that a function is called with."""
    for attribute in node.attribute:
        if attribute.type not in _ATTRIBUTES or attribute.ref_attr_name:
            raise Unbounded(f"holds `{node.op_type}` with the attribute `{attribute.name}`")
    if node.domain == DOMAIN and node.attribute:
        raise Unbounded(f"calls `{node.op_type}` with attributes")


def _constant(node: onnx.NodeProto) -> _Value:
    values = {attribute.name: attribute.t for attribute in node.attribute}
    if set(values) != {"value"} or len(node.output) != 1:
        raise Unbounded("holds a constant that is no tensor")
    return _of_tensor(values["value"])


def _of_tensor(tensor: TensorProto) -> _Value:
    value = _Value(helper.make_tensor_type_proto(tensor.data_type, list(tensor.dims)))
    whole = tensor.data_type == TensorProto.INT64 and not tensor.external_data
    if whole and value.elements <= _FEW:
        value.numbers = numpy_helper.to_array(tensor)
    return value


def _of(values: Mapping[str, _Value], name: str) -> _Value:
    if name not in values:
        raise Unbounded(f"gives `{name}`, which it does not compute")
    return values[name]


def _folded(node: onnx.NodeProto, inputs: Sequence[_Value]) -> NDArray[Any] | None:
    """The whole numbers that a node makes of known ones, where sizes are made so."""
    if node.op_type == "Shape":
        return None if node.attribute else np.array(inputs[0].shape, np.int64)
    known = [value.numbers for value in inputs if value.numbers is not None]
    fold = _FOLDS.get(node.op_type)
    if fold is None or len(known) < len(inputs) or any(a.i for a in node.attribute):
        return None
    try:
        found = np.asarray(fold(*known))
    except (ValueError, IndexError):
        return None
    return found if found.dtype == np.int64 and found.size <= _FEW else None


def _require_divisible(node: onnx.NodeProto, inputs: Sequence[_Value]) -> None:
    """Raises Unbounded for a division of whole numbers that could be by zero: it ends a process."""
    if node.op_type != "Div" or inputs[0].type.tensor_type.elem_type in _FLOATS:
        return
    divisor = inputs[1].numbers
    if divisor is None or (divisor < 1).any():
        raise Unbounded("divides whole numbers by what may be zero")


def _work(node: onnx.NodeProto, inputs: Sequence[_Value], outputs: Sequence[_Value]) -> int:
    """Numbers that an operator reads and writes, or the products that it adds up."""
    moved = sum(value.elements for value in (*inputs, *outputs))
    if node.op_type in PRODUCTS:
        return moved + sum(value.elements for value in outputs) * (inputs[0].shape or (1,))[-1]
    if node.op_type == "Attention":
        if len(inputs) != 3 or any(len(value.shape) != 3 for value in inputs):
            raise Unbounded("holds `Attention` of other inputs than Fusewright gives it")
        query, key, value = inputs
        return moved + query.elements * key.shape[1] + value.elements * query.shape[1]
    return moved
