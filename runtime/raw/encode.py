"""Videos written: frames as an AVI file of MPEG-4, which is what those of NTU RGB+D are."""

from __future__ import annotations

import io
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..extras import needed

BITS = 3_000_000
"""Bits of a second."""


def avi(frames: Iterable[NDArray[np.uint8]], rate: int) -> bytes:
    """Frames (height, width, 3) of one size, so many a second, as the bytes of a file."""
    av = needed("av", "raw")
    stream = io.BytesIO()
    with av.open(stream, "w", format="avi") as container:
        track = container.add_stream("mpeg4", rate=rate)
        track.pix_fmt, track.bit_rate = "yuv420p", BITS
        for number, frame in enumerate(frames):
            if not number:
                track.height, track.width = frame.shape[:2]
            container.mux(track.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(track.encode())
    return stream.getvalue()
