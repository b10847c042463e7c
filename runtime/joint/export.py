"""One ONNX model from raw inputs: backbones through torch's exporter, joined to a fusion network.

The fusion network is what `compile_onnx` writes, with its functions; a backbone is nodes before it.
What torch's exporter says of its source, with paths of this machine, is left out.
"""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import torch
from onnx import compose, helper, numpy_helper
from torch import Tensor, nn

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.network.names import lengths_name
from ...compiler.system.files import first_line
from ...compiler.targets.keys import JOINT_KEY
from ...compiler.targets.onnx.export import compile_onnx
from ...compiler.targets.onnx.interface import BATCH
from ...compiler.targets.onnx.options import OnnxOptions
from ...compiler.targets.target import Subject
from ..extras import needed
from .modalities import WHOLE_LENGTH, Extractor, RawModality

OPSETS = range(18, 23)
"""Those of torch's exporter, but for `Attention`, which it writes for one number of samples."""
_EXAMPLE = 2


def joint_model(
    subject: Subject, modalities: Sequence[RawModality], options: OnnxOptions
) -> onnx.ModelProto:
    """The checked model of a network with its backbones, which stand where their weights are.

    Its inputs are the raw ones, and the features of modalities without a backbone; its output is
    that of `compile_onnx`. The operator set is one of `OPSETS`, the latest at most. Raises
    DiagnosticError where torch cannot export a backbone.
    """
    needed("onnxscript", "joint")
    opset = min(options.opset, OPSETS[-1])
    if opset not in OPSETS:
        message = f"a model with backbones is not written at opset {opset}"
        raise fail("E506", message, help=f"opsets are {OPSETS[0]} to {OPSETS[-1]}")
    model = compile_onnx(subject, replace(options, opset=opset))
    for modality in modalities:
        model = _joined(_exported(modality, opset), model, modality)
    described = {modality.name: _described(modality) for modality in modalities}
    entry = model.metadata_props.add()
    entry.key, entry.value = JOINT_KEY, json.dumps(described, ensure_ascii=False)
    onnx.checker.check_model(model, full_check=True)
    return model


def _described(modality: RawModality) -> dict[str, Any]:
    """What a raw input is, in plain values: what a program that uses the model has to know."""
    return {
        "backbone": modality.backbone.name,
        "identity": modality.backbone.identity.record(),
        "kind": modality.input.kind,
        "shape": list(modality.input.shape),
        "below": modality.input.below,
        "transform": dict(modality.backbone.transform),
    }


class _Traced(nn.Module):
    """The features of one modality for its values and lengths, in order, as a tuple."""

    def __init__(self, modality: RawModality) -> None:
        super().__init__()
        self.modality, self.extractor = modality, Extractor([modality], stop=False)

    def forward(self, values: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, ...]:
        given = {self.modality.name: values}
        if lengths is not None and self.modality.lengths is not None:
            given[self.modality.lengths] = lengths
        found = self.extractor(given)
        return tuple(found[name] for name in features_of(self.modality))


def features_of(modality: RawModality) -> list[str]:
    """What the backbone of a modality gives to the network: features, and their lengths."""
    counted = modality.counted if modality.lengths is not None else {}
    return [*modality.paths, *map(lengths_name, counted)]


def _exported(modality: RawModality, opset: int) -> onnx.ModelProto:
    """The backbone of a modality as a model; raises DiagnosticError where that cannot be."""
    module = _Traced(modality).eval()
    item = modality.input
    arguments = [item.example(_EXAMPLE, item.sizes, "cpu")]
    free: list[dict[int, Any]] = [{0: torch.export.Dim(BATCH)}]
    places = {place + 1 for place, axis in enumerate(item.axes) if axis in item.free}
    free[0] |= {place: torch.export.Dim(f"axis_{place}") for place in places}
    if modality.lengths is not None:
        arguments.append(torch.full((_EXAMPLE,), item.sizes["t"], dtype=torch.int64))
        free.append({0: torch.export.Dim(BATCH)})
    names = [modality.name, _inner_lengths(modality)][: len(arguments)]
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                module,
                tuple(arguments),
                dynamo=True,
                opset_version=opset,
                dynamic_shapes=tuple(free),
                input_names=names,
                output_names=features_of(modality),
                verbose=False,
                external_data=False,
            )
    except Exception as error:  # noqa: BLE001  (exporting runs what a model is written as)
        cause = error.__cause__
        why = first_line(cause if isinstance(cause, Exception) else error)
        message = f"torch cannot export `{modality.backbone.name}` to ONNX: {why}"
        raise fail("E514", message, help="take a backbone that torch exports") from None
    assert program is not None
    return _plain(program.model_proto)


@contextmanager
def _quiet() -> Generator[None]:
    """Without what the exporter says on its way."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def _plain(model: onnx.ModelProto) -> onnx.ModelProto:
    """A model without what is said of where it was made."""
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.graph.value_info[:]
    model.graph.doc_string = model.doc_string = ""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    parts: list[Any] = [*model.graph.input, *model.graph.output, *model.graph.initializer]
    for part in parts:
        del part.metadata_props[:]
        part.doc_string = ""
    return model


def _joined(
    backbone: onnx.ModelProto, network: onnx.ModelProto, modality: RawModality
) -> onnx.ModelProto:
    """A model that gives the features of a modality to one that takes them."""
    taken = {item.name for item in network.graph.input}
    given = [name for name in features_of(modality) if name in taken]
    kept = [tensor for tensor in network.graph.initializer if tensor.name not in given]
    del network.graph.initializer[:]
    network.graph.initializer.extend(kept)
    prefix = f"{modality.name}/"
    inputs = [item.name for item in backbone.graph.input]
    renamed = compose.add_prefix(backbone, prefix, rename_inputs=False, rename_outputs=True)
    renamed.ir_version = network.ir_version
    whole = compose.merge_models(
        renamed,
        network,
        io_map=[(prefix + name, name) for name in given],
        inputs=[*inputs, *(i.name for i in network.graph.input if i.name not in given)],
        outputs=[item.name for item in network.graph.output],
        producer_name=network.producer_name,
        producer_version=network.producer_version,
    )
    imports = {item.domain: item.version for item in whole.opset_import}
    del whole.opset_import[:]
    whole.opset_import.extend(helper.make_opsetid(*pair) for pair in imports.items())
    _with_interface(whole, modality)
    return whole


def _with_interface(model: onnx.ModelProto, modality: RawModality) -> None:
    """Names the axes of the raw input of a modality; lengths may be left out, as those of features.

    What stands for them is one number, and so is brought to as many as there are samples.
    """
    graph = model.graph
    inner = _inner_lengths(modality)
    for place, item in enumerate(graph.input):
        kind = item.type.tensor_type.elem_type
        if item.name == modality.name:
            sizes = [
                f"{modality.name}.{axis}" if axis in modality.input.free else size
                for axis, size in zip(modality.input.axes, modality.input.shape, strict=True)
            ]
            item.CopyFrom(helper.make_tensor_value_info(item.name, kind, [BATCH, *sizes]))
        elif item.name == inner:
            name = str(modality.lengths)
            count = f"{inner}.count"
            nodes = [
                helper.make_node("Shape", [modality.name], [count], start=0, end=1),
                helper.make_node("Expand", [name, count], [inner]),
            ]
            rest = [*graph.node]
            del graph.node[:]
            graph.node.extend([*nodes, *rest])
            info = helper.make_tensor_value_info(name, kind, [f"{name}.batch"])
            graph.input[place].CopyFrom(info)
            graph.initializer.append(numpy_helper.from_array(np.array([WHOLE_LENGTH]), name))


def _inner_lengths(modality: RawModality) -> str:
    """What the nodes of a backbone call the lengths of all samples."""
    return f"{modality.name}/lengths"
