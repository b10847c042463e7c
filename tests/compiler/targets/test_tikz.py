"""Pictures as TikZ: what the SVG shows, where the SVG shows it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

import fusewright as fw

from ...support.paths import EXAMPLES

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ("ntu1_genotype", "mmimdb1", "three_modalities")


def texts(picture: str) -> list[str]:
    """What is written at each node, with `×` and the like as they are in the SVG."""
    shown = re.findall(r"^  \\node\[.*?\] at \([-\d.]+,[-\d.]+\) \{(.*)\};$", picture, re.MULTILINE)
    signs = {r"$\times$": "×", r"\textbar{}": "|", r"\_": "_", "~": " "}
    plain = [re.sub("|".join(map(re.escape, signs)), lambda m: signs[m[0]], t) for t in shown]
    return [re.sub(r"[^\w×?=(),|. ]", "", t) for t in plain]


@pytest.mark.parametrize("name", NAMES)
def test_it_shows_what_the_svg_shows(name: str) -> None:
    spec = fw.load(EXAMPLES / f"{name}.fuse")
    svg = ElementTree.fromstring(fw.draw(spec, format="svg", style="paper"))
    picture = fw.draw(spec, format="tikz", style="paper").decode()
    written = [
        re.sub(r"[^\w×?=(),|. ]", "", (t.text or "").replace("\xa0", " "))
        for t in svg.iter(f"{SVG}text")
    ]
    assert texts(picture) == written
    curves = [p for p in svg.iter(f"{SVG}path") if p.get("d", "").count("C")]
    assert picture.count(".. controls") >= len(curves)
    assert picture.startswith(r"\begin{tikzpicture}")


def test_a_narrower_picture_is_scaled() -> None:
    spec = fw.load(EXAMPLES / "ego1.fuse")
    wide, narrow = (
        re.search(r"x=([\d.]+)bp", fw.draw(spec, format="tikz", width=width).decode())
        for width in (7.0, 2.0)
    )
    assert wide
    assert narrow
    assert float(narrow[1]) < float(wide[1]) <= 1


def test_names_that_mean_something_to_latex_are_escaped() -> None:
    text = "network n(C = 4, L = 2)\nmodality m { `A_1`[c 3] `B%#$&`[c 5] }\n"
    text += "cell K(`A_1`, `B%#$&`) { S = Sum(x, y) }\npredict 3 classes\n"
    picture = fw.draw(fw.loads(text), format="tex").decode()
    assert r"B\%\#\$\&" in picture


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
def test_pdflatex_sets_it_on_one_page(tmp_path: Path) -> None:
    fw.draw(fw.load(EXAMPLES / "ntu1_genotype.fuse"), tmp_path / "n.tex", style="paper")
    command = ["pdflatex", "-interaction=batchmode", "-halt-on-error", "n.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    log = (tmp_path / "n.log").read_text(encoding="utf-8", errors="replace")
    if "not loadable" in log:
        pytest.skip("LaTeX's PostScript fonts are not installed")
    assert done.returncode == 0, log
    assert "(1 page" in log
