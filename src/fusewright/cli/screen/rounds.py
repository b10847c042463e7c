"""What a terminal shows of a search while it runs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from math import log
from typing import Any

from ...runtime.metrics import TRAIN_LOSS
from .bar import Bar


class Standing:
    """The last numbers of a search, the score of the round that is kept, and how it stands."""

    def __init__(self, metric: str) -> None:
        self._metric = metric
        self._scores: dict[int, float] = {}

    def shown(self, record: Mapping[str, Any]) -> str:
        """A line about the record of a round."""
        parts = [f"{k} {record[k]:.4f}" for k in (TRAIN_LOSS, self._metric) if k in record]
        if self._metric in record:
            self._scores[record["round"]] = record[self._metric]
        if (best := self._scores.get(record.get("best_round", 0))) is not None:
            parts.append(f"best {best:.4f}")
        parts.append(f"{record['cost']['weight_steps']:,.0f} weight steps")
        if (left := undecided(record)) is not None:
            parts.append(f"holes {100 * (1 - left):.0f} % settled")
        return "  ".join(parts)


def numbers_in(record: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a record that are none of its counters."""
    return {name: value for name, value in record.items() if isinstance(value, float)}


def undecided(record: Mapping[str, Any]) -> float | None:
    """The mean entropy of the holes, as a share of that of even weights, which they start near."""
    entropy, logits = record.get("entropy", {}), record.get("architecture", {})
    most = [log(_candidates(logits[name])) for name in entropy if name in logits]
    if not sum(most):
        return None
    return float(sum(v for name, v in entropy.items() if name in logits) / sum(most))


def _candidates(logits: Any) -> int:
    """How many candidates one softmax is over; of rows of pairs, two."""
    return len(logits[0]) if isinstance(logits[0], list) else len(logits)


@contextmanager
def rounds(metric: str) -> Generator[Callable[[dict[str, Any]], None]]:
    """A bar over rounds, with how the search stands beside it."""
    with Bar("search") as bar:
        standing = Standing(metric)

        def report(record: dict[str, Any]) -> None:
            bar.show(record["round"], record["rounds"], standing.shown(record), numbers_in(record))

        yield report
