"""Parameters under dotted names, in modules that stand for the places of a network.

NOTE: names are the specification's, and may be those of attributes of `nn.Module` such as
`training`, which its own registering refuses; hence the dictionaries behind it are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from torch import Tensor, nn


class Scope(nn.Module):
    """Holds parameters under a name, and is called with what its place reads and gives.

    It has no mode of its own.
    """

    def forward(self, *inputs: Tensor, result: Tensor) -> Tensor:
        return result

    def train(self, mode: bool = True) -> Self:
        return self


def place_of_parameter(module: nn.Module, name: str) -> tuple[dict[str, Any], str]:
    """The dictionary that holds a parameter or buffer, which may be replaced there, and its key."""
    *path, last = name.split(".")
    for part in path:
        found = module._modules[part]  # pyright: ignore[reportPrivateUsage]
        assert found is not None
        module = found
    held: dict[str, Any] = module._parameters  # pyright: ignore[reportPrivateUsage]
    return (held if last in held else module._buffers), last  # pyright: ignore[reportPrivateUsage]


def scope_of(module: nn.Module, path: Sequence[str]) -> nn.Module:
    """The module of a place, which is made where it is missing."""
    for part in path:
        modules = module._modules  # pyright: ignore[reportPrivateUsage]
        module = modules.setdefault(part, Scope()) or module
    return module


def register(module: nn.Module, name: str, value: Tensor, trained: bool) -> None:
    """Adds a parameter or buffer under a dotted name."""
    *path, last = name.split(".")
    module = scope_of(module, path)
    if trained:
        module._parameters[last] = nn.Parameter(value)  # pyright: ignore[reportPrivateUsage]
    else:
        module._buffers[last] = value  # pyright: ignore[reportPrivateUsage]
