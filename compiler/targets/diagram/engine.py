"""The programs that draw DOT: the system's Graphviz, and the one that pip brings."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, files
from itertools import product
from pathlib import Path

from graphviz.backend import dot_command, execute

from ...diagnostics.diagnostic import DiagnosticError, fail
from .statements import quoted
from .styles import Style
from .tikz import tikz

SECONDS = 60
MOST_STATEMENTS = 20_000
PIXELS_PER_INCH = 300

_DRAWN = ("svg", "png", "pdf")
_SYSTEM, _BUNDLED = "dot", "graphviz-pure"

_SET = ("tikz", "tex")
"""What LaTeX reads: a picture to be input, and a document that is one."""
FORMATS = ("dot", *_DRAWN, *_SET)
"""What a picture can be written in; `dot` is the text itself."""
_STRING = r'"(?:[^"\\]|\\.)*"'
_GROUP = re.compile(rf"({_STRING})|, group={_STRING}")
"""What keeps boxes in one line, and other strings, which may hold anything."""


def formats() -> tuple[str, ...]:
    """The formats that the programs which are installed here can write, but those for LaTeX."""
    return ("dot", *(f for f in _DRAWN if _programs(f)))


def draw(source: str, format: str, style: Style) -> bytes:
    """A DOT text as a file of a format, by the first program that can.

    NOTE: Nodes in groups make Graphviz fail at a few graphs, one of thousands of random ones
    ("trouble in init_rank"). These are laid out without groups.

    Raises DiagnosticError where none can, and where it takes longer than `SECONDS`.
    """
    if format == "dot":
        return source.encode()
    if format in _SET:
        return tikz(draw(source, "svg", style), document=format == "tex").encode()
    if format not in _DRAWN:
        names = ", ".join(f"`{f}`" for f in FORMATS)
        raise fail("E506", f"unknown format of a diagram `{format}`", help=f"formats are {names}")
    if source.count("\n") > MOST_STATEMENTS:
        raise too_large()
    failure: DiagnosticError | None = None
    texts = (source, _GROUP.sub(lambda found: found[1] or "", source))
    for text, program in product(texts, _programs(format)):
        try:
            return _draw(program, text, format, style)
        except (execute.CalledProcessError, execute.ExecutableNotFound, OSError) as error:
            failure = fail("E509", f"`{program}` does not work", help=f"reinstall it: {error}")
        except subprocess.TimeoutExpired:
            raise too_large() from None
    raise failure or _nothing_draws(format)


def _draw(program: str, source: str, format: str, style: Style) -> bytes:
    command = [program, *map(str, dot_command.command("dot", format)[1:])]
    if format == "png":
        command.append(f"-Gdpi={PIXELS_PER_INCH}")
    if Path(program).stem == _BUNDLED:
        # It knows the widths of single families only, and takes those of Times for a list.
        listed, single = (f"fontname={quoted(f)}" for f in (style.font, style.measured))
        source = source.replace(listed, single)
    if format == "pdf":
        # Without a second pass, a page has half an inch around what was asked for; said to the
        # first, `margin` would have Cells touch each other.
        source = _run([program, "-Kdot", "-Tdot"], source).decode()
        command = [program, "-Kneato", "-n2", "-Tpdf", "-Gmargin=0"]
    return _run(command, source)


def _run(command: Sequence[str], source: str) -> bytes:
    done = execute.run_check(
        command, input=source.encode(), capture_output=True, timeout=SECONDS, quiet=True
    )
    written: bytes = done.stdout
    return written


def _programs(format: str) -> list[str]:
    """The programs that write a format: the system's Graphviz, then the one that pip brings."""
    programs = [shutil.which(_SYSTEM), _bundled() if format != "pdf" else None]
    return [program for program in programs if program]


def _bundled() -> str | None:
    """Where pip put the program, which need not be on the PATH."""
    try:
        installed = files(_BUNDLED) or ()
    except PackageNotFoundError:
        return None
    return next((str(f.locate()) for f in installed if f.stem == _BUNDLED), None)


def too_large() -> DiagnosticError:
    remedy = "draw it compactly, draw one Cell, or write it as `dot`"
    return fail("E308", "the diagram is too large to be laid out", help=remedy)


def _nothing_draws(format: str) -> DiagnosticError:
    if format == "pdf":
        message = "no program that draws PDF is installed"
        remedy = "install Graphviz (`apt install graphviz`, `brew install graphviz`), or write SVG"
    else:
        message = f"no program that draws {format.upper()} is installed"
        remedy = f"`pip install {_BUNDLED}`"
    return fail("E509", message, help=remedy)
