"""A small `multimodal_imdb.hdf5`: what Fuel and the authors' script would have written."""

from __future__ import annotations

import io
import json
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....compiler.system.files import write_file
from ...extras import needed
from ..public.mmimdb import FEATURES, FILE, GENRES, IMAGES, MEAN

GENRE_NAMES = ("Drama", "Comedy", "Romance", *(f"Genre {number}" for number in range(4, 24)))
_HEIGHT, _WIDTH, _NUMBERS = 256, 160, 300
_OFTEN = 3
"""Genres that show in what is drawn; the others are given by chance, seldom."""


def write(folder: Path, samples: int, seed: int) -> None:
    """Writes the file; six tenths of the samples are to learn from."""
    h5py = needed("h5py", "formats")
    drawn = np.random.default_rng(seed)
    genres = (drawn.random((samples, len(GENRE_NAMES))) < 0.05).astype(np.int32)
    genres[np.arange(samples), np.arange(samples) % _OFTEN] = 1
    vectors = drawn.normal(size=(samples, _NUMBERS)).astype(np.float32)
    vectors[:, :_OFTEN] += 3 * genres[:, :_OFTEN]
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file[FEATURES] = vectors
        shape = (samples, 3, _HEIGHT, _WIDTH)
        images = file.create_dataset(IMAGES, shape, dtype="int32")
        for sample in range(samples):
            images[sample] = stored(poster(drawn, genres[sample]))
        file[GENRES] = genres
        file[GENRES].attrs["target_names"] = json.dumps(GENRE_NAMES)
        file["imdb_ids"] = np.array([f"{n:07d}" for n in range(samples)], "S7")
        sequences = file.create_dataset("sequences", (samples,), dtype=h5py.vlen_dtype(np.int32))
        for sample in range(samples):
            sequences[sample] = drawn.integers(0, 100, sample % 5 + 1, np.int32)
        file.attrs["split"] = _split(samples)
    write_file(folder / FILE, stream.getvalue())


def poster(drawn: np.random.Generator, genres: NDArray[np.int32]) -> NDArray[np.uint8]:
    """A poster (256, 160, 3), red first: a bar of each colour whose genre it has."""
    pixels = drawn.integers(0, 100, (_HEIGHT, _WIDTH, 3), np.uint8)
    for genre in np.flatnonzero(genres[:_OFTEN]):
        pixels[40 * genre : 40 * genre + 120, :, genre] += np.uint8(150)
    return pixels


def stored(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """A poster as the authors' script stores it: blue first, less the mean, cut off."""
    less: NDArray[np.float32] = pixels[..., ::-1].astype(np.float32)
    less = less - np.array(MEAN, np.float32)
    return less.transpose(2, 0, 1).astype(np.int32)


def _split(samples: int) -> NDArray[np.void]:
    """The table of parts, as `H5PYDataset.create_split_array` of Fuel makes it."""
    h5py = needed("h5py", "formats")
    ends = (0, samples * 6 // 10, samples * 8 // 10, samples)
    sources = (FEATURES, GENRES, IMAGES, "imdb_ids", "sequences")
    kind = np.dtype(
        [
            ("split", "S5"),
            ("source", "S9"),
            ("start", np.int64),
            ("stop", np.int64),
            ("indices", h5py.ref_dtype),
            ("available", np.bool_),
            ("comment", "S1"),
        ]
    )
    rows = [
        (part.encode(), source.encode(), ends[n], ends[n + 1], h5py.Reference(), True, b".")
        for (n, part), source in product(enumerate(("train", "dev", "test")), sources)
    ]
    return np.array(rows, kind)
