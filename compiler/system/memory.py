"""How much memory there is, as the system says, and amounts of it as text."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ..diagnostics.diagnostic import fail

_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")
_AMOUNT = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?(?:([KMGTP]?)(i?)B)", re.IGNORECASE)
_GROUPS, _OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
_MACHINE, _PROCESS = Path("/proc/meminfo"), Path("/proc/self/statm")


def available_memory() -> int | None:
    """Bytes that this process can have beside what it has; None where the system does not say.

    It is the least of what the machine has, swap included, what groups of processes may have
    (cgroups), and the process itself (RLIMIT_AS).
    """
    return min((*_machine(), *_groups(), *_process()), default=None)


def parse_memory(text: str) -> int:
    """Bytes of a text such as `64GB`, 64 · 10⁹, or `64GiB`, 64 · 2³⁰; raises DiagnosticError."""
    found = _AMOUNT.fullmatch(text.strip())
    number = float(found[1]) if found else 0
    if found is None or number <= 0:
        message = f"`{text}` is no amount of memory"
        raise fail("E506", message, help="write it like `64GB` or `512MB`")
    power = "BKMGTP".index((found[2] or "B").upper())
    return int(number * (1024 if found[3] else 1000) ** power)


def memory_text(count: int) -> str:
    """An amount of memory to three digits, such as `2.07 GB`."""
    unit, number = 0, float(count)
    while number >= 999.5 and unit < len(_UNITS) - 1:
        unit, number = unit + 1, number / 1000
    return f"{number:.3g} {_UNITS[unit]}" if number < 999.5 else f"{number:,.0f} {_UNITS[unit]}"


def _machine() -> Iterator[int]:
    try:
        lines = _MACHINE.read_text(encoding="ascii").splitlines()
        kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
        yield 1024 * (kilobytes["MemAvailable"] + kilobytes.get("SwapFree", 0))
    except (OSError, ValueError, IndexError, KeyError):
        if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
            yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _groups() -> Iterator[int]:
    """What is left to each group that the process is in, of cgroups in version 2 or 1."""
    try:
        lines = _OWN_GROUPS.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        _, controllers, own = line.split(":", 2)
        if not controllers:
            root, names = _GROUPS, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            root = _GROUPS / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        folder = root / own.lstrip("/")
        for group in (folder, *folder.parents):
            if group == root.parent:
                break
            yield from _left(group, *names)


def _left(group: Path, limit: str, used: str, kept: str) -> Iterator[int]:
    """What is left to a group: files that are only kept in memory are no use of it."""
    try:
        most = int((group / limit).read_text(encoding="ascii"))
        now = int((group / used).read_text(encoding="ascii"))
        facts = dict(map(str.split, (group / "memory.stat").read_text("ascii").splitlines()))
        yield max(0, most - now + int(facts[kept]))
    except (OSError, ValueError, KeyError):
        return


def _process() -> Iterator[int]:
    """What is left of the addresses that the process may have."""
    try:
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            pages = int(_PROCESS.read_text(encoding="ascii").split()[0])
            yield max(0, limit - pages * os.sysconf("SC_PAGE_SIZE"))
    except (ImportError, OSError, ValueError, IndexError):
        return
