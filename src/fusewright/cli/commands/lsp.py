"""The command that editors start."""

from __future__ import annotations

from ..app import app


@app.command()
def lsp() -> None:
    """Serve editors on standard input and output: the language server protocol."""
    from ...compiler.diagnostics.diagnostic import fail

    try:
        from ...lsp.server import serve
    except ModuleNotFoundError as error:
        if error.name not in ("pygls", "lsprotocol"):
            raise
        message = "the language server needs `pygls`, which is not installed"
        raise fail("E509", message, help="install it: `pip install pygls`") from None
    serve()
