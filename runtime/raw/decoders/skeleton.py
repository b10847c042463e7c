"""Skeletons: the `.skeleton` files of NTU RGB+D, and plain arrays of joints.

A file has the number of frames; then, for each frame, the number of bodies, and for each of those a
line about it, the number of joints, and a line for each joint, whose first three numbers are x, y
and z in metres; what is `nan` there counts as 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....compiler.diagnostics.diagnostic import fail
from ..data import Content, named, undecodable
from .numbers import array_of_file, is_array_file

ENDINGS = (".skeleton",)
TIME: int | None = 1
MOST_FRAMES, MOST_BODIES, MOST_JOINTS = 100_000, 16, 256


@dataclass(frozen=True, kw_only=True)
class Transform:
    """What of a recording is taken: its first `frames`, `bodies` and `joints`; zeros where there
    are fewer bodies or joints. `resampled`, all frames are brought to so many, linearly in time.

    With `centred`, the first joint of the first body in the first frame that has one is the origin.
    With an `origin`, that joint of the first body is it in each frame, and for nobody too: who is
    not there stands where it would be, as the published BM-NAS code has it. Raises DiagnosticError
    where there is no such joint.
    """

    frames: int = 300
    resampled: bool = False
    bodies: int = 2
    joints: int = 25
    centred: bool = True
    origin: int | None = None

    def __post_init__(self) -> None:
        if self.origin is not None and not 0 <= self.origin < self.joints:
            message = f"the origin of a skeleton is its joint {self.origin}, which it does not have"
            raise fail("E506", message, help=f"joints are numbered from 0 to {self.joints - 1}")


def decode(
    content: Content,
    place: str,
    transform: Transform,
    generator: np.random.Generator | None = None,
) -> NDArray[np.float32]:
    """The joints as (3, time, joints, bodies); augmented by a turn about the upright axis of ±15°.

    `content` is a file's bytes, or an array (time, bodies, joints, 3).
    """
    bodies = _bodies(content, place)
    if not transform.resampled:
        bodies = bodies[: transform.frames]
    if not bodies.size:
        raise undecodable(place, "nobody is in it", "replace or leave out the file")
    if not np.isfinite(bodies).all():
        raise undecodable(place, "it has values that are not finite")
    taken = np.zeros((len(bodies), transform.bodies, transform.joints, 3), np.float32)
    part = bodies[:, : transform.bodies, : transform.joints]
    taken[:, : part.shape[1], : part.shape[2]] = part
    if transform.centred:
        _centre(taken)
    if transform.origin is not None:
        taken -= taken[:, :1, transform.origin : transform.origin + 1].copy()
    if transform.resampled:
        taken = _resampled(taken, transform.frames)
    if generator is not None:
        angle = np.deg2rad(generator.uniform(-15, 15))
        turn = [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
        taken = taken @ np.array(turn, np.float32)
    return np.ascontiguousarray(taken.transpose(3, 0, 2, 1))


def _resampled(taken: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Joints (time, …) at so many times, evenly over the recording, linearly between its frames."""
    last = len(taken) - 1
    times = np.clip((np.arange(frames) + 0.5) * len(taken) / frames - 0.5, 0, last)
    before = np.floor(times).astype(np.int64)
    share = (times - before).astype(np.float32).reshape(-1, 1, 1, 1)
    between = taken[before] * (1 - share) + taken[np.minimum(before + 1, last)] * share
    return between.astype(np.float32, copy=False)


def _centre(taken: NDArray[np.float32]) -> None:
    """Moves everybody who is there, so that the first joint that is there lies at the origin."""
    there = np.asarray(taken.any((2, 3)))
    frame = int(there[:, 0].argmax())
    taken[there] -= taken[frame, 0, 0]


def _bodies(content: Content, place: str) -> NDArray[np.float32]:
    """The joints as (time, bodies, joints, 3)."""
    if isinstance(content, str | tuple):
        raise undecodable(
            place, f"it is {named(content)}, not a skeleton", "give the path of a file"
        )
    if isinstance(content, bytes) and not is_array_file(content):
        return _of_lines(content, place)
    array = array_of_file(content, place) if isinstance(content, bytes) else content
    if array.ndim != 4 or array.shape[-1] != 3 or array.dtype.kind not in "fiu":
        why = f"an array {array.shape} of {array.dtype} is no skeleton"
        raise undecodable(place, why, "store (time, bodies, joints, 3) of numbers")
    return array.astype(np.float32)


def _of_lines(content: bytes, place: str) -> NDArray[np.float32]:
    try:
        lines = iter(content.decode("ascii").split("\n"))
        frames = [_frame(lines) for _ in range(_count(lines, MOST_FRAMES))]
    except (ValueError, StopIteration, RuntimeError) as error:
        why = str(error) if type(error) is ValueError else "it is cut short or no ASCII"
        raise undecodable(place, why or "it is cut short") from None
    bodies = max((len(frame) for frame in frames), default=0)
    joints = max((len(body) for frame in frames for body in frame), default=0)
    array = np.zeros((len(frames), bodies, joints, 3), np.float32)
    for at, frame in enumerate(frames):
        for number, body in enumerate(frame):
            array[at, number, : len(body)] = body
    array[np.isnan(array)] = 0  # which the sensor did not see
    return array


def _frame(lines: Iterator[str]) -> list[NDArray[np.float32]]:
    bodies: list[NDArray[np.float32]] = []
    for _ in range(_count(lines, MOST_BODIES)):
        next(lines)
        joints = [next(lines).split()[:3] for _ in range(_count(lines, MOST_JOINTS))]
        if any(len(joint) != 3 for joint in joints):
            raise ValueError("a joint has no three numbers")
        bodies.append(np.array(joints, np.float32).reshape(-1, 3))
    return bodies


def _count(lines: Iterator[str], most: int) -> int:
    text = next(lines).strip()
    if not text.isdecimal() or len(text) > 9 or int(text) > most:
        raise ValueError(f"a count is not a whole number of at most {most:,}")
    return int(text)
