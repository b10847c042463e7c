"""The open documents of one client: what was last read and examined, and what is under way.

NOTE: all that stands here belongs to the event loop. One worker beside it examines a document after
every pause in typing, or as soon as an answer waits for it, and each version once, however many
wait. It reads the text first, unless an answer that needs no more than that had it read at once.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams, JsonRpcServerNotInitialized
from pygls.lsp.server import LanguageServer

from ..compiler.diagnostics.text import printable, shortened
from .actions import reports
from .documents import Document, Examined, examine_document, read_document
from .positions import Positions, TextChange


@dataclass(frozen=True, slots=True)
class Version:
    """What the client has."""

    uri: str
    number: int
    text: str = field(repr=False)
    encoding: str

    def read(self, before: Document | None) -> Document:
        """The document; `before` is what was last read of it, which may be this very text."""
        same = before and before.as_version(self.number, self.text)
        return same or read_document(self.uri, self.number, self.text, self.encoding, before)


@dataclass
class _Open:
    """What is known of one document; `wanted` is the version that is being examined."""

    read: Document | None = None
    examined: Examined | None = None
    wanted: Version | None = None
    reading: asyncio.Task[Document] | None = None
    examining: asyncio.Task[Examined] | None = None
    publishing: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """Gives up what is under way: the text is no longer that."""
        for task in (self.publishing, self.examining, self.reading):
            if task is not None:
                task.cancel()
        self.publishing = self.examining = self.reading = self.wanted = None


class Session:
    """The documents that a client has open, by their URI."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self._worker = ThreadPoolExecutor(1)
        self._open: dict[str, _Open] = {}

    @property
    def encoding(self) -> str:
        """The code units that positions count, as client and server agreed."""
        chosen = self._server.workspace.position_encoding
        return str(getattr(chosen, "value", chosen) or "utf-16")

    def version(self, uri: str) -> Version:
        """The document as the client has it now.

        Raises JsonRpcException where it has none of that name open, or has not begun: no file is
        read because a message names it.
        """
        try:
            opened = self._server.workspace.text_documents
        except RuntimeError as error:
            raise JsonRpcServerNotInitialized(message="`initialize` comes first") from error
        now = opened.get(uri)
        if now is None:
            raise JsonRpcInvalidParams(message=f"`{shortened(printable(uri))}` is not open")
        return Version(uri, now.version or 0, now.source, self.encoding)

    # What happens to a document

    def changed(self, uri: str, pause: float) -> None:
        """Publishes the diagnostics of a document once nothing has changed for `pause` seconds."""
        entry = self._known(uri)
        entry.stop()
        entry.publishing = asyncio.get_running_loop().create_task(self._publish(uri, pause))

    def closed(self, uri: str) -> None:
        """Withdraws the diagnostics of a document that is no longer open."""
        self._open.pop(uri, _Open()).stop()
        self._server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))

    # What is known of it

    async def current(self, uri: str) -> Document:
        """The document as it is now, read at once unless that is done or under way."""
        entry, now = self._known(uri), self.version(uri)
        if entry.reading is not None and entry.wanted == now:
            return await asyncio.shield(entry.reading)
        entry.read = now.read(entry.read)
        return entry.read

    def last_read(self, uri: str) -> Document:
        """The version that was read last; the first is read at once."""
        entry = self._known(uri)
        entry.read = entry.read or self.version(uri).read(None)
        return entry.read

    async def examined(self, uri: str) -> Examined:
        """The examination of the document as it is now; raises CancelledError if it changes."""
        entry, now = self._known(uri), self.version(uri)
        same = entry.examined and entry.examined.as_version(now.number, now.text)
        if same:
            entry.examined = same
            return same
        if entry.examining is None or entry.wanted != now:
            loop, entry.wanted = asyncio.get_running_loop(), now
            entry.reading = loop.create_task(self._read(entry, now))
            entry.examining = loop.create_task(self._examine(entry, entry.reading))
        return await asyncio.shield(entry.examining)

    async def last_examined(self, uri: str) -> Examined:
        """The version that was examined last; the first is waited for."""
        return self._known(uri).examined or await self.examined(uri)

    def since(self, document: Document) -> tuple[TextChange, Positions]:
        """What has changed since a version was read, and the positions in the text as it is now."""
        text = self.version(document.uri).text
        if text == document.text:
            return TextChange(len(text), 0, len(text), len(text)), document.positions
        return document.change_to(text), Positions(text, self.encoding)

    def _known(self, uri: str) -> _Open:
        return self._open.setdefault(uri, _Open())

    async def _read(self, known: _Open, version: Version) -> Document:
        loop = asyncio.get_running_loop()
        document = await loop.run_in_executor(self._worker, version.read, known.read)
        known.read = document
        return document

    async def _examine(self, known: _Open, reading: asyncio.Task[Document]) -> Examined:
        document, loop = await reading, asyncio.get_running_loop()
        examination = await loop.run_in_executor(self._worker, examine_document, document)
        known.examined = examination
        return examination

    async def _publish(self, uri: str, pause: float) -> None:
        await asyncio.sleep(pause)
        examination = await self.examined(uri)
        published = lsp.PublishDiagnosticsParams(
            uri, reports(examination), examination.document.version
        )
        self._server.text_document_publish_diagnostics(published)
