"""Documents as JSON and YAML, and diagnostics in them, for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import jsonschema
import pytest

from fusewright.compiler.diagnostics.diagnostic import Diagnostic, DiagnosticError
from fusewright.compiler.diagnostics.source import Span
from fusewright.compiler.documents.spellings import Spelling, loads
from fusewright.compiler.documents.writer import to_json, to_yaml
from fusewright.compiler.language.spec import Spec
from fusewright.grammars import read

STRANGE = r"""
fuse 1
network `1e5`(C = 192, dropout = 1e-5, big = 1e300, less = -3, `null` = 2, `<<` = 3, `a: b` = 4)
use bmnas
use `*x`
op `yes`(`*x`, *`*y`, a = -2, b = 1e-5) {
  g = sigmoid(`*x` @ G[_, C]); w[1] = ones; v[C] = -0.5
  return g * tanh(`*x`)
}
op Less(`*x`) = -`*x` + (1 - 2) / concat(`*x`, over = (length, channels))
role adapt(f) for `3 x` = resample(f) @ W[c, C] + b[C]
modality image optional from "a\u0000b\n\u2028\ufeff'x' # é😀" {
  Image_1[c 512, h 28, w `no`] at "features.26"
  `*x`[t *, c C]
  `- a`
  `true`[c 1]
  `"q" 'r' \ é 😀 日本`[c 5]
}
modality empty {}
pool Sum, MHA(heads = 4, k = C), fusion.GMU, `a.b`, `x`.`y z`(q = 1.5)
cell Cell[2](?, {`*x` | `true`}, query = Image_1, k = ?, v = {a}) {
  Step[n] = ?(?, x)
  Two = {Sum | MHA(heads = 2)}(x, {a | b}, y)
  Three = MHA(x, y, heads = 8)
  return Two, Three
}
cell Empty() {}
output Cell_1, `~`
require fresh_input
require parameters < 1M
require macs <= 1e300
require latency < 2.5ms
predict `K` classes { walk, `null`, `1`, `-1e-5`, `: `, `? x`, `{a}`, `  lead`, `a #b` }
"""


def diagnostics(text: str, spelling: Spelling | None = None) -> Sequence[Diagnostic]:
    with pytest.raises(DiagnosticError) as caught:
        loads(text, "t", spelling)
    return caught.value.diagnostics


def the_diagnostic(text: str, spelling: Spelling | None = None) -> Diagnostic:
    (found,) = diagnostics(text, spelling)
    return found


def span_of(diagnostic: Diagnostic) -> Span:
    assert diagnostic.span is not None
    return diagnostic.span


def marked(span: Span | None) -> str:
    """The characters that a span marks."""
    assert span is not None
    return span.source.text[span.start : span.end]


def assert_round_trips(spec: Spec) -> None:
    for text in (to_json(spec), to_yaml(spec)):
        assert loads(text) == spec
    jsonschema.Draft202012Validator(schema()).validate(json.loads(to_json(spec)))


def schema() -> Any:
    return json.loads(read("fuse.schema.json"))
