"""The options of ONNX: of a model, and of the file that one is deployed as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

from ...diagnostics.diagnostic import fail
from ...system.options import either, option

Precision = Literal["float32", "float16", "int8", "int8-static"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
OPSET, OPSETS = 23, range(17, 25)
"""Operator sets that models are written at: 17 has LayerNormalization, 23 has Attention."""
MODEL, FILE = ("compile", "deploy"), ("deploy",)


@dataclass(frozen=True, kw_only=True)
class OnnxOptions:
    """How an ONNX model is written, and what is done with the file that it is deployed as.

    Raises DiagnosticError for an operator set that models are not written at.
    """

    opset: int = option(
        OPSET, f"ONNX: the operator set, {OPSETS[0]} to {OPSETS[-1]}.", read_by=MODEL
    )
    inline: bool = option(False, "ONNX: write no functions.", read_by=MODEL)
    probabilities: bool = option(False, "ONNX: give probabilities, not logits.", read_by=MODEL)
    embedding: bool = option(False, "ONNX: give what the head takes, too.", read_by=MODEL)
    precision: Precision = option(
        "float32",
        f"ONNX: {either(PRECISIONS)}; by default float32.",
        read_by=FILE,
    )
    external_data: bool = option(False, "ONNX: keep weights in a file of their own.", read_by=FILE)
    data: str | PathLike[str] | Mapping[str, Any] | None = option(
        None, "Features to calibrate int8-static and to measure with.", type=Path, read_by=FILE
    )
    verify: bool = option(True, "ONNX: write it without running it.", read_by=FILE)
    card: bool = option(False, "ONNX: write a model card in Markdown beside it.", read_by=FILE)
    metadata: Mapping[str, str] | None = option(
        None, "What the model says of itself beside its specification.", read_by=("compile",)
    )

    def __post_init__(self) -> None:
        if self.opset not in OPSETS:
            message = f"ONNX is not written at opset {self.opset}"
            raise fail("E506", message, help=f"opsets are {OPSETS[0]} to {OPSETS[-1]}")


DEFAULTS = OnnxOptions()
