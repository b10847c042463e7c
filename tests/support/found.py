"""The space that the published code's `found.pt` and `found.pkl` of `tests/vectors` belong to."""

from __future__ import annotations

import fusewright as fw

SPACE = fw.loads("""
network small(C = 6, L = 4, dropout = 0.2)
use bmnas
modality a { A_1[c 3] A_2[t *, c 5] }
modality b { B_1[c 7] }
cell Cell[2](?, ?) { Step[2] = ?(?, ?) }
pool Sum, Attention, LinearGLU, ConcatFC
predict 3 classes
""")
