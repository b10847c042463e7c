"""The judgement of one piece of work: what it ended in, how long it took, and how much memory.

NOTE: seconds are those of the processor, since the machine may be busy; who waits for ever is
stopped by the process that started it. The peak of memory is the kernel's, set back before.
"""

from __future__ import annotations

import os
import resource
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time
from typing import Any

from fusewright.compiler.diagnostics.codes import CODES
from fusewright.compiler.system.drafts import PREFIX

from .readers import USAGE

MOST_SECONDS = 5.0
MOST_GROWTH = 500 << 20
"""Bytes that work may take beside twice its input."""
MOST_SPACE = 6 << 30
"""Bytes of addresses that a process may take beside those that it has."""
FAILURES = ("traceback", "hang", "memory", "crash", "changed", "lost", "different")


class TooSlowError(BaseException):
    """Work took longer than it may; no `except Exception` swallows it."""


@dataclass(frozen=True)
class Verdict:
    """What work ended in: `accepted`, `killed`, a code, or one of `FAILURES` with its reason."""

    ending: str
    seconds: float = 0.0
    growth: int = 0
    reason: str = field(default="", repr=False)

    @property
    def failed(self) -> bool:
        return self.ending in FAILURES


def limited() -> None:
    """Limits the memory of this process to what it has and `MOST_SPACE`."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    space = pages * resource.getpagesize() + MOST_SPACE
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def judged(work: Callable[[], str], size: int = 0, seconds: float = MOST_SECONDS) -> Verdict:
    """What work ends in that returns a code, or nothing; `size` is that of its input in bytes."""
    before = _peak_set_back()
    previous = signal.signal(signal.SIGPROF, _stop)
    started, reason = process_time(), ""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        ending = work() or "accepted"
    except TooSlowError:
        ending, reason = "hang", traceback.format_exc()
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException:  # noqa: BLE001  (whatever is no diagnostic is a failure)
        ending, reason = "traceback", traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)
    growth = max(0, _kilobytes("VmHWM") * 1024 - before)
    taken = process_time() - started
    if ending not in FAILURES and growth > 2 * size + MOST_GROWTH:
        ending, reason = "memory", f"{growth:,} bytes for an input of {size:,}"
    known = ending in FAILURES or ending in (*CODES, USAGE, "accepted", "changes")
    if not known:
        ending, reason = "traceback", f"`{ending}` is no code"
    return Verdict(ending, taken, growth, reason)


def _stop(*_: object) -> None:
    raise TooSlowError


def _peak_set_back() -> int:
    """Sets the peak of memory back to what is held now; returns that in bytes."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:  # the peak then stays that of earlier work, which was less or was a failure
        return _kilobytes("VmHWM") * 1024
    return _kilobytes("VmRSS") * 1024


def _kilobytes(name: str) -> int:
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123  (often)
        line = next(line for line in status if line.startswith(name))
    return int(line.split()[1])


def drafts(paths: Any) -> list[str]:
    """The paths of what is being written, and should be no more."""
    return [path for path in paths if os.path.basename(path).startswith(PREFIX)]  # noqa: PTH119
