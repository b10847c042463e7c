"""Configurations of MFAS's published code: lists of layers, as a Spec and back.

A layer is three numbers: a feature of the first modality, one of the second, and an activation.
It takes both features, averaged over their places, and the layer before it:
dropout(batchnorm(activation(concat(x, y, z) @ W + b))). In that code the first modality is the
skeleton, the second the video.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from ..diagnostics.diagnostic import fail, one_of
from ..diagnostics.source import Name, Source, Span
from ..language.nodes import (
    Budget,
    Cell,
    CellInput,
    Definition,
    Modality,
    NetworkHeader,
    Operation,
    Reference,
    Step,
)
from ..language.spec import Spec
from ..syntax.parse import parse

FIRST: Final = "skeleton"
"""The modality that comes first wherever there is one of this name."""
ACTIVATIONS: Final[Mapping[int, tuple[str, str]]] = {
    0: ("Relu", "relu(h)"),
    1: ("Sigmoid", "sigmoid(h)"),
    2: ("LeakyRelu", "relu(h) - 0.01 * relu(-h)"),
}
"""The operation of each activation, and how it maps what is linear."""
MOST_LAYERS = 100
INPUTS = ("x", "y", "z")
Layer = tuple[int, int, int]
_NUMBER = r"\s*(\d{1,4})\s*"
_LAYER = re.compile(rf"\[{_NUMBER}[\s,_]{_NUMBER}[\s,_]{_NUMBER}\]")
_LAYERS = re.compile(r"\[\s*(?:\[[\d\s,_]{1,40}\][\s,_]*)+\]")


def is_configuration(text: str) -> bool:
    """Whether a text has a list of layers."""
    return _LAYERS.search(text) is not None


def read_layers(text: str, name: str) -> tuple[Layer, ...]:
    """The layers of the one list in a text, as Python or numpy print it, or as in a file's name.

    Raises DiagnosticError, E601.
    """
    source = Source(name, text)
    lists = list(_LAYERS.finditer(text))
    if len(lists) != 1:
        message = f"there are {len(lists)} configurations of MFAS in the text"
        raise fail("E601", message, help="give one: `[[3, 1, 1], [1, 3, 0]]`")
    layers: list[Layer] = []
    for found in re.finditer(r"\[[^\[\]]*\]", lists[0][0][1:]):
        start = lists[0].start() + 1 + found.start()
        layer = _LAYER.fullmatch(found[0])
        if layer is None:
            message = "a layer of MFAS is three numbers"
            raise fail("E601", message, Span(source, start, start + len(found[0])))
        layers.append((int(layer[1]), int(layer[2]), int(layer[3])))
    if len(layers) > MOST_LAYERS:
        raise fail("E601", f"the configuration has more than {MOST_LAYERS} layers")
    return tuple(layers)


# Layers to Spec


def spec_of_layers(layers: Sequence[Layer], spec: Spec, alphas: bool = False) -> Spec:
    """The network of a configuration over the features of a specification.

    `alphas` weigh the two features of each layer, as the option of that code does. Raises
    DiagnosticError, E602 with what does not fit.
    """
    first, second = _modalities(spec)
    cells = tuple(
        _cell(number, layer, first, second, alphas) for number, layer in enumerate(layers, 1)
    )
    kinds = sorted({(layer[2], min(k, 2)) for k, layer in enumerate(layers, 1)})
    definitions = [_definitions(alphas)[activation, 1 + number] for activation, number in kinds]
    return replace(
        spec,
        network=_header(spec),
        uses=(),
        definitions=(*definitions, *_roles()),
        pool=None,
        cells=cells,
        outputs=(Reference(Name(cells[-1].name)),),
        requirements=tuple(r for r in spec.requirements if isinstance(r, Budget)),
    )


def _modalities(spec: Spec) -> tuple[Modality, Modality]:
    if len(spec.modalities) != 2:
        message = f"the specification has {len(spec.modalities)} modalities, and MFAS fuses two"
        raise fail("E602", message, help="give one of two modalities, such as `ntu1.fuse`")
    ordered = sorted(spec.modalities, key=lambda modality: modality.name != FIRST)
    return ordered[0], ordered[1]


def _header(spec: Spec) -> NetworkHeader:
    if spec.network is None:
        raise fail("E602", "the specification has no `network` line")
    numbers = {**dict(spec.network.numbers), "L": 1}
    return replace(spec.network, numbers=tuple(numbers.items()))


def _cell(number: int, layer: Layer, first: Modality, second: Modality, alphas: bool) -> Cell:
    places = zip((first, second), layer, strict=False)
    taken = [_feature(modality, place, number) for modality, place in places]
    taken += [f"Fusion_{number - 1}"] * (number > 1)
    if layer[2] not in ACTIVATIONS:
        message = f"layer {number} has the activation {layer[2]}"
        names = one_of([f"{n} ({op})" for n, (op, _) in ACTIVATIONS.items()])
        raise fail("E602", message, help=f"those of MFAS are {names}")
    slots = tuple(Reference(Name(name)) for name in INPUTS[: len(taken)])
    step = Step(Name("Step_1"), Operation(Name(ACTIVATIONS[layer[2]][0])), slots)
    inputs = tuple(CellInput(Reference(Name(name))) for name in taken)
    return Cell(Name(f"Fusion_{number}"), inputs, (step,))


def _feature(modality: Modality, place: int, number: int) -> str:
    if place < len(modality.features):
        return str(modality.features[place].name)
    count = len(modality.features)
    message = f"layer {number} takes feature {place} of `{modality.name}`, which has {count}"
    raise fail("E602", message, help="features are counted from 0, in the order of the modality")


@cache
def _definitions(alphas: bool) -> Mapping[tuple[int, int], Definition]:
    """The operation of each activation and number of inputs."""
    first = ("a * x, (1 - a) * y", "a = sigmoid(alpha[1]); alpha[1] = zeros; ")
    taken, weight = first if alphas else ("x, y", "")
    lines = [
        f"op {op}({', '.join(INPUTS[:count])}) {_body(taken + ', z' * (count > 2), weight, mapped)}"
        for op, mapped in ACTIVATIONS.values()
        for count in (2, 3)
    ]
    keys = [(activation, count) for activation in ACTIVATIONS for count in (2, 3)]
    return dict(zip(keys, parse("\n".join(lines)).definitions, strict=True))


def _body(taken: str, weight: str, mapped: str) -> str:
    linear = f"concat({taken}) @ W[_, C] + b[C]"
    if weight or mapped.count("h") > 1:
        return f"{{ {weight}h = {linear}; return dropout(batchnorm({mapped})) }}"
    return f"= dropout(batchnorm({mapped.replace('h)', linear + ')')}))"


@cache
def _roles() -> tuple[Definition, ...]:
    text = """
    role adapt(f) = resample(f, by = mean)
    role merge(x, s) = s
    role combine(h) = h
    role head(h) = flatten(h) @ W[_, K] + b[K]
    """
    return parse(text).definitions


# Spec to layers


def layers_of(spec: Spec) -> tuple[tuple[Layer, ...], bool]:
    """The configuration of a network, and whether it has weights of features.

    Raises DiagnosticError, E602 where it is not as `spec_of_layers` makes it.
    """
    first, second = _modalities(spec)
    named = {f.name: place for m in (first, second) for place, f in enumerate(m.features)}
    for alphas in (False, True):
        try:
            layers = tuple(_layer(cell, named) for cell in spec.cells)
            if layers and spec_of_layers(layers, spec, alphas) == spec:
                return layers, alphas
        except LookupError:
            break
    message = "the specification is no network of MFAS's published code"
    raise fail("E602", message, help="such networks are as `fusewright import` makes them")


def _layer(cell: Cell, named: Mapping[str, int]) -> Layer:
    """The numbers of a Cell; raises LookupError where it has none."""
    activations = {op: number for number, (op, _) in ACTIVATIONS.items()}
    taken = [i.slot.name for i in cell.inputs[:2] if isinstance(i.slot, Reference)]
    operation = cell.steps[0].operation
    name = operation.name if isinstance(operation, Operation) else ""
    return named[taken[0]], named[taken[1]], activations[name]


def layers_text(layers: Iterable[Layer]) -> str:
    """A configuration as the published code writes it in Python."""
    return str([list(layer) for layer in layers])
