"""The embedding: what the head takes, flattened, as a second output of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from ...diagnostics.diagnostic import fail
from ...graph.build import HEAD, build
from ...lowering.lower import lower_with_places
from ...network.names import EMBEDDING, OUTPUT
from ...network.network import Network
from ...program.program import PARAMETER, Program
from ..numpy.network import NumpyNetwork
from ..target import Subject
from .interface import BATCH


def before_head(network: Network) -> Program:
    """The Program, before any pass, whose output is what the head takes: (batch, L, channels)."""
    program, values = lower_with_places(build(network))
    return replace(program, output=values[OUTPUT])


def embedding_info(network: Network) -> onnx.ValueInfoProto:
    """The embedding, (batch, L·channels), as a model says that it gives it."""
    program = before_head(network)
    size = program.values[program.output].type.elements()
    return helper.make_tensor_value_info(EMBEDDING, TensorProto.FLOAT, [BATCH, size])


def require_embedding(subject: Subject) -> None:
    """Raises DiagnosticError for an ensemble, whose members have embeddings of their own, and for
    several heads, each of which may take something else."""
    if subject.network.heads:
        message = "each of several heads may take something else, so that there is no one embedding"
        raise fail("E506", message, help="leave out `--embedding`; in torch, use `module.embed`")
    if [*subject.networks] != [()]:
        message = "an ensemble has an embedding for each member, and no one of its own"
        raise fail("E506", message, help="leave out `--embedding`, or compile a member")


def embedding_in(program: Program) -> int:
    """The value that the head takes in a Program after passes.

    Raises DiagnosticError where passes left the head none that is one; what a model gives is
    compared with the Program before them when it is certified.
    """
    head = {i for i, value in enumerate(program.values) if value.scope[:1] == (HEAD,)}
    read = {a for i in head for a in program.values[i].arguments} - head
    taken = [a for a in read if program.values[a].primitive != PARAMETER]
    if len(taken) != 1:
        raise fail("E506", "the head takes more than one value", help="leave out `--embedding`")
    return taken[0]


def embedding_of(subject: Subject) -> Callable[[Mapping[str, NDArray[Any]]], NDArray[Any]]:
    """The embedding in float64, of features by name."""
    reference = NumpyNetwork(before_head(subject.network), subject.arrays)

    def flat(features: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        given = reference(features)
        return given.reshape(len(given), -1)

    return flat
