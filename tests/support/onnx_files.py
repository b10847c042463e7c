"""Networks in ONNX files, and torch beside them, for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import onnx
import torch
from numpy.typing import NDArray

import fusewright as fw
from fusewright.compiler.compile import to_program
from fusewright.compiler.program.initial import initial_values
from fusewright.compiler.targets.onnx.certificate import Evaluate

from .running import FIXED, spec

Arrays = Mapping[str, NDArray[Any]]


Change = Callable[[onnx.ModelProto], object]


OPEN = """
network n(C = 4, L = 3)
use fusion
modality a optional { `NAME`[c 3, t *] B[c 4] }
cell K(`NAME`, B) { S = MHA(x, y, heads = 2) T = Sum(S, x) }
predict 2 labels
"""


def open_spec(name: str = "A") -> fw.Spec:
    return fw.loads(OPEN.replace("NAME", name))


def weights_of(network: fw.Spec, scale: float = 1.0) -> dict[str, NDArray[Any]]:
    """Initial values, all but the statistics multiplied by `scale`."""
    initial = initial_values(to_program(network))
    return {
        name: array if name.endswith(("mean", "variance")) else (array * scale).astype(array.dtype)
        for name, array in initial.items()
    }


def in_torch(network: fw.Spec, weights: Arrays) -> Evaluate:
    module = fw.compile(network, "torch", weights=weights).eval()

    def evaluate(features: Arrays) -> NDArray[Any]:
        with torch.no_grad():
            result: NDArray[Any] = module(
                {n: torch.from_numpy(a) for n, a in features.items()}
            ).numpy()
        return result

    return evaluate


DIFFERENCE = """
network n(C = 4, L = 1)
use fusion
op Cancel(x, y) = (x @ W[C, C] + 1e6) - 1e6 + y
modality a { A[c 3] B[c 4] }
cell K(A, B) { S = Cancel(x, y) }
predict 2 labels
"""


def written(folder: Path, change: Change, **options: Any) -> Path:
    """A file whose model was changed after it was compiled."""
    model = fw.compile(spec(FIXED), "onnx", inline=True, **options)
    change(model)
    path = folder / "net.onnx"
    path.write_bytes(model.SerializeToString())
    return path
