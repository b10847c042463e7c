"""A network that is too large to be computed is refused before passes spend their time on it."""

from __future__ import annotations

import pytest

import fusewright as fw
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.tools.describe import describe

from ...support.pace import seconds_of

MOST_SECONDS = 5.0
POOL = "Sum, Attention, LinearGLU, ConcatFC"
TEXT = """
network n(C = 4, L = 2)
use bmnas
modality a { A[c 6] }
modality b { B[c 5] }
pool POOL
cell Cell[CELLS](?, ?) { Step[STEPS] = ?(?, ?) }
predict 3 classes
"""


def described(cells: int, steps: int, pool: str) -> None:
    text = TEXT.replace("POOL", pool).replace("CELLS", str(cells)).replace("STEPS", str(steps))
    describe(fw.loads(text))


def test_a_hypernet_of_too_many_values_is_refused() -> None:
    with pytest.raises(DiagnosticError, match=r"computes more than 25,000 values"):
        described(16, 60, POOL)


def test_a_graph_of_too_many_edges_is_refused() -> None:
    with pytest.raises(DiagnosticError, match=r"the graph has more than 100,000 candidate edges"):
        described(32, 100, POOL)


@pytest.mark.parametrize(("cells", "steps", "pool"), [(300, 1, "Sum"), (16, 40, POOL)])
def test_what_is_nearly_too_large_is_described_in_time(cells: int, steps: int, pool: str) -> None:
    assert seconds_of(lambda: described(cells, steps, pool))[1] < MOST_SECONDS
