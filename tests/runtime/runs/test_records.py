"""Records of runs that anyone may have changed: each is read as its schema says, or refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest

import fusewright as fw
from fusewright.compiler.documents.ensemble import ensemble_text, read_ensemble_text
from fusewright.compiler.documents.records import RecordKind, read_record
from fusewright.compiler.language.ensemble import Ensemble, EnsembleMember
from fusewright.runtime.latency.profile import Check, Profile, read_profile
from fusewright.runtime.runs.controls import Control, Controls, read_controls
from fusewright.runtime.runs.files import read_kind
from fusewright.runtime.runs.folder import RunFolder
from fusewright.runtime.runs.history import line_of, read_lines
from fusewright.runtime.runs.read import record_of
from fusewright.runtime.runs.statistics import Interval
from fusewright.runtime.settings import Settings, read_settings

from ...support.changes import changes
from ...support.running import FIXED, spec

ROUND = {
    "stage": "search",
    "round": 2,
    "rounds": 3,
    "train_loss": 0.5,
    "candidate": 1,
    "entropy": {"K.alpha": 0.3},
    "architecture": {"K.alpha": [0.1, 0.2], "K.beta": [[0.1, 0.2], [0.3, 0.4]]},
    "hole": "K.alpha",
    "drops": [0.1, 0.0],
    "last": {"candidate": 0, "failure": "no finite number", "settings": {"clipping": 1.0}},
    "settings": {"clipping": 1.0},
    "ensemble": {"validation_loss": 0.2},
    "genotype": str(spec(FIXED)),
    "best_round": 1,
    "cost": {"weight_steps": 3.5, "seconds": 1.0},
}
ENSEMBLE = Ensemble((EnsembleMember(spec(FIXED), 0.25), EnsembleMember(spec(FIXED), 0.75)))
CONTROLS = Controls(
    "accuracy", 3, 12.5, 2,
    (Control("found", 0.5, (0.5,), 1.0),
     Control("x", 0.4, (0.3, 0.5), 1.0, Interval(0.1, -0.2, 0.4), False)),
    ("simple models",), 4,
)  # fmt: skip
PROFILE = Profile(
    "laptop", 0.1, {"0" * 32: 0.5}, {"0" * 32: "the adapter of `A`"}, sizes={"t": 3},
    machine={"processors": 2}, versions={"python": "3"}, check=Check(3, 0.1, 0.2),
)  # fmt: skip


def about(folder: Path) -> str:
    RunFolder(folder, "search").write_about({}, cost={"seconds": 1.5})
    return (folder / "search.json").read_text(encoding="utf-8")


def controls(folder: Path) -> str:
    CONTROLS.write(folder)
    return (folder / "controls.json").read_text(encoding="utf-8")


def placed(name: str, read: Callable[[Path], object]) -> Callable[[Path, str], object]:
    """Reads a text as a file of that name in a folder."""

    def reader(folder: Path, text: str) -> object:
        (folder / name).write_text(text, encoding="utf-8")
        return read(folder)

    return reader


def rounds(folder: Path, text: str) -> object:
    return [
        record_of(record, record.get("round", 0)) for record in read_lines(text, "history.jsonl")
    ]


def members(folder: Path, text: str) -> object:
    return read_ensemble_text(text, "e", lambda *_: spec(FIXED), RecordKind(schema="ensemble"))


Kind = tuple[Callable[[Path], str], Callable[[Path, str], object]]
KINDS: Mapping[str, Kind] = {
    "history": (lambda _: line_of("search", ROUND), rounds),
    "about": (about, lambda _, text: read_record(text, "search.json", RecordKind(schema="about"))),
    "controls": (controls, placed("controls.json", read_controls)),
    "ensemble": (lambda _: ensemble_text(ENSEMBLE, ["member_1.fuse", "member_2.fuse"]), members),
    "profile": (lambda _: PROFILE.text(), placed("p.json", lambda f: read_profile(f / "p.json"))),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_change_anywhere_is_read_or_diagnosed(kind: Kind, tmp_path: Path) -> None:
    write, read = kind
    text = write(tmp_path)
    read(tmp_path, text)
    refused = 0
    for place, change, changed in changes(json.loads(text)):
        try:
            read(tmp_path, json.dumps(changed))
        except fw.DiagnosticError as error:
            (found,) = error.diagnostics
            assert found.code in ("E507", "E511", "E004"), (place, change)
            assert found.help
            assert len(str(error)) < 2000, (place, change)
            assert "\x1b" not in str(error), (place, change)
            refused += 1
        else:
            assert change not in ("undefined", "infinite", "huge"), (place, change)
    assert refused > 20


DIGITS = "9" * 5000
TEXTS = {
    "digits": '{"stage": "search", "round": ' + DIGITS + "}",
    "an exponent": '{"stage": "search", "round": 1, "loss": 1e999999}',
    "a key twice": '{"stage": "search", "round": 1, "round": 2}',
    "NaN": '{"stage": "search", "round": NaN}',
    "half a character": '{"stage": "search", "genotype": "\\ud800"}',
    "depth": "[" * 100_000,
    "inner depth": '{"stage": "search", "x": ' + "[" * 500 + "]" * 500 + "}",
    "65 bits": '{"stage": "search", "round": 9223372036854775808}',
    "nothing": "{",
    "a text": '"search"',
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_that_no_run_writes_says_where(text: str) -> None:
    good = line_of("search", {"round": 1})
    with pytest.raises(fw.DiagnosticError, match="is damaged") as caught:
        read_lines(good + text, "history.jsonl")
    (found,) = caught.value.diagnostics
    assert found.span is not None
    assert found.span.line == 2
    assert len(str(found)) < 1000 + len(text)


def test_the_message_says_place_and_value() -> None:
    text = line_of("search", {"round": 1, "architecture": {"K": [0.1, "\x1b[2J"]}})
    with pytest.raises(fw.DiagnosticError) as caught:
        read_lines(text, "h")
    assert str(caught.value).splitlines()[0] == (
        "error[E507]: `h` is damaged: `/architecture/K` is a list of 2, not a list of numbers, or "
        "of pairs of them"
    )


def test_numbers_that_are_not_finite_are_written_as_null() -> None:
    (record,) = read_lines(line_of("search", {"round": 1, "score": -inf, "loss": nan}), "h")
    assert record["score"] is None
    assert record_of(record, 1).numbers == {"round": 1.0}


CHANGES = [
    (place, change, changed)
    for place, change, changed in changes(
        {name: value for name, value in vars(Settings()).items() if name != "profile"}
    )
    if isinstance(changed, dict) and None not in changed.values()
]


def test_a_change_of_any_setting_is_read_or_diagnosed(tmp_path: Path) -> None:
    for place, change, changed in CHANGES:
        lines = [f"{name} = {toml(value)}" for name, value in changed.items()]
        (tmp_path / "search.toml").write_text("\n".join(lines), encoding="utf-8")
        try:
            read_settings(tmp_path / "search.toml")
        except fw.DiagnosticError as error:
            code = "E004" if change == "a very long text" else "E506"
            assert error.diagnostics[0].code == code, (place, change)
            assert len(str(error)) < 1000, (place, change)
        else:
            assert change not in ("undefined", "infinite", "huge"), (place, change)


def toml(value: Any) -> str:
    if isinstance(value, float):
        return repr(value)
    return "{}" if value == {} else json.dumps(value)


def test_a_run_of_another_format_is_refused_and_one_without_is_read(tmp_path: Path) -> None:
    """A folder of a later version says which, and what to do; one of before has no format."""
    record = json.loads(about(tmp_path))
    assert record.pop("format") == 1
    file = tmp_path / "search.json"
    file.write_text(json.dumps(record), encoding="utf-8")
    assert RunFolder(tmp_path, "search").require("search.json")
    file.write_text(json.dumps({"format": 2, **record}), encoding="utf-8")
    with pytest.raises(fw.DiagnosticError) as caught:
        read_kind(file)
    (found,) = caught.value.diagnostics
    assert found.code == "E507"
    assert found.message.endswith("is in another format than 1, which is read here")
    assert found.help == "use the version of Fusewright that wrote it, or run it again"
