"""What the page that runs the front end in a browser asks: a text in, values as JSON out.

It stands above everything, like the command line, and says what that says. Nothing here may need a
wheel that is not pure Python: what has none for the browser is in `NATIVE`, and a test has the
modules of these blocked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .cli.screen.show import as_json
from .compiler.check.examine import Examination, examine
from .compiler.diagnostics.diagnostic import Diagnostic, DiagnosticError
from .compiler.diagnostics.explain import explanation
from .compiler.diagnostics.source import Span

if TYPE_CHECKING:
    from .compiler.graph.build import Graph
    from .compiler.language.spec import Spec
    from .compiler.network.network import Network

NATIVE = ("jsonschema", "numpy", "onnx", "onnxruntime", "pyyaml", "safetensors", "graphviz-pure")
"""Packages that Fusewright installs elsewhere and that are left out of the page."""
NAME = "specification.fuse"
"""What diagnostics call the text."""


class Playground:
    """One text and what is known of it; every answer is about the last text."""

    def __init__(self) -> None:
        self._known = _Known("")

    def answer(self, question: str, given: str) -> str:
        """The answer to a question, by its name, as JSON; `given` is its arguments as JSON.

        Where a specification is wrong, or cannot be compiled, the answer is `{"wrong": …}` with its
        diagnostics.
        """
        asked: Callable[..., object] = _QUESTIONS[question]
        try:
            value = asked(self, *json.loads(given))
        except DiagnosticError as error:
            value = {"wrong": [_diagnostic(self._known.text, d) for d in error.diagnostics]}
        return json.dumps(value)

    def diagnose(self, text: str) -> list[dict[str, Any]]:
        """Reads a new text: its diagnostics, each with where it begins and ends, in UTF-16."""
        self._known = _Known(text)
        return [_diagnostic(text, d) for d in self._known.examination.diagnostics]

    def diagram(self, style: str, compact: bool = False) -> dict[str, str]:
        """The picture of the network as DOT, for a Graphviz that knows single fonts alone."""
        from .compiler.targets.diagram import Drawing, dot, style_named

        chosen = style_named(style)
        picture = dot(self._known.graph, Drawing(chosen, compact=compact))
        return {"dot": picture.replace(chosen.font, chosen.measured)}

    def describe(self) -> dict[str, Any]:
        """What `fusewright info` prints: as text, and as numbers."""
        from .compiler.tools.describe import describe, summary

        described = describe(self._known.spec)
        return {"text": summary(described), **described}

    def equations(self) -> list[dict[str, Any]]:
        """The operations in use, each with its equation as MathML and what it costs."""
        from .compiler.targets.page.data import Facts

        known = self._known
        return Facts(known.network, known.graph).operations

    def code(self) -> dict[str, str]:
        """The network as one Python file that needs torch alone; of a search space, none."""
        from .compiler.check.check import require_no_holes
        from .compiler.compile import compile

        require_no_holes(self._known.network)
        return {"python": compile(self._known.spec, "python")}

    def complete(self, text: str, offset: int) -> dict[str, Any]:
        """What can be written at an offset of a text, which may be newer than the last one."""
        from .compiler.check.examine import read_all
        from .lsp.completion import complete

        specs = (read_all(text, NAME, "fuse").spec, self._known.spec)
        found = complete(text, _points(text, offset), specs)
        choices = [
            {
                "label": c.label,
                "kind": c.kind,
                "detail": c.detail,
                "text": c.label if c.text is None else c.text,
                "documentation": c.documentation,
            }
            for c in found.choices
        ]
        return {"start": _units(text, found.start), "choices": choices}

    def hover(self, offset: int) -> dict[str, Any] | None:
        """Markdown about what stands at an offset, and where that begins and ends."""
        from .lsp.documents import examine_document, read_document
        from .lsp.hover import hover

        text = self._known.text
        document = read_document(NAME, 0, text, "utf-16")
        answer = hover(examine_document(document), _points(text, offset))
        if answer is None:
            return None
        return {"markdown": answer[0], **_place(text, answer[1])}

    def format(self, text: str) -> dict[str, str]:
        """The text in its canonical form."""
        from .compiler.syntax.format import format_text

        return {"text": format_text(text, NAME)}

    def explain(self, code: str) -> dict[str, str]:
        """The page of a diagnostic's code, in Markdown."""
        return {"markdown": explanation(code)}


_QUESTIONS: Mapping[str, Callable[..., object]] = {
    "diagnose": Playground.diagnose,
    "diagram": Playground.diagram,
    "describe": Playground.describe,
    "equations": Playground.equations,
    "code": Playground.code,
    "complete": Playground.complete,
    "hover": Playground.hover,
    "format": Playground.format,
    "explain": Playground.explain,
}


class _Known:
    """A text, and what follows from it, found out when it is first asked for."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def examination(self) -> Examination:
        return examine(self.text, NAME, "fuse")

    @property
    def spec(self) -> Spec:
        return self.examination.spec

    @property
    def network(self) -> Network:
        """Raises DiagnosticError where the text has errors."""
        found = self.examination
        if found.network is None or found.errors:
            raise DiagnosticError(found.errors)
        return found.network

    @cached_property
    def graph(self) -> Graph:
        from .compiler.graph.build import build

        return build(self.network)


# Offsets: Python counts characters, JavaScript UTF-16 units


def _diagnostic(text: str, diagnostic: Diagnostic) -> dict[str, Any]:
    fixes = [{"text": e.text, **_place(text, e.span)} for e in diagnostic.fix]
    return {**as_json(diagnostic), **_place(text, diagnostic.span), "edits": fixes}


def _place(text: str, span: Span | None) -> dict[str, int]:
    """Where a span begins and ends in the text; nowhere if it stands in a library."""
    if span is None or span.source.text != text:
        return {"from": 0, "to": 0}
    return {"from": _units(text, span.start), "to": _units(text, span.end)}


def _units(text: str, offset: int) -> int:
    """An offset in characters as one in UTF-16 units."""
    before = text[:offset]
    return offset if before.isascii() else len(before.encode("utf-16-le", "surrogatepass")) // 2


def _points(text: str, offset: int) -> int:
    """An offset in UTF-16 units as one in characters."""
    if text.isascii():
        return offset
    units = text.encode("utf-16-le", "surrogatepass")[: 2 * offset]
    return len(units.decode("utf-16-le", "ignore"))
