"""Joint training in two processes gives what it gives in one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

import fusewright as fw
from fusewright.runtime.joint.train import train_joint

from ...support.backbones import OPTIONS
from ...support.joint import SPEC, raw_data
from ...support.processes import together

CODE = (
    "import sys; from pathlib import Path; from tests.runtime.joint.test_processes import trained;"
    "trained(Path(sys.argv[1]))"
)


def trained(out: Path) -> None:
    """A short joint training without dropout, whose draws differ from process to process."""
    spec = fw.loads(str(SPEC).replace("dropout = 0.1", "dropout = 0"))
    train_joint(
        spec,
        raw_data(),
        backbones=OPTIONS,
        out=out,
        epochs=2,
        batch=16,
        threads=1,
        modality_dropout=0.3,
        backbone_learning_rate=1e-3,
    )


def test_two_processes_train_backbones_as_one_does(tmp_path: Path) -> None:
    trained(tmp_path / "one")
    together(2, CODE, str(tmp_path / "two"))
    for file in ("weights.safetensors", "backbones.safetensors"):
        one, two = (load_file(tmp_path / name / file) for name in ("one", "two"))
        assert one.keys() == two.keys()
        for name, array in one.items():
            np.testing.assert_allclose(two[name], array, atol=2e-4, err_msg=name)
