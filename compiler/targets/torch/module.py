"""The torch target: a Program as an `nn.Module` over a dictionary of feature tensors.

NOTE: the Program becomes two functions (training and evaluation) over a list of tensors, traced
once into `fx` graphs by handing the primitives proxies, so that running it costs no interpreter.
Parameters stand in `state_dict` under the Program's names, whichever passes ran.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

import torch
from numpy.typing import NDArray
from torch import Tensor, fx, nn
from torch.fx.proxy import GraphAppendingTracer

from ...diagnostics import fail
from ...initial import initial_values
from ...program import INPUT, PARAMETER, Program
from ...weights import Weights, fitting


class FusionModule(nn.Module):
    """A fusion network or hypernet: `forward({"Video_1": tensor, …})` gives logits (batch, K).

    A feature is (batch, axes…) as the specification declares it. `Feature.lengths`, (batch,), and
    `modality.present`, (batch,), may be left out.
    """

    def __init__(self, program: Program, seed: int = 0) -> None:
        super().__init__()
        self.program = program
        self._kinds = {p.name: p.kind for p in program.parameters}
        for name, array in initial_values(program, seed).items():
            _register(self, name, torch.from_numpy(array), self._kinds[name] != "statistic")
        self._names = [p.name for p in program.parameters]
        self._training_graph = trace(program, training=True)
        self._evaluation_graph = trace(program, training=False)

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        tensors = self._inputs(features)
        named = dict(self.named_parameters()) | dict(self.named_buffers())
        tensors += [named[name] for name in self._names]
        graph = self._training_graph if self.training else self._evaluation_graph
        result: Tensor = graph(*tensors)
        return result

    def train(self, mode: bool = True) -> Self:
        """Sets training or evaluation mode, also where a Cell is named `training`."""
        object.__setattr__(self, "training", mode)
        return self

    def architecture_parameters(self) -> Iterator[nn.Parameter]:
        """α, β and γ: the parameters that fill the holes."""
        return self._of_kind("architecture")

    def weight_parameters(self) -> Iterator[nn.Parameter]:
        """The parameters of the operations, adapters, merges and the head."""
        return self._of_kind("weight")

    def arrays(self) -> dict[str, NDArray[Any]]:
        """A copy of `state_dict` as numpy arrays, by name."""
        return {name: t.detach().cpu().numpy().copy() for name, t in self.state_dict().items()}

    def _of_kind(self, kind: str) -> Iterator[nn.Parameter]:
        return (p for name, p in self.named_parameters() if self._kinds[name] == kind)

    def _inputs(self, features: Mapping[str, Tensor]) -> list[Tensor]:
        missing = [
            i.name for i in self.program.inputs if i.kind == "feature" and i.name not in features
        ]
        if missing:
            message = f"the input `{missing[0]}` is missing"
            raise fail("E501", message, help=f"given are {', '.join(sorted(features)) or 'none'}")
        device = next(iter(features.values())).device
        return [
            features[i.name] if i.name in features else torch.tensor([i.default], device=device)
            for i in self.program.inputs
        ]


def load_weights(module: FusionModule, weights: Weights) -> None:
    """Copies weights into a module by name; raises DiagnosticError where they do not fit."""
    fitted = fitting(module.program, weights)
    module.load_state_dict({name: torch.from_numpy(array) for name, array in fitted.items()})


def trace(program: Program, training: bool) -> fx.GraphModule:
    """The program as a function of its inputs and then its parameters."""
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
            record = value.record
            assert record is not None
            attributes = dict(value.attributes)
            if record.modal:
                attributes["training"] = training
            arguments = (values[a] for a in value.arguments)
            result = record.torch(torch, *arguments, **attributes)
            values.append(scalar(result) if isinstance(result, float) else result)
    graph.output(values[program.output].node)
    return fx.GraphModule(nn.Module(), graph)


class _Scope(nn.Module):
    """Holds parameters under a name; has no mode of its own."""

    def train(self, mode: bool = True) -> Self:
        return self


def _register(module: nn.Module, name: str, value: Tensor, trained: bool) -> None:
    """Adds a parameter or buffer under a dotted name.

    Names are the specification's, and may be those of attributes of `nn.Module` such as
    `training`, which its own registering refuses; hence the dictionaries behind it are used.
    """
    *path, last = name.split(".")
    for part in path:
        modules = module._modules  # pyright: ignore[reportPrivateUsage]
        module = modules.setdefault(part, _Scope()) or module
    if trained:
        module._parameters[last] = nn.Parameter(value)  # pyright: ignore[reportPrivateUsage]
    else:
        module._buffers[last] = value  # pyright: ignore[reportPrivateUsage]
