"""`timm:NAME`: models of pictures, by their names in the library; no other place is looked at."""

from __future__ import annotations

from typing import Any

from torch import nn

from ...extras import needed
from ..inputs import Input
from ..transforms import picture_transform
from ..weights import load_state, read_state
from . import Made, Request

_FILES = ("model.safetensors", "pytorch_model.bin")


def make(request: Request) -> Made:
    """A model of timm by its name; raises DiagnosticError where there is none."""
    timm = needed("timm", "timm")
    architecture = request.model.partition(".")[0]
    if not timm.is_model(architecture) or set(request.model) & set(":/"):
        raise request.unknown(timm.list_models())
    try:
        module: Any = timm.create_model(request.model, pretrained=False)
    except RuntimeError as error:  # of a tag that there is no such model of
        raise request.fail(f"`{request.reference}` cannot be opened: {error}") from None
    size, transform = _described(module)
    return Made(
        module,
        (Input("x", "picture", size),),
        transform,
        version=timm.__version__,
        channels_last=getattr(module, "output_fmt", "NCHW") == "NHWC",
    )


def _described(module: Any) -> tuple[tuple[int, int, int], dict[str, Any]]:
    """The shape that a model takes, and how pictures become that."""
    said: dict[str, Any] = needed("timm.data", "timm").resolve_data_config({}, model=module)
    colours, height, width = said["input_size"]
    shorter = int(min(height, width) / said["crop_pct"])
    transform = picture_transform(
        (height, width),
        resize=shorter if said["crop_mode"] == "center" else None,
        interpolation=said["interpolation"],
        mean=said["mean"],
        std=said["std"],
        colours=colours,
    )
    return (colours, height, width), transform


def publish(request: Request, made: Made) -> None:
    """The weights that the library publishes: downloaded before, or now if that is allowed."""
    hub = needed("huggingface_hub", "timm")
    module: Any = made.module
    home: str | None = module.pretrained_cfg.get("hf_hub_id")
    if not home:
        message = f"no weights are published for `{request.reference}`"
        raise request.fail(message, f"give `--pretrained {request.reference}=FILE`, or `--initial`")
    paths = [hub.try_to_load_from_cache(home, file) for file in _FILES]
    path = next((path for path in paths if isinstance(path, str)), None)
    if path is None:
        if not request.options.download:
            raise request.fail(
                f"the weights of `{request.reference}` are not here",
                f"give `--pretrained {request.reference}=FILE`, `--download`, or `--initial`",
            )
        path = hub.hf_hub_download(home, _FILES[0])
    load(request, made, path)


def load(request: Request, made: Made, path: str) -> None:
    """Puts the weights of a file in, named as timm has them or as its model once had them."""
    module: nn.Module = made.module
    state = read_state(path, request.reference)
    if set(state) != set(module.state_dict()):
        state = _adapted(module, state)
    load_state(module, state, request.reference, path)


def _adapted(module: nn.Module, state: dict[str, Any]) -> dict[str, Any]:
    """Weights by the names of today, as the model's own file in timm turns them."""
    import sys

    adapt = getattr(sys.modules[type(module).__module__], "checkpoint_filter_fn", None)
    return dict(adapt(state, module)) if adapt is not None else state
