"""Weights of published fusion networks by our names, and back.

The state dicts of BM-NAS's networks, found or searched, and of MFAS's have the names of their
modules; backbones stand beside the fusion in them. A 1 × 1 convolution (out, in, 1) and a linear
layer (out, in) are `W[in, out]` here, a layer norm over (C, L) has (L, C); nothing else differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..diagnostics.diagnostic import fail, one_of
from ..diagnostics.text import shortened
from ..network.network import Network, NetworkCell
from .genotype import OPERATIONS

Array = NDArray[Any]
PARALLEL: Final = "module."
"""What stands before every name of a network that ran on several GPUs."""
BACKBONES: Final = ("rgbnet.", "skenet.", "rgb_net.", "depth_net.", "imagenet.", "textnet.")
"""How names of backbones begin, which are left out."""
_IGNORED = ".num_batches_tracked"
_CELLS = "fusion_net.cell._step_nodes."
_MIXED = "._ops."
_LAYERS = "fusion_layers."
_BATCHNORM = {
    "scale": "weight",
    "shift": "bias",
    "mean": "running_mean",
    "variance": "running_var",
}
_LAYERNORM = {"scale": "weight", "shift": "bias"}
MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a weight stands in a state dict, and of how many axes it is there.

    Its last axes are those of ours the other way round.
    """

    name: str
    axes: int

    def ours(self, array: Array) -> Array:
        """The published array in our layout; raises ValueError where it has other axes."""
        if array.ndim != self.axes or (self.axes == 3 and array.shape[-1] != 1):
            raise ValueError(f"`{shortened(self.name)}` is {array.shape}")
        return (array[..., 0] if self.axes == 3 else array).T

    def theirs(self, array: Array) -> Array:
        """Our array in the published layout."""
        return np.ascontiguousarray(array.T[..., None] if self.axes == 3 else array.T)


def imported(
    state: Mapping[str, Callable[[], Array]], network: Network
) -> tuple[dict[str, Array], list[str]]:
    """The weights of a state dict under our names, and names in it that no part takes.

    Arrays are read when they are needed. Raises DiagnosticError, E505, where one is missing or has
    other axes.
    """
    prefix = PARALLEL if all(name.startswith(PARALLEL) for name in state) else ""
    own = {name.removeprefix(prefix): read for name, read in state.items()}
    places = dict(places_of(network, is_hypernet=any(_MIXED in name for name in own)))
    lacking = [place.name for place in places.values() if place.name not in own]
    if lacking or not places:
        shown = one_of(lacking[:MOST_SHOWN]) if lacking else "what a fusion network has"
        message = f"the state dict lacks {shown}"
        raise fail("E505", message, help="it belongs to another network, or another genotype")
    found: dict[str, Array] = {}
    for name, place in places.items():
        try:
            found[name] = place.ours(own[place.name]())
        except ValueError as error:
            remedy = "it belongs to another network"
            raise fail("E505", f"the weight {error}", help=remedy) from None
    taken = {place.name for place in places.values()}
    rest = [name for name in own if name not in taken and not name.startswith(BACKBONES)]
    return found, [name for name in rest if not name.endswith(_IGNORED)]


def exported(weights: Mapping[str, Array], network: Network) -> dict[str, Array]:
    """Weights of ours as the state dict of a published network, without its backbones.

    Raises DiagnosticError, E602 where the network has no place there for one of them.
    """
    places = dict(places_of(network, is_hypernet=False))
    lost = [name for name in weights if name not in places]
    if lost:
        message = f"the published code has no place for `{shortened(lost[0])}`"
        raise fail("E602", message, help="its networks have `use bmnas`, or are MFAS's")
    found = {places[name].name: places[name].theirs(array) for name, array in weights.items()}
    if any(name.startswith(_LAYERS) for name in found):  # that code has these, used or not
        for k in range(len(network.cells)):
            found.setdefault(f"alphas.{k}.alpha_x", np.zeros(1, np.float32))
    norms = [n.removesuffix("running_mean") for n in found if n.endswith(".running_mean")]
    return found | {f"{norm}num_batches_tracked": np.array(0, np.int64) for norm in norms}


def places_of(network: Network, *, is_hypernet: bool) -> Iterator[tuple[str, Place]]:
    """Every weight of a network without holes by our name, with its place in a state dict."""
    if any(cell.name.startswith("Fusion_") for cell in network.cells):
        yield from _mfas(network)
    else:
        yield from _bmnas(network, is_hypernet)


def _mfas(network: Network) -> Iterator[tuple[str, Place]]:
    for k, cell in enumerate(network.cells):
        (step,) = cell.steps
        ours = f"{cell.name}.{step.name}.{step.operations[0].scope}"
        if any(
            s.name == "a" for s in getattr(step.operations[0].definition.body, "statements", ())
        ):
            yield f"{ours}.alpha", Place(f"alphas.{k}.alpha_x", 1)
        yield from _linear(ours, f"{_LAYERS}{k}.0", 2)
        yield from _norm(f"{ours}.batchnorm", f"{_LAYERS}{k}.2", _BATCHNORM, 1)
    yield from _linear("head", "central_classifier", 2)


def _bmnas(network: Network, is_hypernet: bool) -> Iterator[tuple[str, Place]]:
    used = {s.candidates[0] for c in network.cells for s in c.slots}
    used.update(network.output_candidates)
    for i, feature in enumerate(network.features):
        if feature.name in used:
            yield from _linear(f"{feature.name}.adapt", f"reshape_layers.{i}.conv", 3)
            norm = f"{feature.name}.adapt.batchnorm", f"reshape_layers.{i}.bn"
            yield from _norm(*norm, _BATCHNORM, 1)
    for k, cell in enumerate(network.cells):
        yield from _cell(cell, f"{_CELLS}{k}.node_cell", is_hypernet)
    yield from _norm("output.combine.layernorm", "fusion_net.cell.ln", _LAYERNORM, 2)
    yield from _linear("head", "central_classifier", 2)


def _cell(cell: NetworkCell, theirs: str, is_hypernet: bool) -> Iterator[tuple[str, Place]]:
    published = {ours: name for name, ours in OPERATIONS.items()}
    for m, step in enumerate(cell.steps):
        name = step.operations[0].definition.name
        ours = f"{cell.name}.{step.name}.{step.operations[0].scope}"
        place = f"{theirs}.node_ops.{m}"
        if is_hypernet and name in published:
            place += f"{_MIXED}{list(OPERATIONS).index(published[name])}"
        if name == "Attention":
            yield from _norm(f"{ours}.layernorm", f"{place}.ln", _LAYERNORM, 2)
        elif name != "Sum":
            yield from _linear(ours, f"{place}.conv", 3)
            yield from _norm(f"{ours}.batchnorm", f"{place}.bn", _BATCHNORM, 1)
    if len(cell.returned) > 1:
        yield from _linear(f"{cell.name}.merge", f"{theirs}.out_conv", 3)
        yield from _norm(f"{cell.name}.merge.batchnorm", f"{theirs}.bn", _BATCHNORM, 1)
    yield from _norm(f"{cell.name}.merge.layernorm", f"{theirs}.ln", _LAYERNORM, 2)


def _linear(ours: str, theirs: str, axes: int) -> Iterator[tuple[str, Place]]:
    yield f"{ours}.W", Place(f"{theirs}.weight", axes)
    yield f"{ours}.b", Place(f"{theirs}.bias", 1)


def _norm(
    ours: str, theirs: str, parts: Mapping[str, str], axes: int
) -> Iterator[tuple[str, Place]]:
    for own, published in parts.items():
        yield f"{ours}.{own}", Place(f"{theirs}.{published}", axes)
