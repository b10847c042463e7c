"""The torch target: a Program as an `nn.Module` over a dictionary of feature tensors.

NOTE: the Program becomes two functions (training and evaluation) over a list of tensors, traced
once into `fx` graphs by handing the primitives proxies, so that running it costs no interpreter.
Parameters stand in `state_dict` under the Program's names, whichever passes ran.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ....ops.types import CANDIDATES
from ...diagnostics.diagnostic import fail
from ...graph.build import build
from ...passes import optimise
from ...program.initial import initial_values
from ...program.program import Input, Program
from ...program.weights import Weights, fitting
from ..safetensors import read_weights
from ..target import Subject
from .kernels import IN_BOTH_MODES, NO_KERNELS, Kernels
from .scopes import place_of_parameter, register, scope_of
from .traced import trace
from .watched import Watched, names_of, trace_watched

_TRACED = {"_places", "_training_graph", "_evaluation_graph", "_scopes", "_watching"}


class FusionModule(nn.Module):
    """A fusion network or hypernet: `forward({"Video_1": tensor, …})` gives logits (batch, K).

    A feature is (batch, axes…) as the specification declares it. `Feature.lengths`, (batch,), and
    `modality.present`, (batch,), may be left out. What a prepared program has computed before takes
    the place of features, under the name that it has among `program.inputs`.

    A module can be copied, pickled and, without `kernels`, exported in either mode.

    Of one that `compile` made, `embed` gives what the head takes, and forward hooks on adapters,
    Cells, Steps, the output and the head, `module.get_submodule("Cell_1.Step_1")`, see what each
    reads and gives, and may replace the latter. Pre-hooks see, and backward hooks are not called.
    """

    _places: list[tuple[dict[str, Any], str]]
    _training_graph: Any
    _evaluation_graph: Any
    _scopes: Any
    _watching: Any

    def __init__(
        self,
        program: Program,
        seed: int = 0,
        *,
        kernels: Kernels = NO_KERNELS,
        watched: Watched | None = None,
        places: Iterable[str] = (),
    ) -> None:
        """`kernels` replace primitives while training, such as those of `kernels.py`.

        `places` are modules beside those that hold parameters, and `watched` says where their
        values are made.
        """
        super().__init__()
        self.program, self._watched = program, watched
        self._kinds = {p.name: p.kind for p in program.parameters}
        for name, array in initial_values(program, seed).items():
            register(self, name, torch.from_numpy(array), self._kinds[name] != "statistic")
        for name in places:
            scope_of(self, name.split("."))
        self._kernels, self._compiled = kernels, False
        self._trace()

    def _trace(self) -> None:
        """Makes what follows from the program and the parameters, and is no part of a copy."""
        in_evaluation = {n: k for n, k in self._kernels.items() if n in IN_BOTH_MODES}
        made = {
            "_places": [place_of_parameter(self, p.name) for p in self.program.parameters],
            "_training_graph": trace(self.program, True, self._kernels),
            "_evaluation_graph": trace(self.program, False, in_evaluation),
            "_scopes": [module for module in self.modules() if module is not self],
            "_watching": {},
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
        if any(s._forward_hooks or s._forward_pre_hooks for s in self._scopes):  # pyright: ignore[reportPrivateUsage]
            return self._watch(features)[0]
        tensors = self._inputs(features)
        tensors += [held[name] for held, name in self._places]
        graph = self._training_graph if self.training else self._evaluation_graph
        result: Tensor = graph(*tensors)
        return result

    def embed(self, features: Mapping[str, Tensor]) -> Tensor:
        """What the head takes, (batch, L·channels), float32: the embedding of each sample.

        Raises DiagnosticError for a module that `compile` did not make, and where heads have names
        and none of them reads the output.
        """
        if self._watched is not None and not self._watched.has_embedding:
            message = "no head reads the output, so that samples have no embedding"
            raise fail("E506", message, help="look at the Cells that heads read, by forward hooks")
        return self._watch(features)[1].flatten(1)

    def _watch(self, features: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The logits and what the head takes, while every place is called."""
        if (watched := self._watched) is None:
            message = "the module was not compiled from one specification, so that it has no places"
            raise fail("E506", message, help="compile one: `fw.compile(spec, weights=…)`")
        graph = self._watching.get(self.training)
        if graph is None:
            graph = self._watching[self.training] = trace_watched(watched, self, self.training)
        tensors = self._inputs(features)
        tensors += [held[name] for held, name in self._places]
        logits, embedding = graph(*tensors)
        return logits, embedding

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
    watched, places = None, list[str]()
    if [*subject.networks] == [()]:
        watched = Watched(subject.network.spec, subject.relax)
        places = names_of(build(subject.network))
    module = FusionModule(optimise(subject.program), subject.seed, watched=watched, places=places)
    if subject.weights is not None:
        load_weights(module, read_weights(subject.weights))
    return module
