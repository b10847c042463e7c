"""The certificate of a model that takes raw inputs: as of any ONNX model, on raw inputs.

The reference computes backbones by torch in float64, and the network in numpy as always; beside it
stands torch in float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.network.names import presence_name
from ...compiler.system.files import first_line
from ...compiler.targets.numpy.network import NumpyNetwork
from ...compiler.targets.onnx.certificate import (
    LARGE,
    LONGEST,
    RANDOM,
    Certificate,
    compared,
    random_inputs,
)
from ...compiler.targets.target import Subject
from ...compiler.targets.torch.module import compile_torch
from ..backbones.inputs import Input
from .modalities import Extractor, RawModality

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
_FEW = (1, 9)


def certified(path: Path, subject: Subject, modalities: Sequence[RawModality]) -> Certificate:
    """What was measured of a model file; raises DiagnosticError as `compared` does."""
    extractor, module = Extractor(modalities).eval(), compile_torch(subject).eval()
    network = NumpyNetwork(subject.program, subject.arrays)

    @torch.no_grad()
    def features(inputs: Arrays, kind: torch.dtype) -> dict[str, torch.Tensor]:
        tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
        given = {n: t.to(kind) if t.is_floating_point() else t for n, t in tensors.items()}
        return {**given, **extractor(given)}

    def reference(inputs: Arrays) -> NDArray[Any]:
        extractor.double()
        try:
            found = features(inputs, torch.float64)
        except RuntimeError as error:
            why = first_line(error)
            message = f"a backbone cannot be computed in float64, as a reference: {why}"
            raise fail("E508", message, help="add `--no-verify` to write the model alone") from None
        finally:
            extractor.float()
        return network({name: tensor.numpy() for name, tensor in found.items()})

    @torch.no_grad()
    def beside(inputs: Arrays) -> NDArray[Any]:
        logits: NDArray[Any] = module(features(inputs, torch.float32)).numpy()
        return logits

    inputs = raw_cases(subject, modalities)
    return compared(path, subject.network.head, reference, inputs, beside)


def raw_cases(subject: Subject, modalities: Sequence[RawModality]) -> Iterator[tuple[str, Arrays]]:
    """Raw inputs to compare on, each with what it is, as those of features are."""
    optional = [presence_name(m.name) for m in subject.network.spec.modalities if m.optional]
    yield f"{RANDOM}, batch 1", _random(subject, modalities, 1, 1)
    yield f"{RANDOM}, batch 7", _random(subject, modalities, 7, 7)
    yield "zero", _random(subject, modalities, 2, 0, scale=0.0)
    yield "large", _random(subject, modalities, 2, 2, scale=LARGE)
    counted = [modality for modality in modalities if modality.lengths is not None]
    if counted:
        yield "as short as can be", _random(subject, modalities, 2, 3, sizes=(1, 1))
        yield "long", _random(subject, modalities, 2, 4, sizes=(LONGEST, LONGEST))
    if counted or optional:
        inputs = _random(subject, modalities, 5, 5)
        lengths = {str(s.lengths): np.resize([1, -1, 2], 5) for s in counted}
        present = {name: (np.arange(5) % 2).astype(np.float32) for name in optional}
        yield "of several lengths and partly absent", {**inputs, **lengths, **present}


def _random(
    subject: Subject,
    modalities: Sequence[RawModality],
    batch: int,
    seed: int,
    scale: float = 1.0,
    sizes: tuple[int, int] = _FEW,
) -> dict[str, NDArray[Any]]:
    """Normal numbers times `scale`, any whole ones, and the features of other modalities."""
    generator = np.random.default_rng([seed, len(modalities)])
    given = {name for modality in modalities for name in modality.paths}
    plain = random_inputs(subject.program, batch, seed, scale, sizes)
    found = {name: array for name, array in plain.items() if name not in given}
    for modality in modalities:
        shape = (batch, *_shape(modality, generator, sizes))
        item = modality.input
        found[modality.name] = (
            generator.integers(0, item.below, shape)
            if item.below
            else (scale * generator.normal(size=shape)).astype(np.float32)
        )
    return found


def _shape(
    modality: RawModality, generator: np.random.Generator, sizes: tuple[int, int]
) -> list[int]:
    """Sizes of a sample: free lengths of texts between `sizes`, those of others about as usual."""
    item: Input = modality.input
    usual, longest = item.sizes, modality.backbone.transform.get("longest", LONGEST)
    shape: list[int] = []
    for axis, size in zip(item.axes, item.shape, strict=True):
        if size is not None:
            shape.append(size)
        elif item.kind == "text":
            low, high = (min(bound, longest) for bound in sizes)
            shape.append(int(generator.integers(low, high + 1)))
        else:
            shape.append(usual[axis] + int(generator.integers(0, 9)))
    return shape
