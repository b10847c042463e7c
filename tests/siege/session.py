"""A session with the language server: its messages, and the server that is fed with them."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import threading
from collections.abc import Sequence
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from pygls.io_ import run_async
from pygls.lsp.server import LanguageServer
from pygls.protocol import default_converter

import fusewright.lsp.server as language_server

from ..support.lsp_documents import TEXT
from .mutations.tree import mutated_tree

URI = "file:///a.fuse"
MOST_WAIT = 5.0
_QUICK = partial(LanguageServer, converter_factory=cache(default_converter))
"""A server that does not compile again how messages are read, which is most of its start."""
_PLACE = {"textDocument": {"uri": URI}, "position": {"line": 8, "character": 4}}
_RANGE = {"start": {"line": 0, "character": 0}, "end": {"line": 30, "character": 0}}
_REQUESTS: Sequence[tuple[str, dict[str, Any]]] = (
    ("hover", {}),
    ("completion", {}),
    ("definition", {}),
    ("references", {"context": {"includeDeclaration": True}}),
    ("documentSymbol", {}),
    ("prepareRename", {}),
    ("rename", {"newName": "renamed"}),
    ("formatting", {"options": {"tabSize": 2, "insertSpaces": True}}),
    ("codeAction", {"range": _RANGE, "context": {"diagnostics": []}}),
)


def _message(method: str, parameters: Any, **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": parameters, **more}


def _document(text: str, version: int) -> dict[str, Any]:
    return {"uri": URI, "languageId": "fuse", "version": version, "text": text}


MESSAGES: Sequence[dict[str, Any]] = (
    _message("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, id=0),
    _message("initialized", {}),
    _message("textDocument/didOpen", {"textDocument": _document(TEXT, 1)}),
    *(
        _message(f"textDocument/{name}", {**_PLACE, **more}, id=number)
        for number, (name, more) in enumerate(_REQUESTS, 1)
    ),
    _message(
        "textDocument/didChange",
        {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [{"text": TEXT[:200]}]},
    ),
    *(
        _message(f"textDocument/{name}", {**_PLACE, **more}, id=20 + number)
        for number, (name, more) in enumerate(_REQUESTS)
    ),
    _message("textDocument/didClose", {"textDocument": {"uri": URI}}),
)


def framed(messages: Sequence[Any]) -> bytes:
    """Messages as they go over the wire."""
    bodies = [json.dumps(message).encode() for message in messages]
    return b"".join(b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies)


def mutated_session(original: bytes, random: Random) -> bytes:
    """A session in which some messages say something else, go astray, or come in another order."""
    bodies = re.split(rb"Content-Length: \d+\r\n\r\n", original)[1:]
    messages = [json.loads(body) for body in bodies]
    for _ in range(random.choice((1, 1, 2, 5))):
        at, other = random.randrange(len(messages)), random.randrange(len(messages))
        match random.choice(("change", "change", "change", "place", "drop", "swap", "double")):
            case "place":
                _move(messages[at], random)
            case "drop" if len(messages) > 1:
                del messages[at]
            case "swap":
                messages[at], messages[other] = messages[other], messages[at]
            case "double":
                messages.insert(at, messages[other])
            case _:
                messages[at] = mutated_tree(messages[at], random)
    return framed(messages)


def _move(message: Any, random: Random) -> None:
    """Asks for another place, which may be none."""
    parameters = message.get("params") if isinstance(message, dict) else None
    if isinstance(parameters, dict) and "position" in parameters:
        numbers = (0, 1, 2, 3, 5, 8, 13, 21, 34, 500, -1, 2**31 - 1, 2**40)
        parameters["position"] = {
            "line": random.choice(numbers),
            "character": random.choice(numbers),
        }


class _Failures(logging.Handler):
    """What a server logs of exceptions that came from the project's own files."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = logging.Formatter().format(record)
        own = re.search(r'File ".*/fusewright/', text)
        if own and "Traceback" in text and "JsonRpc" not in text.splitlines()[-1]:
            self.texts.append(text)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._stream = BytesIO(data)

    async def readline(self) -> bytes:
        await asyncio.sleep(0)
        return self._stream.readline()

    async def readexactly(self, n: int) -> bytes:
        return self._stream.read(n)


class _Writer:
    def write(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass


def serve(file: str) -> None:
    """Feeds a server with the messages in a file; raises AssertionError where it fails at one."""
    failures = _Failures()
    logger = logging.getLogger("pygls")
    logger.addHandler(failures)
    logger.propagate = False
    try:
        asyncio.run(_served(Path(file).read_bytes()))
    except SystemExit:  # a client said so
        pass
    finally:
        logger.removeHandler(failures)
    assert not failures.texts, failures.texts[0]


async def _served(data: bytes) -> None:
    with patch.object(language_server, "LanguageServer", _QUICK):
        server = language_server.create_server()
    server.protocol.set_writer(_Writer())
    await run_async(threading.Event(), _Reader(data), server.protocol)
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    if rest:
        await asyncio.wait(rest, timeout=MOST_WAIT)
