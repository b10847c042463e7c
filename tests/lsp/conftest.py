"""The language server, started once for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..support.language_client import Client, serve
from ..support.lsp_documents import TEXT


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    yield from serve(tmp_path_factory.mktemp("lsp") / "a.fuse", "-m", "fusewright.lsp")


@pytest.fixture
def client(server: Client) -> Iterator[Client]:
    """The client with the text open and examined."""
    assert server.open(TEXT) == []
    yield server
    server.notify("textDocument/didClose", {"textDocument": {"uri": server.uri}})
