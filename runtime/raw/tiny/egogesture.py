"""Small frames and annotations that lie as those of EgoGesture do."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....compiler.system.files import make_folder, write_file
from ...extras import needed
from ..public.egogesture import IMAGES, LABELS

SUBJECTS = (3, 4, 5, 1, 7, 2, 9)
"""To train with, to validate with, and to test with."""
_GESTURES = 3
_HEIGHT, _WIDTH = 48, 64


def write(folder: Path, samples: int, seed: int) -> None:
    """Writes gestures of 3 kinds, one recording for each subject, with frames between them."""
    drawn = np.random.default_rng(seed)
    by_subject: dict[int, list[int]] = {}
    for sample in range(samples):
        by_subject.setdefault(SUBJECTS[sample % len(SUBJECTS)], []).append(sample)
    for subject, own in by_subject.items():
        _recording(folder, subject, own, drawn)


def _recording(folder: Path, subject: int, own: list[int], drawn: np.random.Generator) -> None:
    scene = folder / IMAGES / f"Subject{subject:02d}" / "Scene1"
    homes = [scene / "Color" / "rgb1", scene / "Depth" / "depth1"]
    notes = folder / LABELS / f"subject{subject:02d}" / "Scene1"
    for home in (*homes, notes):
        make_folder(home, parents=True)
    lines: list[str] = []
    number = 1
    for sample in own:
        gesture = (sample + sample // len(SUBJECTS)) % _GESTURES + 1
        last = number + int(drawn.integers(10, 20))
        lines.append(f"{gesture},{number + 2},{last}")
        for frame in range(number, last + 3):
            pixels = _frame(drawn, gesture, frame - number)
            write_file(homes[0] / f"{frame:06d}.jpg", jpeg(pixels))
            write_file(homes[1] / f"{frame:06d}.jpg", jpeg(pixels.max(-1)))
        number = last + 3
    write_file(notes / "Group1.csv", ("\n".join(lines) + "\n").encode())


def _frame(drawn: np.random.Generator, gesture: int, time: int) -> NDArray[np.uint8]:
    """A frame (48, 64, 3): a bar that a gesture moves, in its colour."""
    pixels = drawn.integers(0, 60, (_HEIGHT, _WIDTH, 3), np.uint8)
    left = (2 * time + 12 * gesture) % 40
    pixels[8 * gesture : 8 * gesture + 16, left : left + 24, gesture % 3] += np.uint8(180)
    return pixels


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """A picture (height, width[, 3]) as a JPEG file."""
    stream = io.BytesIO()
    needed("PIL.Image", "raw").fromarray(pixels).save(stream, "JPEG")
    return stream.getvalue()
