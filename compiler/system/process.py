"""Processes by what tells one from every other: its machine, its number, and when it began."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

_ENDED = "ZX"
"""The states of a process that has ended, and whose parent has not asked for its status."""


@dataclass(frozen=True)
class Process:
    """A process; `began` tells it from a later one that has its number."""

    host: str
    number: int
    began: str

    @classmethod
    def own(cls) -> Process:
        """This one."""
        return cls(_host(), os.getpid(), _began(os.getpid()) or "")

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is of another machine, so that nothing is known of it here."""
        return self.host != _host()

    @property
    def is_gone(self) -> bool:
        """Whether it has surely ended."""
        if self.is_elsewhere:
            return False
        try:
            os.kill(self.number, 0)
        except (ProcessLookupError, OverflowError):
            return True
        except OSError:  # that of another user
            pass
        began = _began(self.number)
        return began is not None and began != self.began


def _host() -> str:
    """The name of this machine, as a part of the name of a file."""
    return re.sub(r"[^\w.-]", "_", os.uname().nodename)


def _began(number: int) -> str | None:
    """When a process began, as the start of the system and ticks since then.

    Empty for one that has ended; None where the system does not say.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            start = file.read(8)
        with open(f"/proc/{number}/stat", encoding="utf-8", errors="replace") as file:
            facts = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return "" if facts[0] in _ENDED else f"{start}.{facts[19]}"
