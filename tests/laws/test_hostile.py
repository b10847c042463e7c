"""Specifications that ask for too much: an answer in under a second, with the code expected.

Texts of a megabyte, documents nested deep and what else readers refuse stand in
`test_documents.py`; these are small texts that mean much, and large ones that are wrong throughout.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pytest

from fusewright.compiler.check.examine import Examination, examine, examine_file
from fusewright.compiler.diagnostics.source import LONGEST_TEXT

from ..support.pace import seconds_of

MOST_SECONDS = 1.0
FEATURES = tuple(f"F{i}" for i in range(64))
HEAD = f"network n(C = 4, L = 2)\nmodality m {{ {' '.join(f'{f}[c 3]' for f in FEATURES)} }}\n"
POOL = "pool Sum, ConcatFC\n"
TAIL = "\npredict 3 classes"


def judged(text: str) -> Examination:
    """What is said of a text within the time that each has."""
    examine("")
    examination, seconds = seconds_of(lambda: examine(text))
    assert seconds < MOST_SECONDS
    return examination


def codes(text: str) -> set[str]:
    return {d.code for d in judged(text).diagnostics if d.is_error}


def space(cells: str, pool: str = POOL) -> str:
    return f"{HEAD}{pool}{cells}{TAIL}"


def hole(names: Sequence[str]) -> str:
    return "{" + " | ".join(names) + "}"


def repeated(line: str, times: int, separator: str = "\n") -> str:
    return separator.join(line.replace("#", str(i)) for i in range(times))


# Small texts that mean much

STEP = "{ S = Sum(x, y) }"
TWO = f"{hole(FEATURES)}, {hole(FEATURES[:63])}"
LATE = hole(FEATURES[:24])
LARGE = {
    "Cells by the thousand million": (f"cell K[1000000000](?, ?) {STEP}", {"E306"}),
    "too many Cells": (f"cell K[60000](F0, F1) {STEP} cell J[60000](F0, F1) {STEP}", {"E308"}),
    "too many Steps": ("cell K(F0, F1) { S[60000] = Sum(x, y) T[60000] = Sum(x, y) }", {"E308"}),
    "many Cells with many Steps": ("cell K[9000](F0, F1) { S[9000] = Sum(x, y) }", {"E308"}),
    "many open Cells": (f"cell K[60000](?, ?) {STEP}", {"E308"}),
    "many open Steps": ("cell K(F0, F1) { S[60000] = ?(?, ?) }", {"E308"}),
    "forty thousand Steps": ("cell K(F0, F1) { S[40000] = Sum(x, y) }", set[str]()),
    "forty thousand Cells": (f"cell K[40000](F0, F1) {STEP}", set[str]()),
    "a million edges": ("cell K[1400](?, F0) { S = Sum(x, y) }", set[str]()),
    "half a million edges in Steps": ("cell K(F0, F1) { S[700] = ?(?, ?) }", set[str]()),
    "forty Cells, three hundred Steps": (
        "cell K[40](?, ?) { S[7] = ?(?, ?) T = ConcatFC(x, y) }",
        set[str](),
    ),
    "as many Cells as sets": (
        f"cell K[2016]({hole(FEATURES)}, {hole(FEATURES)}) {STEP}",
        set[str](),
    ),
    "more Cells than sets": (f"cell K[2017]({hole(FEATURES)}, {hole(FEATURES)}) {STEP}", {"E401"}),
    "unequal holes": (f"cell K[1500]({TWO}) {STEP}", set[str]()),
    "many inputs, one set": (f"cell K[2]({', '.join([LATE] * 24)}) {STEP}", {"E401"}),
    "holes that hardly fit": (
        f"cell K[9]({', '.join([LATE] * 12 + [hole(FEATURES[:25])] * 13)}) {STEP}",
        set[str](),
    ),
    "holes that fit one way": (
        f"cell K[9]({', '.join(hole(FEATURES[: i + 1]) for i in reversed(range(60)))}) {STEP}",
        set[str](),
    ),
    "fresh inputs for many": (f"cell K[63](?, ?) {STEP} require fresh_input", set[str]()),
    "fresh inputs for too many": (f"cell K[64](?, ?) {STEP} require fresh_input", {"E401"}),
    "fresh inputs after many fixed": (
        f"cell K[5000](F0, F1) {STEP} cell J[60](?, ?) {STEP} require fresh_input",
        set[str](),
    ),
    "a call that doubles": (
        "op O0(x) = x\n"
        + "\n".join(f"op O{i + 1}(x) = O{i}(O{i}(x))" for i in range(60))
        + "cell K(F0, F1) { S = O60(x) }",
        {"E308"},
    ),
    "arguments that double": (
        "op O0(x, *s) = x\n"
        + "\n".join(f"op O{i + 1}(x, *s) = O{i}(x, *s, *s)" for i in range(40))
        + "cell K(F0, F1) { S = O40(x, y) }",
        {"E308"},
    ),
    "values that double": (
        "op O0(x) = x + x\n"
        + "\n".join(f"op O{i + 1}(x) = O{i}(x) + O{i}(x)" for i in range(40))
        + "cell K(F0, F1) { S = O40(x) }",
        {"E308"},
    ),
    "channels that double": (
        "op O(x) { a0 = x\n"
        + "\n".join(f"a{i + 1} = concat(a{i}, a{i})" for i in range(60))
        + "return a60 } cell K(F0, F1) { S = O(x) }",
        {"E308"},
    ),
    "a weight without end": ("op O(x) = x @ W[C, 10000000] cell K(F0) { S = O(x) }", {"E304"}),
}


@pytest.mark.parametrize(("cells", "expected"), LARGE.values(), ids=list(LARGE))
def test_small_texts_that_mean_much_are_judged_at_once(cells: str, expected: set[str]) -> None:
    assert codes(space(cells)) == expected


def test_a_large_pool_for_many_steps_is_judged_at_once() -> None:
    own = repeated("op P#(x, y) = x + y * #", 400)
    pool = f"pool {repeated('P#', 400, ', ')}\n"
    assert codes(space(f"{own}\ncell K(F0, F1) {{ S[2000] = ?(x, y) }}", pool)) == set()


@pytest.mark.parametrize("seed", range(3))
def test_cells_with_holes_at_random_are_judged_at_once(seed: int) -> None:
    random = Random(seed)
    cells = "\n".join(
        f"cell K{i}({hole(random.sample(FEATURES, 6))}, {hole(random.sample(FEATURES, 6))}) {STEP}"
        for i in range(300)
    )
    assert codes(space(cells)) == set()


# Thousands of errors

WRONG: dict[str, Callable[[int], str]] = {
    "unknown operations": lambda n: f"cell K(F0, F1) {{ {repeated('S# = Su#(x, y)', n)} }}",
    "unknown inputs": lambda n: f"cell K(F0, F1) {{ {repeated('S# = Sum(x, q#)', n)} }}",
    "Steps of one name": lambda n: f"cell K(F0, F1) {{ {repeated('S = Sum(x, y)', n)} }}",
    "Steps that do not come before": lambda n: (
        f"cell K(F0, F1) {{ {repeated('S# = Sum(T#, y)', n)}{repeated('T# = Sum(x, y)', n)} }}"
    ),
    "unknown features": lambda n: repeated(f"cell K#(F0, Q#) {STEP}", n),
    "Cells of one name": lambda n: repeated(f"cell K(F0, F1) {STEP}", n),
    "Cells without Steps": lambda n: repeated("cell K#(F0, F1) { }", n),
    "unknown outputs": lambda n: f"cell K(F0, F1) {STEP} output {repeated('Q#', n, ', ')}",
    "unknown candidates": lambda n: f"cell K(F0, {{{repeated('Q#', n, ' | ')}}}) {STEP}",
    "syntax errors": lambda n: repeated(f"cell K#(F0,, F1) {STEP}", n),
    "unknown libraries": lambda n: repeated("use library#", n) + f"cell K(F0, F1) {STEP}",
    "long names": lambda n: (
        f"cell K(F0, F1) {{ {repeated('S# = Sum(x, LONG#)', n // 4)} }}".replace("LONG", "q" * 300)
    ),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
def test_thousands_of_errors_take_no_longer_than_as_many_good_lines(
    wrong: Callable[[int], str],
) -> None:
    found = examine(space(wrong(40)))
    assert len([d for d in found.diagnostics if d.is_error]) >= 9
    assert codes(space(wrong(1_000)))


def statement(opening: str, line: str, times: int, closing: str) -> str:
    return "\n".join([opening, *[line] * times, closing])


ENDLESS = {
    "an equation without `return`": statement("op f(x) {", "  a = x + 1", 5_000, "}"),
    "an equation that is not closed": statement("op f(x) {", "  a = x + 1", 5_000, ""),
    "a hole whose last candidate is missing": statement(
        "cell K(F0, F1) {\n  S = {", "  Sum |", 8_000, "  }(x, y)\n}"
    ),
    "a hole that is not closed": statement("cell K(F0, F1) {\n  S = {", "  Sum |", 8_000, ""),
    "one closing bracket too many on each line": statement(
        "cell K(F0, F1) {", "  S = Sum(x, y))", 10_000, "}"
    ),
    "nothing but closing brackets": statement("cell K(F0, F1) {", "  )", 60_000, "}"),
    "nothing but opening brackets": statement("cell K(F0, F1) {", "  (", 900, "}"),
    "the last of many features": statement(
        "modality k {", "  Q[c 3]", 5_000, "  Q[c,]\n  R[c,]\n}"
    ),
    "each of a hundred Steps behind three thousand": statement(
        "cell K(F0, F1) {", "  S = Sum(x, y)", 3_000, "\n".join(["  S = Sum(x y)"] * 99 + ["}"])
    ),
    "each statement": statement("", "cell K(F0,, F1) { S = Sum(x, y) }", 5_000, ""),
    "all of one line": "cell K(F0, F1) { " + "S = Sum(x y) " * 20_000 + "}",
}
"""Syntax errors behind, between and instead of thousands of lines."""


@pytest.mark.parametrize("wrong", ENDLESS.values(), ids=list(ENDLESS))
def test_what_cannot_be_read_is_passed_over_in_one_go(wrong: str) -> None:
    assert "E001" in codes(space(wrong, pool="")), wrong[:40]


# Files


def test_a_file_of_a_gigabyte_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.fuse"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    tracemalloc.start()
    try:
        found = examine_file(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [d.code for d in found.diagnostics] == ["E004"]
    assert peak < 6 * LONGEST_TEXT


@pytest.mark.parametrize("spelling", ["fuse", "json", "yaml"])
def test_a_line_of_megabytes_is_judged_at_once(spelling: str) -> None:
    line = {"fuse": "#" + " x" * 7_000_000, "json": '{"' + "x" * 15_000_000, "yaml": "a: " + "x"}
    text = line[spelling] + (" x" * 7_000_000 if spelling == "yaml" else "")
    assert codes(text) - {"E007"} <= {"E101", "E102"}


def test_a_text_longer_than_any_is_refused() -> None:
    assert codes("x" * (LONGEST_TEXT + 1)) == {"E004"}


def test_aliases_that_explode_are_refused() -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]" for i in range(40)]
    assert codes("\n".join(lines)) == {"E101"}


@pytest.mark.parametrize("opening", ["-", "relu(", "concat(x, ", "x + ("])
def test_a_deep_equation_is_refused(opening: str) -> None:
    equation = opening * 2_000 + "x" + ")" * (2_000 * opening.count("("))
    assert codes(space(f"op O(x) = {equation}\ncell K(F0) {{ S = O(x) }}")) == {"E003"}


@pytest.mark.parametrize(
    "around", ["op O(x) = {}\ncell K(F0) {{ S = O(x) }}", "cell K(F0) {{ S = {} }}"]
)
@pytest.mark.parametrize("opening", ["relu(", "relu(\n", "("])
@pytest.mark.parametrize("is_closed", [True, False])
def test_a_million_nested_calls_are_refused_at_once(
    around: str, opening: str, is_closed: bool
) -> None:
    nested = opening * 1_000_000 + ("x" + ")" * 1_000_000) * is_closed
    assert codes(space(around.format(nested))) == {"E003"}


def test_brackets_that_lines_leave_open_are_said_line_by_line() -> None:
    wrong = "\n".join(f"cell K{i}(F0, F1) {{ S = Sum(x, y" for i in range(600))
    assert codes(space(wrong)) == {"E001"}
