"""Videos, through PyAV: frames at even distances, each treated as a picture is."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....compiler.diagnostics.diagnostic import DiagnosticError
from ...extras import needed
from ..data import Content, undecodable
from . import picture

ENDINGS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg")
TIME: int | None = 1
MOST_FRAMES = 100_000
"""Frames of a file that are looked at."""
CONTAINERS: Mapping[str, str] = {
    "format_whitelist": "mov,mp4,avi,matroska,webm,mpeg,mpegts,mpegvideo",
    "protocol_whitelist": "",
}
"""What FFmpeg may take a file for; others of its formats open what a file names, here or elsewhere.
"""


@dataclass(frozen=True, kw_only=True)
class Transform(picture.Transform):
    """What is done to a video: so many `frames` are taken at even distances, all where there are
    no more, and each is treated as a picture. `consecutive` ones follow each other in the middle of
    the video, which begins again where it is shorter."""

    frames: int = 16
    consecutive: bool = False


def decode(
    content: Content,
    place: str,
    transform: Transform,
    generator: np.random.Generator | None = None,
) -> NDArray[np.float32]:
    """The frames as (channels, time, height, width); all are augmented alike.

    `content` is a file's bytes, those of its frames, or (time, height, width, channels) from 0 to
    255. A file is decoded twice, since what it says of its length need not be true.
    """
    count = sum(1 for _ in _frames(content, place))
    taken = _taken(count, transform)
    arrays: dict[int, NDArray[np.float32]] = {}
    augmented = None
    pixels = 0
    for number, frame in enumerate(_frames(content, place)):
        if number in taken:
            image = _image(frame, place, transform.mode)
            if not arrays:
                augmented = picture.augmentation(image.size, generator)
            arrays[number] = picture.array_of(image, place, transform, augmented)
            pixels += arrays[number][0].size * taken[number]
            if pixels > picture.MOST_PIXELS:
                why = f"its frames have more than {picture.MOST_PIXELS:,} pixels together"
                raise undecodable(place, why, "take fewer frames, or smaller ones")
    if not arrays:
        raise undecodable(place, "it has no frame", "replace or leave out the file")
    sizes = {array.shape for array in arrays.values()}
    if len(sizes) > 1:
        raise undecodable(place, "its frames differ in size")
    if transform.consecutive:
        return np.stack([arrays[number % count] for number in _middle(count, transform.frames)], 1)
    return np.stack([*arrays.values()], 1)


def _taken(count: int, transform: Transform) -> Mapping[int, int]:
    """How often each frame of so many is taken."""
    wanted = transform.frames
    if not count:
        return {}
    if transform.consecutive:
        return Counter(number % count for number in _middle(count, wanted))
    if count <= wanted:
        return dict.fromkeys(range(count), 1)
    return {(2 * part + 1) * count // (2 * wanted): 1 for part in range(wanted)}


def _middle(count: int, wanted: int) -> range:
    """So many numbers around the middle of so many frames, which begin again beyond the last."""
    first = max(0, count // 2 - wanted // 2)
    return range(first, first + wanted)


def _image(frame: Any, place: str, mode: str) -> Any:
    if isinstance(frame, np.ndarray | bytes):
        return picture.opened(frame, place, mode)
    return frame.to_image().convert(mode)


def images_of(content: Content, place: str, mode: str) -> Iterator[Any]:
    """All frames of a video as pictures of Pillow; raises DiagnosticError where it is broken."""
    for frame in _frames(content, place):
        yield _image(frame, place, mode)


def _frames(content: Content, place: str) -> Iterator[Any]:
    if isinstance(content, str):
        raise undecodable(place, "it is a text, not a video", "give the path of a video")
    if isinstance(content, np.ndarray | tuple):
        yield from islice(content, MOST_FRAMES)
        return
    av = needed("av", "raw")
    try:
        with av.open(io.BytesIO(content), "r", container_options=CONTAINERS) as container:
            if not container.streams.video:
                raise undecodable(place, "it has no picture")
            stream = container.streams.video[0]
            picture.require_few((stream.width, stream.height), place)
            for frame in islice(container.decode(stream), MOST_FRAMES):
                picture.require_few((frame.width, frame.height), place)
                yield frame
    except DiagnosticError:
        raise
    except (OSError, ValueError, MemoryError, av.error.FFmpegError) as error:
        why = str(getattr(error, "strerror", "") or error).lower()
        if isinstance(error, av.error.ArgumentError):
            why = "it is no video that is known"
        raise undecodable(place, why, "replace or leave out the file") from None
