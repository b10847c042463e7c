"""A number has the digits from 0 to 9, wherever one is given as text; other scripts' are none."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest

import fusewright as fw
from fusewright.cli import main
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.system.numbers import number_of
from fusewright.runtime.fields import TUNED
from fusewright.runtime.tuning import ranges

THREE = "٣"
SPACE = """network n(C = 4, L = 2)
modality m { A[c 3] B[t 2, c 5] }
pool Sum, ConcatFC
op Own(x, y) = 3 * x + y
cell K[2](?, ?) { S = ?(x, y) }
require parameters <= 3M
predict 3 classes
"""


@pytest.mark.parametrize("number", ["C = 4", "[c 3]", "K[2]", "= 3 * x", "<= 3M", "predict 3"])
def test_a_text_has_plain_digits_alone(number: str) -> None:
    fw.loads(SPACE)
    written = "".join(THREE if char.isdigit() else char for char in number)
    with pytest.raises(DiagnosticError) as error:
        fw.loads(SPACE.replace(number, written))
    (found,) = (d for d in error.value.diagnostics if d.code == "E001")
    assert found.help == "a number is written with the digits from 0 to 9"


def test_a_published_genotype_and_a_setting_have_plain_digits_alone() -> None:
    from fusewright.compiler.published.notation import read_genotype

    with pytest.raises(DiagnosticError):
        read_genotype(f"Genotype(edges=[('skip', {THREE})], steps=[], concat=[2])")
    with pytest.raises(DiagnosticError, match="is no number"):
        ranges(f"clipping={THREE}|4", TUNED)


@pytest.mark.parametrize("text", [THREE, "²", "１", "x", f"1.{THREE}"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        number_of(text)


@pytest.mark.parametrize(
    "arguments",
    [
        f"check FILE --set C={THREE}",
        f"train FILE --data a.npz --out run --epochs {THREE}",
        f"train FILE --data a.npz --out run --max-learning-rate {THREE}",
        f"profile FILE -o a.json --threads {THREE}",
        f"profile FILE -o a.json --size t={THREE}",
        f"draw FILE -o a.svg --width {THREE}in",
    ],
)
def test_an_option_has_plain_digits_alone(arguments: str, tmp_path: Path) -> None:
    file = tmp_path / "a.fuse"
    file.write_text(SPACE)
    given = [str(tmp_path / name) for name in ("a.fuse", "a.json", "a.svg", "a.npz", "run")]
    names = "FILE a.json a.svg a.npz run".split()
    places: dict[str, str] = dict(zip(names, given, strict=True))
    argv = ["fusewright", *(places.get(word, word) for word in arguments.split())]
    said = io.StringIO()
    with (
        patch.object(sys, "argv", argv),
        redirect_stderr(said),
        redirect_stdout(io.StringIO()),
        pytest.raises(SystemExit) as exit,
    ):
        main()
    assert exit.value.code in (1, 2)
    assert THREE in said.getvalue()
    assert list(tmp_path.iterdir()) == [file]
