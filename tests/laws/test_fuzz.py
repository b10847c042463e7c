"""A few hundred of the fuzzer's inputs, and that it finds, writes and reports what fails."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest

from fusewright.compiler.check.examine import Examination, examine

from ..support import fuzz
from ..support.mutations import Corpus, Mutant, corpus, mutant

INPUTS = 300


@pytest.fixture(scope="module")
def seeds() -> Corpus:
    return corpus(0)


def test_mutated_inputs_end_in_a_program_or_in_diagnostics(seeds: Corpus, tmp_path: Path) -> None:
    outcomes = fuzz.run(seeds, 0, tmp_path, range(INPUTS))
    failed = sorted(p.read_text(encoding="utf-8") for p in tmp_path.glob("*.traceback"))
    assert not failed, "\n".join(failed)
    assert [o.number for o in outcomes] == list(range(INPUTS))
    assert {(o.kind, o.verdict) for o in outcomes} >= {
        (kind, verdict)
        for kind in ("bytes", "tokens", "documents")
        for verdict in ("checked", "diagnosed")
    }


def test_a_seed_gives_the_same_inputs(seeds: Corpus) -> None:
    again = corpus(0)
    assert again == seeds
    first = [mutant(seeds, 5, number) for number in range(60)]
    assert first == [mutant(again, 5, number) for number in range(60)]
    assert first != [mutant(seeds, 6, number) for number in range(60)]


def test_a_failing_input_is_written_small_with_its_traceback(
    seeds: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(given: Mutant) -> Examination:
        if b"predict" in given.data:
            raise KeyError("planted")
        return examine("")

    monkeypatch.setattr(fuzz, "_examined", broken)
    outcomes = fuzz.run(seeds, 0, tmp_path, range(1, 30, 3))
    written = sorted(p for p in tmp_path.iterdir() if p.suffix == ".fuse")
    assert written
    assert {p.read_bytes() for p in written} == {b"predict"}
    assert "KeyError: 'planted'" in written[0].with_suffix(".traceback").read_text()
    counted = f"{len(written)} failed"
    assert counted in fuzz.summary(outcomes, 0)


def test_an_input_that_takes_too_long_fails(
    seeds: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(_: Mutant) -> Examination:
        while True:
            pass

    monkeypatch.setattr(fuzz, "_examined", endless)
    monkeypatch.setattr(fuzz, "MOST_SECONDS", 0.05)
    started = process_time()
    (outcome,) = fuzz.run(seeds, 0, tmp_path, [1])
    assert outcome.verdict == "failed"
    assert process_time() - started < 1
    assert "TooSlowError" in next(tmp_path.glob("*.traceback")).read_text(encoding="utf-8")


def test_every_process_gives_the_same_outcomes(tmp_path: Path) -> None:
    alone, shared = (list(fuzz.fuzz(60, 3, tmp_path, processes)) for processes in (1, 2))
    assert [(o.number, o.kind, o.verdict) for o in alone] == [
        (o.number, o.kind, o.verdict) for o in shared
    ]
    assert not list(tmp_path.iterdir())
