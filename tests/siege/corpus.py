"""Specifications that are mutated: the examples, and random programs that are always the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from hypothesis import HealthCheck, Phase, given, seed, settings

from fusewright.compiler.documents.writer import document_of
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.syntax.parse import parse

from ..support.paths import EXAMPLES
from ..support.programs import written_specs

RANDOM_PROGRAMS = 40


@dataclass(frozen=True)
class Corpus:
    """Texts of `.fuse` files, and documents of JSON."""

    texts: Sequence[bytes]
    documents: Sequence[bytes]


@cache
def corpus() -> Corpus:
    """All of them, in an order that is always the same."""
    written = [path.read_bytes() for path in sorted(EXAMPLES.glob("*.fuse"))]
    specs = [parse(text.decode()) for text in written]
    random = _random_specs()
    texts = (*written, *(str(spec).encode() for spec in random))
    documents = [json.dumps(document_of(spec)).encode() for spec in (*specs, *random)]
    return Corpus(texts, documents)


def _random_specs() -> list[Spec]:
    specs: list[Spec] = []

    @seed(0)
    @settings(
        max_examples=RANDOM_PROGRAMS,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(written_specs())
    def collect(spec: Spec) -> None:
        specs.append(spec)

    collect()
    return specs
