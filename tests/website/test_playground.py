"""What the playground asks of the front end, without the wheels that a browser has none of."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fusewright.cli.screen.show import as_json
from fusewright.compiler.check.examine import examine_file
from fusewright.playground import NAME, NATIVE, Playground

from ..support.paths import EXAMPLES, SRC
from ..support.wrong_programs import table

MODULES = {"pyyaml": "yaml", "graphviz-pure": "graphviz_pure"}
ALONE = """
import json, sys
for name in sys.argv[1].split(","):
    sys.modules[name] = None
from fusewright.playground import Playground
page = Playground()
for text in json.loads(sys.stdin.read()):
    page.diagnose(text)
    answers = [page.answer(q, json.dumps(a)) for q, a in (
        ("diagram", ["screen"]), ("describe", []), ("equations", []), ("code", []), ("hover", [60]),
        ("complete", [text, 60]), ("format", [text]), ("explain", ["E203"]))]
    print(json.dumps([sorted(json.loads(a)) if "{" == a[0] else "list" for a in answers]))
"""


def ask(page: Playground, question: str, *given: object) -> Any:
    return json.loads(page.answer(question, json.dumps(given)))


def example(name: str) -> str:
    return (EXAMPLES / f"{name}.fuse").read_text(encoding="utf-8")


def test_it_needs_no_native_wheel_and_no_server_of_the_protocol() -> None:
    blocked = [MODULES.get(name, name) for name in NATIVE]
    blocked += ["torch", "typer", "rich", "pygls", "lsprotocol", "attrs", "cattrs", "lark"]
    texts = [example("ntu1"), example("ntu1_genotype")]
    found = subprocess.run(
        [sys.executable, "-c", ALONE, ",".join(blocked)],
        input=json.dumps(texts),
        env={"PYTHONPATH": str(SRC)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert not found.returncode, found.stderr
    space, genotype = map(json.loads, found.stdout.splitlines())
    assert space[0] == ["dot"]
    assert (space[3], genotype[3]) == (["wrong"], ["python"])
    assert genotype[2] == "list"


@pytest.mark.parametrize("section", [s for s in table() if s.text("fuse")], ids=lambda s: s.title)
def test_diagnostics_are_those_of_the_command_line(
    section: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = section.text("fuse")
    monkeypatch.chdir(tmp_path)
    Path(NAME).write_text(text, encoding="utf-8", newline="")
    expected = [as_json(d) for d in examine_file(NAME).diagnostics]
    found = ask(Playground(), "diagnose", text)
    assert [{k: d[k] for k in e} for d, e in zip(found, expected, strict=True)] == expected


def test_places_are_counted_in_what_javascript_counts_in() -> None:
    text = "# \N{MATHEMATICAL SCRIPT CAPITAL V}\nnetwork n(C = 4, L = 2)\nnonsense\n"
    (found, *_) = ask(Playground(), "diagnose", text)
    units = text.encode("utf-16-le")
    assert units[2 * found["from"] : 2 * found["to"]].decode("utf-16-le") == "nonsense"


def test_a_broken_text_is_completed_from_what_was_there_before() -> None:
    page = Playground()
    text = example("ntu1")
    ask(page, "diagnose", text)
    broken = text.replace("cell Cell[2](?, ?)", "cell Cell[2](")
    found = ask(page, "complete", broken, broken.index("cell Cell[2](") + len("cell Cell[2]("))
    assert "Video_3" in [c["label"] for c in found["choices"]]


def test_a_wrong_text_is_neither_drawn_nor_compiled() -> None:
    page = Playground()
    ask(page, "diagnose", "network n(C = 4, L = 2)")
    for question in ("diagram", "code", "equations", "describe"):
        given = ["screen"] if question == "diagram" else []
        assert ask(page, question, *given)["wrong"]


def test_hover_says_what_stands_there_and_where() -> None:
    page = Playground()
    text = example("ntu1_genotype")
    ask(page, "diagnose", text)
    place = text.index("LinearGLU")
    found = ask(page, "hover", place)
    assert "glu(batchnorm" in found["markdown"]
    assert text[found["from"] : found["to"]] == "LinearGLU"
    assert ask(page, "hover", 0) is None
