"""A Program is what its text says: for random programs, after every pass, and for hostile texts."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.network.holes import RELAXATIONS, Relaxation
from fusewright.compiler.passes import Stage, passes
from fusewright.compiler.program.given_weights import with_given_weights
from fusewright.compiler.program.hoist import hoist
from fusewright.compiler.program.parser import parse_program
from fusewright.compiler.program.program import (
    INPUT,
    Builder,
    Input,
    InputKind,
    ParameterSpec,
    Program,
    Value,
)
from fusewright.compiler.program.specialise import specialise
from fusewright.compiler.program.text import print_program
from fusewright.ops.types import Axis, TensorType, inner, parameter_type

from ...support.programs import lowered, random_weights, specs

relaxations = st.sampled_from(RELAXATIONS)
stages = st.sampled_from(get_args(Stage))
numbers = st.one_of(st.integers(), st.floats())
sizes = st.one_of(st.none(), st.integers(0, 10**9))
axes = st.builds(Axis, st.text(), sizes)
types = st.builds(TensorType, st.lists(axes, max_size=4).map(tuple), st.booleans())
attributes = st.recursive(
    st.one_of(numbers, st.booleans(), st.none(), st.text(), axes),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=8,
)


def assert_kept(program: Program) -> None:
    """The text of a program is canonical and loses nothing, the kinds of numbers included."""
    text = print_program(program)
    parsed = parse_program(text)
    assert parsed == program
    assert repr(parsed) == repr(program)
    assert print_program(parsed) == text


# What the compiler makes


@given(specs(), relaxations, stages)
def test_a_program_is_kept_after_every_pass(spec: Spec, relax: Relaxation, stage: Stage) -> None:
    program = lowered(spec, relax)
    assert_kept(program)
    for run in passes(stage).values():
        program = run(program)
        assert_kept(program)


@given(specs(), relaxations)
def test_what_is_hoisted_mixed_and_specialised_is_kept(spec: Spec, relax: Relaxation) -> None:
    program = lowered(spec, relax)
    hoisted = hoist(program)
    for made in (hoisted.program, *hoisted.before.values()):
        assert_kept(made)
    assert_kept(with_given_weights(program))
    assert_kept(specialise(program, random_weights(program, 0))[0])


# What it might make


@given(st.text(), types, st.lists(st.text(), max_size=3), attributes)
def test_any_name_type_scope_and_attribute_is_kept(
    name: str, type: TensorType, scope: list[str], attribute: Any
) -> None:
    builder = Builder()
    for kind in get_args(InputKind):
        builder.input(Input(name, type, kind))
        name += "'"
    value = Value(INPUT, (), (("name", name.removesuffix("'")),), type, tuple(scope))
    builder.values.append(value)
    last = builder.call("constant", [], {"value": attribute}, tuple(scope))
    text = print_program(builder.program(last))
    assert repr(parse_program(text)) == repr(builder.program(last))


@given(st.text(), st.lists(st.integers(0, 10**9), max_size=2), st.floats(), st.floats())
def test_any_parameter_is_kept(name: str, sizes: list[int], initial: float, bound: float) -> None:
    builder, shape = Builder(), tuple(sizes)
    for spec in (
        ParameterSpec(name, shape, "weight", initial),
        ParameterSpec(name + "'", shape, "statistic", "uniform", bound or 0.0),
        ParameterSpec(name + "''", shape, "architecture", "normal", bound or 0.0),
        ParameterSpec(name + '"', shape, "weight", initial, bound or 0.0),
    ):
        last = builder.parameter(spec, parameter_type(shape), ())
    text = print_program(builder.program(last))
    assert repr(parse_program(text)) == repr(builder.program(last))


# What anybody writes


def test_values_have_any_name_and_comments_stand_anywhere() -> None:
    text = """
    # A program by hand.
    input feature A : (batch, length 2, channels 4)
    %features = input A : (batch, length 2, channels 4) @ A  # where it comes from
    %result = relu(
        %features  # the only argument
    ) : (batch, length 2, channels 4) @ "Cell 1".Step
    return %result
    """
    builder = Builder()
    features = builder.input(Input("A", inner(2, 4)))
    result = builder.call("relu", [features], {}, ("Cell 1", "Step"))
    assert parse_program(text) == builder.program(result)


def program_or_diagnostics(text: str) -> None:
    try:
        program = parse_program(text)
    except DiagnosticError as error:
        assert error.diagnostics
        assert str(error)
        assert all(d.span is not None and d.help for d in error.diagnostics)
    else:
        assert repr(parse_program(print_program(program))) == repr(program)


@given(st.one_of(st.text(), st.text('%0123=(){}:@,"\\#±*.-einput weight feature return\n')))
def test_any_text_is_a_program_or_diagnostics(text: str) -> None:
    program_or_diagnostics(text)


@given(specs(), relaxations, stages, st.data())
def test_mutated_texts_are_programs_or_diagnostics(
    spec: Spec, relax: Relaxation, stage: Stage, data: st.DataObject
) -> None:
    program = lowered(spec, relax)
    for run in passes(stage).values():
        program = run(program)
    text = print_program(program)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 8)))
        inserted = data.draw(st.text('{}()[]%,:=|@*"#±\n -+_1x', max_size=4))
        text = text[:start] + inserted + text[end:]
    program_or_diagnostics(text)


@given(specs(), relaxations, st.data())
def test_exchanged_words_are_programs_or_diagnostics(
    spec: Spec, relax: Relaxation, data: st.DataObject
) -> None:
    """Texts that follow the grammar still, for the most part: numbers, names and words swapped."""
    words = print_program(lowered(spec, relax)).split(" ")
    for _ in range(data.draw(st.integers(1, 6))):
        there, here = (data.draw(st.integers(0, len(words) - 1)) for _ in range(2))
        words[there] = words[here]
    program_or_diagnostics(" ".join(words))


DECLARED = "input feature A : (batch, c 4)\n%0 = input A : (batch, c 4)\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"{DECLARED}%1 = relu(%0) {{x = {'(' * 100_000}", "E003"),
        (f"{DECLARED}%1 = add({'%7, ' * 100_000}%0) : (batch, c 4)\nreturn %1", "E701"),
        (f"{DECLARED}{'%1 = rellu(%0) : (batch, c 4) ' * 10_000}", "E203"),
        (f'{DECLARED}%1 = "{"a" * 1_000_000}', "E005"),
        (f"{DECLARED}%1 = relu(%0) : (c {'9' * 100_000})\nreturn %1", "E005"),
        ("\n# comment" * 200_000, "E007"),
        (" " * 16_000_001, "E004"),
    ],
    ids=["brackets", "unknown values", "errors", "string", "number", "comments", "long"],
)
def test_huge_texts_end_in_diagnostics(text: str, code: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        parse_program(text)
    assert code in {d.code for d in caught.value.diagnostics}
    assert len(caught.value.diagnostics) <= 101
