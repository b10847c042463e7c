"""Mutated specifications by the hundred thousand: no traceback, no hang, bounded memory.

Every input is read and checked; one without errors is formatted, and spelt in all three spellings,
which must say the same. A failure is any exception but `DiagnosticError`, more than `MOST_SECONDS`
of processor time, or memory beyond `MOST_MEMORY` of address space (`RLIMIT_AS` of each process,
which makes it a MemoryError). Failing inputs are written to a folder, made small, with their
traceback. The same seed gives the same inputs on any number of processes.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import process_time

from fusewright.compiler.check.examine import Examination, examine, examine_file
from fusewright.compiler.documents.spellings import Spelling, loads
from fusewright.compiler.load import spell
from fusewright.compiler.syntax.format import format_text

from .mutations import Corpus, Mutant, corpus, mutant

INPUTS = 200_000
MOST_SECONDS = 1.0
MOST_MEMORY = 2 << 30
MOST_WAIT = 600.0
MOST_TRIES = 300
CHUNK = 200
SPELLINGS: Sequence[Spelling] = ("fuse", "json", "yaml")


class TooSlowError(BaseException):
    """An input took longer than `MOST_SECONDS`; no `except Exception` may swallow it."""


@dataclass(frozen=True)
class Outcome:
    """What became of the input of a number: `checked`, `diagnosed` or `failed`."""

    number: int
    kind: str
    verdict: str
    seconds: float


def main() -> None:
    options = _options()
    found = list(fuzz(options.inputs, options.seed, options.out, options.processes))
    print(summary(found, options.seed))
    if any(o.verdict == "failed" for o in found):
        sys.exit(f"failing inputs are in {options.out}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.support.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=INPUTS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"))
    return parser.parse_args()


def fuzz(inputs: int, seed: int, out: Path, processes: int) -> Iterator[Outcome]:
    """The outcome of every input; raises TimeoutError where a process gives no answer."""
    chunks = [range(i, min(i + CHUNK, inputs)) for i in range(0, inputs, CHUNK)]
    work = partial(run, corpus(seed), seed, out)
    with multiprocessing.get_context("spawn").Pool(processes, _limit) as pool:
        answers = pool.imap(work, chunks)
        for chunk in chunks:
            try:
                yield from answers.next(MOST_WAIT)
            except multiprocessing.TimeoutError:
                raise TimeoutError(f"no answer for the inputs {chunk}") from None


def _limit() -> None:
    """Limits the memory of a process."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    gc.freeze()


def run(corpus: Corpus, seed: int, out: Path, numbers: Iterable[int]) -> list[Outcome]:
    """The outcomes of the inputs of these numbers; failing ones are written to a folder."""
    outcomes: list[Outcome] = []
    for number in numbers:
        given = mutant(corpus, seed, number)
        started = process_time()
        failure = None
        verdict = "failed"
        try:
            verdict = judge(given)
        except (Exception, TooSlowError) as error:  # noqa: BLE001  (any is a failure)
            failure = error
        outcomes.append(Outcome(number, given.kind, verdict, process_time() - started))
        if failure is not None:
            _write(given, failure, out / f"{given.kind}-{seed}-{number}")
    return outcomes


def judge(given: Mutant) -> str:
    """Whether an input is `checked` or `diagnosed`; raises what must not happen."""
    previous = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS)
    try:
        found = _examined(given)
        for diagnostic in found.diagnostics[:1]:
            assert diagnostic.message, "a diagnostic without a message"
        if any(d.is_error for d in found.diagnostics):
            return "diagnosed"
        _spell(found, given.spelling)
        return "checked"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)


def _stop(*_: object) -> None:
    raise TooSlowError(f"more than {MOST_SECONDS} seconds")


def _examined(given: Mutant) -> Examination:
    """Bytes are read as those of a file are, whose name tells nothing."""
    if given.spelling is not None:
        return examine(given.data.decode("utf-8", "surrogatepass"), "mutant", given.spelling)
    with tempfile.NamedTemporaryFile() as file:
        file.write(given.data)
        file.flush()
        return examine_file(file.name)


def _spell(found: Examination, spelling: Spelling | None) -> None:
    """Formats what checks, and spells it in all spellings, which must say the same."""
    if spelling == "fuse":
        formatted = format_text(found.source.text)
        assert format_text(formatted) == formatted, "formatting twice differs from once"
    for other in SPELLINGS:
        again = loads(spell(found.spec, other), "again", other)
        assert again == found.spec, f"the program changes in {other}"


# Failures


def _write(given: Mutant, failure: BaseException, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    small = given if isinstance(failure, TooSlowError) else minimised(given, type(failure))
    place.with_suffix(f".{given.spelling or 'input'}").write_bytes(small.data)
    told = "".join(traceback.format_exception(failure))
    place.with_suffix(".traceback").write_text(told, encoding="utf-8")


def minimised(given: Mutant, kind: type[BaseException]) -> Mutant:
    """The input with pieces left out as long as it fails in the same way, in `MOST_TRIES` tries."""
    size, tries = len(given.data) // 2, 0
    while size and tries < MOST_TRIES:
        smaller = None
        for start in range(0, len(given.data), size):
            tries += 1
            shorter = replace(given, data=given.data[:start] + given.data[start + size :])
            if tries <= MOST_TRIES and _fails(shorter, kind):
                smaller = shorter
                break
        given = smaller or given
        size = size if smaller else size // 2
    return given


def _fails(given: Mutant, kind: type[BaseException]) -> bool:
    try:
        judge(given)
    except (Exception, TooSlowError) as error:  # noqa: BLE001  (any is a failure)
        return type(error) is kind
    return False


def summary(outcomes: Sequence[Outcome], seed: int) -> str:
    """How many inputs of each kind were checked, diagnosed and failed, and the slowest of them."""
    counts = Counter((o.kind, o.verdict) for o in outcomes)
    slowest = max(outcomes, key=lambda o: o.seconds)
    lines = [f"{len(outcomes):,} inputs of seed {seed}"]
    for kind in sorted({o.kind for o in outcomes}):
        checked, diagnosed, failed = (
            counts[kind, verdict] for verdict in ("checked", "diagnosed", "failed")
        )
        lines.append(f"  {kind}: {checked:,} checked, {diagnosed:,} diagnosed, {failed:,} failed")
    seconds = sum(o.seconds for o in outcomes)
    lines.append(f"  {seconds:,.0f} s of processor time")
    where = f"{slowest.kind} {slowest.number}"
    lines.append(f"  slowest: {slowest.seconds:.3f} s, {where} ({slowest.verdict})")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
