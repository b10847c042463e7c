"""What editors ask of a document: hover, completion, navigation, renaming, formatting."""

from __future__ import annotations

from pathlib import Path

import pytest

from fusewright.compiler.check.check import check
from fusewright.compiler.network.vocabulary import library
from fusewright.compiler.syntax.parse import parse
from fusewright.lsp.completion import complete
from fusewright.ops.types import FEATURE_AXES

from ..support.language_client import Client, changes, edited, written
from ..support.lsp_documents import TEXT
from ..support.paths import ROOT

# Hover


def test_hover_on_an_operation_shows_its_equation_and_its_cost(client: Client) -> None:
    text = client.hover("Linear|GLU")
    assert "op LinearGLU(x, y) = dropout(glu(" in text
    assert r"$$ \operatorname{LinearGLU}" in text
    # [x; y] of 8 channels to 8, with a shift, and a scale and shift for each
    assert (
        "88 parameters and 128 multiply-adds for 2 inputs of (batch, length 2, channels 4)" in text
    )
    assert "from the library `bmnas`" in text


def test_hover_reads_the_parameters_that_are_set(client: Client) -> None:
    assert "32 parameters" in client.hover("op M|y(")
    assert "64 parameters" in client.hover("M|y(x, S_1")


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("use bm|nas", "library `bmnas`: `Sum`"),
        ("|`Video 3`[", "feature `Video 3[c 3, t 2]` of `m`: `(batch, 3, 2)`"),
        ("{B| |", "feature `B[c k]` of `m`: `(batch, 3)`"),
        ("c |k]", "`k = 3`"),
        ("C| = 4", "`C = 4`, the inner number of channels: "),
        ("modality |m", "modality `m`: `Video 3`, `B`"),
        ("cell |K", "Cell `K(?, {B | `Video 3`})` of the Steps `S[2]`, `T`"),
        ("My(|x, S_1", "input 1 of `K`: `?`"),
        ("return |S_1", "Step `S = ?(?, y)`"),
        ("|rank = 8", "`rank`, a parameter of `My`: `4`"),
        ("|g = sig", "`g` of this equation"),
        ("distinct|_pairs", "no two Cells take the same set of inputs"),
    ],
)
def test_hover_on_every_kind_of_name(client: Client, marked: str, expected: str) -> None:
    assert expected in client.hover(marked)


def test_hover_on_a_hole_lists_its_candidates(client: Client) -> None:
    text = client.hover("K[2](|?")
    assert "hole of `K_1`: 2 candidates, `Video 3`, `B`" in text
    assert "hole of `K_2`: 3 candidates, `Video 3`, `B`, `K_1`" in text
    assert "3 candidates, `bmnas.Sum`, `LinearGLU`, `fusion.MHA (heads = 2)`" in client.hover(
        "S[2] = |?"
    )
    assert "hole of `K_1`, `S_2`: 3 candidates, `x`, `y`, `S_1`" in client.hover("?(|?, y)")


def test_hover_while_the_text_is_wrong(server: Client) -> None:
    server.open(TEXT.replace("predict k classes", "predict k clases"))
    assert "op LinearGLU(x, y)" in server.hover("Linear|GLU")
    assert "multiply-adds" not in server.hover("Linear|GLU")
    assert "candidates" in server.hover("S[2] = |?")


# Completion


COMPLETIONS = [
    ("\nuse |bmnas", ["bmnas", "fusion", "paper"]),
    ("pool |bmnas", ["LinearGLU", "MHA", "My", "bmnas.Sum", "fusion.Sum"]),
    ("fusion.|MHA", ["MHA", "GMU", "Sum"]),
    ("MHA(|heads", ["heads"]),
    ("`[|c 3", ["c", "t", "h", "w"]),
    ("[c |k]", ["*", "k", "C"]),
    ("K[2](|?", ["?", "Video 3", "B"]),
    ("|`Video 3`})", ["Video 3", "B"]),
    ("S[2] = |?", ["?", "LinearGLU", "My"]),
    ("?(?, |y)", ["?", "x", "y"]),
    ("My(|x, S", ["x", "y", "S_1", "S_2", "rank"]),
    ("8)\n  |return", ["return"]),
    ("return |S_1", ["S_1", "S_2", "T"]),
    ("require |dis", ["distinct_pairs", "fresh_input", "parameters", "macs", "latency"]),
    ("predict |k", ["k", "C", "L"]),
    ("predict k |cl", ["classes", "labels", "values"]),
    ("\n|predict k", ["cell", "output", "predict", "op"]),
    ("g = |sig", ["x", "y", "sigmoid", "concat", "LinearGLU"]),
    ("W[|C", ["_", "C", "rank", "k"]),
    ("m |{", ["optional", "from"]),
]


@pytest.mark.parametrize(("marked", "expected"), COMPLETIONS)
def test_completion_in_every_slot(client: Client, marked: str, expected: list[str]) -> None:
    found = client.choices(marked)
    assert set(expected) <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("require latency < 2ms ", True),
        ("require latency < 2 ms ", True),
        ("require latency < 2 ", True),
        ("require macs < 2M ", False),
        ("require latency < 2ms on pc ", False),
    ],
)
def test_a_limit_of_latency_may_name_a_profile(text: str, offered: bool) -> None:
    labels = [choice.label for choice in complete(text, len(text), ()).choices]
    assert ("on" in labels) == offered
    assert "predict" in labels
    assert not complete("require latency < 2ms on ", 25, ()).choices


def test_every_axis_of_a_feature_is_offered_with_what_it_means() -> None:
    found = complete("modality m { A[", 15, ())
    assert [choice.label for choice in found.choices] == list(FEATURE_AXES)
    assert all(choice.detail for choice in found.choices)


@pytest.mark.parametrize(
    ("marked", "unwanted"),
    [
        ("return |S_1", ["x", "B", "LinearGLU", "return"]),
        ("K[2](|?", ["K_1", "x", "LinearGLU"]),
        ("My(|x, S", ["T", "B", "K_1"]),
        ("?(?, |y)", ["S_1", "heads"]),
        ("pool |bmnas", ["Sum", "B", "relu"]),
    ],
)
def test_completion_offers_nothing_of_another_kind(
    client: Client, marked: str, unwanted: list[str]
) -> None:
    assert not set(unwanted) & set(client.choices(marked))


def test_completion_while_the_text_is_incomplete(client: Client) -> None:
    start = TEXT[: TEXT.index("require")]
    client.change(start + "cell Z(K_1, `Vi")
    assert "Video 3" in client.choices("cell Z(K_1, `Vi|")
    (item,) = [
        i for i in client.at("completion", "cell Z(K_1, `Vi|")["items"] if i["label"] == "Video 3"
    ]
    assert item["textEdit"]["newText"] == "`Video 3`"
    assert client.inside(item["textEdit"]["range"]) == "`Vi"
    client.change(start + "cell Z(q = K_1, B) {\n  A = Sum(q, y)\n  D = My(")
    assert client.choices("D = My(|") == ["?", "q", "y", "A", "rank"]
    client.change(start + "cell Z(")
    assert {"Video 3", "B", "K_1", "K_2"} <= set(client.choices("cell Z(|"))
    client.change("network n(C = 4,\nmodality m { A[c 3] }\ncell Z(")
    client.diagnostics()
    assert "B" in client.choices("cell Z(|")


@pytest.mark.parametrize(
    "end", ["# a comm", '"a st', "network n(C = ", "cell ", "modality m { ", "x = 12"]
)
def test_where_nothing_is_known_nothing_is_offered(end: str) -> None:
    assert complete(end, len(end), ()).choices == ()


# Navigation


@pytest.mark.parametrize(
    ("marked", "line", "character"),
    [
        ("|`Video 3`})", 3, 2),
        ("c |k]", 0, 24),
        ("return |S_1", 13, 2),
        ("return S_1, |T", 14, 2),
        ("M|y(x, S_1", 8, 3),
        ("My(|x, S_1", 12, 10),
        ("mean(|g)", 9, 2),
        ("|rank = 8", 8, 12),
    ],
)
def test_definitions(client: Client, marked: str, line: int, character: int) -> None:
    (found,) = client.at("definition", marked)
    assert found["uri"] == client.uri
    assert found["range"]["start"] == {"line": line, "character": character}


def test_the_definition_of_an_operation_of_a_library_is_in_its_file(client: Client) -> None:
    (found,) = client.at("definition", "Linear|GLU")
    path = Path(found["uri"].removeprefix("file://"))
    assert path == (ROOT / "ops/libraries/bmnas.fuse").resolve()
    text = path.read_text(encoding="utf-8")
    assert written(text, found["range"]) == "LinearGLU"
    (found,) = client.at("definition", "use bm|nas")
    assert found["uri"] == path.as_uri()
    assert len(client.at("definition", "M|HA(")) == len(library("fusion").operations["MHA"])


def test_references(client: Client) -> None:
    found = client.at("references", "{|B", context={"includeDeclaration": True})
    assert [client.inside(f["range"]) for f in found] == ["B", "B"]
    found = client.at("references", "{|B", context={"includeDeclaration": False})
    assert len(found) == 1
    found = client.at("references", "|S[2]", context={"includeDeclaration": True})
    assert [client.inside(f["range"]) for f in found] == ["S", "S_1", "S_1", "S_2"]


def test_places_move_with_what_was_typed_since(client: Client) -> None:
    """The answer comes from the last examination, before the new one is made."""
    client.change("# a new line\n" + TEXT)
    (found,) = client.at("definition", "return S_1, |T")
    assert client.inside(found["range"]) == "T"
    assert found["range"]["start"]["line"] == 15


def test_document_symbols(client: Client) -> None:
    found = client.request("textDocument/documentSymbol", {"textDocument": {"uri": client.uri}})
    outline = {s["name"]: [c["name"] for c in s.get("children") or ()] for s in found}
    assert outline == {"n": [], "m": ["Video 3", "B"], "My": [], "K": ["S", "T"]}
    cell = next(s for s in found if s["name"] == "K")
    assert client.inside(cell["range"]).startswith("cell K[2]")
    assert client.inside(cell["range"]).endswith("}")
    assert client.inside(cell["selectionRange"]) == "K"


# Renaming


RENAMED = [
    ("|B[c", "Audio", {"B[c k]": "Audio[c k]", "{B |": "{Audio |"}),
    ("|B[c", "Audio 1", {"B[c k]": "`Audio 1`[c k]", "{B |": "{`Audio 1` |"}),
    ("|`Video 3`[", "V", {"`Video 3`": "V"}),
    ("return |S_1", "Fuse", {"S[2]": "Fuse[2]", "S_1": "Fuse_1", "S_2": "Fuse_2"}),
    ("M|y(x, S_1", "Ours", {"My(": "Ours("}),
    ("c |k]", "n k", {"k = 3": "`n k` = 3", "c k]": "c `n k`]", "predict k": "predict `n k`"}),
    ("modality |m", "video", {"modality m": "modality video"}),
    ("|rank = 8", "size", {"rank": "size"}),
    ("|g = sig", "gate", {"g = sig": "gate = sig", "mean(g)": "mean(gate)"}),
    ("return |S_1", "return", {"S[2]": "`return`[2]", "S_1": "return_1", "S_2": "return_2"}),
    ("My(|x, S_1", "query", {"K[2](?,": "K[2](query = ?,", "My(x, S": "My(query, S"}),
]


@pytest.mark.parametrize(("marked", "new", "replaced"), RENAMED)
def test_renaming(client: Client, marked: str, new: str, replaced: dict[str, str]) -> None:
    found = edited(TEXT, changes(client.at("rename", marked, newName=new)))
    expected = TEXT
    for old, fresh in replaced.items():
        expected = expected.replace(old, fresh)
    assert found == expected
    assert check(parse(found)) == []


@pytest.mark.parametrize(
    ("marked", "new", "reason"),
    [
        ("Linear|GLU", "Gate", "`LinearGLU` belongs to the library `bmnas`"),
        ("use bm|nas", "own", "`bmnas` belongs to the library `bmnas`"),
        ("C| = 4", "D", "the number `C` has its name from the language"),
        ("|B[c", "a`b", "a name has a backtick or a character that cannot be printed"),
        ("|B[c", "", "a name is empty"),
        ("|B[c", "Video 3", "`Video 3` is declared twice"),
        ("|B[c", "output", "`output` is the network's own name for what its Cells are combined in"),
        ("|B[c", "K_1", "`K_1` is declared twice"),
        ("return S_1, |T", "S_2", "`S_2` is declared twice"),
        ("M|y(x, S_1", "relu", "`relu` is the name of a primitive"),
        ("M|y(x, S_1", "LinearGLU", "`LinearGLU` already means something where `My` is used"),
        ("|network n", "a", "no name of the specification stands here"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_a_reason(
    client: Client, marked: str, new: str, reason: str
) -> None:
    answer = client.answer("textDocument/rename", {**client.place(marked), "newName": new})
    assert answer["error"]["message"] == reason


def test_preparing_to_rename_shows_the_stem_of_a_family(client: Client) -> None:
    found = client.at("prepareRename", "return |S_1")
    assert found["placeholder"] == "S"
    assert client.inside(found["range"]) == "S"
    answer = client.answer("textDocument/prepareRename", client.place("Linear|GLU"))
    assert answer["error"]["message"] == "`LinearGLU` belongs to the library `bmnas`"


# Formatting


def test_formatting(client: Client) -> None:
    client.change(TEXT.replace("  B[c k]", "B [ c   k ] # the other"))
    parameters = {
        "textDocument": {"uri": client.uri},
        "options": {"tabSize": 2, "insertSpaces": True},
    }
    edits = client.request("textDocument/formatting", parameters)
    found = edited(client.text, edits)
    assert "\n  B[c k]  # the other\n" in found
    assert parse(found) == parse(TEXT)
    client.change(found)
    assert client.request("textDocument/formatting", parameters) == []
    client.change("network n(")
    assert client.request("textDocument/formatting", parameters) is None
