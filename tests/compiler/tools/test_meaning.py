"""What specifications mean: equal however they are written, and different where they differ."""

from __future__ import annotations

import pytest
from hypothesis import given

from fusewright.compiler.language.spec import Spec
from fusewright.compiler.resolve.resolve import resolve
from fusewright.compiler.syntax.parse import parse
from fusewright.compiler.tools.meaning import meaning, means_the_same

from ...support.programs import specs

BASE = """\
network n(C = 8, L = 4)
op Product(x, y) = x * y
op Minus(x, y) = x - y
modality m { A[c 4, t 8] }
modality k { B[c 6] }
pool Sum, LinearGLU, Product, Minus
cell P(A, B) { Step = ?(x, y) }
cell Q(?, ?) {
  S_1 = ?(?, ?)
  S_2 = {Sum | LinearGLU}(?, ?)
}
predict 3 classes
"""

# fmt: off
# ruff: noqa: E501
ALIKE = {
    "a comment": ("modality m", "# of a camera\nmodality m"),
    "a rate of 0": ("L = 4", "L = 4, dropout = 0"),
    "the order of numbers": ("C = 8, L = 4", "L = 4, C = 8"),
    "the library of a program that names none": ("op Product", "use paper op Product"),
    "the rule of a program that has none": ("predict", "require distinct_pairs predict"),
    "all Cells": ("predict", "output P, Q predict"),
    "all Steps": ("  S_2 = {Sum | LinearGLU}(?, ?)\n", "  S_2 = {Sum | LinearGLU}(?, ?)\n  return S_1, S_2\n"),
    "operations in another order": ("op Product(x, y) = x * y\nop Minus(x, y) = x - y", "op Minus(x, y) = x - y op Product(x, y) = x * y"),
    "a hole with all its candidates": ("cell Q(?, ?)", "cell Q({A | B | P}, ?)"),
    "a block": ("= x * y", "{ return x * y }"),
}
REORDERED = {
    "the pool": ("Sum, LinearGLU, Product", "LinearGLU, Product, Sum"),
    "the candidates of a hole": ("{Sum | LinearGLU}", "{LinearGLU | Sum}"),
    "modalities": ("modality m { A[c 4, t 8] }\nmodality k { B[c 6] }", "modality k { B[c 6] } modality m { A[c 4, t 8] }"),
}
OTHERS = {
    "a size": ("C = 8", "C = 4"),
    "a shape": ("c 6", "c 7"),
    "inputs": ("P(A, B)", "P(B, A)"),
    "an equation": ("= x - y", "= y - x"),
    "candidates": ("{Sum | LinearGLU}", "{Sum | Minus}"),
    "the output": ("predict", "output Q predict"),
    "the rule": ("predict", "require fresh_input predict"),
    "classes": ("3 classes", "4 classes"),
    "the order of what is combined": ("cell P(A, B) { Step = ?(x, y) }", "cell R(A, B) { Step = ?(x, y) } cell P(A, B) { Step = ?(x, y) }"),
}
# fmt: on


def changed(before: str, after: str) -> Spec:
    assert before in BASE
    return parse(BASE.replace(before, after, 1))


@pytest.mark.parametrize(("before", "after"), ALIKE.values(), ids=list(ALIKE))
def test_it_is_the_same_however_it_is_written(before: str, after: str) -> None:
    assert means_the_same(parse(BASE), changed(before, after))


@pytest.mark.parametrize(("before", "after"), REORDERED.values(), ids=list(REORDERED))
def test_an_order_counts_where_numbers_depend_on_it(before: str, after: str) -> None:
    one, other = resolve(parse(BASE)), resolve(changed(before, after))
    assert meaning(one) != meaning(other)
    assert meaning(one, ordered=False) == meaning(other, ordered=False)


@pytest.mark.parametrize(("before", "after"), OTHERS.values(), ids=list(OTHERS))
def test_another_meaning_is_another(before: str, after: str) -> None:
    one, other = resolve(parse(BASE)), resolve(changed(before, after))
    assert meaning(one, ordered=False) != meaning(other, ordered=False)


@given(specs())
def test_a_text_that_is_parsed_again_means_the_same(spec: Spec) -> None:
    assert means_the_same(spec, parse(str(spec)))
    assert meaning(resolve(spec)) == meaning(resolve(parse(str(spec))))
