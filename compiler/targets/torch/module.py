"""The torch target: a Program as an `nn.Module` over a dictionary of feature tensors.

NOTE: the Program becomes two functions (training and evaluation) over a list of tensors, traced
once into `fx` graphs by handing the primitives proxies, so that running it costs no interpreter.
Parameters stand in `state_dict` under the Program's names, whichever passes ran.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from typing import Any, Self

import torch
from numpy.typing import NDArray
from torch import Tensor, fx, nn
from torch.fx.proxy import GraphAppendingTracer

from ....ops.types import CANDIDATES
from ...diagnostics.diagnostic import fail
from ...passes import optimise
from ...program.initial import initial_values
from ...program.program import INPUT, PARAMETER, Input, Program
from ...program.weights import Weights, fitting
from ..safetensors import read_weights
from ..target import Subject
from .kernels import IN_BOTH_MODES, NO_KERNELS, Kernels
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

_TRACED = {"_places", "_training_graph", "_evaluation_graph"}


class FusionModule(nn.Module):
    """A fusion network or hypernet: `forward({"Video_1": tensor, …})` gives logits (batch, K).

    A feature is (batch, axes…) as the specification declares it. `Feature.lengths`, (batch,), and
    `modality.present`, (batch,), may be left out. What a prepared program has computed before takes
    the place of features, under the name that it has among `program.inputs`.

    A module can be copied, pickled and, without `kernels`, exported in either mode.
    """

    _places: list[tuple[dict[str, Any], str]]
    _training_graph: Any
    _evaluation_graph: Any

    def __init__(self, program: Program, seed: int = 0, *, kernels: Kernels = NO_KERNELS) -> None:
        """`kernels` replace primitives while training, such as those of `kernels.py`."""
        super().__init__()
        self.program = program
        self._kinds = {p.name: p.kind for p in program.parameters}
        for name, array in initial_values(program, seed).items():
            _register(self, name, torch.from_numpy(array), self._kinds[name] != "statistic")
        self._kernels, self._compiled = kernels, False
        self._trace()

    def _trace(self) -> None:
        """Makes what follows from the program and the parameters, and is no part of a copy."""
        in_evaluation = {n: k for n, k in self._kernels.items() if n in IN_BOTH_MODES}
        made = {
            "_places": [_place(self, p.name) for p in self.program.parameters],
            "_training_graph": trace(self.program, True, self._kernels),
            "_evaluation_graph": trace(self.program, False, in_evaluation),
        }
        assert made.keys() == _TRACED
        self.__dict__.update(made)  # not as submodules, whose names are the specification's

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _TRACED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        restore: Any = super().__setstate__
        restore(state)
        self._trace()
        if self._compiled:
            self.compile_graphs()

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        tensors = self._inputs(features)
        tensors += [held[name] for held, name in self._places]
        graph = self._training_graph if self.training else self._evaluation_graph
        result: Tensor = graph(*tensors)
        return result

    def compile_graphs(self) -> None:
        """Lets torch.compile make one program of each mode, of static shapes; on CUDA, a graph.

        Call it when the module is on its device. The graphs take parameters and statistics as
        arguments: that these stay where they are lets a CUDA graph read and write them in place.
        """
        from torch._dynamo.decorators import mark_static_address  # takes a second to import

        for held, name in self._places:
            mark_static_address(held[name])
        on_cuda = any(p.is_cuda for p in self.parameters())
        mode = "reduce-overhead" if on_cuda else "default"
        for name in ("_training_graph", "_evaluation_graph"):
            graph = torch.compile(self.__dict__[name], mode=mode, fullgraph=True, dynamic=False)
            self.__dict__[name] = graph
        self._compiled = True

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
        missing = [i.name for i in self.program.inputs if i.required and i.name not in features]
        if missing:
            message = f"the input `{missing[0]}` is missing"
            raise fail("E501", message, help=f"given are {', '.join(sorted(features)) or 'none'}")
        device = next(iter(features.values())).device
        return [
            features[i.name]
            if i.name in features
            else torch.full(_sizes_left_out(i), i.default, device=device)
            for i in self.program.inputs
        ]


def _sizes_left_out(item: Input) -> tuple[int, ...]:
    """The sizes of what stands for an input that is left out: rows of a stack, one sample."""
    rows = tuple(a.size or 1 for a in item.type.axes if a.name == CANDIDATES)
    return rows if item.kind == "keys" else (*rows, 1)


def load_weights(module: FusionModule, weights: Weights) -> None:
    """Copies weights into a module by name; raises DiagnosticError where they do not fit."""
    fitted = fitting(module.program, weights)
    module.load_state_dict({name: torch.from_numpy(array) for name, array in fitted.items()})


def compile_torch(subject: Subject) -> FusionModule:
    """The module of a network, with its weights."""
    module = FusionModule(optimise(subject.program), subject.seed)
    if subject.weights is not None:
        load_weights(module, read_weights(subject.weights))
    return module


def trace(program: Program, training: bool, kernels: Kernels = NO_KERNELS) -> fx.GraphModule:
    """The program as a function of its inputs and then its parameters.

    `kernels` replace primitives by functions that are not looked into.
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
    graph.output(values[program.output].node)
    _share(graph)
    if not training:  # where nothing is written in place
        graph.eliminate_dead_code()
    return fx.GraphModule(nn.Module(), graph)


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


class _Scope(nn.Module):
    """Holds parameters under a name; has no mode of its own."""

    def train(self, mode: bool = True) -> Self:
        return self


def _place(module: nn.Module, name: str) -> tuple[dict[str, Any], str]:
    """The dictionary that holds a parameter or buffer, which may be replaced there, and its key."""
    *path, last = name.split(".")
    for part in path:
        found = module._modules[part]  # pyright: ignore[reportPrivateUsage]
        assert found is not None
        module = found
    held: dict[str, Any] = module._parameters  # pyright: ignore[reportPrivateUsage]
    return (held if last in held else module._buffers), last  # pyright: ignore[reportPrivateUsage]


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
