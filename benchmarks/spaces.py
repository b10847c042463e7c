"""The search spaces of Table 8 with features as a store holds them: at the inner length already."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.network.network import Network

EXAMPLES = Path(__file__).parent.parent / "examples"
BATCHES = {"ntu": 96, "ego": 72, "mmimdb": 96}


def batch_size(network: Network) -> int:
    """The batch of a row of Table 8."""
    return BATCHES[network.name.rstrip("0123456789")]


def space(name: str, dropout: float) -> Network:
    """A row of Table 8, such as `ntu1`, with pooled features and this dropout."""
    text = (EXAMPLES / f"{name}.fuse").read_text(encoding="utf-8")
    spec = fw.loads(text)
    length = checked(spec).length
    lines = []
    for line in text.splitlines():
        if "[c " in line and "modality" not in line:
            line = _pooled(line, length)
        lines.append(line)
    found = "\n".join(lines)
    numbers = f"dropout = {dict(spec.network.numbers)['dropout']}" if spec.network else ""
    return checked(fw.loads(found.replace(numbers, f"dropout = {dropout}")))


def _pooled(line: str, length: int) -> str:
    """The declaration of a feature that has been brought to the inner length."""
    head, _, rest = line.partition(",")
    if not rest:
        return line
    if "t *" in rest:
        return f"{head}, t {length}]"
    side = round(length**0.5)
    return f"{head}, h {side}, w {side}]"


def batch_of(network: Network, size: int, seed: int = 0) -> tuple[dict[str, Tensor], Tensor]:
    """Random features (batch, axes…) and labels of the network's head."""
    generator = torch.Generator().manual_seed(seed)
    features = {
        f.name: torch.randn(size, *(a.size or 1 for a in f.axes or ()), generator=generator)
        for f in network.features
    }
    if network.head.kind == "classes":
        labels = torch.randint(network.head.count, (size,), generator=generator)
    else:
        labels = torch.randint(2, (size, network.head.count), generator=generator).float()
    return features, labels
