"""Spectrograms of sounds: the logarithm of their power, by pitch and by time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import log

import numpy as np
from numpy.typing import NDArray

from ....compiler.diagnostics.diagnostic import fail
from ..data import Content
from . import sound

ENDINGS: tuple[str, ...] = ()
TIME: int | None = 1
FILES = "sound"
"""The medium of the files that it is made from."""
LEAST_POWER = 1e-10
LONGEST_WINDOW = 65_536
MOST_OVERLAP = 16
"""Windows that a number of a sound may be in."""
_AT_ONCE = 4_096
"""Windows that are transformed at once."""
_LINEAR, _STEP = 1_000.0, log(6.4) / 27
"""Up to so many Hz mels are even, 15 of them; above, each is by so much higher, as a logarithm."""


@dataclass(frozen=True, kw_only=True)
class Transform(sound.Transform):
    """What is done to a sound after its own transform.

    Its power in Hann windows of `window` numbers, `hop` apart and centred, the sound mirrored at
    its ends; summed in `mels` triangles of equal area, evenly along Slaney's mel scale up to half
    of the rate; the decimal logarithm, less `mean`, divided by `std`. Raises DiagnosticError for
    sizes that are none.
    """

    window: int = 400
    hop: int = 160
    mels: int = 80
    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        whole = all(type(size) is int for size in (self.window, self.hop, self.mels))
        if not whole or not (
            2 <= self.window <= LONGEST_WINDOW
            and self.window <= MOST_OVERLAP * self.hop
            and self.hop <= self.window
            and 1 <= self.mels <= self.window // 2
        ):
            message = "the transform of a spectrogram has sizes that do not go together"
            remedy = f"`hop` is from 1/{MOST_OVERLAP} of `window` to all, `mels` half of it at most"
            raise fail("E506", message, help=f"as `window=400`, `hop=160`, `mels=80`: {remedy}")


def decode(
    content: Content,
    place: str,
    transform: Transform,
    generator: np.random.Generator | None = None,
) -> NDArray[np.float32]:
    """The spectrogram as (mels, time); augmented as the sound is.

    `content` is what the decoder of sounds takes.
    """
    heard = sound.decode(content, place, transform, generator)
    window, half = transform.window, transform.window // 2
    padded = np.pad(heard.astype(np.float64), half, mode="reflect")
    pieces = np.lib.stride_tricks.sliding_window_view(padded, window)[:: transform.hop]
    weights = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    filters = _filters(transform.rate, window, transform.mels)
    parts = [
        np.square(np.abs(np.fft.rfft(pieces[start : start + _AT_ONCE] * weights))) @ filters
        for start in range(0, len(pieces), _AT_ONCE)
    ]
    levels = np.log10(np.maximum(np.concatenate(parts), LEAST_POWER))
    return np.ascontiguousarray((levels.T - transform.mean) / transform.std, np.float32)


@cache
def _filters(rate: int, window: int, mels: int) -> NDArray[np.float64]:
    """What each frequency counts in each band, (window // 2 + 1, mels)."""
    highest, frequencies = rate / 2, np.arange(window // 2 + 1) * rate / window
    top = 15 + log(highest / _LINEAR) / _STEP if highest > _LINEAR else 15 * highest / _LINEAR
    places = np.linspace(0, top, mels + 2)
    edges = np.where(places < 15, places * _LINEAR / 15, _LINEAR * np.exp((places - 15) * _STEP))
    widths = np.diff(edges)
    rising = (frequencies[:, None] - edges[:-2]) / widths[:-1]
    falling = (edges[2:] - frequencies[:, None]) / widths[1:]
    shares: NDArray[np.float64] = np.maximum(0, np.minimum(rising, falling))
    return shares * (2 / (edges[2:] - edges[:-2]))
