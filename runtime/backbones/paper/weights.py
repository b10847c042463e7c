"""Weights that others published, by the names that our parts have.

Taken are our own names, those of the published BM-NAS code, and those that torchvision gives to
the networks of pictures that VGG-19 and the inflated ResNet-50 begin with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

State = Mapping[str, Tensor]
_PREFIXES = (("module.", ""), ("cnn.", ""), ("vgg.", "features."))
"""Of processes that trained in parallel; of `Visual` and of `GP_VGG` in the published code."""
_OTHER_HEADS = re.compile(r"(fc|classifier\.\d+)\.(weight|bias)")
"""Heads of torchvision's networks, and of networks for other tasks."""


def adapted(state: State, module: nn.Module) -> dict[str, Tensor]:
    """The weights of a file by our names and in our shapes, without a head for another task."""
    own = module.state_dict()
    found: dict[str, Tensor] = {}
    for name, tensor in state.items():
        for prefix, ours in _PREFIXES:
            if name.startswith(prefix):
                name = ours + name.removeprefix(prefix)
        is_alike = name in own and own[name].shape == tensor.shape
        if _OTHER_HEADS.fullmatch(name) and not is_alike:
            continue
        found[name] = tensor if name not in own or is_alike else _inflated(tensor, own[name])
    return found


def _inflated(tensor: Tensor, own: Tensor) -> Tensor:
    """A convolution of pictures as one of videos, and one of three colours as one of depth.

    Its numbers stand in the middle of time, so that on a still video it gives what it gave; depth
    is seen by the mean of the colours. What is neither is given back as it is.
    """
    if tensor.dim() == 4 and own.dim() == 5 and tensor.shape == (*own.shape[:2], *own.shape[3:]):
        wider = torch.zeros_like(own)
        wider[:, :, own.shape[2] // 2] = tensor
        return wider
    if tensor.dim() == 5 and tensor.mean(1, keepdim=True).shape == own.shape:
        return tensor.mean(1, keepdim=True)
    return tensor


def without_head(module: nn.Module, head: tuple[str, ...], state: State) -> bool:
    """Takes off the head of a network whose weights have none; whether it did.

    The whole then gives what its last feature gives, and nothing that is random.
    """
    names = [name for name in module.state_dict() if name.partition(".")[0] in head]
    if any(name in state for name in names):
        return False
    for part in head:
        setattr(module, part, nn.Identity())
    return True
