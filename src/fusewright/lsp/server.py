"""The language server on standard input and output.

A document is examined after every pause in typing, in a thread of its own. What an editor asks for
in between is answered from the last examination, its offsets moved past what has changed since.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from ..compiler.diagnostics import DiagnosticError
from ..compiler.format import format_text
from ..compiler.source import Span
from .actions import repairs, reports, workspace_edit
from .completion import Choice, complete
from .documents import Document, read_document
from .hover import hover
from .navigation import definitions, library_location, outline, references
from .positions import Change, Positions
from .rename import CannotRename, renamable, rename, stem

PAUSE = 0.15
"""Seconds without a change after which a document is examined."""
COLLECT = 100_000
"""Objects made between two looks for cycles, more than one answer makes: trees have none."""
SWITCH = 0.0005
"""Seconds after which an examination lets an answer go first."""


@dataclass
class Documents:
    """The open documents of one session, and the examinations under way.

    `known` are the last versions that were examined, `read` the last that were read.
    """

    server: LanguageServer
    known: dict[str, Document] = field(default_factory=dict[str, Document])
    read: dict[str, Document] = field(default_factory=dict[str, Document])
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, "asyncio.Task[None]"])
    workers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    @property
    def encoding(self) -> str:
        chosen = self.server.workspace.position_encoding
        return str(getattr(chosen, "value", chosen) or "utf-16")

    def text(self, uri: str) -> str:
        return self.server.workspace.get_text_document(uri).source

    def changed(self, uri: str, pause: float) -> None:
        """Examines a document once nothing has changed for a while."""
        self.forget(uri)
        self.tasks[uri] = asyncio.get_running_loop().create_task(self._examine(uri, pause))

    def forget(self, uri: str) -> None:
        task = self.tasks.pop(uri, None)
        if task is not None:
            task.cancel()

    def closed(self, uri: str) -> None:
        """Withdraws the diagnostics of a document that is no longer open."""
        self.forget(uri)
        self.known.pop(uri, None)
        self.read.pop(uri, None)
        self.server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))

    def latest(self, uri: str) -> tuple[Document, Change, Positions]:
        """The last examination of a document, and what has changed since; the first is made now."""
        if uri not in self.known:
            self.known[uri] = self.current(uri).examined()
        document, text = self.known[uri], self.text(uri)
        if document.text == text:
            return document, Change(len(text), 0, len(text), len(text)), document.positions
        return document, document.change_to(text), Positions(text, self.encoding)

    def current(self, uri: str) -> Document:
        """The document as it is now: read, and examined as far as it is asked."""
        now = self.server.workspace.get_text_document(uri)
        document = self.read.get(uri)
        if document is None or document.text != now.source:
            version, known = now.version or 0, self.known.get(uri)
            document = read_document(uri, version, now.source, self.encoding, known)
            self.read[uri] = document
        return document

    async def _examine(self, uri: str, pause: float) -> None:
        await asyncio.sleep(pause)
        version = self.server.workspace.get_text_document(uri).version
        loop = asyncio.get_running_loop()
        document = await loop.run_in_executor(self.workers, self.current(uri).examined)
        self.known[uri] = document
        found = lsp.PublishDiagnosticsParams(uri, reports(document), version)
        self.server.text_document_publish_diagnostics(found)


def create_server() -> LanguageServer:
    """A server with every feature, ready to be started."""
    server = LanguageServer(
        "fusewright", version("fusewright"), text_document_sync_kind=lsp.TextDocumentSyncKind.Full
    )
    documents = Documents(server)
    for register in (_synchronise, _explain, _navigate, _rename, _edit):
        register(server, documents)
    return server


def serve() -> None:
    """Serves one client on standard input and output until it leaves."""
    sys.setswitchinterval(SWITCH)
    server = create_server()
    gc.freeze()
    gc.set_threshold(COLLECT)
    server.start_io()


def _synchronise(server: LanguageServer, documents: Documents) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        documents.changed(params.text_document.uri, 0)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        documents.changed(params.text_document.uri, PAUSE)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        documents.closed(params.text_document.uri)

    _ = opened, changed, closed


def _explain(server: LanguageServer, documents: Documents) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def shown(params: lsp.HoverParams) -> lsp.Hover | None:
        document, change, positions = documents.latest(params.text_document.uri)
        if document.spelling != "fuse":
            return None
        found = hover(document, change.to_old(positions.offset(params.position)))
        if found is None:
            return None
        text, span = found
        place = positions.range(change.to_new(span.start), change.to_new(span.end))
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text), place)

    options = lsp.CompletionOptions(trigger_characters=[*" .([{,=|`@"])

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, options)
    def offered(params: lsp.CompletionParams) -> lsp.CompletionList | None:
        document, _, positions = documents.latest(params.text_document.uri)
        if document.spelling != "fuse":
            return None
        offset = positions.offset(params.position)
        found = complete(positions.text, offset, document.specs)
        place = lsp.Range(positions.position(found.start), params.position)
        return lsp.CompletionList(False, [_item(choice, place) for choice in found.choices])

    _ = shown, offered


def _item(choice: Choice, place: lsp.Range) -> lsp.CompletionItem:
    text = choice.label if choice.text is None else choice.text
    documentation = None
    if choice.documentation:
        documentation = lsp.MarkupContent(lsp.MarkupKind.Markdown, choice.documentation)
    return lsp.CompletionItem(
        choice.label,
        kind=choice.kind,
        detail=choice.detail or None,
        documentation=documentation,
        filter_text=text,
        text_edit=lsp.TextEdit(place, text),
    )


def _navigate(server: LanguageServer, documents: Documents) -> None:
    def places(
        uri: str, position: lsp.Position, find: Callable[[Document, int], Sequence[Span]]
    ) -> list[lsp.Location]:
        document, change, positions = documents.latest(uri)
        if document.spelling != "fuse":
            return []
        offset = change.to_old(positions.offset(position))
        return [
            lsp.Location(
                document.uri, positions.range(change.to_new(s.start), change.to_new(s.end))
            )
            for s in find(document, offset)
        ]

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def declared(params: lsp.DefinitionParams) -> list[lsp.Location]:
        found: list[lsp.Location] = []

        def here(document: Document, offset: int) -> list[Span]:
            own, elsewhere = definitions(document, offset)
            found.extend(library_location(*place, documents.encoding) for place in elsewhere)
            return own

        return [*places(params.text_document.uri, params.position, here), *found]

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    def used(params: lsp.ReferenceParams) -> list[lsp.Location]:
        def everywhere(document: Document, offset: int) -> list[Span]:
            return references(document, offset, params.context.include_declaration)

        return places(params.text_document.uri, params.position, everywhere)

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def outlined(params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        document = documents.current(params.text_document.uri)
        return outline(document) if document.spelling == "fuse" else []

    _ = declared, used, outlined


def _rename(server: LanguageServer, documents: Documents) -> None:
    def place(uri: str, position: lsp.Position) -> tuple[Document, int]:
        document = documents.current(uri)
        if document.spelling != "fuse":
            raise JsonRpcInvalidParams("names are renamed in `.fuse` texts only")
        return document, document.positions.offset(position)

    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepared(params: lsp.PrepareRenameParams) -> lsp.PrepareRenamePlaceholder:
        document, offset = place(params.text_document.uri, params.position)
        try:
            occurrence = renamable(document, offset)
        except CannotRename as error:
            raise JsonRpcInvalidParams(str(error)) from None
        span = document.positions.of(stem(occurrence))
        return lsp.PrepareRenamePlaceholder(span, occurrence.symbol.name)

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    def renamed(params: lsp.RenameParams) -> lsp.WorkspaceEdit:
        document, offset = place(params.text_document.uri, params.position)
        try:
            edits = rename(document, offset, params.new_name)
        except CannotRename as error:
            raise JsonRpcInvalidParams(str(error)) from None
        return workspace_edit(document, edits)

    _ = prepared, renamed


def _edit(server: LanguageServer, documents: Documents) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    def formatted(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
        document = documents.current(params.text_document.uri)
        if document.spelling != "fuse":
            return None
        try:
            text = format_text(document.text, document.uri)
        except DiagnosticError:
            return None
        whole = document.positions.range(0, len(document.text))
        return [] if text == document.text else [lsp.TextEdit(whole, text)]

    kinds = lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix])

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, kinds)
    def repaired(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        document = documents.current(params.text_document.uri)
        positions = document.positions
        start, end = positions.offset(params.range.start), positions.offset(params.range.end)
        return list(repairs(document, start, end))

    _ = formatted, repaired
