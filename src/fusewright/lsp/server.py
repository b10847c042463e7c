"""The language server on standard input and output.

What an answer is made of:

- the text as it is now: formatting, and the place that completion is asked for;
- that text, read at once if it was not yet: the outline, renaming;
- its examination, which is waited for: diagnostics, their fixes, a renaming that leaves errors;
- the last version there is, its places moved past what has changed since: definitions, references
  and the names for completion (the last that was read), hover (the last that was examined).
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, BinaryIO, cast

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from ..compiler.diagnostics.diagnostic import DiagnosticError
from ..compiler.diagnostics.source import Span
from ..compiler.syntax.format import format_text
from .actions import repairs, workspace_edit
from .completion import Choice, complete
from .diagram import diagram, shown_at
from .documents import Document, spelling_in
from .hover import hover
from .navigation import definitions, library_location, outline, references
from .positions import Positions
from .rename import CannotRename, renamable, rename, stem
from .session import Session
from .stream import Input, Output

PAUSE = 0.15
"""Seconds without a change after which a document is examined."""
COLLECT = 100_000
"""Objects made between two looks for cycles, more than one answer makes: trees have none."""
SWITCH = 0.0005
"""Seconds after which an examination lets an answer go first."""


def create_server() -> LanguageServer:
    """A server with every feature, ready to be started."""
    server = LanguageServer(
        "fusewright", version("fusewright"), text_document_sync_kind=lsp.TextDocumentSyncKind.Full
    )
    session = Session(server)
    for register in (_synchronise, _explain, _draw, _navigate, _rename, _edit):
        register(server, session)
    return server


def serve() -> None:
    """Serves one client on standard input and output until it leaves.

    Exits with 1 where what it sent was cut off or longer than any message.
    """
    sys.setswitchinterval(SWITCH)
    server = create_server()
    gc.freeze()
    gc.set_threshold(COLLECT)
    output = Output(sys.stdout.buffer)
    given = Input(sys.stdin.buffer, output)
    server.start_io(cast(BinaryIO, given), cast(BinaryIO, output))
    if output.is_closed:
        sys.stdout = None
    if given.fault:
        print(f"the client is gone: {given.fault}", file=sys.stderr)
        raise SystemExit(1)


def _synchronise(server: LanguageServer, session: Session) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        session.changed(params.text_document.uri, 0)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        session.changed(params.text_document.uri, PAUSE)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        session.closed(params.text_document.uri)

    _ = opened, changed, closed


def _explain(server: LanguageServer, session: Session) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    async def shown(params: lsp.HoverParams) -> lsp.Hover | None:
        examined = await session.last_examined(params.text_document.uri)
        if examined.document.spelling != "fuse":
            return None
        change, positions = session.since(examined.document)
        answer = hover(examined, change.to_old(positions.offset(params.position)))
        if answer is None:
            return None
        text, span = answer
        place = positions.range(change.to_new(span.start), change.to_new(span.end))
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text), place)

    options = lsp.CompletionOptions(trigger_characters=[*" .([{,=|`@"])

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, options)
    def offered(params: lsp.CompletionParams) -> lsp.CompletionList | None:
        document = session.last_read(params.text_document.uri)
        if document.spelling != "fuse":
            return None
        _, positions = session.since(document)
        offset = positions.offset(params.position)
        completion = complete(positions.text, offset, document.specs)
        place = lsp.Range(positions.position(completion.start), params.position)
        return lsp.CompletionList(False, [_item(choice, place) for choice in completion.choices])

    _ = shown, offered


def _draw(server: LanguageServer, session: Session) -> None:
    """A request of our own: the diagram, and which of its parts stand at a position."""

    @server.feature("fusewright/diagram")
    async def drawn(params: Any) -> dict[str, Any]:
        examined = await session.examined(params.textDocument.uri)
        position = lsp.Position(params.position.line, params.position.character)
        place = examined.document.positions.offset(position)
        loop = asyncio.get_running_loop()
        try:
            picture = await loop.run_in_executor(None, diagram, examined, bool(params.dark))
        except DiagnosticError as error:
            raise JsonRpcInvalidParams(str(error)) from None
        return {"svg": picture, "at": shown_at(examined, place)}

    _ = drawn


def _item(choice: Choice, place: lsp.Range) -> lsp.CompletionItem:
    text = choice.label if choice.text is None else choice.text
    documentation = None
    if choice.documentation:
        documentation = lsp.MarkupContent(lsp.MarkupKind.Markdown, choice.documentation)
    return lsp.CompletionItem(
        choice.label,
        kind=lsp.CompletionItemKind[choice.kind],
        detail=choice.detail or None,
        documentation=documentation,
        filter_text=text,
        text_edit=lsp.TextEdit(place, text),
    )


def _navigate(server: LanguageServer, session: Session) -> None:
    def places(
        uri: str, position: lsp.Position, find: Callable[[Document, int], Sequence[Span]]
    ) -> list[lsp.Location]:
        document = session.last_read(uri)
        if document.spelling != "fuse":
            return []
        change, positions = session.since(document)
        offset = change.to_old(positions.offset(position))
        return [
            lsp.Location(
                document.uri, positions.range(change.to_new(s.start), change.to_new(s.end))
            )
            for s in find(document, offset)
        ]

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def declared(params: lsp.DefinitionParams) -> list[lsp.Location]:
        locations: list[lsp.Location] = []

        def here(document: Document, offset: int) -> list[Span]:
            own, elsewhere = definitions(document, offset)
            locations.extend(library_location(*place, session.encoding) for place in elsewhere)
            return own

        return [*places(params.text_document.uri, params.position, here), *locations]

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    def used(params: lsp.ReferenceParams) -> list[lsp.Location]:
        def everywhere(document: Document, offset: int) -> list[Span]:
            return references(document, offset, params.context.include_declaration)

        return places(params.text_document.uri, params.position, everywhere)

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def outlined(params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        document = await session.current(params.text_document.uri)
        return outline(document) if document.spelling == "fuse" else []

    _ = declared, used, outlined


def _rename(server: LanguageServer, session: Session) -> None:
    async def place(uri: str, position: lsp.Position) -> tuple[Document, int]:
        document = await session.current(uri)
        if document.spelling != "fuse":
            raise JsonRpcInvalidParams("names are renamed in `.fuse` texts only")
        return document, document.positions.offset(position)

    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    async def prepared(params: lsp.PrepareRenameParams) -> lsp.PrepareRenamePlaceholder:
        document, offset = await place(params.text_document.uri, params.position)
        try:
            occurrence = renamable(document, offset)
        except CannotRename as error:
            raise JsonRpcInvalidParams(str(error)) from None
        span = document.positions.of(stem(occurrence))
        return lsp.PrepareRenamePlaceholder(span, occurrence.symbol.name)

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    async def renamed(params: lsp.RenameParams) -> lsp.WorkspaceEdit:
        uri = params.text_document.uri
        document, offset = await place(uri, params.position)
        try:
            renaming = rename(document, offset, params.new_name)
            wrong = renaming.after.errors and (await session.examined(uri)).examination.errors
            renaming.require_sound(wrong)
        except CannotRename as error:
            raise JsonRpcInvalidParams(str(error)) from None
        return workspace_edit(document, renaming.edits)

    _ = prepared, renamed


def _edit(server: LanguageServer, session: Session) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    def formatted(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
        uri, now = params.text_document.uri, session.version(params.text_document.uri)
        if spelling_in(uri, now.text) != "fuse":
            return None
        try:
            text = format_text(now.text, uri)
        except DiagnosticError:
            return None
        whole = Positions(now.text, now.encoding).range(0, len(now.text))
        return [] if text == now.text else [lsp.TextEdit(whole, text)]

    kinds = lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix])

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, kinds)
    async def repaired(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        examination = await session.examined(params.text_document.uri)
        positions = examination.document.positions
        start, end = positions.offset(params.range.start), positions.offset(params.range.end)
        return list(repairs(examination, start, end))

    _ = formatted, repaired
