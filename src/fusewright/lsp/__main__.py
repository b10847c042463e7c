"""`python -m fusewright.lsp`: the language server on standard input and output."""

from .server import serve

if __name__ == "__main__":
    serve()
