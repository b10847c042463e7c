"""The language reference: its examples check, leave nothing of the language out, and agree.

`python -m tests.grammars.test_reference` prints the grammar into `docs/grammar.md` anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import cycle, islice
from typing import TypeGuard

import pytest
from lark import Token, Tree

from fusewright import grammars
from fusewright.compiler.check.check import check
from fusewright.compiler.diagnostics import source
from fusewright.compiler.documents import spellings as load
from fusewright.compiler.graph import build
from fusewright.compiler.language import limits, nodes
from fusewright.compiler.language.expression import Body, Call, Parameter, walk
from fusewright.compiler.language.nodes import (
    Budget,
    Cell,
    CellInput,
    Definition,
    Operation,
    Reference,
    RuleRequirement,
    Step,
)
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.lowering import instances, lower
from fusewright.compiler.lowering import sizes as quantities
from fusewright.compiler.network.rules import RULES
from fusewright.compiler.network.vocabulary import DEFAULT_LIBRARY, ROLES, library_names
from fusewright.compiler.resolve import cells, scope
from fusewright.compiler.syntax import parse
from fusewright.compiler.syntax.grammar import lark_of
from fusewright.ops.primitive import primitives
from fusewright.ops.types import FEATURE_AXES

from ..support.paths import DOCS

TEXT = (DOCS / "language.md").read_text(encoding="utf-8")
GRAMMAR = DOCS / "grammar.md"
BEGIN, END = "<!-- begin grammars/fuse.lark -->\n", "<!-- end grammars/fuse.lark -->\n"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


WHOLE, PARTS = blocks("fuse"), blocks("fuse-part")
BASE = parse.parse(WHOLE[0])


def completed(part: Spec) -> Spec:
    """A part with the statements that it lacks, and a Cell for each operation it defines."""
    stated = {f.name: getattr(part, f.name) for f in fields(part) if getattr(part, f.name)}
    whole = replace(BASE, **stated)
    if part.heads:
        whole = replace(whole, predict=None)
    operations = [d for d in part.definitions if not d.role]
    if not operations or part.cells:
        return whole
    return replace(whole, cells=tuple(_cell(whole, n, d) for n, d in enumerate(operations)))


def _cell(whole: Spec, number: int, definition: Definition) -> Cell:
    """A Cell that applies a definition; one that takes the rest is given three inputs."""
    names = [f.name for modality in whole.modalities for f in modality.features]
    count = 3 if definition.rest else len(definition.inputs)
    inputs = tuple(CellInput(Reference(n)) for n in islice(cycle(names), count))
    slots = tuple(Reference(name) for name in ("x", "y", "z")[:count])
    return Cell(f"Use_{number}", inputs, (Step("Step", Operation(definition.name), slots),))


def trees() -> Iterator[Tree[Token]]:
    parser = lark_of(grammars.read("fuse.lark"))
    for text in (*WHOLE, *PARTS):
        yield parser.parse(text, start="spec")


def is_token(node: object) -> TypeGuard[Token]:
    return isinstance(node, Token)


def bodies() -> Iterator[Body]:
    for text in (*WHOLE, *PARTS):
        yield from (d.body for d in parse.parse(text).definitions)


# The examples


@pytest.mark.parametrize("text", WHOLE, ids=lambda text: text.splitlines()[1])
def test_a_whole_program_has_nothing_to_complain_about(text: str) -> None:
    found = check(parse.parse(text))
    assert [d for d in found if not d.code.startswith("W")] == []


@pytest.mark.parametrize("text", PARTS, ids=lambda text: text.splitlines()[0])
def test_a_part_is_right_in_the_first_program(text: str) -> None:
    part = parse.parse(text)
    assert part != Spec()
    assert [d for d in check(completed(part)) if not d.code.startswith("W")] == []


def test_every_statement_has_a_section_with_an_example() -> None:
    sections = re.findall(r"^### `(\w+)`\n(.*?)(?=^##)", TEXT, re.MULTILINE | re.DOTALL)
    first_words = re.findall(r'^[a-z_]+: "([a-z]+)"', grammars.read("fuse.lark"), re.MULTILINE)
    assert {name for name, _ in sections} == {*first_words} - {"return"}
    for name, section in sections:
        examples = re.findall(r"^```fuse(?:-part)?\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
        assert any(re.search(rf"^{name}\b", text, re.MULTILINE) for text in examples), name


def test_the_three_spellings_say_the_same() -> None:
    (as_json,), (as_yaml,) = blocks("json"), blocks("yaml")
    expected = parse.parse(WHOLE[-1])
    assert load.loads(as_json, spelling="json") == expected
    assert load.loads(as_yaml, spelling="yaml") == expected


# Nothing is left out


def test_every_rule_of_the_grammar_stands_in_an_example() -> None:
    grammar = grammars.read("fuse.lark")
    rules = set(re.findall(r"^([a-z]\w*):", grammar, re.MULTILINE)) - {"body", "require"}
    rules |= set(re.findall(r"-> (\w+)", grammar))
    assert len(rules) > 40
    assert rules == {tree.data for whole in trees() for tree in whole.iter_subtrees()}


def test_every_terminal_of_the_grammar_stands_in_an_example() -> None:
    named = set(re.findall(r"^([A-Z]+)(?:\.\d)?:", grammars.read("fuse.lark"), re.MULTILINE)) - {
        "COMMENT"
    }
    assert len(named) > 10
    assert {t.type for whole in trees() for t in whole.scan_values(is_token)} == named
    assert any("  # " in text for text in PARTS)


def test_every_word_with_a_meaning_stands_in_an_example() -> None:
    shown = [parse.parse(text) for text in (*WHOLE, *PARTS)]
    features = [f for s in shown for m in s.modalities for f in m.features]
    assert {a.name for f in features for a in f.axes or ()} == {*FEATURE_AXES}
    assert {d.name for s in shown for d in s.definitions if d.role} == {*ROLES}
    assert {u.library for s in shown for u in s.uses} | {DEFAULT_LIBRARY} == {*library_names()}
    assert {s.predict.kind for s in shown if s.predict} == {*nodes.HEAD_KINDS}
    required = [r for s in shown for r in s.requirements]
    assert {r.rule for r in required if isinstance(r, RuleRequirement)} == {*RULES}
    assert {r.quantity for r in required if isinstance(r, Budget)} == {*nodes.BUDGETS}
    parameters = [p for d in bodies() for p in d.statements if isinstance(p, Parameter)]
    assert {"ones", "zeros", "uniform", 0.1} == {p.initial for p in parameters}


def test_every_primitive_stands_in_an_example_and_in_the_table() -> None:
    public = {name for name, primitive in primitives().items() if primitive.public}
    called = {e.function for body in bodies() for e in walk(body) if isinstance(e, Call)}
    assert public <= called
    table = TEXT.partition("### Primitives")[2].partition("```")[0]
    assert set(re.findall(r"(\w+)\(", table)) == public
    for primitive in (p for p in primitives().values() if p.public):
        row = next(r for r in table.splitlines() if f"`{primitive.name}(" in r)
        assert all(a.name in row for a in primitive.attributes), primitive.name


def test_the_bounds_are_those_of_the_compiler() -> None:
    bounds = TEXT.partition("## Bounds")[2]
    assert f"{source.LONGEST_TEXT // 10**6} million characters" in bounds
    assert f"{limits.DEEPEST} levels" in bounds
    assert f"{instances.MOST_VALUES:,} values" in bounds
    assert f"{cells.MOST_INPUTS} inputs" in bounds
    assert f"{scope.MOST_NODES:,} Cells" in bounds
    assert cells.MOST_EDGES == 2_000_000
    assert "two million edges" in bounds
    assert f"{build.MOST_EDGES:,} edges" in bounds
    assert f"computes at most {lower.MOST_VALUES:,} values" in " ".join(bounds.split())
    assert f"size is at most {scope.LARGEST_SIZE:,}" in " ".join(bounds.split())
    assert f"{quantities.MOST_ELEMENTS:,} numbers" in bounds
    assert f"{limits.LONGEST_NAME:,}\ncharacters" in TEXT


# The grammar


def printed(page: str) -> str:
    """The page with the grammar of today between its markers."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}```lark\n{grammars.read('fuse.lark')}```\n{END}{after}"


def test_the_grammar_is_printed_as_it_is() -> None:
    page = GRAMMAR.read_text(encoding="utf-8")
    assert page.count(BEGIN) == page.count(END) == 1
    assert printed(page) == page


if __name__ == "__main__":
    GRAMMAR.write_text(printed(GRAMMAR.read_text(encoding="utf-8")), encoding="utf-8")
