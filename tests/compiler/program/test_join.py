"""Several Programs as one."""

from __future__ import annotations

import pytest

from fusewright.compiler.program.draws import KEYS, with_draws
from fusewright.compiler.program.join import join, member_name
from fusewright.compiler.program.parser import parse_program
from fusewright.compiler.program.program import INPUT, InvalidProgram, validate

MAP = """
input feature A : (batch, length 2, channels 4)

parameter weight W[4, 4] = uniform ±0.5

%0 = input A : (batch, length 2, channels 4) @ A
%1 = parameter W : (length 4, channels 4) @ head
%2 = linear(%0, %1) : (batch, length 2, channels 4) @ head
return %2
"""
DROPPED = MAP.replace(
    "return %2", "%3 = dropout(%2) {rate = 0.25} : (batch, length 2, channels 4) @ head\nreturn %3"
)


def test_inputs_are_shared_and_parameters_have_a_prefix() -> None:
    program = parse_program(MAP)
    joint = validate(join({"a": program, "b": program}), "join")
    assert [item.name for item in joint.inputs] == ["A"]
    assert [one.name for one in joint.parameters] == ["a.W", "b.W"]
    assert sum(value.primitive == INPUT for value in joint.values) == 1
    scopes = {value.scope for value in joint.values if value.primitive == "linear"}
    assert scopes == {("a", "head"), ("b", "head")}
    output = joint.values[joint.output]
    assert (output.primitive, output.type.axes[0].size) == ("stack", 2)
    assert member_name("a", "W") == "a.W"


def test_every_member_draws_by_a_key_of_its_own() -> None:
    program = with_draws(parse_program(DROPPED))
    joint = validate(join({"a": program, "b": program}), "join")
    (keys,) = (item for item in joint.inputs if item.name == KEYS)
    assert (keys.kind, keys.type.sizes) == ("keys", (2,))
    draws = [dict(v.attributes)["of"] for v in joint.values if v.primitive == "draws"]
    (first,), (second,) = draws
    assert (first[0], second[0]) == (0, 1)
    assert first[1] == second[1]


def test_what_reads_other_inputs_by_one_name_cannot_be_joined() -> None:
    other = parse_program(MAP.replace("length 2", "length 3"))
    with pytest.raises(InvalidProgram, match="`A` is one input of `b`, another of others"):
        join({"a": parse_program(MAP), "b": other})


def test_what_gives_other_results_cannot_be_joined() -> None:
    head, tail = MAP.split("%1", maxsplit=1)[0], "%1" + MAP.split("%1", 1)[1]
    narrow = head.replace("[4, 4]", "[4, 3]") + tail.replace("channels 4)", "channels 3)")
    with pytest.raises(InvalidProgram, match="members cannot be joined"):
        join({"a": parse_program(MAP), "b": parse_program(narrow)})
