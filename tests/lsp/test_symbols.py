"""Where names are declared and used: every kind, families, backticks, equations."""

from __future__ import annotations

from pathlib import Path

import pytest

from fusewright.compiler.check.examine import examine
from fusewright.compiler.network.vocabulary import library_path
from fusewright.compiler.syntax.parse import parse
from fusewright.lsp.binding import symbols_of
from fusewright.lsp.completion import complete
from fusewright.lsp.symbols import Occurrence, Symbol

TEXT = """\
network n(C = 4, L = 2, k = 3)
use bmnas
modality m {
  `Video 3`[c 3, t 2]
  B[c k]
}
pool Sum, My(rank = k), bmnas.Attention
op My(x, y, rank = 4) {
  g = sigmoid(x @ W[C, rank]) @ W
  return mean(g, over = length) * y + Sum(x, y)
}
op Twice(x, *s) = My(x, sum(*s), rank = (2))
role adapt(f) for m = resample(f) @ W[c, C]
cell K[k](?, q = {B | `Video 3`}) {
  S[2] = {Sum | My(rank = 8)}(x, q)
  T = My(q, S_2)
  return S_1, T
}
cell Z(K_3, B) { S = Sum(x, y) }
output K_1, Z
predict k classes
"""
SYMBOLS = symbols_of(parse(TEXT))


def at(marked: str) -> Occurrence:
    """The occurrence at the bar in a piece of the text that stands there once."""
    piece = marked.replace("|", "", 1)
    assert TEXT.count(piece) == 1, piece
    found = SYMBOLS.at(TEXT.index(piece) + marked.index("|"))
    assert found is not None, marked
    return found


def places(symbol: Symbol) -> list[str]:
    return [f"{o.span.line}:{o.span.column} {o.span.text}" for o in SYMBOLS.of(symbol)]


KINDS = [
    ("network |n", Symbol("n", "network"), ["1:9 n"]),
    (
        "c |k]",
        Symbol("k", "number"),
        ["1:25 k", "5:7 k", "7:21 k", "14:8 k", "21:9 k"],
    ),
    ("use b|mnas", Symbol("bmnas", "library"), ["2:5 bmnas", "7:25 bmnas"]),
    ("|m {", Symbol("m", "modality"), ["3:10 m", "13:19 m"]),
    (
        "|`Video 3`[",
        Symbol("Video 3", "feature"),
        ["4:3 `Video 3`", "14:23 `Video 3`"],
    ),
    ("|K_3", Symbol("K", "cell", family=True), ["14:6 K", "19:8 K_3", "20:8 K_1"]),
    ("Z|(", Symbol("Z", "cell"), ["19:6 Z", "20:13 Z"]),
    ("My(|q", Symbol("q", "input", 0), ["14:14 q", "15:34 q", "16:10 q"]),
    ("(|x, q)", Symbol("x", "input", 0), ["15:31 x"]),
    ("S_2|)", Symbol("S", "step", 0, family=True), ["15:3 S", "16:13 S_2", "17:10 S_1"]),
    ("return S_1, |T", Symbol("T", "step", 0), ["16:3 T", "17:15 T"]),
    (
        "|My(rank = 8)",
        Symbol("My", "operation"),
        ["7:11 My", "8:4 My", "12:19 My", "15:17 My", "16:7 My"],
    ),
    (
        "bmnas.|Attention",
        Symbol("Attention", "operation", library="bmnas"),
        ["7:31 Attention"],
    ),
    ("|adapt(f)", Symbol("adapt", "role"), ["13:6 adapt"]),
    (
        "|rank = 4",
        Symbol("rank", "parameter", "My"),
        ["7:14 rank", "8:13 rank", "9:24 rank", "12:34 rank", "15:20 rank"],
    ),
    ("(|g, over", Symbol("g", "variable", 0), ["9:3 g", "10:15 g"]),
    ("@ |W\n", Symbol("W", "variable", 0), ["9:19 W", "9:33 W"]),
    ("sum(*|s)", Symbol("s", "variable", 1), ["12:14 s", "12:30 s"]),
]


@pytest.mark.parametrize(("marked", "symbol", "expected"), KINDS)
def test_every_kind_of_name_is_found_everywhere(
    marked: str, symbol: Symbol, expected: list[str]
) -> None:
    found = at(marked).symbol
    assert found == symbol
    assert places(found) == expected


def test_axes_and_words_of_primitives_are_no_names() -> None:
    assert SYMBOLS.at(TEXT.index("length")) is None


def test_a_name_of_a_library_is_declared_in_its_file() -> None:
    symbol = at("bmnas.|Attention").symbol
    (span,) = SYMBOLS.declarations(symbol)
    text = Path(library_path("bmnas")).read_text(encoding="utf-8")
    assert text[span.start : span.end] == "Attention"
    assert span.source.text == text


def test_an_input_without_a_name_is_declared_by_its_slot() -> None:
    (span,) = SYMBOLS.declarations(at("(|x, q)").symbol)
    assert (span.line, span.text) == (14, "?")


def test_overloads_are_one_operation() -> None:
    text = "op A(x) = relu(x)\nop A(x, y) = A(x) + A(y)\n"
    found = symbols_of(parse(text))
    symbol = Symbol("A", "operation")
    assert [o.declares for o in found.of(symbol)] == [True, True, False, False]
    assert len(found.declarations(symbol)) == 2


@pytest.mark.parametrize("name", ["K_4", "K_0", "K_01", "K_", "K", "K_99999999999999999999"])
def test_a_name_beyond_its_family_means_nothing(name: str) -> None:
    found = symbols_of(parse(TEXT.replace("output K_1", f"output {name}")))
    assert [o.written for o in found.of(Symbol("K", "cell", family=True))] == ["K", "K_3"]


def test_a_family_is_never_expanded() -> None:
    text = "cell A[99999999](?, ?) { S = Sum(x, y) }\noutput A_99999999\n"
    found = symbols_of(parse(text))
    assert len(found.of(Symbol("A", "cell", family=True))) == 2


def test_a_broken_text_keeps_the_names_that_could_be_read() -> None:
    spec = examine(TEXT.replace("T = My(q, S_2)", "T = My(q,")).spec
    found = symbols_of(spec)
    assert found.of(Symbol("Video 3", "feature"))
    assert found.of(Symbol("My", "operation"))


def test_a_comment_or_a_blank_within_a_name_does_not_hide_it() -> None:
    text = "use bmnas\nop f(x, * s, q = 1) = bmnas . Sum(x, # two\n  *s)\npool f(q = # k\n 3)\n"
    found = symbols_of(parse(text))
    spans = {o.symbol.name: o.span.text for o in found.occurrences}
    assert spans == {name: name for name in ("bmnas", "f", "x", "s", "q", "Sum")}
    assert [o.span.line for o in found.of(Symbol("q", "parameter", "f"))] == [2, 4]


OPEN = """network n(C = {4 | 8}, L = 2)
modality m { A[c 3] }
op One(f) = resample(f) @ W[c, C]
op Two(f, k = 2) = relu(resample(f) @ W[c, C]) * k
role adapt(f) = {One | Two(k = 3)}(f)
cell K[{1 | 3}](A, A) { S = Sum(x, y) }
output K_3
"""


def test_candidates_of_a_role_are_occurrences_once_each() -> None:
    symbols = symbols_of(parse(OPEN))
    for name in ("One", "Two"):
        places = [o.span for o in symbols.occurrences if o.symbol.name == name]
        assert [span.text for span in places] == [name, name]
        assert len(set(places)) == len(places)
    assert [o.symbol.name for o in symbols.occurrences if o.written == "K_3"] == ["K"]


def test_what_an_open_role_and_an_open_count_offer() -> None:
    specs = (parse(OPEN),)

    def offered(before: str) -> list[str]:
        found = complete(OPEN, OPEN.index(before) + len(before), specs)
        return [choice.label for choice in found.choices]

    assert offered("role adapt(f) = {")[:2] == ["One", "Two"]
    assert "Two" in offered("{One | ")
    assert "f" in offered("Two(k = 3)}(")
    assert {"A", "K_1", "K_2", "K_3"} <= set(offered("output "))
    assert offered("C = {") == []
    assert offered("cell K[{") == []
