"""DOT: its text, safely written, and the programs that draw it.

NOTE: what a specification names enters a picture through `text`, `tooltip` and `node` alone. None
of them leaves it a way to end a string or a label, and so to set an attribute of its own.
"""

from __future__ import annotations

import html
import shutil
import subprocess
import unicodedata
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import quote

from graphviz.backend import dot_command, execute

from ..diagnostics import DiagnosticError, fail

Look: TypeAlias = Mapping[str, object]
"""Attributes of a node, an edge or a cluster."""

FONT = "Helvetica,Arial,sans-serif"
MEASURED_FONT = "Helvetica"
LONGEST_NAME = 28
SECONDS = 60
MOST_STATEMENTS = 20_000
PIXELS_PER_INCH = 200

_DRAWN = ("svg", "png", "pdf")
_SYSTEM, _BUNDLED = "dot", "graphviz-pure"


# Text


def text(name: str) -> str:
    """A name as text of an HTML-like label, its middle left out where it is long.

    A backslash begins an escape there too. A name written from right to left is isolated, so that
    it does not turn round what stands beside it.
    """
    shown = printable(shortened(name))
    if any(unicodedata.bidirectional(c) in ("R", "AL") for c in shown):
        shown = f"\N{FIRST STRONG ISOLATE}{shown}\N{POP DIRECTIONAL ISOLATE}"
    return html.escape(shown).replace("\\", "\\\\")


def tooltip(name: str) -> str:
    """A name as a tooltip, from which Graphviz takes escapes twice."""
    return html.escape(printable(name)).replace("\\", "\\\\\\\\")


def node(name: str) -> str:
    """A node of the Graph as a node of the picture: what means something in DOT or XML as %XX.

    No two become one: in a node of the Graph, every % already begins such a code. Graphviz takes a
    name that begins with % for one of its own, so an & stands before it, as in no other place.
    """
    found = "".join(
        c if c.isprintable() and c not in '<>&"\\' else quote(c, safe="", errors="surrogatepass")
        for c in name
    )
    return f"&{found}" if found.startswith("%") else found


def shortened(name: str) -> str:
    """A name without its middle where it is long; characters of East Asia are twice as wide."""
    is_wide = any(unicodedata.east_asian_width(c) in ("W", "F") for c in name)
    longest = LONGEST_NAME // (2 if is_wide else 1)
    half = longest // 2
    return name if len(name) <= longest else f"{name[:half]}…{name[1 - half :]}"


def printable(name: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)


def quoted(value: object) -> str:
    """A string of DOT, in which the quote alone has to be escaped."""
    escaped = str(value).replace('"', '\\"')
    return f'"{escaped}"'


def attributes(look: Look, label: str | None = None) -> str:
    """`[label=<…>, key="value", …]`; the label is HTML-like."""
    listed = [] if label is None else [f"label=<{label}>"]
    listed += [f"{key}={quoted(value)}" for key, value in look.items()]
    return f"[{', '.join(listed)}]"


def box(name: str, label: str, tip: str, look: Look) -> str:
    return f"{quoted(node(name))} {attributes({**look, 'tooltip': tooltip(tip)}, label)};"


def edge(tail: str, head: str, look: Look = MappingProxyType({}), port: str = "") -> str:
    return f"{quoted(node(tail))} -> {quoted(node(head))}{port} {attributes(look)};"


def same_rank(names: Sequence[str]) -> str:
    return f'{{ rank="same"; {"; ".join(quoted(node(n)) for n in names)}; }}'


# Programs


FORMATS = ("dot", *_DRAWN)
"""What a picture can be written in; `dot` is the text itself."""


def formats() -> tuple[str, ...]:
    """The formats that the programs which are installed here can write."""
    return tuple(f for f in FORMATS if f == "dot" or _programs(f))


def draw(source: str, format: str) -> bytes:
    """A DOT text as a file of a format, by the first program that can.

    Raises DiagnosticError where none can, and where it takes longer than `SECONDS`.
    """
    if format == "dot":
        return source.encode()
    if format not in _DRAWN:
        known = ", ".join(f"`{f}`" for f in FORMATS)
        raise fail("E506", f"unknown format of a diagram `{format}`", help=f"formats are {known}")
    if source.count("\n") > MOST_STATEMENTS:
        raise too_large()
    failure: DiagnosticError | None = None
    for program in _programs(format):
        try:
            return _draw(program, source, format)
        except (execute.CalledProcessError, execute.ExecutableNotFound, OSError) as error:
            failure = fail("E509", f"`{program}` does not work", help=f"reinstall it: {error}")
        except subprocess.TimeoutExpired:
            raise too_large() from None
    raise failure or _nothing_draws(format)


def _draw(program: str, source: str, format: str) -> bytes:
    command = [program, *dot_command.command("dot", format)[1:]]
    if format == "png":
        command.append(f"-Gdpi={PIXELS_PER_INCH}")
    if Path(program).stem == _BUNDLED:
        # It knows the widths of single families only, and takes those of Times for a list.
        source = source.replace(f"fontname={quoted(FONT)}", f"fontname={quoted(MEASURED_FONT)}")
    done = execute.run_check(
        command, input=source.encode(), capture_output=True, timeout=SECONDS, quiet=True
    )
    drawn: bytes = done.stdout
    return drawn


def _programs(format: str) -> list[str]:
    """The programs that write a format: the system's Graphviz, then the one that pip brings."""
    found = [shutil.which(_SYSTEM), _bundled() if format != "pdf" else None]
    return [program for program in found if program]


def _bundled() -> str | None:
    """Where pip put the program, which need not be on the PATH."""
    try:
        installed = files(_BUNDLED) or ()
    except PackageNotFoundError:
        return None
    return next((str(f.locate()) for f in installed if f.stem == _BUNDLED), None)


def too_large() -> DiagnosticError:
    remedy = "write it as `dot`, or draw fewer Cells, Steps or features"
    return fail("E308", "the diagram is too large to be laid out", help=remedy)


def _nothing_draws(format: str) -> DiagnosticError:
    if format == "pdf":
        message = "no program that draws PDF is installed"
        remedy = "install Graphviz (`apt install graphviz`, `brew install graphviz`), or write SVG"
    else:
        message = f"no program that draws {format.upper()} is installed"
        remedy = f"`pip install {_BUNDLED}`"
    return fail("E509", message, help=remedy)
