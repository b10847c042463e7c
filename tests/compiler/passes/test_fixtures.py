"""What each pass does to a small program, as text before and after.

`python -m tests.compiler.passes.test_fixtures` writes what the passes give today into `fixtures/`.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from fusewright.compiler import passes as package
from fusewright.compiler.passes import ORDER, Pass
from fusewright.compiler.program.initial import initial_values
from fusewright.compiler.program.parser import parse_program
from fusewright.compiler.program.program import Program, validate
from fusewright.compiler.program.text import print_program
from fusewright.compiler.targets.numpy.network import evaluate

from ...support.programs import random_inputs, without_dropout
from ...support.wrong_programs import sections

FIXTURES = Path(__file__).parent / "fixtures"
AFTER = "## after\n\n```ssa\n"


def texts(name: str) -> tuple[str, str]:
    """The texts of a pass's fixture, before and after."""
    before, after = sections(FIXTURES / f"{name}.md")
    assert (before.title, after.title) == ("before", "after")
    return before.text("ssa") or "", after.text("ssa") or ""


def before(name: str) -> Program:
    return parse_program(texts(name)[0], f"{name}.md")


def pass_named(name: str) -> Pass:
    run: Pass = import_module(f".{name}", package.__name__).run
    return run


def test_every_pass_has_its_fixture() -> None:
    assert {path.name for path in FIXTURES.iterdir()} == {f"{name}.md" for name in ORDER}


@pytest.mark.parametrize("name", ORDER)
def test_the_text_before_is_small_and_canonical(name: str) -> None:
    program = before(name)
    assert print_program(program) == texts(name)[0]
    assert 3 <= len(program.values) <= 12


@pytest.mark.parametrize("name", ORDER)
def test_a_pass_gives_the_text_after(name: str) -> None:
    run = pass_named(name)
    passed = validate(run(before(name)), name)
    assert print_program(passed) == texts(name)[1]
    assert passed != before(name)
    assert run(passed) == passed


@pytest.mark.parametrize("name", ORDER)
def test_the_numbers_before_and_after_agree(name: str) -> None:
    run = pass_named(name)
    only_inference = import_module(f".{name}", package.__name__).STAGES == ("inference",)
    program = before(name)
    assert_same_numbers(program, run(program))
    if not only_inference:  # with dropout 0, the reference in training mode being no draw
        program = without_dropout(program)
        assert_same_numbers(program, run(program), training=True)


def assert_same_numbers(program: Program, passed: Program, training: bool = False) -> None:
    inputs, weights = random_inputs(program, 3, seed=0), initial_values(program)
    expected = evaluate(program, inputs, weights, training)
    found = evaluate(passed, inputs, initial_values(passed), training)
    assert found.dtype == np.float64
    assert np.abs(expected).max() > 0
    assert np.allclose(found, expected, rtol=1e-10, atol=1e-10)


def regenerate() -> None:
    """Writes what each pass gives today into its fixture."""
    for name in ORDER:
        path = FIXTURES / f"{name}.md"
        head, heading, _ = path.read_text(encoding="utf-8").partition(AFTER)
        text = print_program(pass_named(name)(before(name)))
        path.write_text(f"{head}{heading}{text}```\n", encoding="utf-8")


if __name__ == "__main__":
    regenerate()
