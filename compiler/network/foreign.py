"""What operations are called in other libraries, and how Fuse writes them."""

from __future__ import annotations

from collections.abc import Mapping

from ...ops.primitive import primitives
from ..diagnostics.diagnostic import Suggestion

EQUATIONS: Mapping[str, tuple[str, str]] = {
    "add": ("x, y", "x + y"),
    "clamp": ("x", "relu(x + 1) - relu(x - 1) - 1"),
    "div": ("x, y", "x / y"),
    "elu": ("x", "relu(x) + exp(-relu(-x)) - 1"),
    "identity": ("x", "x"),
    "leaky_relu": ("x", "max(x, 0.01 * x)"),
    "linear": ("x", "x @ W[_, C] + b[C]"),
    "matmul": ("x", "x @ W[_, C]"),
    "min": ("x, y", "-max(-x, -y)"),
    "mul": ("x, y", "x * y"),
    "normalize": ("x", "x / sqrt(sum(x * x, over = channels) + 1e-12)"),
    "pow": ("x", "x * x"),
    "prelu": ("x", "max(x, a[C] * x)"),
    "relu6": ("x", "relu(x) - relu(x - 6)"),
    "rsqrt": ("x", "1 / sqrt(x)"),
    "softsign": ("x", "x / (1 + abs(x))"),
    "sub": ("x, y", "x - y"),
}
"""What has no name in Fuse: its inputs, and its equation over values of shape (batch, L, C)."""
_ALIKE = {
    "adaptive_avg_pool1d": "mean",
    "avg_pool1d": "mean",
    "batch_norm": "batchnorm",
    "cat": "concat",
    "clip": "clamp",
    "concatenate": "concat",
    "dense": "linear",
    "divide": "div",
    "dot": "matmul",
    "einsum": "matmul",
    "fc": "linear",
    "hardtanh": "clamp",
    "layer_norm": "layernorm",
    "leakyrelu": "leaky_relu",
    "logistic": "sigmoid",
    "maximum": "max",
    "minimum": "min",
    "mm": "matmul",
    "multiheadattention": "attention",
    "multiply": "mul",
    "scaled_dot_product_attention": "attention",
    "square": "pow",
    "stack": "append",
    "subtract": "sub",
    "swish": "silu",
    "zeros_like": "zeros",
}
_HOMES = ("torch", "nn", "F", "functional", "np", "numpy", "jnp", "tf", "keras", "math")


def in_equation(name: str) -> str | None:
    """The remedy for a function that an equation does not know; None where nothing is known."""
    home, _, last = name.rpartition(".")
    known = _known(last)
    if known is None:
        return None
    if home and home not in _HOMES:
        return f"a function stands before what it is applied to: `{known}({home})`"
    if known in EQUATIONS:
        return "`{}({})` is `{}`".format(last, *EQUATIONS[known])
    return Suggestion(name, known)


def in_step(name: str) -> str | None:
    """The remedy for an operation of a Step, or of a pool, that equations know; else None."""
    last = name.rpartition(".")[2]
    known = _known(last)
    if known is None:
        return None
    inputs, equation = EQUATIONS.get(known) or ("x", f"{known}(x)")
    if known == "attention":
        inputs, equation = "x, y", "attention(x, y, y)"
    own = last if last not in primitives() else last[:1].upper() + last[1:]
    return f"a Step applies an `op`; define it: `op {own}({inputs}) = {equation}`"


def _known(name: str) -> str | None:
    """A primitive, or a name of `EQUATIONS`, that means what a name means elsewhere."""
    lower = name.lower()
    meant = _ALIKE.get(lower, lower)
    record = primitives().get(meant)
    return meant if meant in EQUATIONS or (record is not None and record.public) else None
