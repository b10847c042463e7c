"""Small recordings named as those of NTU RGB+D: AVI videos, and `.skeleton` files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....compiler.system.files import make_folder, write_file
from ..encode import avi
from ..public.ntu import MISSING, SKELETON_END, SKELETONS, VIDEO_END, VIDEOS

SUBJECTS = (1, 8, 15, 17, 2, 5, 3, 6)
"""Some of each part of every split."""
_ACTIONS = 3
_HEIGHT, _WIDTH, _JOINTS = 48, 64, 25


def write(folder: Path, samples: int, seed: int) -> None:
    """Writes recordings of 3 actions, and one more whose skeleton is missing, with its list."""
    drawn = np.random.default_rng(seed)
    homes = [folder / VIDEOS[-1], folder / SKELETONS]
    for home in homes:
        make_folder(home)
    names = [_name(sample) for sample in range(samples + 1)]
    for sample, name in enumerate(names):
        action = int(name[-3:])
        frames = int(drawn.integers(10, 20))
        write_file(homes[0] / f"{name}{VIDEO_END}", avi(_moving(drawn, action, frames), 30))
        bodies = 0 if sample == samples else 1 + sample % 2
        content = skeleton(drawn, action, frames, bodies)
        write_file(homes[1] / f"{name}{SKELETON_END}", content)
    write_file(folder / MISSING[0], f"Samples without skeletons:\n\n{names[-1]}\n".encode())


def _name(sample: int) -> str:
    subject, more = SUBJECTS[sample % len(SUBJECTS)], sample // len(SUBJECTS)
    action = (sample + more) % _ACTIONS + 1
    return f"S001C{more % 3 + 1:03d}P{subject:03d}R{more // 3 + 1:03d}A{action:03d}"


def _moving(drawn: np.random.Generator, action: int, frames: int) -> NDArray[np.uint8]:
    """Frames (time, 48, 64, 3): a square that an action moves, in its colour."""
    pixels = drawn.integers(0, 60, (frames, _HEIGHT, _WIDTH, 3), np.uint8)
    for number in range(frames):
        left = 30 * number // frames if action % 2 else 10
        pixels[number, 12:36, left : left + 24, action % 3] += np.uint8(180)
    return pixels


def skeleton(drawn: np.random.Generator, action: int, frames: int, bodies: int) -> bytes:
    """A `.skeleton` file: joints about their places, of which one rises as the action has it."""
    lines = [str(frames)]
    rest = drawn.normal((0, 0, 3), size=(_JOINTS, 3))
    for frame in range(frames):
        lines.append(str(bodies))
        for body in range(bodies):
            lines += [f"7205759403793{body} 0 1 1 1 1 0 0.02 -0.05 2", str(_JOINTS)]
            places = drawn.normal(rest, 0.02)
            places[:, 0] += body
            places[3 + action, 1] += action * frame / frames
            for x, y, z in places:
                colour = f"{960 + 300 * x:.3f} {540 - 300 * y:.3f}"
                lines.append(f"{x:.7f} {y:.7f} {z:.7f} 250.1 200.2 {colour} 0.1 0.2 0.3 0.9 2")
    return ("\n".join(lines) + "\n").encode()
