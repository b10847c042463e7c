"""What operations are called elsewhere: each remedy can be written, and means what it says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import fusewright as fw
from fusewright.compiler.network.foreign import EQUATIONS, in_equation, in_step

ROWS = sorted(EQUATIONS.items())


def around(name: str) -> fw.Spec:
    """A network of one Step that applies the equation of a name to its inputs."""
    inputs, equation = EQUATIONS[name]
    return fw.loads(f"""network n(C = 4, L = 2)
op F({inputs}) = {equation}
modality m {{ A[c 3] B[t 2, c 5] }}
cell K(A, B) {{ S = F({inputs}) }}
predict 3 classes
""")


@pytest.mark.parametrize("name", [name for name, _ in ROWS])
def test_every_equation_is_one(name: str) -> None:
    assert not [d for d in fw.check(around(name)) if d.is_error]


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
    module, generator = fw.compile(around(name), "torch").eval(), torch.Generator().manual_seed(0)
    seen: list[tuple[Tensor, Tensor]] = []

    def keep(_: torch.nn.Module, inputs: tuple[Tensor, ...], result: Tensor) -> None:
        seen.append((inputs[0], result))

    module.get_submodule("K.S").register_forward_hook(keep)
    module(
        {
            "A": 9 * torch.randn(7, 3, generator=generator),
            "B": 9 * torch.randn(7, 2, 5, generator=generator),
        }
    )
    ((x, found),) = seen
    assert x.shape == (7, 2, 4)
    assert x.min() < -1
    assert x.max() > 1
    torch.testing.assert_close(found, MEANT[name](x), rtol=1e-4, atol=1e-5)


def test_remedies() -> None:
    assert in_equation("torch.relu") == "did you mean `relu`?"
    assert in_equation("LeakyReLU") == "`LeakyReLU(x)` is `max(x, 0.01 * x)`"
    assert in_equation("y.gelu") == "a function stands before what it is applied to: `gelu(y)`"
    assert in_equation("frobnicate") is None
    assert in_step("MultiheadAttention") == (
        "a Step applies an `op`; define it: `op MultiheadAttention(x, y) = attention(x, y, y)`"
    )
