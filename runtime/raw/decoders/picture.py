"""Pictures, through Pillow: upright, in RGB, resized, cropped and standardised."""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ....compiler.diagnostics.diagnostic import DiagnosticError, fail
from ....compiler.diagnostics.text import shortened
from ...extras import needed
from ..data import Content, named, undecodable

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
TIME: int | None = None
MOST_PIXELS = 100_000_000
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
"""The formats that are opened; others of Pillow, such as PostScript, may start programs."""
UNREADABLE = (
    *(ArithmeticError, EOFError, IndexError, KeyError, MemoryError, NotImplementedError),
    *(OSError, struct.error, SyntaxError, TypeError, ValueError),
)
"""What Pillow lets through where a file is damaged: its readers believe what headers say."""
Interpolation = Literal["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"]


@dataclass(frozen=True, kw_only=True)
class Transform:
    """What is done to a picture, in this order.

    `resize` is the length of its shorter side, or (height, width), in pixels; `crop` (height,
    width) is taken from the middle, with black where the picture is smaller. Numbers are from 0 to
    1, then `mean` is taken away and what is left divided by `std`, one for each of the `colours`:
    3, red first, or 1, which is brightness.

    Raises DiagnosticError for sizes that are none, or above `MOST_PIXELS`.
    """

    colours: int = 3
    resize: int | tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    interpolation: Interpolation = "bilinear"
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        for name, size in (("resize", self.resize), ("crop", self.crop)):
            is_shorter_side = name == "resize" and type(size) is int
            sides: Any = (size, size) if is_shorter_side else size
            if size is not None and not _are_sides(sides):
                message = f"`{name}` of a transform is `{shortened(str(size))}`, which is no size"
                remedy = f"write `[height, width]` with {MOST_PIXELS:,} pixels at most"
                raise fail("E506", message, help=remedy)

    @property
    def mode(self) -> str:
        """Pillow's name of the channels."""
        return "L" if self.colours == 1 else "RGB"


def _are_sides(sides: Any) -> bool:
    if not isinstance(sides, tuple) or len(sides) != 2:
        return False
    plain = all(type(side) is int and side > 0 for side in sides)
    return plain and prod(sides) <= MOST_PIXELS


def decode(
    content: Content,
    place: str,
    transform: Transform,
    generator: np.random.Generator | None = None,
) -> NDArray[np.float32]:
    """The picture as (channels, height, width); augmented by a random crop and a flip.

    `content` is a file's bytes, or (height, width[, channels]) of whole numbers from 0 to 255.
    """
    image = opened(content, place, transform.mode)
    return array_of(image, place, transform, augmentation(image.size, generator))


def opened(content: Content, place: str, mode: str) -> Any:
    """The picture, upright and in the mode; raises DiagnosticError where it is none."""
    images = needed("PIL.Image", "raw")
    operations = needed("PIL.ImageOps", "raw")
    if isinstance(content, str | tuple):
        raise undecodable(
            place, f"it is {named(content)}, not a picture", "give the path of a picture"
        )
    if isinstance(content, np.ndarray):
        return _of_array(images, content, place).convert(mode)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = images.open(io.BytesIO(content), formats=FORMATS)
            require_few(image.size, place)
            return operations.exif_transpose(image).convert(mode)
    except DiagnosticError:
        raise
    except images.DecompressionBombError:
        raise _too_large(place) from None
    except UNREADABLE as error:
        why = str(error) or "it is cut short"
        raise undecodable(place, _without_address(why), "replace or leave out the file") from None


def require_few(size: tuple[int, int], place: str) -> None:
    """Raises DiagnosticError where a picture of this size is more than is held in memory."""
    if prod(size) > MOST_PIXELS:
        raise _too_large(place)


def _too_large(place: str) -> DiagnosticError:
    return undecodable(place, f"it has more than {MOST_PIXELS:,} pixels")


def _without_address(why: str) -> str:
    """Pillow's reason without the address of the stream in memory."""
    return "it is no picture that is known" if "cannot identify" in why else why


def _of_array(images: Any, array: NDArray[Any], place: str) -> Any:
    plain = array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array
    is_picture = plain.ndim == 2 or (plain.ndim == 3 and plain.shape[-1] in (3, 4))
    if plain.dtype != np.uint8 or not is_picture or not 0 < plain.size <= 4 * MOST_PIXELS:
        why = f"an array {array.shape} of {array.dtype} is no picture"
        raise undecodable(place, why, "store (height, width, 3) of whole numbers from 0 to 255")
    return images.fromarray(np.ascontiguousarray(plain))


# Augmentation: one for all frames of a video


@dataclass(frozen=True)
class Augmentation:
    """A part of a picture, (left, upper, right, lower) in pixels, and whether it is mirrored."""

    box: tuple[int, int, int, int]
    mirrored: bool


def augmentation(
    size: tuple[int, int], generator: np.random.Generator | None
) -> Augmentation | None:
    """A random part that has half of the area or more, mirrored half of the time."""
    if generator is None:
        return None
    share = float(np.sqrt(generator.uniform(0.5, 1.0)))
    width, height = (max(1, round(side * share)) for side in size)
    left = int(generator.integers(0, size[0] - width + 1))
    upper = int(generator.integers(0, size[1] - height + 1))
    return Augmentation((left, upper, left + width, upper + height), bool(generator.integers(2)))


def array_of(
    image: Any, place: str, transform: Transform, augmented: Augmentation | None
) -> NDArray[np.float32]:
    """A picture of the right mode as (channels, height, width); raises DiagnosticError where it
    would be too large."""
    operations = needed("PIL.ImageOps", "raw")
    if augmented is not None:
        size = image.size
        image = image.crop(augmented.box).resize(size, _filter(transform))
        image = operations.mirror(image) if augmented.mirrored else image
    pixels = levels_of(image, place, transform).astype(np.float32) / 255
    mean, std = (np.array(one, np.float32) for one in (transform.mean, transform.std))
    standard = ((pixels - mean) / std).astype(np.float32, copy=False)
    return np.ascontiguousarray(standard.transpose(2, 0, 1))


def levels_of(image: Any, place: str, transform: Transform) -> NDArray[np.uint8]:
    """A picture resized and cropped, (height, width, channels) from 0 to 255; as `array_of`."""
    image = _cropped(_resized(image, place, transform), transform.crop)
    return np.asarray(image, np.uint8).reshape(image.size[1], image.size[0], -1)


def _filter(transform: Transform) -> Any:
    return getattr(needed("PIL.Image", "raw").Resampling, transform.interpolation.upper())


def _resized(image: Any, place: str, transform: Transform) -> Any:
    if transform.resize is None:
        return image
    width, height = image.size
    if isinstance(transform.resize, tuple):
        height, width = transform.resize
    elif width < height:
        width, height = transform.resize, int(transform.resize * height / width)
    else:
        width, height = int(transform.resize * width / height), transform.resize
    size = max(width, 1), max(height, 1)
    if prod(size) > MOST_PIXELS:
        raise undecodable(place, f"resized it has more than {MOST_PIXELS:,} pixels")
    return image.resize(size, _filter(transform))


def _cropped(image: Any, crop: tuple[int, int] | None) -> Any:
    """The middle of a picture; Pillow fills up with black."""
    if crop is None:
        return image
    height, width = crop
    left, upper = round((image.size[0] - width) / 2), round((image.size[1] - height) / 2)
    return image.crop((left, upper, left + width, upper + height))
