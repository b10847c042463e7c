"""Mutated specifications: bytes, tokens and documents, each a function of a seed and a number."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from fusewright.compiler.documents.spellings import Spelling
from fusewright.compiler.documents.writer import document_of
from fusewright.compiler.language.nodes import KEYWORDS
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.syntax.parse import parse

from .paths import ROOT
from .programs import written_specs

EXAMPLES = sorted((ROOT / "examples").glob("*.fuse"))
RANDOM_PROGRAMS = 60
MUTATIONS = (1, 1, 1, 2, 3, 8)
TOKENS = re.compile(r'\s+|#[^\n]*|"(?:\\.|[^"\\\n])*"|`[^`\n]*`|\d+(?:\.\d+)?|\w+|.', re.DOTALL)
NUMBERS: Sequence[str] = (
    "0",
    "1",
    "2",
    "4",
    "7",
    "64",
    "300",
    "-1",
    "1e9",
    "1e308",
    "100000",
    "1000000000",
    "9" * 41,
    "0.5",
    "1M",
)
PIECES: Sequence[str] = (*'{}[]()?,:=|*@`"#\n+-/_.;', "{A | B}", "?", "*s", *sorted(KEYWORDS))
BYTES = (b"\x00", b"\xff", b"\xc3\xa9", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r\n", b"\t", b"\xf0")
STRANGE: Sequence[Any] = (
    *(None, True, 0, -1, 10**9, 1e308, 0.1, "", "?", "*", "x", "any", "`", "x @ W[_, C]", "\n"),
    *([], {}, ["x"], {"any": []}, {"any": ["?"]}, {"op": "Sum"}, [["c", "*"]], "(" * 200),
)


@dataclass(frozen=True)
class Corpus:
    """What is mutated: texts of `.fuse` files, and documents as texts of JSON."""

    texts: tuple[str, ...]
    documents: tuple[str, ...]


@dataclass(frozen=True)
class Mutant:
    """An input of the fuzzer; `spelling` is None where the content shows it."""

    kind: str
    data: bytes
    spelling: Spelling | None


def corpus(seed: int) -> Corpus:
    """The examples, and random programs that depend on the seed alone."""
    specs = [parse(path.read_text(encoding="utf-8")) for path in EXAMPLES]
    specs += _random_specs(seed)
    texts = [path.read_text(encoding="utf-8") for path in EXAMPLES]
    texts += [str(spec) for spec in specs[len(EXAMPLES) :]]
    return Corpus(tuple(texts), tuple(json.dumps(document_of(spec)) for spec in specs))


def _random_specs(seed: int) -> list[Spec]:
    found: list[Spec] = []

    @seeded(seed)
    @settings(
        max_examples=RANDOM_PROGRAMS,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(written_specs())
    def collect(spec: Spec) -> None:
        found.append(spec)

    collect()
    return found


def mutant(corpus: Corpus, seed: int, number: int) -> Mutant:
    """The input of that number; the kinds take turns."""
    random = Random(f"{seed}/{number}")
    kind = list(_KINDS)[number % len(_KINDS)]
    data, spelling = _KINDS[kind](corpus, random)
    return Mutant(kind, data, spelling)


def _mutated_bytes(corpus: Corpus, random: Random) -> tuple[bytes, Spelling | None]:
    data = bytearray(random.choice([*corpus.texts, *corpus.documents]).encode())
    for _ in range(random.choice(MUTATIONS)):
        start = random.randint(0, len(data))
        end = min(len(data), start + random.choice((0, 1, 1, 2, 8, 40)))
        there = random.choice((random.randbytes(1), random.choice(BYTES), b"", bytes(data[:end])))
        near = data[max(0, start - 40) : start]
        data[start:end] = random.choice((there[-60:], there[-60:], bytes(near)))
    return bytes(data), None


def _mutated_tokens(corpus: Corpus, random: Random) -> tuple[bytes, Spelling | None]:
    tokens: list[str] = TOKENS.findall(random.choice(corpus.texts))
    words = [t for t in tokens if not t.isspace()]
    for _ in range(random.choice(MUTATIONS)):
        places = [i for i, t in enumerate(tokens) if not t.isspace()]
        if not places:
            break
        at, other = random.choice(places), random.choice(places)
        match random.choice(("swap", "drop", "double", "replace", "replace", "copy")):
            case "swap":
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case "drop":
                del tokens[at]
            case "double":
                tokens[at:at] = tokens[at : at + random.choice((1, 2, 12))]
            case "copy":
                tokens[at:at] = tokens[other : other + random.choice((1, 8, 60))]
            case _:
                tokens[at] = _replacement(tokens[at], words, random)
    return "".join(tokens).encode(), "fuse"


def _replacement(token: str, words: list[str], random: Random) -> str:
    if token[0].isdigit():
        return random.choice(NUMBERS)
    if token[0].isalpha() and random.random() < 0.8:
        alike: list[str] = [w for w in words if w[0].isalpha()]
        return random.choice(alike)
    return random.choice(PIECES)


def _mutated_documents(corpus: Corpus, random: Random) -> tuple[bytes, Spelling | None]:
    document = json.loads(random.choice(corpus.documents))
    for _ in range(random.choice(MUTATIONS)):
        places = list(_places(document))
        if places and random.random() < 0.5:
            _mutate(*random.choice(places), random)
        elif places:
            _exchange(places, random)
    if random.random() < 0.5:
        return json.dumps(document, ensure_ascii=random.random() < 0.5).encode(), "json"
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True).encode(), "yaml"


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container of a document with each of its keys."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        container = waiting.pop()
        keys = container.keys() if isinstance(container, dict) else range(len(container))
        found += [(container, key) for key in keys]
        waiting += [container[key] for key in keys if isinstance(container[key], dict | list)]
    return found


def _exchange(places: Sequence[tuple[Any, Any]], random: Random) -> None:
    """Puts a value of a document where another of its type stands."""
    container, key = random.choice(places)
    alike = [c[k] for c, k in places if type(c[k]) is type(container[key])]
    container[key] = json.loads(json.dumps(random.choice(alike)))


def _mutate(container: Any, key: Any, random: Random) -> None:
    """Changes one value of a document in its place."""
    value = container[key]
    match random.choice(("replace", "replace", "drop", "move", "double", "wrap")):
        case "drop":
            del container[key]
        case "move" if isinstance(container, dict):
            container[random.choice((*container, "name", "any", "op", "\ud7ff"))] = value
        case "double" if isinstance(container, list):
            container[key:key] = json.loads(json.dumps(container[key : key + 2]))
        case "wrap":
            container[key] = random.choice(([value], {"any": [value]}, {"name": value}))
        case _:
            strange = random.choice((*STRANGE, value * 2 if isinstance(value, str | int) else 1))
            container[key] = json.loads(json.dumps(strange))


_KINDS: Mapping[str, Callable[[Corpus, Random], tuple[bytes, Spelling | None]]] = {
    "bytes": _mutated_bytes,
    "tokens": _mutated_tokens,
    "documents": _mutated_documents,
}
