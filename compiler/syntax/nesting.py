"""Whether brackets stand within each other too deep, before anything else is asked of a text.

NOTE: the parser and the recovery from errors take long over a million open brackets, so a text with
so many is refused at the first that is too deep. As for recovery, a statement at the beginning of a
line closes what those above it left open.
"""

from __future__ import annotations

import re

from ..diagnostics.diagnostic import DiagnosticError, fail
from ..diagnostics.source import Source, Span
from ..language.limits import DEEPEST
from ..language.nodes import STATEMENTS

MOST_OPEN = 10 * DEEPEST
"""Brackets that may be open: more than there are levels, since some lines may not close theirs."""
_PIECE = re.compile(
    r'"(?:\\.|[^"\\\n])*"?|`[^`\n]*`?|#[^\n]*|[{}()\[\]]'
    rf'|^(?:{"|".join(STATEMENTS)})[ \t]+[\w`"?]',
    re.MULTILINE,
)


def too_deep(place: Span | None) -> DiagnosticError:
    """What is said where a text is nested too deep, to be raised by the caller."""
    remedy = "name parts of the equation: `{ part = …; return … }`"
    return fail("E003", f"the text is nested more than {DEEPEST} deep", place, help=remedy)


def require_shallow(source: Source, place: Span | None = None) -> None:
    """Raises DiagnosticError (E003) at a bracket that is too deep, or at the text's `place`."""
    text, depth = source.text, 0
    if sum(map(text.count, "{([")) <= MOST_OPEN:
        return
    for piece in _PIECE.finditer(text):
        start = piece.start()
        match text[start]:
            case "{" | "(" | "[":
                depth += 1
            case "}" | ")" | "]":
                depth -= 1
            case '"' | "`" | "#":
                pass
            case _:
                depth = 0
        if depth > MOST_OPEN:
            raise too_deep(place or Span(source, start, start + 1))
