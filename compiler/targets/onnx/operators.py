"""The operators that models are written with: one that holds others was not written here."""

from __future__ import annotations

from typing import Final

OPERATORS: Final = frozenset(
    """
    Abs Add And Attention Cast Concat Constant Div Erf Exp Expand Flatten Gather GatherND Greater
    Identity LayerNormalization Less Log LogSoftmax MatMul Max Mean Min Mul Neg Not Range
    ReduceLogSumExp ReduceMax ReduceMean ReduceSum Relu Reshape Shape Sigmoid Slice Softmax Softplus
    Split Sqrt Squeeze Sub Sum Tanh Transpose Unsqueeze Where
    """.split()
)
"""Those of the default domain that primitives are built with: none repeats, branches, or makes
more work than its inputs and outputs are large, but for products."""
QUANTISED: Final = frozenset(
    "DequantizeLinear DynamicQuantizeLinear MatMulInteger QuantizeLinear".split()
)
"""Those that 8 bits add."""
PRODUCTS: Final = frozenset(("MatMul", "MatMulInteger"))
