"""Taps: what some parts of a backbone give for a batch; what comes after the last is not run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

from .backbone import Backbone
from .hooks import parts_of, taking
from .trial import trial


def tapped(
    backbone: Backbone, paths: Sequence[str], *, stop: bool = True
) -> Callable[[Mapping[str, Tensor] | Tensor], dict[str, Tensor]]:
    """A function from a batch to what parts of a backbone give for it, by their paths.

    It takes the first input (batch, …), or all inputs by name, and gives (batch, …) for each path;
    the path of the backbone itself is empty. Gradients, devices and modes are the caller's. Without
    `stop` the whole is run, as those who trace it need. Raises DiagnosticError for a path that is
    not there, or whose part does not run just once.
    """
    parts = parts_of(backbone.module, paths, backbone.name)
    trial(backbone, paths)

    def taps(inputs: Mapping[str, Tensor] | Tensor) -> dict[str, Tensor]:
        with taking(parts, stop=stop) as taken:
            run(backbone, inputs)
        return {path: taken.tensors[path] for path in parts}

    return taps


def run(backbone: Backbone, inputs: Mapping[str, Tensor] | Tensor) -> object:
    """What a backbone gives for its first input (batch, …), or for all of them by name."""
    if isinstance(inputs, Tensor):
        return backbone.module(inputs)
    others = {name: tensor for name, tensor in inputs.items() if name != backbone.input.name}
    return backbone.module(inputs[backbone.input.name], **others)
