"""What `paper:NAME` opens: each backbone, what it takes, and how raw data become that.

`NAME@SIDE` takes pictures or frames of SIDE × SIDE instead of its own size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from ..inputs import Input
from ..transforms import picture_transform, skeleton_transform, video_transform
from .cooccurrence import FRAMES, JOINTS, PERSONS, Cooccurrence
from .inflated import InflatedResNet50
from .maxout import NUMBERS, MaxoutMlp
from .resnext import depth, rgb
from .vgg import Vgg19

_CLIP, _GESTURE = 8, 32
_COLOURS = (114.7748, 107.7354, 99.475)
"""The mean colour of ActivityNet, from 0 to 255, which the published code takes of both videos."""
_SPINE = 1


@dataclass(frozen=True, slots=True)
class PaperModel:
    """A backbone of the paper, and how large its pictures or frames usually are, if it has any.

    `head` are the parts behind the last feature, which weights of another task lack; `published` is
    the model of torchvision, with the version of its weights, that it may begin with.
    """

    build: Callable[[], nn.Module]
    taken: Callable[[int], Input]
    transform: Callable[[int], dict[str, Any]]
    head: tuple[str, ...]
    side: int | None = None
    published: tuple[str, str] | None = None


def _poster(side: int) -> dict[str, Any]:
    return picture_transform([side, side], resize=side * 8 // 7)


def _clip(side: int) -> dict[str, Any]:
    return video_transform(_CLIP, picture_transform([side, side]))


def _gesture(colours: int) -> Callable[[int], dict[str, Any]]:
    mean, std = [value / 255 for value in _COLOURS], [1 / 255] * 3

    def transform(side: int) -> dict[str, Any]:
        frame = picture_transform([side, side], resize=side, mean=mean, std=std, colours=colours)
        return {**video_transform(_GESTURE, frame), "consecutive": True}

    return transform


def _video(colours: int, frames: int) -> Callable[[int], Input]:
    return lambda side: Input("x", "video", (colours, frames, side, side))


MODELS: Mapping[str, PaperModel] = {
    "maxout_mlp": PaperModel(
        MaxoutMlp, lambda _: Input("x", "numbers", (NUMBERS,)), lambda _: {}, ("hid2val",)
    ),
    "vgg19": PaperModel(
        Vgg19,
        lambda side: Input("x", "picture", (3, side, side)),
        _poster,
        ("bn4", "classifier"),
        224,
        ("vgg19", "IMAGENET1K_V1"),
    ),
    "inflated_resnet50": PaperModel(
        InflatedResNet50,
        _video(3, _CLIP),
        _clip,
        ("classifier",),
        256,
        ("resnet50", "IMAGENET1K_V1"),
    ),
    "cooccurrence": PaperModel(
        Cooccurrence,
        lambda _: Input("x", "skeleton", (3, FRAMES, JOINTS * PERSONS)),
        lambda _: skeleton_transform(FRAMES, JOINTS, PERSONS, _SPINE),
        ("fc8",),
    ),
    "resnext101_rgb": PaperModel(rgb, _video(3, _GESTURE), _gesture(3), ("fc",), 112),
    "resnext101_depth": PaperModel(depth, _video(1, _GESTURE), _gesture(1), ("fc",), 112),
}
SMALLEST, LARGEST = 32, 1_024
"""Sides that may be asked for."""
