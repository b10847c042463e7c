"""Raw data of tests: pictures, sounds, videos and tables in a folder."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WORDS = ("circle", "square", "cross")


def picture(number: int, size: int = 12) -> NDArray[np.uint8]:
    """A picture (size, size, 3) whose colour and shape follow from a number."""
    generator = np.random.default_rng(number)
    pixels = generator.integers(0, 60, (size, size, 3), np.uint8)
    pixels[2 : size - 2, 2 : size - 2, number % 3] += np.uint8(120)
    return pixels


def png(pixels: NDArray[np.uint8], kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def table(folder: Path, samples: int, missing: Sequence[int] = ()) -> Path:
    """`data.csv` of pictures, texts, numbers, labels and a split; some have no picture."""
    (folder / "pictures").mkdir(parents=True)
    lines = ["image,text,numbers,labels,split"]
    for sample in range(samples):
        name = f"pictures/{sample}.png"
        if sample in missing:
            name = "" if sample % 2 else name
        else:
            (folder / name).write_bytes(png(picture(sample)))
        word, split = WORDS[sample % 3], ("train", "train", "validation", "test")[sample // 3 % 4]
        lines.append(f"{name},a {word} of {sample},{sample / 7:.3f},{word},{split}")
    (folder / "data.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "data.csv"
