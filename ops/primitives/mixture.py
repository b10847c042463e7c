"""What lowering makes of a hole: weights from architecture parameters, and their mixture.

Equations (1), (2) and (10) of BM-NAS; `gate` is the learned constant of an optional modality.
"""

from __future__ import annotations

from typing import Any

from ..primitive import Primitive
from ..types import ShapeError, TensorType, same, vector
from .reductions import numpy_softmax


def _mix_type(weights: TensorType, *candidates: TensorType) -> TensorType:
    if weights.elements() != len(candidates):
        raise ShapeError(f"{weights.elements()} weights for {len(candidates)} candidates")
    return same(candidates)


def _torch_mix(torch: Any, weights: Any, *candidates: Any) -> Any:
    total = weights[0] * candidates[0]
    for i, candidate in enumerate(candidates[1:], start=1):
        total = total + weights[i] * candidate
    return total


def _onnx_mix(g: Any, weights: str, *candidates: str) -> Any:
    scaled = [g.Mul(g.Gather(weights, g.constant(i)), c) for i, c in enumerate(candidates)]
    return g.Sum(*scaled)


choice_weights = Primitive(
    name="choice_weights",
    type=lambda logits: logits,
    numpy=numpy_softmax,
    torch=lambda torch, logits: torch.softmax(logits, -1),
    onnx=lambda g, logits: g.Softmax(logits, axis=-1),
    latex=lambda logits: rf"\operatorname{{softmax}}\left({logits}\right)",
    public=False,
)
identity_weights = Primitive(
    name="identity_weights",
    type=lambda logits: vector(logits.axes[0].size),
    numpy=lambda np, logits: numpy_softmax(np, logits)[:, 1],
    torch=lambda torch, logits: torch.softmax(logits, -1)[:, 1],
    onnx=lambda g, logits: g.Gather(g.Softmax(logits, axis=-1), g.constant(1), axis=1),
    latex=lambda logits: rf"\operatorname{{softmax}}\left({logits}\right)_{{\mathrm{{Identity}}}}",
    public=False,
)
take = Primitive(
    name="take",
    type=lambda weights, rows: vector(len(rows)),
    numpy=lambda np, weights, rows: weights[list(rows)],
    torch=lambda torch, weights, rows: torch.stack([weights[i] for i in rows]),
    onnx=lambda g, weights, rows: g.Gather(weights, g.constant(list(rows))),
    latex=lambda weights, **_: weights,
    public=False,
)
mix = Primitive(
    name="mix",
    inputs=(2, None),
    type=_mix_type,
    numpy=lambda np, weights, *cs: sum(w * c for w, c in zip(weights, cs, strict=True)),
    torch=_torch_mix,
    onnx=_onnx_mix,
    latex=lambda weights, *candidates: (
        rf"\sum_i {weights}_i \left({', '.join(candidates)}\right)_i"
    ),
    macs=lambda result, weights, *candidates: result.elements() * len(candidates),
    zero=lambda zero: all(zero[1:]),
    public=False,
)
gate = Primitive(
    name="gate",
    inputs=(3, 3),
    type=lambda present, x, absent: x,
    numpy=lambda np, present, x, absent: np.where(present.reshape(-1, 1, 1) > 0, x, absent),
    torch=lambda torch, present, x, absent: torch.where(present.view(-1, 1, 1) > 0, x, absent),
    onnx=lambda g, present, x, absent: g.Where(
        g.Greater(g.Unsqueeze(present, g.constant([1, 2])), g.constant(0.0)), x, absent
    ),
    latex=lambda present, x, absent: rf"{x} \text{{ if }} {present} \text{{ else }} {absent}",
    public=False,
)
