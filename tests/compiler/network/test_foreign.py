"""What operations are called elsewhere: each remedy can be written, and means what it says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

import fusewright as fw
from fusewright.compiler.network.foreign import EQUATIONS, in_equation, in_step

ROWS = sorted(EQUATIONS.items())


@pytest.mark.parametrize("name", [name for name, _ in ROWS])
def test_every_equation_is_one(name: str) -> None:
    inputs, equation = EQUATIONS[name]
    text = f"""network n(C = 4, L = 2)
op F({inputs}) = {equation}
modality m {{ A[c 3] B[t 2, c 5] }}
cell K(A, B) {{ S = F({inputs}) }}
predict 3 classes
"""
    assert not [d for d in fw.check(fw.loads(text)) if d.is_error]


MEANT: dict[str, Callable[[Tensor], Tensor]] = {
    "elu": torch.nn.functional.elu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "relu6": torch.nn.functional.relu6,
    "clamp": lambda x: torch.clamp(x, -1, 1),
    "softsign": torch.nn.functional.softsign,
    "normalize": lambda x: torch.nn.functional.normalize(x, dim=-1),
}


@pytest.mark.parametrize("name", sorted(MEANT))
def test_equations_give_what_torch_gives(name: str) -> None:
    _, equation = EQUATIONS[name]
    x = 3 * np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    known = {
        "x": torch.from_numpy(x),
        "max": torch.maximum,
        "channels": -1,
        "sum": lambda value, over: value.sum(over, keepdim=True),
        **{one: getattr(torch, one) for one in ("relu", "exp", "abs", "sqrt")},
    }
    found: Tensor = eval(equation, known)
    torch.testing.assert_close(found, MEANT[name](torch.from_numpy(x)), rtol=1e-4, atol=1e-5)


def test_remedies() -> None:
    assert in_equation("torch.relu") == "did you mean `relu`?"
    assert in_equation("LeakyReLU") == "`LeakyReLU(x)` is `max(x, 0.01 * x)`"
    assert in_equation("y.gelu") == "a function stands before what it is applied to: `gelu(y)`"
    assert in_equation("frobnicate") is None
    assert in_step("MultiheadAttention") == (
        "a Step applies an `op`; define it: `op MultiheadAttention(x, y) = attention(x, y, y)`"
    )
