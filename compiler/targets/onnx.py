"""The ONNX target: a Program as a ModelProto, built directly.

Each Cell is a model-local function, and each Step a function that it calls, named as in the
specification. Inputs, parameters and the output keep their names; the batch is dynamic, and so is
every axis that a feature declares `*`. Lengths and presence have defaults, so they may be left
out. Batch norm uses its running statistics and dropout does nothing.

NOTE: functions cannot own initializers, so parameters are inputs of the functions that read them,
and numbers inside are Constant nodes.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ..network import Network
from ..program import INPUT, PARAMETER, Input, Program, Value, identifier

OPSET = 23
IR_VERSION = 11
DOMAIN = "fusewright"
OUTPUT = "logits"
BATCH = "batch"
SPEC_KEY = "fusewright.spec"


def export(program: Program, network: Network, weights: Mapping[str, Any]) -> onnx.ModelProto:
    """The checked model of a program with these weights, float32.

    Its inputs are the features as declared, its output is `logits` (batch, K). The specification
    stands in the metadata under `fusewright.spec`.
    """
    names = _names(program)
    functions: list[onnx.FunctionProto] = []
    body = GraphBuilder(program, names)
    _Outliner(program, names, network, functions, program.readers()).emit(
        range(len(program.values)), (), body
    )
    body.node("Identity", [names[program.output]], [OUTPUT])
    initializers = [
        numpy_helper.from_array(np.ascontiguousarray(weights[v.name], np.float32), name)
        for v, name in zip(program.values, names, strict=True)
        if v.primitive == PARAMETER
    ]
    initializers += [_default(item) for item in program.inputs if item.kind != "feature"]
    graph = helper.make_graph(
        body.nodes,
        network.name,
        [_input_info(item) for item in program.inputs],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [BATCH, network.head.count])],
        initializers,
    )
    model = helper.make_model(
        graph,
        producer_name="fusewright",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, 1)],
        functions=functions,
    )
    helper.set_model_props(model, {SPEC_KEY: str(network.spec)})
    onnx.checker.check_model(model, full_check=True)
    return model


@dataclass
class GraphBuilder:
    """Adds nodes to a graph or function: `g.Relu(x)` adds one and returns its output's name."""

    program: Program
    names: Sequence[str]
    prefix: str = ""
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    ranks: dict[str, int] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    made: int = 0
    FLOAT: int = TensorProto.FLOAT

    def __getattr__(self, operator: str) -> Callable[..., Any]:
        if not operator[:1].isupper():
            raise AttributeError(operator)

        def add(*inputs: str, outputs: int = 1, **attributes: Any) -> Any:
            made = [self._fresh(operator) for _ in range(outputs)]
            self.node(operator, inputs, made, **attributes)
            return made[0] if outputs == 1 else made

        return add

    def node(
        self, operator: str, inputs: Iterable[str], outputs: Iterable[str], **attributes: Any
    ) -> None:
        outputs = list(outputs)
        name = f"{outputs[0]}:{operator}"
        self.nodes.append(helper.make_node(operator, list(inputs), outputs, name, **attributes))

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
        return self.ranks[name]

    def _fresh(self, operator: str) -> str:
        self.made += 1
        return f"{self.prefix}{operator}_{self.made}"

    def value(self, index: int) -> None:
        """Adds the nodes of one value of the program, whose output gets the value's name."""
        value = self.program.values[index]
        record = value.record
        assert record is not None
        inputs = [self.names[a] for a in value.arguments]
        for name, argument in zip(inputs, value.arguments, strict=True):
            kind = self.program.values[argument].type
            self.ranks[name] = len(kind.axes) + kind.batched
        self.prefix = f"{self.names[index]}:"
        before = len(self.nodes)
        result = record.onnx(self, *inputs, **dict(value.attributes))
        made = self.nodes[-1] if len(self.nodes) > before else None
        if made is not None and list(made.output) == [result] and made.op_type != "Constant":
            made.output[0] = self.names[index]
        else:
            self.node("Identity", [result], [self.names[index]])


@dataclass(frozen=True)
class _Outliner:
    """Emits values, those of one Cell or Step as a call of a function of their own."""

    program: Program
    names: Sequence[str]
    network: Network
    functions: list[onnx.FunctionProto]
    readers: Sequence[Sequence[int]]

    def emit(self, indices: Iterable[int], within: tuple[str, ...], into: GraphBuilder) -> None:
        """Adds values to a graph or function, whose scope is `within`."""
        groups: dict[tuple[str, ...] | int, list[int]] = {}
        for index in indices:
            value = self.program.values[index]
            if value.primitive not in (INPUT, PARAMETER):
                groups.setdefault(self._function(value, within) or index, []).append(index)
        for key in self._ordered(groups):
            if isinstance(key, int):
                into.value(key)
            else:
                self._call(key, groups[key], into)

    def _function(self, value: Value, within: tuple[str, ...]) -> tuple[str, ...] | None:
        """The Cell or Step below `within` that a value belongs to."""
        place = value.scope[: len(within) + 1]
        cell = self.network.cell_by_name.get(place[0]) if place else None
        if cell is None or len(place) <= len(within):
            return None
        is_step = place in self.network.step_by_place
        return place if len(place) == 1 or is_step else None

    def _ordered(
        self, groups: Mapping[tuple[str, ...] | int, list[int]]
    ) -> list[tuple[str, ...] | int]:
        """The groups in an order in which each reads only what comes before it."""
        owner = {i: key for key, members in groups.items() for i in members}
        needs = {
            key: {owner[a] for i in members for a in self.program.values[i].arguments if a in owner}
            - {key}
            for key, members in groups.items()
        }
        readers: dict[tuple[str, ...] | int, list[tuple[str, ...] | int]] = {k: [] for k in groups}
        for key, sources in needs.items():
            for source in sources:
                readers[source].append(key)
        waiting = {key: len(sources) for key, sources in needs.items()}
        first = {key: members[0] for key, members in groups.items()}
        ready = [(first[key], key) for key, count in waiting.items() if count == 0]
        heapq.heapify(ready)
        order = []
        while ready:
            _, key = heapq.heappop(ready)
            order.append(key)
            for reader in readers[key]:
                waiting[reader] -= 1
                if waiting[reader] == 0:
                    heapq.heappush(ready, (first[reader], reader))
        if len(order) < len(groups):
            raise AssertionError("the values of a Cell cannot be gathered into one function")
        return order

    def _call(self, scope: tuple[str, ...], members: list[int], into: GraphBuilder) -> None:
        inside = set(members)
        values = self.program.values
        taken = [a for i in members for a in values[i].arguments if a not in inside]
        inputs = list(dict.fromkeys(self.names[a] for a in taken))
        outputs = [
            self.names[i]
            for i in members
            if i == self.program.output or any(r not in inside for r in self.readers[i])
        ]
        body = GraphBuilder(self.program, self.names)
        self.emit(members, scope, body)
        name = identifier(*scope)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, 1)]
        self.functions.append(
            helper.make_function(DOMAIN, name, inputs, outputs, body.nodes, opsets)
        )
        call = helper.make_node(name, inputs, outputs, name, domain=DOMAIN)
        into.nodes.append(call)


def _names(program: Program) -> list[str]:
    """A name for every value: inputs keep theirs, and parameters that no input is named like."""
    inputs = {OUTPUT, *(item.name for item in program.inputs)}
    names = []
    for index, value in enumerate(program.values):
        if value.primitive == INPUT:
            names.append(value.name)
        elif value.primitive == PARAMETER:
            names.append(f"parameter:{value.name}" if value.name in inputs else value.name)
        else:
            names.append(f"{identifier(*value.scope)}/{value.primitive}_{index}")
    return names


def _input_info(item: Input) -> onnx.ValueInfoProto:
    if item.kind == "feature":
        axes = [f"{item.name}.{a.name}" if a.size is None else a.size for a in item.type.axes]
        return helper.make_tensor_value_info(item.name, TensorProto.FLOAT, [BATCH, *axes])
    kind = TensorProto.INT64 if item.kind == "lengths" else TensorProto.FLOAT
    return helper.make_tensor_value_info(item.name, kind, [f"{item.name}.batch"])


def _default(item: Input) -> onnx.TensorProto:
    kind = np.int64 if item.kind == "lengths" else np.float32
    return numpy_helper.from_array(np.array([item.default], kind), item.name)
