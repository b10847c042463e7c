"""The systems of the paper: their page, and what they compute beside plain torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import fusewright as fw
from fusewright.compiler.targets.onnx.certificate import random_inputs
from fusewright.compiler.targets.torch.module import FusionModule

from ..support.paths import EXAMPLES
from ..support.systems import FOLDER, PAGE, SYSTEMS, page

Weights = Mapping[str, Tensor]


def test_the_page_says_what_the_specifications_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "make gallery"
    assert sorted(p.stem for p in FOLDER.glob("*.svg")) == sorted(s.name for s in SYSTEMS)
    files = {p.stem for p in EXAMPLES.glob("systems/*.fuse")}
    assert files == {s.name for s in SYSTEMS if s.file.startswith("systems/")}


def pooled(feature: Tensor) -> Tensor:
    """The mean over all places of a feature whose channels come first."""
    return feature.flatten(2).mean(2) if feature.ndim > 2 else feature


def two_stream(x: Mapping[str, Tensor], w: Weights) -> Tensor:
    scores = [
        F.linear(pooled(x[name]), w[f"{name}.adapt.W"].T, w[f"{name}.adapt.b"])
        for name in ("Video_4", "Skeleton_4")
    ]
    return (scores[0] + scores[1]) / 2


def gmu(x: Mapping[str, Tensor], w: Weights) -> Tensor:
    video, skeleton = pooled(x["Video_4"]), pooled(x["Skeleton_4"])
    unit = "Cell_1.Step_1.GatedUnit"
    gate = torch.sigmoid(torch.cat([video, skeleton], 1) @ w[f"{unit}.G"])
    mixed = gate * torch.tanh(video @ w[f"{unit}.X"])
    mixed = mixed + (1 - gate) * torch.tanh(skeleton @ w[f"{unit}.Y"])
    return mixed @ w["head.W"] + w["head.b"]


def mmtm(x: Mapping[str, Tensor], w: Weights) -> Tensor:
    pairs = [("Video_1", "Skeleton_1"), ("Video_2", "Skeleton_2"), ("Video_3", "Skeleton_4")]
    given: list[Tensor] = []
    for place, (first, second) in zip(("", "_2", "_3"), pairs, strict=True):
        scope = f"output.combine.Transfer{place}"
        video, skeleton = pooled(x[first]), pooled(x[second])
        z = torch.relu(torch.cat([video, skeleton], 1) @ w[f"{scope}.S"] + w[f"{scope}.s"])
        given.append(video * 2 * torch.sigmoid(z @ w[f"{scope}.V"] + w[f"{scope}.v"]))
        given.append(skeleton * 2 * torch.sigmoid(z @ w[f"{scope}.U"] + w[f"{scope}.u"]))
    return torch.cat(given, 1) @ w["head.W"] + w["head.b"]


def mfas_4(x: Mapping[str, Tensor], w: Weights) -> Tensor:
    rows = [(3, 1, "Sigmoid"), (1, 3, "Relu"), (1, 1, "Sigmoid"), (3, 3, "Relu")]
    out: list[Tensor] = []
    for number, (skeleton, video, activation) in enumerate(rows, 1):
        scope = f"Fusion_{number}.Step_1.{activation}"
        taken = [pooled(x[f"Skeleton_{skeleton + 1}"]), pooled(x[f"Video_{video + 1}"]), *out]
        linear = torch.cat(taken, 1) @ w[f"{scope}.W"] + w[f"{scope}.b"]
        mapped = torch.relu(linear) if activation == "Relu" else torch.sigmoid(linear)
        out = [batch_norm(mapped, w, f"{scope}.batchnorm")]
    return out[0] @ w["head.W"] + w["head.b"]


def mha(x: Mapping[str, Tensor], w: Weights) -> Tensor:
    cells = [("Video_3", "Skeleton_4"), ("Video_3", "Video_4")]
    outputs: list[Tensor] = []
    for number, pair in enumerate(cells, 1):
        a, b = (adapted(x[name], w, name) for name in pair)
        heads: list[Tensor] = []
        for head in (1, 2):
            attended = F.scaled_dot_product_attention(a, b, b)
            scope = f"Cell_{number}.Head_{head}.Attention.layernorm"
            heads.append(layer_norm(attended, w, scope))
        scope = f"Cell_{number}.Step_1.ConcatFC"
        joined = torch.cat(heads, 2) @ w[f"{scope}.W"] + w[f"{scope}.b"]
        outputs.append(torch.relu(batch_norm(joined, w, f"{scope}.batchnorm")))
    fused = torch.relu(layer_norm(torch.cat(outputs, 2), w, "output.combine.layernorm"))
    return fused.transpose(1, 2).flatten(1) @ w["head.W"] + w["head.b"]


def adapted(feature: Tensor, w: Weights, name: str) -> Tensor:
    """The published adapter: maximum over space, adaptive over time, (batch, length, channels)."""
    flat = feature.flatten(2) if feature.ndim > 2 else feature[:, :, None]
    if feature.ndim > 3:
        flat = feature.flatten(3).amax(3)
    length = F.adaptive_max_pool1d(flat, 8).transpose(1, 2)
    linear = length @ w[f"{name}.adapt.W"] + w[f"{name}.adapt.b"]
    return torch.relu(batch_norm(linear, w, f"{name}.adapt.batchnorm"))


def batch_norm(x: Tensor, w: Weights, scope: str) -> Tensor:
    norm = nn.functional.batch_norm
    parts = [w[f"{scope}.{p}"] for p in ("mean", "variance", "scale", "shift")]
    channels = x.transpose(1, -1) if x.ndim > 2 else x
    result = norm(channels, parts[0], parts[1], parts[2], parts[3])
    return result.transpose(1, -1) if x.ndim > 2 else result


def layer_norm(x: Tensor, w: Weights, scope: str) -> Tensor:
    return F.layer_norm(x, x.shape[1:], w[f"{scope}.scale"], w[f"{scope}.shift"])


PLAIN: Mapping[str, Callable[[Mapping[str, Tensor], Weights], Tensor]] = {
    f.__name__: f for f in (two_stream, gmu, mmtm, mfas_4, mha)
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_system_computes_what_plain_torch_does(name: str) -> None:
    spec = fw.load(EXAMPLES / "systems" / f"{name}.fuse")
    module = fw.compile(spec, "torch", seed=1)
    assert isinstance(module, FusionModule)
    for key, value in module.named_parameters():  # so that what starts at a constant counts
        value.data.add_(0.1 * torch.randn(value.shape, generator=generator(key)))
    given = random_inputs(module.program, 3, 0)
    inputs = {key: torch.from_numpy(value) for key, value in given.items()}
    with torch.no_grad():
        found = module.eval()(inputs)
        expected = PLAIN[name](inputs, module.state_dict())
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def generator(name: str) -> torch.Generator:
    return torch.Generator().manual_seed(len(name))
