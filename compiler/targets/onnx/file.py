"""ONNX files: what stands in their metadata, and what they may hold. A file is untrusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError

from ...check.check import checked, require_no_holes
from ...diagnostics.diagnostic import DiagnosticError, fail
from ...documents.spellings import loads
from ...language.ensemble import Ensemble
from ...language.spec import Spec
from ...network.names import EMBEDDING
from ...program.program import Input
from ...system.files import read_bytes
from ..ensemble import EnsembleSubject, ensemble_in
from ..keys import JOINT_KEY, SPEC_KEY
from ..target import Subject
from .allowance import allowance
from .bounds import Shape, Unbounded, require_bounded
from .embedding import embedding_info, require_embedding
from .interface import given, input_info, output_infos
from .tensors import is_text, parts_of, require_stored

LONGEST_MODEL = 1 << 31
"""Bytes of a model, without weights that lie in another file: no message is longer."""
_DEEPEST = 100
"""How deep JSON in the metadata may be nested to be read as such."""


def read_model(path: Path) -> onnx.ModelProto:
    """The model in a file, without weights that lie in another one.

    Raises DiagnosticError where it is no ONNX file.
    """
    content = read_bytes(path, LONGEST_MODEL)
    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError):
        model = onnx.ModelProto()
    if not model.HasField("graph"):
        message = f"`{path}` is not an ONNX file, or is cut short"
        raise fail("E504", message, help="compile it again")
    return model


class OnnxFile:
    """A model that Fusewright wrote, read from a file; its weights are read when it is run.

    `subject` is what it was compiled from, where that is known and not to be read from it. Raises
    DiagnosticError where it is no ONNX file, where weights lie outside its folder, and where its
    metadata holds no specification, or no ensemble.
    """

    def __init__(self, path: str | PathLike[str], subject: Subject | None = None) -> None:
        self.path, self._subject = Path(path), subject
        self._model = model = read_model(self.path)
        for part in parts_of(model):
            if not is_text(part):
                message = f"`{path}` holds text that is not UTF-8"
                raise fail("E504", message, help="compile it again: the file is damaged")
            if isinstance(part, onnx.TensorProto):
                require_stored(part, self.path)
                if part.data_type != onnx.TensorProto.INT64:
                    part.ClearField("raw_data")
        self.metadata = {item.key: item.value for item in model.metadata_props}
        self._inputs, self._outputs = list(model.graph.input), list(model.graph.output)
        self._defaults = {tensor.name for tensor in model.graph.initializer}

    @cached_property
    def spec(self) -> Spec:
        """The specification that the model was compiled from; DiagnosticError for an ensemble."""
        if self.ensemble is not None:
            message = f"`{self.path}` holds an ensemble of {len(self.ensemble.members)} networks"
            raise fail("E506", message, help="`fusewright load` prints their specifications")
        if SPEC_KEY not in self.metadata:
            message = f"`{self.path}` holds no specification"
            remedy = f"its metadata lacks `{SPEC_KEY}`: was it written by Fusewright?"
            raise fail("E504", message, help=remedy)
        return loads(self.metadata[SPEC_KEY], f"{self.path}:{SPEC_KEY}", "fuse")

    @cached_property
    def ensemble(self) -> Ensemble | None:
        """The ensemble that the model was compiled from, where it is one."""
        return ensemble_in(self.metadata, str(self.path))

    @cached_property
    def subject(self) -> Subject:
        """What the model was compiled from, without its weights; it is checked, without holes."""
        if self._subject is not None:
            return self._subject
        if self.ensemble is not None:
            return EnsembleSubject.of(self.ensemble)
        network = checked(self.spec)
        require_no_holes(network)
        return Subject(network)

    @cached_property
    def output(self) -> str:
        """What the model gives: `logits` or `probabilities`, both (batch, K).

        Raises DiagnosticError where inputs or output are not those of the specification, or where
        that has holes.
        """
        if JOINT_KEY in self.metadata:
            message = f"`{self.path}` holds backbones, and what these take to run is not known here"
            remedy = "add `--joint`, to run it in a process of its own, with limits"
            raise fail("E504", message, help=remedy)
        name = self._given()
        self._require_inputs(self.subject.program.inputs)
        return name

    def _given(self) -> str:
        """The name of what the model gives; raises DiagnosticError where no network gives it."""
        head = self.subject.network.head
        outputs = [output for output in self._outputs if output.name != EMBEDDING]
        embedded = [output for output in self._outputs if output.name == EMBEDDING]
        name = given([output.name for output in outputs], head)
        if name is None:
            raise self._foreign("does not give logits or probabilities")
        if outputs != output_infos(head, name):
            raise self._foreign(f"does not give {name} (batch, {head.count}) in float32")
        if embedded and embedded != [self._embedding]:
            raise self._foreign("gives more than its specification says")
        return name

    @property
    def _embedding(self) -> onnx.ValueInfoProto:
        """The second output that a model may have."""
        require_embedding(self.subject)
        return embedding_info(self.subject.network)

    def _require_inputs(self, expected: tuple[Input, ...]) -> None:
        """Raises DiagnosticError where the model takes anything else than a network does."""
        inputs = {item.name: item for item in self._inputs}
        for item in expected:
            if inputs.pop(item.name, None) != input_info(item):
                raise self._foreign(f"does not take `{item.name}` as its specification says")
            if (item.name in self._defaults) != (item.kind != "feature"):
                wrong = "has a" if item.kind == "feature" else "lacks the"
                raise self._foreign(f"{wrong} default of `{item.name}`")
        if inputs:
            raise self._foreign(f"takes `{next(iter(inputs))}`, which its specification does not")

    def _foreign(self, why: str) -> DiagnosticError:
        return fail("E504", f"`{self.path}` {why}", help="was it written by Fusewright?")

    def require_bounded(self, shapes: Mapping[str, Shape]) -> None:
        """Raises DiagnosticError where running the model on inputs of these shapes, (batch, axes…),
        could take more than its specification needs, or it holds what Fusewright does not write."""
        try:
            require_bounded(self._model, shapes, allowance(self.subject.program, shapes))
        except Unbounded as found:
            raise self._foreign(str(found)) from None

    def as_json(self) -> dict[str, Any]:
        """The metadata, with what is JSON in it as such."""
        return {key: _parsed(value) for key, value in self.metadata.items()}


def weights_file(path: Path) -> Path:
    """Where a model keeps its weights that has them in a file of their own."""
    return path.with_name(f"{path.name}.data")


def _parsed(text: str) -> Any:
    """JSON as such, any other text and what cannot be written as JSON again as it is."""
    try:
        value = json.loads(text)
        if not _is_shallow(value, _DEEPEST):
            return text
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return text
    return value


def _is_shallow(value: Any, depth: int) -> bool:
    """Whether JSON is nested at most `depth` deep."""
    if not isinstance(value, (dict, list)):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return depth > 0 and all(_is_shallow(part, depth - 1) for part in inner)
