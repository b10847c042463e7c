"""The language server through a client on its standard input and output."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from types import SimpleNamespace
from typing import cast

import pytest
from lsprotocol.types import PublishDiagnosticsParams
from pygls.lsp.server import LanguageServer

from fusewright.compiler.check.check import check
from fusewright.compiler.network.vocabulary import library
from fusewright.compiler.syntax.parse import parse
from fusewright.lsp.completion import complete
from fusewright.lsp.documents import Document, Examined, examine_document
from fusewright.lsp.positions import Change, Positions
from fusewright.lsp.session import Session
from fusewright.ops.types import FEATURE_AXES

from ..support.language_client import Client, changes, edited, long_text, serve, written
from ..support.paths import ROOT

CLI = "from fusewright.cli import lsp, main; main()"

TEXT = """\
network n(C = 4, L = 2, k = 3, dropout = 0.1)
use bmnas
modality m {
  `Video 3`[c 3, t 2]
  B[c k]
}
pool bmnas.Sum, LinearGLU, fusion.MHA(heads = 2)
use fusion
op My(x, y, rank = 4) {
  g = sigmoid(x @ W[C, rank] @ V[rank, C])
  return x + mean(g) * y
}
cell K[2](?, {B | `Video 3`}) {
  S[2] = ?(?, y)
  T = My(x, S_1, rank = 8)
  return S_1, T, S_2
}
require distinct_pairs
predict k classes
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    yield from serve(tmp_path_factory.mktemp("lsp") / "a.fuse", "-m", "fusewright.lsp")


@pytest.fixture
def client(server: Client) -> Iterator[Client]:
    """The client with the text open and examined."""
    assert server.open(TEXT) == []
    yield server
    server.notify("textDocument/didClose", {"textDocument": {"uri": server.uri}})


def test_the_text_of_these_tests_is_right() -> None:
    assert check(parse(TEXT)) == []


# From a broken file to the repaired one


def test_from_opening_a_broken_file_to_applying_the_fix(server: Client) -> None:
    broken = TEXT.replace("pool bmnas.Sum, LinearGLU", "pool bmnas.Sum, LinearGlu")
    (found,) = server.open(broken)
    assert (found["code"], found["severity"]) == ("E203", 1)
    assert server.inside(found["range"]) == "LinearGlu"
    assert found["message"] == "unknown operation `LinearGlu`\nhelp: did you mean `LinearGLU`?"
    parameters = {
        "textDocument": {"uri": server.uri},
        "range": found["range"],
        "context": {"diagnostics": [found]},
    }
    (action,) = server.request("textDocument/codeAction", parameters)
    assert action["title"] == "did you mean `LinearGLU`?"
    assert action["kind"] == "quickfix"
    (document,) = action["edit"]["documentChanges"]
    assert document["textDocument"] == {"uri": server.uri, "version": server.version}
    server.change(edited(broken, document["edits"]))
    assert server.text == TEXT
    assert server.diagnostics() == []


def test_a_text_that_is_typed_and_undone_is_a_new_version(server: Client) -> None:
    broken = TEXT.replace("LinearGLU, fusion", "LinearGlu, fusion")
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
    parameters = {
        "textDocument": {"uri": server.uri},
        "range": whole,
        "context": {"diagnostics": []},
    }
    server.open(broken)
    for text in (broken + "#", broken):
        server.change(text)
        (action,) = server.request("textDocument/codeAction", parameters)
        (document,) = action["edit"]["documentChanges"]
        assert document["textDocument"]["version"] == server.version
    edit = server.at("rename", "cell |K", newName="Other")
    assert edit["documentChanges"][0]["textDocument"]["version"] == server.version
    assert len(server.diagnostics()) == 1


def test_a_related_place_is_shown_with_its_error(server: Client) -> None:
    (found,) = server.open(TEXT.replace("  B[c k]", "  B[c k]\n  B[c 2]"))
    assert found["code"] == "E202"
    (related,) = found["relatedInformation"]
    assert related["message"] == "`B` is first declared here"
    assert related["location"]["range"]["start"] == {"line": 4, "character": 2}


def test_diagnostics_follow_every_change(server: Client) -> None:
    assert server.open(TEXT) == []
    server.change(TEXT.replace("return S_1, T, S_2", "return S_1,"))
    assert {d["code"][:2] for d in server.diagnostics()} == {"E0"}
    server.change(TEXT)
    assert server.diagnostics() == []


def test_columns_count_utf_16_units(server: Client) -> None:
    text = TEXT.replace("`Video 3`", "`𝒱 3`").replace("{B |", "{Bb |")
    found = server.open(text.replace("(?, {Bb | `𝒱 3`})", "({`𝒱 3` | Bb}, B)"))
    (wrong,) = [d for d in found if d["code"] == "E201"]
    assert wrong["range"]["start"]["character"] == len("cell K[2]({`") + 2 + len(" 3` | ")
    assert server.inside(wrong["range"]) == "Bb"


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        ("json", '{"network": {"name": "n", "C": 4, "L": 2}, "pool": ["Summ"]}'),
        ("yaml", "network: {name: n, C: 4, L: 2}\npool: [Summ]\n"),
    ],
)
def test_json_and_yaml_have_diagnostics_alone(server: Client, ending: str, text: str) -> None:
    original = server.uri
    server.uri = original.replace(".fuse", f".{ending}")
    try:
        found = server.open(text, ending)
        (wrong,) = [d for d in found if d["code"] == "E203"]
        assert "Summ" in server.inside(wrong["range"])
        assert server.at("hover", "|Summ") is None
        assert server.at("completion", "|Summ") is None
        assert server.at("definition", "|Summ") == []
    finally:
        server.uri = original


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


# One examination of each version


class _Client:
    """What a session needs of a server: the texts that a client has, and where it publishes."""

    def __init__(self) -> None:
        self.texts: dict[str, tuple[int, str]] = {}
        self.published: list[tuple[str, int | None]] = []
        self.workspace = SimpleNamespace(
            position_encoding="utf-16", get_text_document=self._document
        )

    def _document(self, uri: str) -> SimpleNamespace:
        version, source = self.texts[uri]
        return SimpleNamespace(version=version, source=source)

    def text_document_publish_diagnostics(self, found: PublishDiagnosticsParams) -> None:
        self.published.append((found.uri, found.version))


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bool]]:
    """The versions that are examined, each with whether that was on the main thread."""
    versions: list[tuple[int, bool]] = []

    def examine(document: Document) -> Examined:
        on_main = threading.current_thread() is threading.main_thread()
        versions.append((document.version, on_main))
        return examine_document(document)

    monkeypatch.setattr("fusewright.lsp.session.examine_document", examine)
    return versions


def test_all_who_wait_for_a_version_wait_for_one_examination(
    examined: list[tuple[int, bool]],
) -> None:
    async def many() -> None:
        client = _Client()
        session = Session(cast(LanguageServer, client))
        client.texts["a.fuse"] = 1, TEXT
        session.changed("a.fuse", 0)
        found = await asyncio.gather(*(session.examined("a.fuse") for _ in range(9)))
        assert len(set(map(id, found))) == 1
        assert await session.current("a.fuse") is found[0].document
        client.texts["a.fuse"] = 2, TEXT
        again = await session.examined("a.fuse")
        assert again.document.version == (await session.current("a.fuse")).version == 2
        assert again.examination is found[0].examination

    asyncio.run(many())
    assert examined == [(1, False)]


def test_an_answer_for_a_text_that_is_gone_is_given_up(examined: list[tuple[int, bool]]) -> None:
    async def changing() -> None:
        client = _Client()
        session = Session(cast(LanguageServer, client))
        client.texts["a.fuse"] = 1, TEXT
        waiting = asyncio.ensure_future(session.examined("a.fuse"))
        await asyncio.sleep(0)
        client.texts["a.fuse"] = 2, TEXT + "#"
        session.changed("a.fuse", 0)
        with pytest.raises(asyncio.CancelledError):
            await waiting
        while not client.published:
            await asyncio.sleep(0.01)
        assert client.published == [("a.fuse", 2)]

    asyncio.run(changing())
    assert examined[-1] == (2, False)


# Speed, and how it is started


def test_answers_on_a_thousand_lines(server: Client) -> None:
    """Times are printed (`-s`), and asserted generously, since tests share their machine."""
    text = long_text(1000)
    assert len(text.splitlines()) >= 1000
    start = perf_counter()
    assert server.open(text) == []
    times = {"diagnostics": [perf_counter() - start]}
    for _ in range(5):
        for method in ("hover", "completion", "definition"):
            start = perf_counter()
            assert server.at(method, "A150(|F150")
            times.setdefault(method, []).append(perf_counter() - start)
    server.change(text.replace("A150(F150, ?)", "A150(F150, )"))
    start = perf_counter()
    assert server.at("completion", "A150(F150, |)")
    times["completion while typing"] = [perf_counter() - start]
    for method, found in times.items():
        print(f"{method}: {1000 * median(found):.1f} ms")
        assert median(found) < 1, method


def test_the_command_starts_the_server_without_torch(tmp_path: Path) -> None:
    code = "import sys; sys.modules['torch'] = None; sys.argv = ['fusewright', 'lsp']\n" + CLI
    for client in serve(tmp_path / "a.fuse", "-c", code):
        assert client.capabilities["hoverProvider"]
        assert client.open(TEXT) == []


# Positions


@pytest.mark.parametrize(("encoding", "width"), [("utf-8", 4), ("utf-16", 2), ("utf-32", 1)])
def test_positions_count_what_was_agreed_on(encoding: str, width: int) -> None:
    positions = Positions("a\r\n𝒱b\rc", encoding)
    place = positions.position(4)
    assert (place.line, place.character) == (1, width)
    for offset in (0, 1, 3, 4, 5, 6, 7):
        assert positions.offset(positions.position(offset)) == offset


def test_a_change_is_the_part_that_differs() -> None:
    change = Change.between("abcdef", "abXYZdef")
    assert (change.before, change.after) == (2, 3)
    assert [change.to_new(i) for i in (0, 2, 3, 6)] == [0, 2, 5, 8]
    assert [change.to_old(i) for i in (0, 2, 5, 8)] == [0, 2, 3, 6]
