"""Messages to the language server."""

from __future__ import annotations

from ..mutations import either
from ..mutations.raw import mutated_bytes
from ..readers import Call
from ..session import mutated_session, serve
from ..target import Case, Kind

KINDS = (
    Kind(
        "messages",
        either(mutated_session, mutated_session, mutated_session, mutated_session, mutated_bytes),
        [Case("session.lsp", [Call(serve)])],
    ),
)
