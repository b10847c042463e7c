"""The data of a table: the paper's where they are given, and else those that stand in for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from ...compiler.check.check import checked
from ...compiler.diagnostics.diagnostic import did_you_mean, fail, one_of
from ...compiler.diagnostics.text import printable
from ...compiler.language.spec import Spec
from ...compiler.load import load
from ...compiler.syntax.parse import parse
from ...compiler.system.files import is_file, is_there, make_folder, write_file
from ..backbones.options import BackboneOptions
from ..data.classes import with_names
from ..data.dataset import Dataset, load_data, names_read
from ..data.identity import data_identity
from ..data.new import example_settings, example_text
from ..data.sources import source_of
from ..data.split import TEST
from ..demo import emoji
from ..demo.extract import extract as extract_emoji
from ..extract.extract import extract
from ..progress import Progress, no_progress
from ..raw.public import public_sets
from ..settings import Settings
from .paper import BM_NAS, DC_NAS, MFAS
from .systems import brought, used
from .tables import EGO, MM_IMDB, NTU


@dataclass(frozen=True)
class PaperSet:
    """A data set of the paper: what it is called, its best configuration, and its splits."""

    title: str
    configuration: str
    samples: tuple[int, int, int]


PAPER_SETS: Mapping[str, PaperSet] = {
    MM_IMDB: PaperSet("MM-IMDB", "mmimdb1", (15_552, 2_608, 7_799)),
    NTU: PaperSet("NTU RGB-D", "ntu1", (23_760, 2_519, 16_558)),
    EGO: PaperSet("EgoGesture", "ego1", (14_416, 4_768, 4_977)),
}
STAND_IN, STORES = "emoji", "stores"
EVALUATION_EPOCHS = 50
"""Those that what is found is trained for on the paper's data: it says 50 to 70."""
STAND_IN_TRAINING = Settings(epochs=15, batch=96)
"""How networks on the stand-in are trained; chosen by the demo, on validation."""
CANDIDATES = 60
"""Networks that MFAS and DC-NAS train, as many each: what they cost follows from it."""
METHODS: Mapping[str, Mapping[str, str | int]] = {
    BM_NAS: {"strategy": "darts", "relax": "shared", "rule": "paper"},
    MFAS: {"strategy": "mfas", "candidates": CANDIDATES},
    DC_NAS: {"strategy": "dc", "candidates": CANDIDATES},
}
"""How each method searches; all else is as the space's configuration says."""


@dataclass(frozen=True)
class Material:
    """The data of rows, and the space over their features.

    `stands_in` names the set of the paper that these data stand in for; empty where they are it.
    `samples` are training, validation and test; `features` is where the features are, or are
    made of `raw` data.
    """

    title: str
    stands_in: str
    space: Spec
    search: Settings
    training: Settings
    samples: tuple[int, int, int]
    features: Path
    raw: str = ""

    def configured(self, configuration: str) -> tuple[Spec, Settings]:
        """The space and the settings of a configuration of Table 8, over these features."""
        if not configuration:
            return self.space, self.search
        space = brought(parse(example_text(configuration), configuration), self.space)
        return space, example_settings(configuration)

    @cached_property
    def dataset(self) -> Dataset:
        """The samples of every feature."""
        network = with_names(checked(self.space), source_of(self.features))
        return load_data(self.features, network, self.training.split_seed)

    @cached_property
    def digest(self) -> str:
        """What identifies the data."""
        source = source_of(self.features)
        return data_identity(source, names_read(checked(self.space))).digest

    @property
    def test(self) -> NDArray[np.int64]:
        """The places of the test samples."""
        return self.dataset.indices(TEST)


@dataclass(frozen=True)
class Given:
    """Data of a set of the paper: where its features are, or its `raw` data as `NAME:FOLDER`."""

    place: Path
    raw: str = ""


def materials(out: Path, given: Mapping[str, Given]) -> Mapping[str, Material]:
    """The data of each set of the paper; raises DiagnosticError where what is given is not there.

    Features of the stand-in, and of raw data, need not be there yet: `prepare` makes them.
    """
    return {
        name: _real(one, given[name], out) if name in given else _stand_in(one, out)
        for name, one in PAPER_SETS.items()
    }


def _real(one: PaperSet, given: Given, out: Path) -> Material:
    if not is_there(given.place):
        raise fail("E504", f"`{printable(str(given.place))}` cannot be read: it is not there")
    search = example_settings(one.configuration)
    training = search.with_options(strategy="halving", relax="per_input", epochs=EVALUATION_EPOCHS)
    space = parse(example_text(one.configuration), one.configuration)
    if not given.raw:
        return Material(one.title, "", space, search, training, one.samples, given.place)
    public = public_sets()[given.raw.partition(":")[0]]
    parts = public.parts
    samples = (parts["train"], parts["validation"], parts["test"])
    store = out / STORES / public.name
    return Material(public.title, "", space, search, training, samples, store, given.raw)


def _stand_in(one: PaperSet, out: Path) -> Material:
    space = load(Path(emoji.__file__).with_name("emoji.fuse"))
    counts = np.bincount(emoji.load_emoji().split, minlength=3)
    samples = (int(counts[0]), int(counts[1]), int(counts[2]))
    search = Settings(strategy="darts", relax="shared", epochs=30, batch=96)
    features = out / f"{STAND_IN}.safetensors"
    return Material(STAND_IN, one.title, space, search, STAND_IN_TRAINING, samples, features)


def prepare(
    material: Material, backbones: BackboneOptions, progress: Progress = no_progress
) -> None:
    """Makes the features of raw data and of the stand-in, as far as they are not there yet."""
    if material.raw:
        _extract(material, material.space, material.features, backbones, progress)
    if not material.stands_in or is_file(material.features):
        return
    found = extract_emoji(seed=0)
    groups = emoji.load_emoji().families
    arrays: dict[str, NDArray[Any]] = {
        **found.features,
        "labels": found.labels,
        "split": found.split,
        "groups": groups,
    }
    write_file(material.features, save(arrays))


def features_for(material: Material, network: Spec, name: str, backbones: BackboneOptions) -> Path:
    """Where the features are that a network reads by adapters of its own, made where they are not.

    What is stored of raw data is pooled for the space's adapters, so others have stores of their
    own; features that are given are read as they are.
    """
    if not material.raw:
        return material.features
    place = material.features.with_name(f"{material.features.name}-{name}")
    _extract(material, used(network), place, backbones, no_progress)
    return place


def _extract(
    material: Material, spec: Spec, out: Path, backbones: BackboneOptions, progress: Progress
) -> None:
    make_folder(out, parents=True)
    extract(spec, material.raw, out, backbones=backbones, progress=progress)


def read_given(features: Sequence[str], raw: Sequence[str] = ()) -> dict[str, Given]:
    """`NAME:PLACE` of features and of raw data, by the names of the paper's sets.

    Raw data may have the name of another split, as `ntu-search`. Raises DiagnosticError for
    something else.
    """
    splits = {name: one.module for name, one in public_sets().items()}
    found: dict[str, Given] = {}
    for texts, known, option in (
        (features, {name: name for name in PAPER_SETS}, "--data"),
        (raw, splits, "--raw"),
    ):
        for text in texts:
            name, colon, place = text.partition(":")
            if not colon or not place:
                message = f"`{printable(text)}` names no data"
                raise fail("E506", message, help=f"write `{option} {NTU}:FOLDER`")
            if name not in known:
                remedy = did_you_mean(name, known) or f"sets are {one_of([*known])}"
                raise fail("E506", f"`{printable(name)}` is no data set of the paper", help=remedy)
            if known[name] in found:
                message = f"data of `{known[name]}` are given twice"
                raise fail("E506", message, help="give each set once")
            found[known[name]] = Given(Path(place), text if texts is raw else "")
    return found


def digest_of(*texts: str) -> str:
    """A short name for what some texts say."""
    return sha256("\0".join(texts).encode()).hexdigest()[:16]
