"""The hypernet of the published BM-NAS code, from a checkout, fed with extracted features.

The checkout's own modules are used as they are, but for the Cells' residual `out += x`, which is
made out of place: as published, the gradients of several merged Steps cannot be computed without
dropout. Backbones, data loading and plotting are left out.
"""

from __future__ import annotations

import importlib
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from fusewright.compiler.network.network import Network


def published_hypernet(checkout: Path, network: Network) -> nn.Module:
    """The published model for the sizes of a network whose Cells and Steps are all open."""
    sys.path.insert(0, str(checkout))
    sys.modules.setdefault("IPython", _Nothing("IPython"))
    search: Any = importlib.import_module("models.search.darts.model_search")
    auxiliary: Any = importlib.import_module("models.auxiliary.aux_models")
    nodes: Any = importlib.import_module("models.search.darts.node_search")
    nodes.NodeCell.forward = _forward
    return _Hypernet(network, search.FusionNetwork, auxiliary)


class _Nothing(ModuleType):
    """Stands for a package that the published code imports and does not use here."""

    embed = None


class _Hypernet(nn.Module):
    def __init__(self, network: Network, fusion: Any, auxiliary: Any) -> None:
        super().__init__()
        steps = len(network.cells[0].steps)
        self.arguments = Namespace(
            C=network.channels,
            L=network.length,
            drpt=network.numbers.get("dropout", 0.0),
            num_input_nodes=len(network.features),
            num_keep_edges=2,
            node_steps=steps,
            node_multiplier=steps,
        )
        is_image = any("h" in [a.name for a in f.axes or ()] for f in network.features)
        reshape = auxiliary.ReshapeInputLayer_MMIMDB if is_image else auxiliary.ReshapeInputLayer
        self.names = [f.name for f in network.features]
        self.reshape_layers = nn.ModuleList(
            reshape(f.channels, network.channels, network.length, self.arguments)
            for f in network.features
        )
        cells = len(network.cells)
        self.fusion_net = fusion(
            cells, cells, len(self.names), 2, self.arguments, criterion=None, logger=None
        )
        size = network.channels * network.length * cells
        self.central_classifier = nn.Linear(size, network.head.count)

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """Logits (batch, K) of features in the layout that the published code expects."""
        given = zip(self.reshape_layers, self.names, strict=True)
        states = [layer(features[name]) for layer, name in given]
        logits: Tensor = self.central_classifier(self.fusion_net(states))
        return logits

    def architecture_parameters(self) -> Sequence[Tensor]:
        parameters: Sequence[Tensor] = self.fusion_net.arch_parameters()
        return parameters


def published_layout(features: Mapping[str, Tensor], network: Network) -> dict[str, Tensor]:
    """Features (batch, axes…) with the channels first, as the published code takes them."""
    found: dict[str, Tensor] = {}
    for feature in network.features:
        names = [a.name for a in feature.axes or ()]
        order = sorted(range(len(names)), key=lambda i: ("c", "t", "h", "w").index(names[i]))
        found[feature.name] = features[feature.name].permute(0, *(i + 1 for i in order))
        found[feature.name] = found[feature.name].contiguous()
        if names == ["c"]:
            found[feature.name] = found[feature.name].unsqueeze(-1)
    return found


def _forward(self: Any, x: Tensor, y: Tensor, edge_weights: Tensor, node_weights: Tensor) -> Tensor:
    """`NodeCell.forward` with its residual out of place."""
    states, offset = [x, y], 0
    for i in range(self.node_steps):
        mixed: Any = sum(
            self.edge_ops[offset + j](h, edge_weights[offset + j]) for j, h in enumerate(states)
        )
        offset += len(states)
        states.append(self.node_ops[i](mixed, mixed, node_weights[i]))
    out = torch.cat(states[-self.node_multiplier :], dim=1)
    if self.node_multiplier != 1:
        out = self.out_dropout(nn.functional.relu(self.bn(self.out_conv(out))))
    result: Tensor = self.ln(out + x)
    return result
