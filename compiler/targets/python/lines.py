"""From recorded expressions to the lines of a function: what gets a line and a name of its own.

A node gets one where it is read more than once, where the equation names it, where it has an
effect, where it is a value of the program other than an operator, and where a line would be too
wide without. Names that the equation does not give are taken again once nothing reads them.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from .terms import Form, Node, Recorder
from .text import INDENT, WIDTH, Names, render, statement

_CHEAP: frozenset[Form] = frozenset(["attribute", "unary", "item", "tuple", "list", "slice"])
"""Forms that are written again wherever they are read, if what they are made of is."""
_OPERATORS: frozenset[Form] = frozenset(["unary", "binary"])
_DEEPEST = 12
"""How many operators and calls may stand in each other on one line."""
_TEMPORARY, _PLACEHOLDER = "z", "z_2"
"""What a node without a name of its own is called, and how wide that is."""


@dataclass
class Lines:
    """The lines of a function that gives `result`.

    `shapes` are those of the program's values, `effects` the nodes that do more than give a
    value, `hints` what the equation calls a node, `names` what is taken already.
    """

    recorder: Recorder
    result: Node
    shapes: Mapping[Node, str]
    effects: Collection[Node]
    hints: Mapping[Node, str]
    names: Names
    indent: int = 2 * INDENT
    bound: dict[Node, str] = field(default_factory=dict[Node, str])
    simple: set[Node] = field(default_factory=set[Node])

    def write(self) -> list[str]:
        """The lines; `bound` then has the nodes with a line of their own, with their names."""
        nodes, reads = self._live()
        self._bind(nodes, reads)
        last = next((n for n in reversed(nodes) if n in self.bound), None)
        if last is self.result and not reads[self.result]:
            del self.bound[self.result]
        self._split([n for n in nodes if n in self.bound or n is self.result])
        order = [n for n in nodes if n in self.bound]
        self._name(order)
        lines: list[str] = []
        for node in order:
            name = self.bound[node]
            head = f"{name} = " if name else ""
            lines += statement(node, self.bound, head, self.shapes.get(node, ""), self.indent)
        if self.result in self.bound:
            return [*lines, f"{' ' * self.indent}return {self.bound[self.result]}"]
        shape = "" if self.result.form == "atom" else self.shapes.get(self.result, "")
        return lines + statement(self.result, self.bound, "return ", shape, self.indent)

    def _live(self) -> tuple[list[Node], Counter[Node]]:
        """The nodes that are needed, in order, and how many others read each."""
        reads: Counter[Node] = Counter()
        live = {self.result, *self.effects}
        for node in reversed(self.recorder.nodes):
            if node in live:
                live.update(node.children)
                reads.update(node.children)
        return [n for n in self.recorder.nodes if n in live], reads

    def _bind(self, nodes: list[Node], reads: Counter[Node]) -> None:
        depths: dict[Node, int] = {}
        for node in nodes:
            depths[node] = 1 + max((depths[c] for c in node.children), default=0)
            if self._is_simple(node):
                self.simple.add(node)
            elif (
                reads[node] > 1
                or node in self.hints
                or node in self.effects
                or (node in self.shapes and node.form not in _OPERATORS)
                or depths[node] > _DEEPEST
            ):
                self.bound[node] = ""
                depths[node] = 0

    def _is_simple(self, node: Node) -> bool:
        if node.form in ("atom", "scalar"):
            return True
        parts = (c in self.simple or c in self.bound for c in node.children)
        return node.form in _CHEAP and node not in self.hints and all(parts)

    # Lines that are too wide

    def _split(self, nodes: list[Node]) -> None:
        """Gives parts of wide lines a line of their own, the widest first."""
        waiting = list(nodes)
        while waiting:
            node = waiting.pop()
            while not self._fits(node):
                parts = list(self._parts(node))
                if not parts:
                    break
                part = self._earliest(node, max(parts, key=self._width))
                self.bound[part] = ""
                waiting.append(part)

    def _width(self, node: Node) -> int:
        return len(render(node, self._placeholders(node)))

    def _fits(self, node: Node) -> bool:
        name = self.hints.get(node, _PLACEHOLDER)
        around = f"{name} = " if node in self.bound else "return "
        if node in self.shapes:
            around += f"  # {self.shapes[node]}"
        return self.indent + len(around) + self._width(node) <= WIDTH

    def _parts(self, node: Node) -> Iterator[Node]:
        """The outermost expressions inside one that have no name and could have one."""
        for child in node.children:
            if child in self.bound or child in self.simple:
                continue
            if child.form in ("call", "binary"):
                yield child
            else:
                yield from self._parts(child)

    def _earliest(self, node: Node, part: Node) -> Node:
        """The first call of a chain of methods that leaves a line short enough without it."""
        chosen = part
        while part.form == "call" and part.children[0].form == "attribute":
            part = part.children[0].children[0]
            if part.form != "call" or part in self.bound:
                break
            self.bound[part] = ""
            chosen = part if self._fits(node) else chosen
            del self.bound[part]
        return chosen

    def _placeholders(self, node: Node) -> dict[Node, str]:
        """Names as wide as those that what an expression reads will have."""
        return {n: self.hints.get(n, _PLACEHOLDER) for n in self._read(node)}

    def _read(self, node: Node) -> Iterator[Node]:
        """The nodes with names that an expression reads."""
        for child in node.children:
            if child in self.bound:
                yield child
            else:
                yield from self._read(child)

    # Names

    def _name(self, order: list[Node]) -> None:
        """Names every node that is read; a temporary name is free again after its last reader."""
        last: dict[Node, int] = {}
        for index, node in enumerate([*order, self.result]):
            last.update((source, index) for source in self._read(node))
        if self.result in self.bound:
            last[self.result] = len(order)
        for node in order:
            if node in self.hints and node in last:
                self.bound[node] = self.names.local(self.hints[node])
        ends: dict[int, list[int]] = {}
        names: list[str] = []
        free: list[int] = []
        for index, node in enumerate(order):
            for number in ends.pop(index, ()):
                heapq.heappush(free, number)
            if node not in last or self.bound[node]:
                continue
            if not free:
                names.append(self.names.local(_TEMPORARY))
                free.append(len(names) - 1)
            number = heapq.heappop(free)
            self.bound[node] = names[number]
            ends.setdefault(last[node], []).append(number)
