"""The siege: a few inputs of each target, that no reader is left out, and what failures are."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

import pytest

from fusewright.compiler.diagnostics.diagnostic import fail
from fusewright.runtime.data.files import FOLDER_FORMATS, FORMATS
from fusewright.runtime.runs import names
from fusewright.runtime.runs.files import FILES

from ..siege.faults import FAULTS, Fault
from ..siege.judge import judged
from ..siege.kinds import kinds
from ..siege.readers import Call, Command, Undiagnosed, commands
from ..siege.surroundings import Surroundings, changes, listing
from ..siege.target import Case
from ..siege.works import WORKS
from ..support.paths import ROOT, SRC

WRITTEN = ("output", "out")
"""Parameters that name what a command writes."""
FILE_WORDS = ("FILE", "RUN", "ONNX", "JOURNAL", ".json")
"""What a metavar says that stands for a file."""
OF_A_RUN = {part for file in FILES for part in Path(file.name).parts}
IN_PLACE = {"format"}
"""Commands that write what they read."""
LONG = {"demo", "reproduce"}
"""Commands that take minutes; what they write, they write as others do."""
CASES = [case for kind in kinds().values() for case in kind.cases]
QUICK = ("convert", "format")
"""Works that take moments."""


def siege(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the siege, or a program that uses it."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_every_target_stands(tmp_path: Path) -> None:
    chosen = [part for name in (*kinds(), *QUICK) for part in ("--only", name)]
    options = ("--minutes", "0", "--first", "2", "--out", str(tmp_path))
    ended = siege("-m", "tests.siege", *options, *chosen)
    failures = [path.read_text(encoding="utf-8") for path in tmp_path.glob("*.txt")]
    assert not failures, failures[0]
    assert not ended.returncode, ended.stderr
    assert f"{2 * len((*kinds(), *QUICK))} inputs of seed 0, 0 failed" in ended.stdout


# What is attacked


def every_command(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """The commands of a group, and of groups in it, by their words."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from every_command(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def parameters() -> Iterator[tuple[str, str]]:
    """Every command with each of its parameters that is a file to be read."""
    for name, command in every_command(commands()):
        types = inspect.signature(command.callback, eval_str=True).parameters
        for parameter in command.params:
            kind = str(types[parameter.name].annotation) if parameter.name in types else ""
            metavar = str(parameter.metavar or "")
            is_file = "Path" in kind or any(f in metavar for f in FILE_WORDS)
            if is_file and parameter.name not in WRITTEN:
                yield name, str(parameter.name)


def read_by(case: Case) -> Iterator[tuple[str, str]]:
    """Every command that reads a file, with the parameter that names it, or its folder."""
    for reader in case.readers:
        if not isinstance(reader, Command):
            continue
        line = " ".join(reader.arguments)
        name, command = next(
            c for c in every_command(commands()) if f"{line} ".startswith(f"{c[0]} ")
        )
        arguments = [*reader.arguments[len(name.split()) :]]
        context: Any = command.make_context(name, arguments)
        for parameter, value in context.params.items():
            values = value if isinstance(value, list | tuple) else [value]
            files = [str(v).rpartition("=")[2] for v in values]
            if any(case.file == f or case.file.startswith(f"{f}/") for f in files):
                yield name, parameter


def test_every_file_that_a_command_takes_is_attacked() -> None:
    covered = {pair for case in CASES for pair in read_by(case)}
    assert set(parameters()) - covered == set()


def test_no_kind_hides_behind_a_work() -> None:
    assert not kinds().keys() & WORKS.keys()


def test_every_format_of_data_is_attacked() -> None:
    attacked = {Path(case.file).name for case in CASES}
    assert set(FORMATS) - {Path(name).suffix for name in attacked} == {".pq", ".pth", ".tsv"}
    assert set(FOLDER_FORMATS) - attacked == set()


def test_every_file_of_a_run_is_attacked() -> None:
    parts = {part for case in CASES for part in Path(case.file).parts}
    assert {*OF_A_RUN, names.LOCK, names.PARTS} - parts == set()


def test_every_name_of_a_file_has_a_row() -> None:
    no_files = {names.EVENTS, names.TOGETHER, names.DIGESTS, names.LOCK, names.PARTS}
    no_files |= {names.TRAINED_WITH, names.GIVEN_UP}
    constants = {v for n, v in vars(names).items() if n.isupper() and isinstance(v, str)}
    assert constants - no_files - OF_A_RUN == set()


def test_a_seed_and_a_number_give_the_same_input() -> None:
    for name in ("text", "JSON", "YAML"):
        mutate = kinds()[name].mutation
        first, again = ([mutate(b"a: 1", Random(f"{s}/x")) for s in range(20)] for _ in range(2))
        assert first == again
        assert len(set(first)) > 10


@pytest.mark.parametrize("kind", sorted(set(FAULTS)))
def test_a_fault_strikes_every_call_in_time(kind: str) -> None:
    faults = [Fault.of(0, number, 9) for number in range(9 * len(FAULTS))]
    assert {fault.call for fault in faults if fault.kind == kind} == set(range(1, 10))


# What is judged


def refuse(_: str) -> None:
    raise fail("E504", "no")


def test_what_ends_well_is_told_from_what_does_not() -> None:
    assert judged(lambda: "").ending == "accepted"
    assert judged(lambda: Call(refuse)("")).ending == "E504"
    assert judged(lambda: "E999").ending == "traceback"
    broken = judged(lambda: {"a": ""}["planted"])
    assert broken.failed
    assert "KeyError: 'planted'" in broken.reason


def test_a_command_that_says_nothing_fails() -> None:
    diagnosed = Command.of("check none.fuse")("")
    assert diagnosed == "E504"
    silent = Command.of("diff --exit-code examples/ntu1.fuse examples/ntu2.fuse")
    verdict = judged(lambda: silent(""))
    assert verdict.failed
    assert Undiagnosed.__name__ in verdict.reason


def test_what_takes_too_long_is_stopped() -> None:
    def endless() -> str:
        while True:
            pass

    started = process_time()
    verdict = judged(endless, seconds=0.05)
    assert verdict.ending == "hang"
    assert "endless" in verdict.reason
    assert process_time() - started < 1


def test_what_takes_too_much_memory_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.siege.judge.MOST_GROWTH", 20 << 20)
    assert judged(lambda: str(len(b"x" * (1 << 20)) * 0)[1:]).ending == "accepted"
    verdict = judged(lambda: str(len(b"x" * (64 << 20)) * 0)[1:])
    assert verdict.ending == "memory"


CHANGES: dict[str, Callable[[], object]] = {
    "written": lambda: Path("there/a").write_bytes(b"two"),
    "added to": lambda: os.write(os.open("there/a", os.O_WRONLY | os.O_APPEND), b"x"),
    "new": lambda: Path("there/b").touch(),
    "new within": lambda: Path("new/c").mkdir(parents=True),
    "removed": lambda: Path("there/a").unlink(),
    "moved": lambda: Path("there/a").replace("d"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_around_an_input_is_seen(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there").mkdir()
    Path("there/a").write_bytes(b"one")
    around = Surroundings()
    Path("there/a").read_bytes()
    assert around.changed() == []
    before = listing()
    CHANGES[change]()
    assert around.changed() == changes(before, listing()) != []
    around.at_peace(around.changed())
    assert around.changed() == []


def test_a_new_folder_is_watched_once_it_belongs_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    around = Surroundings()
    Path("new").mkdir()
    around.at_peace(around.changed())
    Path("new/a").touch()
    assert around.changed() == ["./new/a"]


PLANTED = """
import pathlib, sys
from tests.siege.kills import Kills
from tests.siege.readers import Call
from tests.siege.target import Place
from tests.siege.workers import attacking
from tests.siege.works import Work
base = pathlib.Path(sys.argv[1])
write = Call(lambda _: pathlib.Path("out.txt").write_text("as it is to be"))
work = Work("planted", write, write, ["out.txt"], replaces=True)
long = Call(lambda _: sum(range(3_000_000)) and write(""))
kills = Kills(Work("long", long, long, ["out.txt"]), moments=8)
with attacking(Place(base / "home", base)) as place:
    endings = {work.attack(place, 0, number).verdict.ending for number in range(14)}
    killed = [kills.attack(place, 0, number).verdict.ending for number in range(8)]
(base / "endings.txt").write_text(" ".join(sorted(endings)))
(base / "killed.txt").write_text(" ".join(killed))
"""


def test_what_is_half_written_is_seen_and_what_is_killed_dies_in_time(
    tmp_path: Path,
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "out.txt").write_text("as it was", encoding="utf-8")
    ended = siege("-c", PLANTED, str(tmp_path))
    assert not ended.returncode, ended.stderr
    endings = (tmp_path / "endings.txt").read_text(encoding="utf-8").split()
    assert {"lost", "traceback"} <= set(endings)
    killed = (tmp_path / "killed.txt").read_text(encoding="utf-8").split()
    assert killed.count("killed") > len(killed) / 2


def test_every_command_that_writes_has_a_work() -> None:
    every = dict(every_command(commands()))
    writing = {n for n, c in every.items() if any(p.name in WRITTEN for p in c.params)}
    lines = [
        " ".join(w.command.arguments) for w in WORKS.values() if isinstance(w.command, Command)
    ]
    done = {name for name in every for line in lines if f"{line} ".startswith(f"{name} ")}
    assert (writing | IN_PLACE) - done == LONG
    assert done <= writing | IN_PLACE
