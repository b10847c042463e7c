"""The command line's application with all its commands."""

from __future__ import annotations

from fusewright.cli.commands import application

app = application()
