"""Sounds, through soundfile: one channel at one rate."""

from __future__ import annotations

import io
from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....compiler.diagnostics.diagnostic import DiagnosticError, fail
from ....compiler.diagnostics.text import shortened
from ...extras import needed
from ..data import Content, named, undecodable

ENDINGS = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif")
TIME: int | None = 0
MOST_VALUES = 500_000_000
LOWEST_RATE, HIGHEST_RATE = 1_000, 400_000
"""Of a sound, in numbers a second; the filter between two rates is as long as the higher one."""
_RATES = f"{LOWEST_RATE:,} to {HIGHEST_RATE:,} Hz"


@dataclass(frozen=True, kw_only=True)
class Transform:
    """What is done to a sound: the mean of its channels is brought to `rate` (samples a second) by
    a polyphase filter (a sinc in a Kaiser window), and what comes after `seconds` is cut off.

    With `standardised`, its mean is taken away and it is divided by its standard deviation. Raises
    DiagnosticError for a rate that no sound has.
    """

    rate: int = 16_000
    seconds: float = 30.0
    standardised: bool = False

    def __post_init__(self) -> None:
        if type(self.rate) is not int or not _is_usual(self.rate):
            message = f"the transform of a sound has the rate {shortened(str(self.rate))}"
            raise fail("E506", message, help=f"write a whole number of {_RATES}")


def decode(
    content: Content,
    place: str,
    transform: Transform,
    generator: np.random.Generator | None = None,
) -> NDArray[np.float32]:
    """The sound as (time,), from -1 to 1; augmented by its loudness, by ±6 decibels.

    `content` is a file's bytes, or numbers (time,) at the rate of the transform.
    """
    sound, rate = _read(content, place, transform)
    if not sound.size:
        raise undecodable(place, "it has no sample")
    if not np.isfinite(sound).all():
        raise undecodable(place, "it has values that are not finite")
    if rate != transform.rate:
        sound = _resampled(sound, rate, transform.rate)
    sound = sound[: max(1, int(transform.seconds * transform.rate))]
    if generator is not None:
        sound = sound * 10 ** (generator.uniform(-6, 6) / 20)
    if transform.standardised:
        sound = (sound - sound.mean()) / np.sqrt(sound.var() + 1e-7)
    return np.ascontiguousarray(sound, np.float32)


def _read(content: Content, place: str, transform: Transform) -> tuple[NDArray[Any], int]:
    if isinstance(content, str | tuple):
        raise undecodable(place, f"it is {named(content)}, not a sound", "give the path of a sound")
    if isinstance(content, np.ndarray):
        if content.ndim != 1 or content.dtype.kind not in "fiu":
            raise undecodable(place, f"an array {content.shape} of {content.dtype} is no sound")
        return content.astype(np.float32), transform.rate
    soundfile = needed("soundfile", "raw")
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            rate, channels = int(file.samplerate), int(file.channels)
            if not _is_usual(rate):
                raise undecodable(place, f"its rate is {rate:,} Hz, not one of {_RATES}")
            frames = min(int(file.frames), int((transform.seconds + 1) * rate) + 1)
            if frames * channels > MOST_VALUES:
                raise undecodable(place, f"it has more than {MOST_VALUES:,} values")
            return file.read(frames, dtype="float32", always_2d=True).mean(1), rate
    except DiagnosticError:
        raise
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        raise undecodable(place, _reason(error), "replace or leave out the file") from None


def _is_usual(rate: int) -> bool:
    return LOWEST_RATE <= rate <= HIGHEST_RATE


def _reason(error: Exception) -> str:
    """soundfile's reason without the address of the stream in memory."""
    return str(error).rpartition(">: ")[2].rstrip(".").lower() or "it is no sound that is known"


def _resampled(sound: NDArray[Any], rate: int, wanted: int) -> NDArray[Any]:
    signal = needed("scipy.signal", "raw")
    common = gcd(rate, wanted)
    return np.asarray(signal.resample_poly(sound, wanted // common, rate // common))
