"""Python expressions, recorded by computing with what stands for their values.

NOTE: a primitive's torch function is handed a `Term` in place of `torch` and of every tensor.
What it does with them (calls, methods, operators, indices) becomes a node each, so the text of
the Python target comes from the same function that the torch target runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal

Form = Literal[
    "atom", "scalar", "attribute", "unary", "binary", "call", "item", "tuple", "list", "slice"
]
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "matmul": "@"}
"""Functions of `torch` that are operators of tensors."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """An expression; two are the same only if they are the same object.

    `text` is an atom's or a scalar's whole text, an attribute's name, or an operator. A call and
    an item have what is called or indexed as their first child; `labels` are the keywords of a
    call's arguments, empty where there is none.
    """

    form: Form
    text: str
    children: tuple[Node, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass
class Recorder:
    """Makes nodes; keeps them in order, each after those it is made of."""

    nodes: list[Node] = field(default_factory=list)

    def term(self, text: str) -> Term:
        """The value that a text gives, such as `x` or `self.W`."""
        return Term(self, self.make("atom", text))

    def scalar(self, number: float) -> Term:
        """A number that counts as a tensor without axes."""
        return Term(self, self.make("scalar", literal(number)))

    def make(
        self, form: Form, text: str, children: Sequence[Node] = (), labels: Sequence[str] = ()
    ) -> Node:
        node = Node(form, text, tuple(children), tuple(labels))
        self.nodes.append(node)
        return node

    def node(self, value: Any) -> Node:
        """The node of a term or a Python value; raises TypeError where it cannot be written."""
        if isinstance(value, Term):
            return value.node
        if isinstance(value, (tuple, list)):
            form: Form = "tuple" if isinstance(value, tuple) else "list"
            return self.make(form, "", [self.node(item) for item in value])
        if isinstance(value, slice):
            bounds = (value.start, value.stop, value.step)
            return self.make("slice", "", [self._bound(bound) for bound in bounds])
        return self.make("atom", literal(value))

    def call(self, function: Node, arguments: Sequence[Any], named: dict[str, Any]) -> Node:
        """A call; those functions of `torch` that are operators are written as operators."""
        children = [self.node(a) for a in (*arguments, *named.values())]
        of_torch = function.form == "attribute" and function.children[0].text == "torch"
        if of_torch and not named:
            if function.text in _INFIX and len(children) == 2:
                return self.binary(_INFIX[function.text], *children)
            if function.text == "neg" and len(children) == 1:
                return self.make("unary", "-", children)
        labels = ["", *("" for _ in arguments), *(f"{name}=" for name in named)]
        return self.make("call", "", [function, *children], labels)

    def binary(self, operator: str, left: Node, right: Node) -> Node:
        """An operator; a scalar beside a tensor is written as a number.

        NOTE: but not one that is divided by a tensor, which torch computes by the reciprocal.
        """
        if right.form == "scalar" and left.form != "scalar":
            right = self.make("atom", right.text)
        elif left.form == "scalar" and right.form != "scalar" and operator != "/":
            left = self.make("atom", left.text)
        return self.make("binary", operator, [left, right])

    def _bound(self, value: Any) -> Node:
        return self.make("atom", "") if value is None else self.node(value)


def called(function: str, *arguments: str | Node) -> Node:
    """A call of what a text names, with texts and nodes as arguments."""
    items = [Node("atom", a) if isinstance(a, str) else a for a in arguments]
    return Node("call", "", (Node("atom", function), *items))


def literal(value: Any) -> str:
    """A Python value as text; raises TypeError for one that has none."""
    if isinstance(value, str):
        return quoted(value)
    if value is Ellipsis:
        return "..."
    if isinstance(value, float) and not isfinite(value):
        return f'float("{value}")'
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    if isinstance(value, tuple):
        items = [literal(item) for item in value]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    raise TypeError(f"a {type(value).__name__} cannot be written in Python text")


def quoted(text: str) -> str:
    """A string literal, in double quotes where it has none inside."""
    shown = repr(text)
    return f'"{shown[1:-1]}"' if '"' not in text and shown[0] == "'" else shown


def _binary(operator: str) -> Callable[[Term, Any], Term]:
    def apply(self: Term, other: Any) -> Term:
        recorder = self.recorder
        return Term(recorder, recorder.binary(operator, self.node, recorder.node(other)))

    return apply


def _reflected(operator: str) -> Callable[[Term, Any], Term]:
    def apply(self: Term, other: Any) -> Term:
        recorder = self.recorder
        return Term(recorder, recorder.binary(operator, recorder.node(other), self.node))

    return apply


def _unary(operator: str) -> Callable[[Term], Term]:
    def apply(self: Term) -> Term:
        return Term(self.recorder, self.recorder.make("unary", operator, [self.node]))

    return apply


class Term:
    """Stands for a value, or for `torch` itself, in a function that is recorded."""

    __slots__ = ("node", "recorder")
    __iter__ = None  # its length is not known, and indices would never end

    def __init__(self, recorder: Recorder, node: Node) -> None:
        self.recorder, self.node = recorder, node

    def __getattr__(self, name: str) -> Term:
        return Term(self.recorder, self.recorder.make("attribute", name, [self.node]))

    def __call__(self, *arguments: Any, **named: Any) -> Term:
        return Term(self.recorder, self.recorder.call(self.node, arguments, named))

    def __getitem__(self, key: Any) -> Term:
        keys = [self.recorder.node(k) for k in (key if isinstance(key, tuple) else (key,))]
        return Term(self.recorder, self.recorder.make("item", "", [self.node, *keys]))

    def __bool__(self) -> bool:
        raise TypeError("a value that is known only at run time cannot decide anything")

    __neg__, __invert__ = _unary("-"), _unary("~")
    __add__, __radd__ = _binary("+"), _reflected("+")
    __sub__, __rsub__ = _binary("-"), _reflected("-")
    __mul__, __rmul__ = _binary("*"), _reflected("*")
    __matmul__, __rmatmul__ = _binary("@"), _reflected("@")
    __truediv__, __rtruediv__ = _binary("/"), _reflected("/")
    __floordiv__, __rfloordiv__ = _binary("//"), _reflected("//")
    __and__, __rand__ = _binary("&"), _reflected("&")
    __or__, __ror__ = _binary("|"), _reflected("|")
    __lt__, __le__ = _binary("<"), _binary("<=")
    __gt__, __ge__ = _binary(">"), _binary(">=")
