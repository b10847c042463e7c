"""The document that tests of the language server open."""

from __future__ import annotations

TEXT = """\
network n(C = 4, L = 2, k = 3, dropout = 0.1)
use bmnas
modality m {
  `Video 3`[c 3, t 2]
  B[c k]
}
pool bmnas.Sum, LinearGLU, fusion.MHA(heads = 2)
use fusion
op My(x, y, rank = 4) {
  g = sigmoid(x @ W[C, rank] @ V[rank, C])
  return x + mean(g) * y
}
cell K[2](?, {B | `Video 3`}) {
  S[2] = ?(?, y)
  T = My(x, S_1, rank = 8)
  return S_1, T, S_2
}
require distinct_pairs
predict k classes
"""
