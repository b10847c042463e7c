"""Reading ahead: what is asked for next is read by other threads while this one computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Read = TypeVar("Read")
READERS = 4
"""Threads that read; they wait for files more than they compute."""
AHEAD = 4
"""How many reads are begun, or done, before they are asked for."""


def read_ahead(read: Callable[[Item], Read], items: Iterable[Item]) -> Generator[Read]:
    """What is read of each item, in their order; raises what reading raises, in its place."""
    left = iter(items)
    begun = deque[Future[Read]]()
    with ThreadPoolExecutor(READERS, "reading") as pool:
        begun.extend(pool.submit(read, item) for item in islice(left, AHEAD))
        try:
            while begun:
                found = begun.popleft().result()
                begun.extend(pool.submit(read, item) for item in islice(left, 1))
                yield found
        finally:
            for future in begun:
                future.cancel()
