"""MM-IMDB: posters, plots and genres of films, in `multimodal_imdb.hdf5`.

The file is what the script of its authors writes (johnarevalo/gmu-mmimdb): posters as
(3, 256, 160), blue first, less the mean colour and cut to whole numbers; the mean word2vec vector
of a plot as 300 numbers; 23 genres; and a split in the attribute that Fuel has for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....compiler.diagnostics.diagnostic import fail
from ....compiler.system.files import is_folder, open_file
from ...data.formats import diagnosed, hdf5
from ...extras import needed
from ..columns import Numbers, Texts, Values, cell
from ..data import Column, Content, RawData, undecodable
from ..sources.hdf5 import dataset_of, row_of
from . import PublicSet

FILE = "multimodal_imdb.hdf5"
IMAGES, FEATURES, GENRES = "images", "features", "genres"
MEAN = (103.939, 116.779, 123.68)
"""The mean colour, blue first, that is taken from posters."""
MOST_GENRES, MOST_SPLITS = 1_000, 10_000
_PARTS = {"train": "train", "dev": "validation", "test": "test"}


def opened(place: Path) -> RawData:
    """The file, or the one in a folder; raises DiagnosticError where it is not such a file.

    Columns are `image`, `text`, `labels` and `split`. The file is open as long as they are.
    """
    file = place / FILE if is_folder(place) else place
    h5py = needed("h5py", "formats")
    with open_file(file), diagnosed(f"`{file}`", hdf5.UNREADABLE):
        held = h5py.File(file, "r")
        images, texts, genres = (_dataset(h5py, held, n, file) for n in (IMAGES, FEATURES, GENRES))
        counts = {len(images), len(texts), len(genres)}
        if len(counts) > 1 or images.ndim != 4 or images.shape[1] != 3 or genres.ndim != 2:
            shapes = ", ".join(f"{one.shape}" for one in (images, texts, genres))
            raise ValueError(f"posters, plots and genres do not fit each other: {shapes}")
        if genres.shape[1] > MOST_GENRES:
            raise ValueError(f"it has {genres.shape[1]:,} genres")
        samples = counts.pop()
        labels = np.asarray(genres[:])
        if labels.dtype.kind not in "iub" or not np.isin(labels, (0, 1)).all():
            raise ValueError("its genres are not 0 or 1 each")
        split = _split(h5py, held, samples)
    source = file.name
    columns: dict[str, Column] = {
        "image": Values(source, "image", "picture", partial(_poster, images, file)),
        "text": Values(source, "text", "numbers", partial(_plot, texts, file)),
        "labels": Numbers(source, "labels", labels),
        "split": Texts(source, "split", split),
    }
    return RawData(str(file), samples, columns, {})


def _dataset(h5py: Any, file: Any, name: str, place: Path) -> Any:
    if name not in file:
        message = f"`{place}` has no dataset `{name}`"
        raise fail("E504", message, help=f"give `{FILE}` as its authors wrote it")
    return dataset_of(h5py, file, name, place)


def _split(h5py: Any, file: Any, samples: int) -> list[str]:
    """The part of each sample, from the table that Fuel keeps of where a part begins and ends."""
    if "split" not in file.attrs:
        raise ValueError("it says nothing of a split")
    attribute = file.attrs.get_id("split")
    is_short = len(attribute.shape) == 1 and attribute.shape[0] <= MOST_SPLITS
    if not is_short or not _is_plain(h5py, attribute.dtype):
        raise ValueError("what it says of its split is no table that Fuel writes")
    found = [""] * samples
    for row in file.attrs["split"]:
        if row["source"] != GENRES.encode() or not row["available"]:
            continue
        part = _PARTS.get(row["split"].decode())
        start, stop = int(row["start"]), int(row["stop"])
        if part is None or not 0 <= start <= stop <= samples or any(found[start:stop]):
            raise ValueError("its split has parts that are unknown or overlap")
        found[start:stop] = [part] * (stop - start)
    if "" in found:
        raise ValueError(f"sample {found.index('') + 1} is in no part of its split")
    return found


def _is_plain(h5py: Any, kind: Any) -> bool:
    """Whether a row has the fields of Fuel, and nothing that is kept in a heap of the file."""
    fields = dict(kind.fields or {})
    plain = [h5py.check_ref_dtype(one[0]) or one[0].kind in "Siub" for one in fields.values()]
    return {"split", "source", "start", "stop", "available"} <= {*fields} and all(plain)


def _poster(dataset: Any, place: Path, sample: int) -> Content:
    """A poster (height, width, 3) from 0 to 255, red first.

    What was cut to a whole number is known again but where it is 0: that may be one level darker.
    """
    stored = row_of(dataset, place, IMAGES, sample)
    lowest, highest = (np.array([f(m) for m in MEAN]) for f in (np.floor, np.ceil))
    levels = stored + np.where(stored < 0, *_sides(lowest, highest))
    if stored.dtype.kind not in "iu" or (levels < 0).any() or (levels > 255).any():
        why = "it is no poster less the mean colour"
        raise undecodable(cell(place.name, IMAGES, sample), why)
    return np.ascontiguousarray(levels[::-1].transpose(1, 2, 0).astype(np.uint8))


def _sides(*each: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    return tuple(one.astype(np.int64).reshape(3, 1, 1) for one in each)


def _plot(dataset: Any, place: Path, sample: int) -> Content:
    return row_of(dataset, place, FEATURES, sample)


_COUNTS: Mapping[str, int] = {"train": 15_552, "validation": 2_608, "test": 7_799}
SETS = (
    PublicSet(
        "mmimdb",
        "MM-IMDB",
        "as the file has it",
        _COUNTS,
        f"`{FILE}`",
        opened,
    ),
)
