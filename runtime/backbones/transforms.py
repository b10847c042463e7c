"""How raw data become what a backbone takes, in plain values: one description for each kind.

What a description says is all that decoding needs; it goes into the identity of what is extracted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
INTERPOLATIONS = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
"""By the numbers that Pillow has for them."""


def picture_transform(
    size: Sequence[int],
    *,
    resize: int | Sequence[int] | None = None,
    interpolation: str = "bilinear",
    mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
    colours: int = 3,
) -> dict[str, Any]:
    """A picture of `colours` in [0, 1], less `mean`, over `std`, of `size` (h, w).

    It is resized so that its shorter side has `resize`, or to these (h, w), and `size` is then cut
    from its middle; without `resize`, it is resized to `size`.
    """
    sides = list(size)
    shorter = resize if isinstance(resize, int) else list(resize or sides)
    return {
        "kind": "picture",
        "colours": colours,
        "resize": shorter,
        "crop": sides,
        "interpolation": interpolation,
        "mean": [float(value) for value in mean][:colours],
        "std": [float(value) for value in std][:colours],
    }


def video_transform(frames: int, picture: dict[str, Any]) -> dict[str, Any]:
    """So many frames, evenly over the video, each a picture."""
    return {**picture, "kind": "video", "frames": frames}


def skeleton_transform(frames: int, joints: int, bodies: int, origin: int) -> dict[str, Any]:
    """All frames brought to so many, places as seen from a joint of the first body in each."""
    return {
        "kind": "skeleton",
        "frames": frames,
        "resampled": True,
        "bodies": bodies,
        "joints": joints,
        "centred": False,
        "origin": origin,
    }


def text_transform(tokenizer: str, longest: int, padding: int) -> dict[str, Any]:
    """Tokens of the tokenizer whose file has this SHA-256, `longest` at most, `padding` behind.

    The SHA-256 is empty where there is no file of it, so that tokens can be given and no texts.
    """
    return {"kind": "text", "tokenizer": tokenizer, "longest": longest, "padding": padding}


def sound_transform(rate: int, *, standardised: bool = False) -> dict[str, Any]:
    """One channel with `rate` numbers a second in [-1, 1]; with a mean of 0 and a deviation of 1
    of each sound where it is `standardised`."""
    return {"kind": "sound", "rate": rate, "standardised": standardised}
