"""`torchvision:NAME`: classifiers of pictures and of videos, by their names in the library."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...extras import needed
from ..inputs import Input
from ..transforms import picture_transform, video_transform
from ..weights import load_state, read_state
from . import Made, Request

_FRAMES = 16
_SIZE = 224


def _models() -> Any:
    return needed("torchvision.models", "torchvision")


def make(request: Request) -> Made:
    """A model of `torchvision.models` by its name; raises DiagnosticError where there is none."""
    models = _models()
    videos = models.list_models(models.video)
    known = [*models.list_models(models), *videos]
    if request.model not in known:
        raise request.unknown(known)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of how weights will begin in a later version
        module: nn.Module = models.get_model(request.model, weights=None)
    transform = _transform(request.model, is_video=request.model in videos)
    size = transform["crop"]
    kind, shape = "picture", (3, *size)
    if transform["kind"] == "video":
        kind, shape = "video", (3, transform["frames"], *size)
    return Made(
        module,
        (Input("x", kind, shape),),
        transform,
        version=needed("torchvision", "torchvision").__version__,
    )


def _published(name: str) -> Any:
    """The weights that are published for a model, None where there are none."""
    return getattr(_models().get_model_weights(name), "DEFAULT", None)


def _transform(name: str, *, is_video: bool) -> dict[str, Any]:
    """How pictures become what the published weights were trained on."""
    weights = _published(name)
    said: Any = weights.transforms() if weights is not None else None
    crop, resize = getattr(said, "crop_size", [_SIZE]), getattr(said, "resize_size", [256])
    interpolation = getattr(getattr(said, "interpolation", None), "value", "bilinear")
    more = {key: getattr(said, key) for key in ("mean", "std") if hasattr(said, key)}
    picture = picture_transform(
        [crop[0], crop[-1]],
        resize=resize[0] if len(resize) == 1 else list(resize),
        interpolation=interpolation,
        **more,
    )
    if not is_video:
        return picture
    frames = weights.meta.get("min_temporal_size", _FRAMES) if weights is not None else _FRAMES
    return video_transform(max(frames, _FRAMES), picture)


def publish(request: Request, made: Made) -> None:
    """The weights that the library publishes: downloaded before, or now if that is allowed."""
    if _published(request.model) is None:
        message = f"no weights are published for `{request.reference}`"
        raise request.fail(message, f"give `--pretrained {request.reference}=FILE`, or `--initial`")
    load(request, made, published_file(request, request.model))


def published_file(request: Request, model: str, version: str = "DEFAULT") -> str:
    """Where the weights of a model lie that are published under this version.

    Raises DiagnosticError where they are not here, unless they may be downloaded.
    """
    weights = getattr(_models().get_model_weights(model), version)
    path = Path(torch.hub.get_dir(), "checkpoints", weights.url.rpartition("/")[2])
    if not path.is_file():
        if not request.options.download:
            raise request.fail(
                f"the weights of `{request.reference}` are not here",
                f"give `--pretrained {request.reference}=FILE`, `--download`, or `--initial`",
            )
        weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    return str(path)


def load(request: Request, made: Made, path: str) -> None:
    """Puts the weights of a file in, which takes inputs as the published ones do."""
    load_state(made.module, read_state(path, request.reference), request.reference, path)
    module: Any = made.module
    if hasattr(module, "transform_input"):
        module.transform_input = True  # of Inception, whose weights have a scale of their own
