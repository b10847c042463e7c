"""What systems outside of the project give for a set of the study."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks.study import outside
from benchmarks.study.pooled_set import pooled_set

from ..support.running import problem, spec

PERCEPTRONS = "perceptrons, 5 seeds"


@pytest.mark.parametrize("kind", ["classes", "labels", "values"])
def test_perceptrons_learn_an_easy_problem(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict = {"classes": "3 classes", "labels": "3 labels", "values": "1 values"}[kind]
    data = {**problem(240, kind)}
    data["split"] = np.arange(240) // 80
    np.savez(tmp_path / "data.npz", allow_pickle=False, **data)
    (tmp_path / "space.fuse").write_text(str(spec(predict=predict)), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["-", PERCEPTRONS, "space.fuse", "data.npz", "out.npz"])
    outside.main()
    with np.load(tmp_path / "out.npz") as found:
        outputs, labels, system = found["outputs"], found["labels"], str(found["system"])
    assert system == PERCEPTRONS
    known = pooled_set(tmp_path / "space.fuse", tmp_path / "data.npz")
    assert (known.learned, len(known.known), len(known.asked)) == (80, 160, 80)
    assert np.array_equal(labels, known.labels)
    if kind == "classes":
        assert np.allclose(outputs.sum(1), 1)
        assert (outputs.argmax(1) == labels).mean() > 0.6
    elif kind == "labels":
        assert ((outputs > 0.5) == labels).mean() > 0.6
    else:
        residual = ((outputs.ravel() - labels.ravel()) ** 2).sum()
        assert residual < 0.7 * ((labels - labels.mean()) ** 2).sum()
