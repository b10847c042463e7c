"""Texts, through a tokenizer of Hugging Face's `tokenizers`, read from its `tokenizer.json`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....compiler.diagnostics.diagnostic import fail
from ....compiler.diagnostics.text import shortened
from ....compiler.system.files import first_line, read_bytes
from ...extras import needed
from ..data import Content, named, undecodable

ENDINGS = (".txt",)
TIME: int | None = 0
MOST_CHARACTERS = 1_000_000
LONGEST_TOKENIZER = 100_000_000


@dataclass(frozen=True, kw_only=True)
class Transform:
    """How a text becomes tokens: by the tokenizer whose `tokenizer.json` has this SHA-256, cut off
    after `longest` of them, those that it adds at the ends included. `padding` stands behind them
    where other texts of a batch are longer.

    Without a tokenizer, tokens are the bytes of the text in UTF-8, each with 1 added. In an
    augmented text each word is left out with the probability `dropped`, but never all. Raises
    DiagnosticError where that is no probability below 1.
    """

    tokenizer: str = ""
    longest: int = 64
    padding: int = 0
    dropped: float = 0.1

    def __post_init__(self) -> None:
        if type(self.dropped) not in (int, float) or not 0 <= self.dropped < 1:
            message = f"`dropped` of a transform is `{shortened(str(self.dropped))}`"
            raise fail("E506", message, help="write a number from 0 to below 1")


_WORD = re.compile(r"\s*\S+\s*")
"""A word with the space that follows it, and that at the beginning of a text."""
_KNOWN: dict[str, bytes] = {}
"""The content of tokenizers by their SHA-256: a transform names one by that alone."""


def read_tokenizer(path: str) -> str:
    """Reads a `tokenizer.json`; returns its SHA-256, as a transform names it."""
    content = read_bytes(path, LONGEST_TOKENIZER)
    tokenizers = needed("tokenizers", "raw")
    try:
        tokenizers.Tokenizer.from_buffer(content)
    except Exception as error:  # noqa: BLE001  (what the library raises is an Exception itself)
        raise fail("E504", f"`{path}` is no tokenizer: {error}") from None
    digest = sha256(content).hexdigest()
    _KNOWN[digest] = content
    return digest


@cache
def _tokenizer(digest: str, longest: int) -> Any:
    tokenizer = needed("tokenizers", "raw").Tokenizer.from_buffer(_KNOWN[digest])
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    return tokenizer


def decode(
    content: Content,
    place: str,
    transform: Transform,
    generator: np.random.Generator | None = None,
) -> NDArray[np.int64]:
    """The tokens as (time,); augmented by leaving out words."""
    text = _text(content, place)
    if generator is not None:
        text = _augmented(text, transform.dropped, generator)
    if not transform.tokenizer:
        codes = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
        return codes[: transform.longest].astype(np.int64) + 1
    try:
        tokens = _tokenizer(transform.tokenizer, transform.longest).encode(text).ids
    except Exception as error:  # noqa: BLE001  (what the library raises is an Exception itself)
        raise undecodable(place, f"the tokenizer cannot read it: {first_line(error)}") from None
    if not tokens:
        raise undecodable(place, "the tokenizer makes no token of it")
    return np.array(tokens, np.int64)


def _augmented(text: str, dropped: float, generator: np.random.Generator) -> str:
    """A text without some of its words, as they were drawn; the spaces between others stay."""
    words = _WORD.findall(text)
    kept = generator.random(len(words)) >= dropped
    kept[int(generator.integers(len(words)))] |= not kept.any()
    return "".join(word for word, stays in zip(words, kept, strict=True) if stays).rstrip()


def _text(content: Content, place: str) -> str:
    if isinstance(content, np.ndarray | tuple):
        raise undecodable(place, f"it is {named(content)}, not a text")
    if isinstance(content, bytes):
        try:
            content = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise undecodable(place, f"byte {error.start} is not UTF-8") from None
    if not content.strip():
        raise undecodable(place, "the text is empty", "write one, or leave the sample out")
    if len(content) > MOST_CHARACTERS:
        raise undecodable(place, f"it is longer than {MOST_CHARACTERS:,} characters")
    return content
