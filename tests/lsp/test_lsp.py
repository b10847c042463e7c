"""The language server through a client on its standard input and output."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from statistics import median
from time import perf_counter
from types import SimpleNamespace
from typing import cast

import pytest
from lsprotocol.types import PublishDiagnosticsParams
from pygls.lsp.server import LanguageServer

from fusewright.compiler.check.check import check
from fusewright.compiler.syntax.parse import parse
from fusewright.lsp.documents import Document, Examined, examine_document
from fusewright.lsp.positions import Positions, TextChange
from fusewright.lsp.session import Session

from ..support.language_client import Client, edited, long_text, serve
from ..support.lsp_documents import TEXT

CLI = "from fusewright.cli import main; from fusewright.cli.commands import lsp; main()"


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


# One examination of each version


class _Client:
    """What a session needs of a server: the texts that a client has, and where it publishes."""

    def __init__(self) -> None:
        self.texts: dict[str, tuple[int, str]] = {}
        self.published: list[tuple[str, int | None]] = []

    @property
    def workspace(self) -> SimpleNamespace:
        opened = {
            uri: SimpleNamespace(version=version, source=source)
            for uri, (version, source) in self.texts.items()
        }
        return SimpleNamespace(position_encoding="utf-16", text_documents=opened)

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
    change = TextChange.between("abcdef", "abXYZdef")
    assert (change.before, change.after) == (2, 3)
    assert [change.to_new(i) for i in (0, 2, 3, 6)] == [0, 2, 5, 8]
    assert [change.to_old(i) for i in (0, 2, 5, 8)] == [0, 2, 3, 6]


def test_what_is_not_open_is_not_read(server: Client, tmp_path: Path) -> None:
    """Neither is a file that a message names, nor one that does not exist."""
    (tmp_path / "there.fuse").write_text("network n(C = 4, L = 2)\n", encoding="utf-8")
    for name in ("there.fuse", "none.fuse"):
        document = {
            "textDocument": {"uri": (tmp_path / name).as_uri()},
            "position": {"line": 0, "character": 0},
        }
        found = server.answer("textDocument/hover", document)
        assert "is not open" in found["error"]["message"]
