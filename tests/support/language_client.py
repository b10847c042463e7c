"""A client of the language server, on its standard input and output."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fusewright.lsp.positions import Positions

PATIENCE = 60


@dataclass
class Client:
    """A client that waits for each answer; `published` are the diagnostics of each version."""

    process: subprocess.Popen[bytes]
    uri: str
    version: int = 0
    text: str = ""
    count: int = 0
    received: queue.Queue[Any] = field(default_factory=queue.Queue[Any])
    published: dict[tuple[str, int | None], list[dict[str, Any]]] = field(
        default_factory=dict[tuple[str, "int | None"], list[dict[str, Any]]]
    )

    def start(self) -> Client:
        threading.Thread(target=self._listen, daemon=True).start()
        general = {"general": {"positionEncodings": ["utf-16"]}}
        given = {"processId": None, "rootUri": None, "capabilities": general}
        self.capabilities = self.request("initialize", given)["capabilities"]
        self.notify("initialized", {})
        return self

    def _listen(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while header := stream.readline():
            length = int(header.split(b":")[1])
            while stream.readline().strip():
                pass
            self.received.put(json.loads(stream.read(length)))

    def _next(self) -> dict[str, Any]:
        """The next message of the server."""
        message: dict[str, Any] = self.received.get(timeout=PATIENCE)
        if message.get("method") == "textDocument/publishDiagnostics":
            found = message["params"]
            self.published[found["uri"], found.get("version")] = found["diagnostics"]
        return message

    def _send(self, message: dict[str, Any]) -> None:
        stream = self.process.stdin
        assert stream is not None
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
        stream.flush()

    def notify(self, method: str, parameters: Any) -> None:
        self._send({"method": method, "params": parameters})

    def answer(self, method: str, parameters: Any) -> dict[str, Any]:
        """The whole answer to a request, an error included."""
        self.count += 1
        self._send({"id": self.count, "method": method, "params": parameters})
        while (message := self._next()).get("id") != self.count:
            pass
        return message

    def request(self, method: str, parameters: Any) -> Any:
        answer = self.answer(method, parameters)
        assert "error" not in answer, answer
        return answer["result"]

    # Documents

    def open(self, text: str, language: str = "fuse") -> list[dict[str, Any]]:
        """Opens the document and waits for its diagnostics."""
        self.text, self.version = text, self.version + 1
        document = {
            "uri": self.uri,
            "languageId": language,
            "version": self.version,
            "text": text,
        }
        self.notify("textDocument/didOpen", {"textDocument": document})
        return self.diagnostics()

    def change(self, text: str) -> None:
        self.text, self.version = text, self.version + 1
        document = {"uri": self.uri, "version": self.version}
        parameters = {"textDocument": document, "contentChanges": [{"text": text}]}
        self.notify("textDocument/didChange", parameters)

    def diagnostics(self) -> list[dict[str, Any]]:
        """Those of the version that was sent last."""
        while (self.uri, self.version) not in self.published:
            self._next()
        return self.published[self.uri, self.version]

    def place(self, marked: str) -> dict[str, Any]:
        """The document and the position of the bar in a piece of the text."""
        piece = marked.replace("|", "", 1)
        assert self.text.count(piece) == 1, piece
        offset = self.text.index(piece) + marked.index("|")
        position = Positions(self.text).position(offset)
        where = {"line": position.line, "character": position.character}
        return {"textDocument": {"uri": self.uri}, "position": where}

    def at(self, method: str, marked: str, **more: Any) -> Any:
        return self.request(f"textDocument/{method}", {**self.place(marked), **more})

    def inside(self, range: dict[str, Any]) -> str:
        """What stands in a range of the document."""
        return written(self.text, range)

    def hover(self, marked: str) -> str:
        found = self.at("hover", marked)
        assert found is not None, marked
        return str(found["contents"]["value"])

    def choices(self, marked: str) -> list[str]:
        """The labels that completion offers at the bar."""
        return [item["label"] for item in self.at("completion", marked)["items"]]


def offsets(text: str, range: dict[str, Any]) -> tuple[int, int]:
    """A range as offsets, counted here on its own, in UTF-16."""
    lines = text.split("\n")

    def offset(position: dict[str, int]) -> int:
        line = lines[position["line"]].encode("utf-16-le")[: 2 * position["character"]]
        return sum(len(one) + 1 for one in lines[: position["line"]]) + len(
            line.decode("utf-16-le")
        )

    return offset(range["start"]), offset(range["end"])


def written(text: str, range: dict[str, Any]) -> str:
    start, end = offsets(text, range)
    return text[start:end]


def edited(text: str, edits: list[dict[str, Any]]) -> str:
    """A text after the edits of a client."""
    for edit in sorted(edits, key=lambda e: offsets(text, e["range"]), reverse=True):
        start, end = offsets(text, edit["range"])
        text = text[:start] + edit["newText"] + text[end:]
    return text


def changes(edit: dict[str, Any]) -> list[dict[str, Any]]:
    (document,) = edit["documentChanges"]
    found: list[dict[str, Any]] = document["edits"]
    return found


def serve(path: Path, *arguments: str) -> Iterator[Client]:
    process = subprocess.Popen(
        [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    client = Client(process, path.as_uri())
    try:
        yield client.start()
        assert client.request("shutdown", None) is None
        client.notify("exit", None)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()


def long_text(lines: int) -> str:
    """A specification of many lines that is right."""
    features = [f"  F{i}[c 8, t 4]" for i in range(lines // 5)]
    cells = [
        f"cell A{i}(F{i}, ?) {{\n  S = ?(x, y)\n  T = LinearGLU(x, S)\n}}"
        for i in range(lines // 5)
    ]
    head = ["network n(C = 4, L = 2)", "use bmnas", "pool Sum, LinearGLU", "modality m {"]
    return "\n".join([*head, *features, "}", *cells, "predict 3 classes", ""])
