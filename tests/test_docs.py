"""What the README shows is true: its specifications check, and its Python names exist."""

from __future__ import annotations

import re
from pathlib import Path

import fusewright as fw
from fusewright.compiler.parse import parse
from fusewright.compiler.spec import Spec

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
SPECIFICATION, OPERATION = re.findall(r"```fuse\n(.*?)```", README, re.DOTALL)


def test_the_first_specification_is_a_search_space() -> None:
    spec = fw.loads(SPECIFICATION)
    assert isinstance(spec, Spec)
    assert not fw.check(spec)
    assert len(spec.cells) == 1


def test_the_operation_of_ones_own_works_in_it() -> None:
    definitions = parse(OPERATION).definitions
    text = f"{SPECIFICATION}\n{OPERATION}".replace("pool Sum,", f"pool {definitions[0].name}, Sum,")
    assert not fw.check(fw.loads(text))


def test_every_name_of_the_api_is_there() -> None:
    shown = set(re.findall(r"\bfw\.(\w+)", README))
    assert shown
    for name in (*shown, *fw.__all__):
        assert getattr(fw, name) is not None
