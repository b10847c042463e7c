"""A hypernet as a function of its mixture weights, which become inputs.

How architecture parameters become weights is a search's own affair: a softmax, a sample, or one
path. The program declares the parameters as before and reads none of them.
"""

from __future__ import annotations

from .program import INPUT, Input, Program, Value
from .rewrite import Rewrite

MIXTURES = ("choice_weights", "identity_weights")
"""The primitives that make weights of architecture parameters."""


def with_given_weights(program: Program) -> Program:
    """The program that reads each parameter's weights as an input of the parameter's name.

    A choice's weights have the parameter's shape; Identity weights are one number for each of its
    rows.
    """
    rewrite, given = Rewrite(program), list[Input]()
    for index, value in enumerate(program.values):
        if value.primitive in MIXTURES:
            name = program.values[value.arguments[0]].name
            given.append(Input(name, value.type, "weights"))
            value = Value(INPUT, (), (("name", name),), value.type, value.scope)
        rewrite.keep(index, rewrite.moved(value))
    found = rewrite.program()
    return Program((*program.inputs, *given), program.parameters, found.values, found.output)
