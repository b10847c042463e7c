"""A command checks each network once, and lowers each Program that it needs once."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from fusewright.compiler.check.check import network_of
from fusewright.compiler.lowering.lower import lower

from ..support.running import FIXED, command, problem, spec

pytest.importorskip("torch")

SHORT = ("--config", "short.toml", "--no-controls")
SETTINGS = """
epochs = 2
candidates = 3
trial_epochs = 1
rungs = 2
folds = 1
ensemble = false
"""
"""For every strategy; of options, each would be refused where it has no effect."""
HYPERNETS, CANDIDATES = ("darts", "gdas", "single-path"), ("random", "halving", "mfas", "dc")


@dataclass
class Counts:
    """How often networks were checked, by their text, and lowered, by it and the relaxation."""

    checked: Counter[str] = field(default_factory=Counter[str])
    lowered: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])


@contextmanager
def counted() -> Generator[Counts]:
    """Counts calls, whichever name a module calls the two functions by."""
    found = Counts()

    def see(frame: FrameType, event: str, argument: object) -> None:
        values: Any = frame.f_locals
        if event != "call":
            return
        if frame.f_code is network_of.__code__:
            found.checked[str(values["spec"])] += 1
        elif frame.f_code is lower.__code__:
            text = str(values["graph"].graph["specification"])
            found.lowered[text, values["relax"]] += 1

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        yield found
    finally:
        sys.setprofile(before)


def counts(place: Path, *arguments: str) -> Counts:
    """Those of a command."""
    with counted() as found:
        command(place, *arguments)
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with specifications, data, weights, a trained run and an ONNX file."""
    folder = tmp_path_factory.mktemp("once")
    (folder / "short.toml").write_text(SETTINGS, encoding="utf-8")
    np.savez(folder / "data.npz", **problem())
    texts = {"net": str(spec(FIXED)), "space": str(spec())}
    texts["limited"] = texts["space"] + "require parameters < 1M\n"
    for name, text in texts.items():
        (folder / f"{name}.fuse").write_text(text, encoding="utf-8")
    command(folder, "train", "net.fuse", "--data", "data.npz", "--out", "run", "--epochs", "1")
    command(folder, "compile", "run", "-o", "net.safetensors")
    command(folder, "compile", "run", "-o", "net.onnx", "--no-verify")
    return folder


DATA = ("--data", "data.npz")
WEIGHTS = ("--weights", "net.safetensors")


@pytest.mark.parametrize(
    "arguments",
    [
        ("compile", "net.fuse", "--initial", "-o", "out.onnx"),
        ("compile", "net.fuse", "--initial", "-o", "out.safetensors"),
        ("compile", "net.fuse", "-o", "out.py"),
        ("compile", "net.fuse", *WEIGHTS, *DATA, "-o", "out.onnx"),
        ("compile", "net.fuse", *WEIGHTS, *DATA, "-o", "out.onnx", "--precision", "int8-static"),
        ("compile", "run", *DATA, "-o", "out.onnx"),
        ("train", "net.fuse", *DATA, "--out", "again", "--epochs", "1"),
        ("evaluate", "run", *DATA),
        ("evaluate", "net.onnx", *DATA),
        ("predict", "run", *DATA, "-o", "out.csv"),
        ("predict", "net.onnx", *DATA, "-o", "out.csv"),
    ],
    ids=" ".join,
)
def test_a_network_is_checked_and_lowered_once(arguments: Sequence[str], place: Path) -> None:
    found = counts(place, *arguments)
    assert list(found.checked.values()) == [1]
    assert list(found.lowered.values()) == [1]


def test_an_ensemble_checks_and_lowers_each_member_once() -> None:
    from fusewright.runtime.training.ensemble import train_ensemble

    from ..support.ensembles import BRIEF, CELLS, ensemble

    with counted() as found:
        train_ensemble(ensemble(), problem(), **BRIEF)
    assert set(found.checked.values()) == set(found.lowered.values()) == {1}
    assert len(found.checked) == len(CELLS)


@pytest.mark.parametrize(
    ("strategy", "relax"),
    [("darts", "shared"), *((s, "per_input") for s in (*HYPERNETS, *CANDIDATES))],
)
def test_a_search_checks_and_lowers_each_network_once(
    strategy: str, relax: str, place: Path, tmp_path: Path
) -> None:
    """The hypernet relaxed per input is the unit of cost, whichever way the search relaxes."""
    options = ("--strategy", strategy, "--relax", relax, "--out", str(tmp_path), *SHORT)
    found = counts(place, "search", "space.fuse", *DATA, *options)
    assert set(found.checked.values()) == set(found.lowered.values()) == {1}
    if strategy in HYPERNETS:
        assert len(found.checked) == 1
        assert {how for _, how in found.lowered} == {"per_input", relax}


@pytest.mark.parametrize("strategy", ["darts", "random"])
def test_a_budget_lowers_a_candidate_before_it_is_trained(
    strategy: str, place: Path, tmp_path: Path
) -> None:
    """Many are measured for one that is trained; their Programs are not kept, their sizes are."""
    options = ("--strategy", strategy, "--out", str(tmp_path), *SHORT)
    found = counts(place, "search", "limited.fuse", *DATA, *options)
    assert set(found.checked.values()) == {1}
    assert max(found.lowered.values()) == (2 if strategy == "random" else 1)
    twice = {text for (text, _), count in found.lowered.items() if count == 2}
    assert twice <= set(found.checked)
