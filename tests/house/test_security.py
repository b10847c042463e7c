"""`SECURITY.md`: the numbers in it are those of the code."""

from __future__ import annotations

import pytest

from fusewright.compiler.diagnostics.source import LONGEST_TEXT
from fusewright.compiler.documents.records import LARGEST
from fusewright.compiler.language.limits import DEEPEST
from fusewright.compiler.system.lock import LONGEST_RECORD
from fusewright.compiler.targets.onnx.allowance import MARGIN, MARGIN_OF_ALL
from fusewright.compiler.targets.onnx.file import LONGEST_MODEL
from fusewright.runtime.data.formats.npz import MOST_INFLATED
from fusewright.runtime.latency.profile import LONGEST_PROFILE
from fusewright.runtime.runs.names import LONGEST_HISTORY
from fusewright.runtime.settings import LONGEST_SETTINGS

from ..siege.judge import MOST_GROWTH, MOST_SECONDS
from ..siege.seen import PAGE as FILE
from ..siege.seen import with_tables

MILLION, GIB = 10**6, 1 << 30
TEXT = FILE.read_text(encoding="utf-8")
PAGE = " ".join(TEXT.split())
SAID = (
    f"whole numbers have {LARGEST.bit_length()} bits",
    f"at most {LONGEST_TEXT // MILLION} million characters, is nested at most {DEEPEST} deep",
    f"settings {LONGEST_SETTINGS // MILLION} million characters",
    f"a profile {LONGEST_PROFILE // MILLION} million",
    f"records of a run {LONGEST_TEXT // MILLION} million",
    f"its history {LONGEST_HISTORY // GIB} GiB",
    f"a model {LONGEST_MODEL // GIB} GiB",
    f"Of a lock {LONGEST_RECORD:,} bytes are read",
    f"which is {MOST_INFLATED:,} times as many",
    f"may truly hold {MOST_INFLATED:,} times its size",
    f"more than {MARGIN} times the numbers of the largest",
    f"no more than {MARGIN_OF_ALL} times those of all",
    f"in {MOST_SECONDS:.0f} seconds of processor",
    f"and {MOST_GROWTH >> 20} MB of memory",
)


@pytest.mark.parametrize("text", SAID)
def test_the_page_has_the_numbers_of_the_code(text: str) -> None:
    assert text in PAGE


def test_the_page_says_what_the_siege_has_seen() -> None:
    assert with_tables(TEXT) == TEXT
