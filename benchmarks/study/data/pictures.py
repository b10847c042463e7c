"""Pictures from files: opacity and premultiplied colour, drawn in the middle of a square."""

import io

import numpy as np
from numpy.typing import NDArray

LARGEST_PICTURE = 1 << 25
"""Pixels that a picture may have."""


def from_svg(text: str, side: int) -> NDArray[np.float32]:
    """An SVG picture as `from_file` gives it; raises ValueError where it cannot be drawn.

    It is drawn by resvg, which runs no script and expands no entity without end.
    """
    import resvg_py

    return from_file(
        resvg_py.svg_to_bytes(text, skip_system_fonts=True, dpi=96, width=8 * side), side
    )


def from_file(content: bytes, side: int) -> NDArray[np.float32]:
    """A picture (4, `side`, `side`) in [0, 1], as large as fits: premultiplied colour, opacity.

    Raises ValueError where it is too large, and OSError where it cannot be read.
    """
    from PIL import Image

    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        if image.width * image.height > LARGEST_PICTURE:
            raise ValueError(f"a picture of {image.width} x {image.height}")
        drawn = image.convert("RGBA").convert("RGBa")
    longest = max(drawn.size)
    square = Image.new("RGBa", (longest, longest))
    square.paste(drawn, ((longest - drawn.width) // 2, (longest - drawn.height) // 2))
    pixels = np.asarray(square.resize((side, side), Image.Resampling.BOX), np.float32)
    scaled: NDArray[np.float32] = pixels.transpose(2, 0, 1) / np.float32(255)
    return scaled
