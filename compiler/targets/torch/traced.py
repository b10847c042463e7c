"""A Program as a function: its primitives are handed proxies, once, so that running it is free."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import fx, nn
from torch.fx.proxy import GraphAppendingTracer

from ...program.program import INPUT, PARAMETER, Program
from .kernels import NO_KERNELS, Kernels
from .stacks import deal

_SHARED = (
    torch.split,
    torch.stack,
    torch.matmul,
    deal,
    getattr,
    operator.getitem,
    "flatten",
    "unflatten",
)
"""Functions and methods of which equal calls are one: their result depends on arguments alone."""


def trace(
    program: Program,
    training: bool,
    kernels: Kernels = NO_KERNELS,
    *,
    seen: Callable[[int, Sequence[Any]], Any] | None = None,
    also: Sequence[int] = (),
    modules: Mapping[str, nn.Module] | None = None,
) -> fx.GraphModule:
    """The program as a function of its inputs and then its parameters.

    `kernels` replace primitives by functions that are not looked into. What `seen` gives takes the
    place of a value; it may call `modules`. The values `also` are given behind the output.
    """
    graph = fx.Graph()
    tracer = GraphAppendingTracer(graph)

    def placeholder(name: str) -> fx.Proxy:
        return fx.Proxy(graph.placeholder(name), tracer)

    def scalar(number: float) -> fx.Proxy:
        """A number as a tensor without axes; in double, it never widens what it meets."""
        node = graph.call_function(torch.scalar_tensor, (number,), {"dtype": torch.float64})
        return fx.Proxy(node, tracer)

    inputs = {item.name: placeholder(f"input_{i}") for i, item in enumerate(program.inputs)}
    parameters = {p.name: placeholder(f"parameter_{i}") for i, p in enumerate(program.parameters)}
    values: list[Any] = []
    for value in program.values:
        if value.primitive == INPUT:
            values.append(inputs[value.name])
        elif value.primitive == PARAMETER:
            values.append(parameters[value.name])
        else:
            record, attributes = value.record, dict(value.attributes)
            assert record is not None
            arguments = [values[a] for a in value.arguments]
            if value.primitive in kernels:
                nodes = tuple(a.node for a in arguments)
                if value.primitive == "deal":
                    index = attributes.pop("index")
                    parts: Any = fx.Proxy(graph.call_function(deal, nodes, attributes), tracer)
                    values.append(parts[index])
                    continue
                made = graph.call_function(kernels[value.primitive], nodes, attributes)
                values.append(fx.Proxy(made, tracer))
                continue
            if record.modal:
                attributes["training"] = training
            result = record.torch(torch, *arguments, **attributes)
            values.append(scalar(result) if isinstance(result, float) else result)
            if seen is not None:
                values[-1] = seen(len(values) - 1, values)
    results = tuple(values[index].node for index in (program.output, *also))
    graph.output(results if also else results[0])
    _share(graph)
    if not training and modules is None:  # where nothing is written in place, and none is called
        graph.eliminate_dead_code()
    return fx.GraphModule(dict(modules) if modules else nn.Module(), graph)


def _share(graph: fx.Graph) -> None:
    """Lets equal nodes be one, such as the split that parts come from."""
    known: dict[Any, fx.Node] = {}
    for node in graph.nodes:
        if node.target in _SHARED:
            key = (node.target, repr(node.args), repr(node.kwargs))
            if key in known:
                node.replace_all_uses_with(known[key])
                graph.erase_node(node)
            else:
                known[key] = node
