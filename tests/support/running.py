"""Small problems, their settings, and the command line, for tests of what runs."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import strategies as st

import fusewright as fw
from fusewright.cli import main

Arrays = dict[str, Any]
"""Arrays by name."""


QUICK = fw.Settings(
    strategy="darts",
    relax="shared",
    epochs=2,
    batch=16,
    max_learning_rate=0.02,
    arch_learning_rate=0.01,
)


FEATURES = "modality left { A[c 3] B[t 2, c 5] } modality right { D[c 4] }"


OPEN = "cell K[2](?, ?) { S = ?(x, y) }"


FIXED = "cell K(A, D) { S = ConcatFC(x, y) } output K, B"


def spec(
    cells: str = OPEN,
    predict: str = "3 classes",
    features: str = FEATURES,
    library: str = "bmnas",
    length: int = 2,
) -> fw.Spec:
    return fw.loads(
        f"network n(C = 8, L = {length}, dropout = 0.1) use {library} {features} "
        f"pool Sum, LinearGLU, ConcatFC {cells} predict {predict}"
    )


def problem(samples: int = 90, kind: str = "classes", seed: int = 0) -> Arrays:
    """An easy problem: three groups, each with means of its own in every feature."""
    generator = np.random.default_rng(seed)
    group = np.arange(samples) % 3
    arrays: Arrays = {}
    for name, shape in (("A", (3,)), ("B", (2, 5)), ("D", (4,))):
        means = 2 * np.random.default_rng([*name.encode()]).normal(size=(3, *shape))
        noise = generator.normal(size=(samples, *shape))
        arrays[name] = (means[group] + 0.3 * noise).astype(np.float32)
    one_hot = np.eye(3)[group]
    labels = {"classes": group, "labels": 1 - one_hot, "values": one_hot @ [[2.0], [0.0], [-2.0]]}
    return arrays | {"labels": labels[kind], "split": np.arange(samples) // 3 % 3}


def changed(arrays: Arrays, **changes: Any) -> Arrays:
    """The arrays with some replaced, or taken out where None is given."""
    return {k: v for k, v in (arrays | changes).items() if v is not None}


def same(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def without_cost(history: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Records without what differs between equal runs: the seconds."""
    return [{k: v for k, v in record.items() if k != "cost"} for record in history]


def command(at: Path, *arguments: str) -> str:
    """The output of the command line, which must succeed, run in a folder."""
    output = io.StringIO()
    with (
        contextlib.chdir(at),
        patch.object(sys, "argv", ["fusewright", *arguments]),
        contextlib.redirect_stdout(output),
        pytest.raises(SystemExit) as exit,
    ):
        main()
    assert not exit.value.code
    return output.getvalue()


def as_npz(arrays: Arrays, place: Path) -> Path:
    np.savez(place / "data.npz", **arrays)
    return place / "data.npz"


@st.composite
def settings(draw: st.DrawFn) -> fw.Settings:
    rates = st.floats(1e-9, 999, allow_nan=False)
    decays = st.one_of(st.just(0), st.just(0.0), st.floats(0, 999))
    counts = st.integers(1, 10**9)
    return fw.Settings(
        seed=draw(st.integers(0, 2**63 - 1)),
        epochs=draw(counts),
        batch=draw(counts),
        max_learning_rate=draw(rates),
        min_learning_rate=draw(decays),
        weight_decay=draw(decays),
        first_restart=draw(counts),
        restart_multiplier=draw(counts),
        arch_learning_rate=draw(rates),
        arch_weight_decay=draw(decays),
        relax=draw(st.sampled_from(("shared", "per_input"))),
        rule=draw(st.sampled_from(("", "paper", "published", "distinct_pairs", "fresh_input"))),
        device=draw(st.sampled_from(("cpu", "cuda", "cuda:1"))),
    )
