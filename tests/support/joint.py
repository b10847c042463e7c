"""A small network with two backbones of our own, and raw data for it."""

from __future__ import annotations

from typing import Any

import numpy as np

import fusewright as fw
from fusewright.compiler.targets.keys import JOINT_KEY

from .running import FIXED, spec

TEXT = """network joint(C = 8, L = 2, dropout = 0.1)
use bmnas
modality image optional from "module:pictures" { A at "stages.0" B at "stages.1" }
modality text from "module:texts" { T at "layers.0" W at "layers.1" }
modality more { D[c 4] }
cell K(B, W) { S = ConcatFC(x, y) }
output K, A, T, D
predict 3 classes
"""
ONE_BACKBONE = """network joint(C = 4, L = 2)
modality image from "module:picture" { Low at "0" High at "3" }
output Low, High
predict 3 classes
"""
SPEC: fw.Spec = fw.loads(TEXT)
SAMPLES = 48


def pictures(samples: int) -> dict[str, Any]:
    """Pictures (n, 3, 12, 12), as the backbone of `tests/support/extracting.py` takes them."""
    values = np.random.default_rng(0).normal(size=(samples, 3, 12, 12)).astype(np.float32)
    labels = np.arange(samples) % 3
    return {"image": values, "labels": labels, "split": np.arange(samples) // 3 % 3}


def raw_data(samples: int = SAMPLES, seed: int = 0) -> dict[str, Any]:
    """Pictures (n, 3, 16, 16) as bright as their class, tokens, and numbers."""
    generator = np.random.default_rng(seed)
    labels = np.arange(samples) % 3
    noise = generator.normal(size=(samples, 3, 16, 16))
    return {
        "image": (noise + labels[:, None, None, None]).astype(np.float32),
        "image.present": np.arange(samples) % 4 > 0,
        "text": generator.integers(1, 32, (samples, 6)),
        "text.lengths": generator.integers(1, 7, samples),
        "D": generator.normal(size=(samples, 4)).astype(np.float32),
        "labels": labels,
        "split": np.arange(samples) // 3 % 3,
    }


def joined() -> Any:
    """A model that says that it holds backbones; it is too small to have any."""
    model = fw.compile(spec(FIXED), "onnx")
    entry = model.metadata_props.add()
    entry.key, entry.value = JOINT_KEY, "{}"
    return model
