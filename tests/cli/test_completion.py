"""What a shell completes, and the manual page."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fusewright.cli import complete
from fusewright.cli.commands import names
from tests.support.application import app
from tests.support.paths import SRC


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with specifications, runs, a folder of runs, and what is neither."""
    for run, about in (("found", "search"), ("runs/a", "train"), ("runs/b", "search")):
        (tmp_path / run).mkdir(parents=True)
        (tmp_path / run / f"{about}.json").touch()
    for file in ("net.fuse", "net.onnx", "net.txt", ".hidden.fuse", "found/genotype.fuse"):
        (tmp_path / file).touch()
    (tmp_path / "features").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def completed(line: str) -> list[str]:
    """What bash offers for the last word of a line."""
    words = line.split(" ")
    environment = {
        "_FUSEWRIGHT_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    return CliRunner().invoke(app, [], prog_name="fusewright", env=environment).output.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("fusewright exp", ["explain"]),
        ("fusewright features pr", ["prune"]),
        ("fusewright report ", ["found", "runs/a", "runs/b"]),
        ("fusewright consensus runs/", ["runs/a", "runs/b"]),
        ("fusewright train ", ["net.fuse", "found/genotype.fuse"]),
        ("fusewright train found/g", ["found/genotype.fuse"]),
        ("fusewright evaluate n", ["net.onnx"]),
        ("fusewright draw f", ["found", "found/genotype.fuse"]),
        ("fusewright check .", [".hidden.fuse"]),
        ("fusewright search net.fuse --arch-l", ["--arch-learning-rate"]),
        ("fusewright search net.fuse --strategy s", ["single-path"]),
        ("fusewright search net.fuse --select ra", ["ranking"]),
        ("fusewright train net.fuse --precision b", ["bfloat16"]),
        ("fusewright draw net.fuse --style p", ["paper"]),
        ("fusewright explain W50", [f"W50{n}" for n in range(1, 10)]),
        ("fusewright report no/such/", []),
    ],
)
def test_a_line_is_completed(line: str, offered: list[str], place: Path) -> None:
    assert completed(line) == offered


def test_many_entries_are_looked_at_in_bounded_time(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(complete, "MOST", 2)
    assert len(complete.networks_and_runs("")) <= 4


def script_of(shell: str) -> str:
    """What a shell runs to have its completion."""
    environment = {"_FUSEWRIGHT_COMPLETE": f"source_{shell}"}
    return CliRunner().invoke(app, [], prog_name="fusewright", env=environment).output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(shell: str) -> None:
    assert f"_FUSEWRIGHT_COMPLETE=complete_{shell}" in script_of(shell)


def test_bash_completes_by_its_script_and_imports_little(place: Path) -> None:
    if (bash := shutil.which("bash")) is None:
        pytest.skip("there is no bash")
    program = place / "bin" / "fusewright"
    program.parent.mkdir()
    lines = (
        f"#!{sys.executable}",
        f"import sys; sys.path.insert(0, {str(SRC)!r})",
        "from fusewright.cli import main",
        "try:\n    main()\nfinally:",
        "    loaded = {'torch', 'numpy', 'onnx', 'networkx', 'fusewright.cli.commands.train'}",
        "    open('loaded', 'w').write(' '.join(loaded & set(sys.modules)))",
    )
    program.write_text("\n".join(lines) + "\n", encoding="utf-8")
    program.chmod(0o755)
    script = script_of("bash")
    call = "COMP_WORDS=(fusewright report ru) COMP_CWORD=2; _fusewright_completion fusewright"
    printed = subprocess.run(
        [
            bash,
            "--norc",
            "-c",
            f'{script}\nPATH="$PWD/bin:$PATH"\n{call}\necho "${{COMPREPLY[@]}}"',
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert (printed.stdout, printed.stderr) == ("runs/a runs/b\n", "")
    assert not (place / "loaded").read_text(encoding="utf-8")


# The manual page


def test_the_manual_page_has_every_command_and_shows_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "fusewright.1"
    text = CliRunner().invoke(app, ["man"]).output
    page.write_text(text, encoding="ascii")
    sections = [line for line in text.splitlines() if line.startswith(".SH")]
    assert sections == [
        ".SH NAME",
        ".SH SYNOPSIS",
        ".SH OPTIONS",
        ".SH COMMANDS",
        ".SH EXIT STATUS",
    ]
    headings = [line.split()[2].rstrip('"') for line in text.splitlines() if line.startswith(".SS")]
    assert [*dict.fromkeys(headings)] == [name.replace("-", "\\-") for name in names()]
    requests = {line.split()[0] for line in text.splitlines() if line.startswith((".", "'"))}
    assert requests <= {".TH", ".SH", ".SS", ".PP", ".TP", ".B"}
    if (groff := shutil.which("groff")) is None:
        return
    shown = subprocess.run(
        [groff, "-man", "-Tutf8", "-ww", "-P-c", str(page)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert not shown.stderr
    assert "--arch-learning-rate" in shown.stdout
