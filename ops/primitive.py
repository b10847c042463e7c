"""What a tensor primitive is: one record that says everything about it.

NOTE: a record imports no target. Each target hands its builder to the record's function for it:
numpy hands the module `numpy`, torch the module `torch`, ONNX a graph builder on which
`g.Relu(x)` adds a node and returns the name of its output. The same torch function therefore
serves eager execution and tracing.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Literal

from .types import TensorType

AttributeKind = Literal["number", "count", "axes", "word"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A named setting of a primitive, given by name or after its inputs.

    `number` is a float, `count` a whole number above zero, `axes` names of axes of the first
    input, `word` one of `words`. A default that is a string names one of the network's numbers
    (kinds `number` and `count`), with `otherwise` where the network does not state it.
    """

    name: str
    kind: AttributeKind
    default: Any = None
    otherwise: float | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Owned:
    """A parameter or running statistic that every instance of a primitive owns."""

    name: str
    type: TensorType
    initial: float
    trained: bool = True


def _no_macs(result: TensorType, *types: TensorType, **attributes: Any) -> int:
    return 0


def _no_zero(zero: Sequence[bool]) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Primitive:
    """A tensor primitive.

    `type` is the shape rule, from the inputs' types and the attributes; it raises ShapeError.
    `numpy`, `torch` and `onnx` build it; those of a `modal` primitive also take `training`.
    `derive` adds attributes that follow from the inputs' types. `macs` counts multiply-adds of
    one sample. `zero` says whether the result is zero, from which inputs are. `random` values
    are never merged. `batched(torch, record, arguments, of, settings)` builds it in torch for many
    networks at once, over the stacks of `ops/batching.py`; None where each computes it for itself.
    One that `reads_lengths` takes the lengths of the samples, where there are
    some, as its last input. A primitive that is not `public` is written as an operator, or made by
    lowering or by passes; one that passes for training alone make has no `onnx`.
    """

    name: str
    type: Callable[..., TensorType]
    numpy: Callable[..., Any]
    torch: Callable[..., Any]
    latex: Callable[..., str]
    inputs: tuple[int, int | None] = (1, 1)
    attributes: tuple[Attribute, ...] = ()
    onnx: Callable[..., Any] | None = None
    owns: Callable[..., Sequence[Owned]] | None = None
    derive: Callable[..., Mapping[str, Any]] | None = None
    macs: Callable[..., int] = _no_macs
    zero: Callable[[Sequence[bool]], bool] = _no_zero
    modal: bool = False
    reads_lengths: bool = False
    random: bool = False
    public: bool = True
    batched: Callable[..., Any] | None = None

    def takes(self, count: int) -> bool:
        low, high = self.inputs
        return count >= low and (high is None or count <= high)


@cache
def primitives() -> Mapping[str, Primitive]:
    """All primitives by name, found in the modules of `ops/primitives`."""
    package = import_module(".primitives", __package__)
    by_name: dict[str, Primitive] = {}
    for module in pkgutil.iter_modules(package.__path__):
        for value in vars(import_module(f"{package.__name__}.{module.name}")).values():
            if isinstance(value, Primitive) and by_name.setdefault(value.name, value) is not value:
                raise ValueError(f"two primitives are named `{value.name}`")
    return by_name
